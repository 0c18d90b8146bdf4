import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BEAT_BYTES, decodeBeat, encodeBeat } from './beat-codec.ts'

describe('a beat as bytes', () => {
  it('is as the protocol has it', () => {
    const bytes = encodeBeat({
      number: 0x01020304,
      echo: 7,
      heldMs: 300,
      nextMs: 8_000,
      watches: true,
      asks: false,
    })
    expect(Buffer.from(bytes).toString('hex')).toBe('01015004030201070000002c01')
  })

  it('says the same when it is read, to a tenth of a second', () => {
    fc.assert(
      fc.property(
        fc.nat(0xffffffff),
        fc.nat(0xffffffff),
        fc.nat(0xffff),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        fc.boolean(),
        (number, echo, heldMs, tenths, watches, asks) => {
          const beat = { number, echo, heldMs, nextMs: tenths * 100, watches, asks }
          expect(decodeBeat(encodeBeat(beat))).toEqual(beat)
        },
      ),
    )
  })

  it('echoes nothing that is too long ago, and promises nothing that it has no room for', () => {
    const beat = { number: 1, echo: 5, heldMs: 70_000, nextMs: 60_000, watches: false, asks: true }
    expect(decodeBeat(encodeBeat(beat))).toEqual({
      ...beat,
      echo: 0,
      heldMs: 0xffff,
      nextMs: 25_500,
    })
  })

  it('is none if it is short or of another kind, and may be longer', () => {
    const bytes = encodeBeat({
      number: 1,
      echo: 0,
      heldMs: 0,
      nextMs: 400,
      watches: false,
      asks: false,
    })
    expect(decodeBeat(bytes.subarray(0, BEAT_BYTES - 1))).toBeNull()
    expect(decodeBeat(Uint8Array.of(2, ...bytes.subarray(1)))).toBeNull()
    expect(decodeBeat(new Uint8Array(0))).toBeNull()
    expect(decodeBeat(Uint8Array.of(...bytes, 9, 9))).toEqual(decodeBeat(bytes))
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (any) => void decodeBeat(any)))
  })
})
