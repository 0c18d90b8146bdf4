import * as fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import * as z from 'zod'
import { jsonCodec, untouchedBytes } from './codec.ts'

const schema = z.object({ text: z.string(), list: z.array(z.unknown()).optional() })
const codec = jsonCodec(schema, 1_000)
const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'utf8')

describe('the JSON codec', () => {
  it('reads what it wrote', () => {
    const message = { text: 'Grüße, “so” \\ [', list: [[1], { a: null }] }
    expect(codec.decode(codec.encode(message))).toEqual(message)
  })

  it.each([
    ['nothing', ''],
    ['text that is no JSON', 'not json'],
    ['JSON that does not fit', '{"text":1}'],
    ['JSON with more behind it', '{"text":"a"} {}'],
    ['a mark of byte order before it', '\ufeff{"text":"a"}'],
  ])('reads null from %s', (_, text) => {
    expect(codec.decode(bytesOf(text))).toBeNull()
  })

  it('reads null from bytes that are no UTF-8', () => {
    expect(codec.decode(Uint8Array.of(0x22, 0xff, 0x22))).toBeNull()
  })

  it('measures before it parses', () => {
    let parsed = 0
    const counting = jsonCodec(
      z.unknown().transform(() => parsed++),
      10,
    )
    expect(counting.decode(bytesOf('"12345678"'))).toBe(0)
    expect(counting.decode(bytesOf('"123456789"'))).toBeNull()
    expect(parsed).toBe(1)
    expect(() => counting.encode(123_456_789_012)).toThrow(RangeError)
  })

  it('refuses nesting that recursion could not bear', () => {
    const deep = jsonCodec(z.json(), 10_000_000)
    const nested = `${'['.repeat(2_000_000)}${']'.repeat(2_000_000)}`
    expect(deep.decode(bytesOf(nested))).toBeNull()
    expect(deep.decode(bytesOf(`${'['.repeat(32)}${']'.repeat(32)}`))).not.toBeNull()
    expect(deep.decode(bytesOf(`${'{"a":'.repeat(33)}1${'}'.repeat(33)}`))).toBeNull()
  })

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1_200 }), (bytes) => {
        codec.decode(bytes)
      }),
    )
    fc.assert(
      fc.property(fc.json({ maxDepth: 40 }), (text) => {
        jsonCodec(z.json(), 100_000).decode(bytesOf(text))
      }),
    )
  })
})

test('bytes go through the multiplexer untouched', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.nat(20), (bytes, offset) => {
      const state = { buffer: new Uint8Array(0), start: offset, end: offset }
      untouchedBytes.preencode(state, bytes)
      state.buffer = new Uint8Array(state.end)
      untouchedBytes.encode(state, bytes)
      expect(state.start).toBe(state.end)
      state.start = offset
      expect([...untouchedBytes.decode(state)]).toEqual([...bytes])
    }),
  )
})
