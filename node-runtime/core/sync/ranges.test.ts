import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatVersion } from '../db/hybrid-clock.ts'
import { fromHex, toHex } from '../keys.ts'
import { GREATEST_KEY } from '../../testing/key-ends.ts'
import { itemKey, versionKey } from './item.ts'
import type { Key } from './item.ts'
import { MOST_RANGES, readRanges, separator, versionSpan, writeRange } from './ranges.ts'
import type { Range, RangeContent, Span } from './ranges.ts'
import { decodeAnswer, decodeQuestion, encodeAnswer, encodeQuestion } from './reconcile-messages.ts'
import { ByteReader, ByteWriter } from './wire.ts'

const keyOf = (version: string, id = ''): Key => itemKey({ version, id: id.padEnd(64, '0') })
const hexOf = (key: Readonly<Key>): string =>
  [...key].map((word) => word.toString(16).padStart(8, '0')).join('')

const LIMITS = { least: '000000000010-0005', greatest: '0000000fffff-fffe' }
const SPAN = versionSpan(LIMITS.least, LIMITS.greatest)

function write(ranges: readonly Range[], span: Span = SPAN): Uint8Array {
  const writer = new ByteWriter()
  let start = span.from
  for (const range of ranges) {
    writeRange(writer, range, start, span.to)
    start = range.end
  }
  return writer.finish()
}
const read = (bytes: Uint8Array, span: Span = SPAN): Range[] | null =>
  readRanges(new ByteReader(bytes), span)

describe('a span of versions', () => {
  it.each([
    ['000000000000-0000', '000000000000-0000', '0000000000000000', '0000000000000001'],
    ['018bcfe56800-0001', '018bcfe56800-00ff', '018bcfe568000001', '018bcfe568000100'],
    ['000000000001-0000', '00000000ffff-ffff', '0000000000010000', '0000000100000000'],
  ])('from %s to %s has both in it', (least, greatest, from, to) => {
    const span = versionSpan(least, greatest)
    expect(hexOf(span.from)).toBe(from.padEnd(80, '0'))
    expect(hexOf(span.to)).toBe(to.padEnd(80, '0'))
  })
})

describe('the bound between two places', () => {
  const version = '000000000007-0003'
  it.each([
    [
      'of other times is the later time',
      ['000000000006-0009', 'ff'],
      ['000000000009-0004', 'ee'],
      ['000000000009-0000', ''],
    ],
    [
      'of other counters is the later version',
      [version, 'ff'],
      ['000000000007-0004', 'ee'],
      ['000000000007-0004', ''],
    ],
    [
      'of other ids is the shortest beginning that tells them apart',
      [version, '11'],
      [version, '22ffff'],
      [version, '22'],
    ],
    ['of ids with the same first byte', [version, '22'], [version, '22ffff'], [version, '22ff']],
    [
      'of ids with the same first word',
      [version, 'aabbccdd'],
      [version, 'aabbccdd01ff'],
      [version, 'aabbccdd01'],
    ],
    [
      'of ids that differ in the last byte',
      [version, ''],
      [version, '1'.padStart(64, '0')],
      [version, '1'.padStart(64, '0')],
    ],
  ] satisfies [string, string[], string[], string[]][])('%s', (_, before, after, bound) => {
    const [a, b, c] = [before, after, bound].map(([of = '', id]) => keyOf(of, id))
    expect(hexOf(separator(a!, b!))).toBe(hexOf(c!))
  })
})

describe('ranges are bytes that do not change', () => {
  const ids = ['0102030405060708', '1112131415161718'].map((hex) => fromHex(hex))
  it.each<[string, Range[], string]>([
    ['none', [], ''],
    ['all, to the limit', [{ kind: 'skip', end: SPAN.to.slice() }], 'e0'],
    ['to a time', [{ kind: 'skip', end: keyOf('000000000110-0000') }], '008002'],
    ['to a counter', [{ kind: 'skip', end: keyOf('000000000011-0102') }], '08010102'],
    ['to a counter of one byte', [{ kind: 'skip', end: keyOf('000000000011-0002') }], '08010002'],
    [
      'to the beginning of an id',
      [{ kind: 'skip', end: keyOf('000000000011-0000', 'abcd') }],
      '2001abcd',
    ],
    [
      'to a byte behind zeros',
      [{ kind: 'skip', end: keyOf('000000000011-0000', '0000000001') }],
      '50010000000001',
    ],
    [
      'to thirteen bytes',
      [{ kind: 'skip', end: keyOf('000000000011-0001', '11'.repeat(13)) }],
      `d8010001${'11'.repeat(13)}`,
    ],
    [
      'to fourteen, which are told as all',
      [{ kind: 'skip', end: keyOf('000000000011-0000', '11'.repeat(14)) }],
      `f001${'11'.repeat(14).padEnd(64, '0')}`,
    ],
    [
      'to a whole id',
      [{ kind: 'skip', end: keyOf('000000000011-0000', 'ab'.repeat(32)) }],
      `f001${'ab'.repeat(32)}`,
    ],
    [
      'a fingerprint',
      [{ kind: 'fingerprint', fingerprint: new Uint8Array(12).fill(7), end: SPAN.to.slice() }],
      `e1${'07'.repeat(12)}`,
    ],
    [
      'a list',
      [{ kind: 'list', ids, end: SPAN.to.slice() }],
      'e20201020304050607081112131415161718',
    ],
    ['needs', [{ kind: 'need', ids: ids.slice(1), end: SPAN.to.slice() }], 'e3011112131415161718'],
    [
      'a difference',
      [{ kind: 'difference', wanted: Uint8Array.of(5), end: SPAN.to.slice() }],
      'e40105',
    ],
    [
      'one behind the other',
      [
        { kind: 'list', ids: [], end: keyOf('000000000011-0000', '80') },
        { kind: 'skip', end: keyOf('000000000011-0000', '8001') },
        { kind: 'need', ids: [], end: keyOf('000000000093-ffff') },
      ],
      '12018000200080010b8201ffff00',
    ],
  ])('%s', (_, ranges, hex) => {
    expect(toHex(write(ranges))).toBe(hex)
    expect(read(fromHex(hex))).toEqual(ranges)
  })

  it('in a question and its answers', () => {
    const ranges: Range[] = [{ kind: 'skip', end: SPAN.to.slice() }]
    const salt = new Uint8Array(16).fill(9)
    const question = encodeQuestion({ session: 300, salt, limits: LIMITS, ranges })
    expect(toHex(question)).toBe(`ac02${'09'.repeat(16)}00000000001000050000000ffffffffee0`)
    expect(decodeQuestion(question)).toEqual({ session: 300, salt, limits: LIMITS, ranges })
    const answer = encodeAnswer({ session: 300, kind: 'ranges', ranges }, LIMITS)
    expect(toHex(answer)).toBe('ac0200e0')
    expect(decodeAnswer(answer, LIMITS)).toEqual({ session: 300, kind: 'ranges', ranges })
    const narrower = encodeAnswer({ session: 3, kind: 'narrower', limits: LIMITS }, LIMITS)
    expect(toHex(narrower)).toBe('030100000000001000050000000ffffffffe')
    expect(decodeAnswer(narrower, LIMITS)).toEqual({ session: 3, kind: 'narrower', limits: LIMITS })
  })
})

it('whatever ranges there are, they are read as they were written', () => {
  const key = fc
    .record({
      timeMs: fc.integer({ min: 0x10, max: 0xffffe }),
      counter: fc.constantFrom(0, 1, 0xff, 0x100, 0xffff),
      id: fc.uint8Array({ maxLength: 32, size: 'max' }),
    })
    .map(({ timeMs, counter, id }) => keyOf(formatVersion({ timeMs, counter }), toHex(id)))
  const id = fc.uint8Array({ minLength: 8, maxLength: 8 })
  const content = fc.oneof(
    fc.constant<RangeContent>({ kind: 'skip' }),
    fc
      .uint8Array({ minLength: 12, maxLength: 12 })
      .map((fingerprint): RangeContent => ({ kind: 'fingerprint', fingerprint })),
    fc.array(id, { maxLength: 5 }).map((ids): RangeContent => ({ kind: 'list', ids })),
    fc.array(id, { maxLength: 5 }).map((ids): RangeContent => ({ kind: 'need', ids })),
    fc
      .uint8Array({ maxLength: 200 })
      .map((wanted): RangeContent => ({ kind: 'difference', wanted })),
  )
  fc.assert(
    fc.property(
      fc.array(fc.tuple(key, content), { maxLength: 8 }),
      fc.boolean(),
      (parts, toEnd) => {
        const sorted = parts
          .filter(([key]) => hexOf(key) > hexOf(SPAN.from))
          .sort(([a], [b]) => (hexOf(a) < hexOf(b) ? -1 : 1))
          .filter(([key], i, all) => i === 0 || hexOf(key) !== hexOf(all[i - 1]![0]))
        const ranges = sorted.map(([end, content]): Range => ({ ...content, end }))
        if (toEnd) ranges.push({ kind: 'skip', end: SPAN.to.slice() })
        const bytes = write(ranges)
        expect(read(bytes)).toEqual(ranges)
        // Cut short, it says something else, or nothing.
        if (bytes.length > 0) expect(read(bytes.slice(0, -1))).not.toEqual(ranges)
      },
    ),
  )
})

describe('no ranges are', () => {
  const top: Span = { from: versionKey('fffffffffff0-0000'), to: GREATEST_KEY }
  it.each<[string, wrong: string, right: string, span?: Span]>([
    ['what is no kind', 'e5', 'e0'],
    ['what is no kind either', 'e7', 'e0'],
    ['an end at the start', '08000005', '08000006'],
    ['an end before the start', '08000004', '08000006'],
    ['an end beyond the limit', '08eeffffff3fffff', '08efff3fffff'],
    ['anything after the limit', 'e0e0', 'e0'],
    ['a time beyond all times', '0010', '000f', top],
    ['a time that comes round again', '0081808080808040', '0001'],
    ['more ids than there is memory', 'e28094ebdc03', 'e200'],
    ['a fingerprint that is cut short', 'e10707', `e1${'07'.repeat(12)}`],
    ['ids that are not there', 'e2020102030405060708', 'e2010102030405060708'],
    ['an id that is cut short', 'e20101020304050607', 'e2010102030405060708'],
    ['a difference that is cut short', 'e402', 'e40205ff'],
    ['an end that is cut short', '2001ab', '2001abcd'],
    ['a counter that is cut short', '080100', '08010001'],
  ])('%s', (_, wrong, right, span) => {
    expect(read(fromHex(right), span)).not.toBeNull()
    expect(read(fromHex(wrong), span)).toBeNull()
  })

  it('too many', () => {
    const ranges = (count: number): Uint8Array =>
      write(
        Array.from({ length: count }, (_, i) => ({
          kind: 'skip',
          end: versionKey(formatVersion({ timeMs: 0x11 + i, counter: 0 })),
        })),
      )
    expect(read(ranges(MOST_RANGES))).toHaveLength(MOST_RANGES)
    expect(read(ranges(MOST_RANGES + 1))).toBeNull()
  })

  it.each<[string, (bytes: Uint8Array) => unknown, string, string]>([
    [
      'a question that is cut short',
      decodeQuestion,
      `01${'00'.repeat(31)}`,
      `01${'00'.repeat(32)}`,
    ],
    ['a question without a salt', decodeQuestion, `01${'00'.repeat(15)}`, `01${'00'.repeat(32)}`],
    [
      'a question of nothing',
      decodeQuestion,
      `01${'00'.repeat(16)}00000000001000050000000000100004`,
      `01${'00'.repeat(16)}00000000001000050000000000100005`,
    ],
    [
      'a question with wrong ranges',
      decodeQuestion,
      `01${'00'.repeat(32)}07`,
      `01${'00'.repeat(32)}e0`,
    ],
    ['an answer of nothing', (bytes) => decodeAnswer(bytes, LIMITS), '', '0100'],
    ['an answer without a kind', (bytes) => decodeAnswer(bytes, LIMITS), '01', '0100'],
    ['an answer of another kind', (bytes) => decodeAnswer(bytes, LIMITS), '0102', '0100'],
    ['an answer with wrong ranges', (bytes) => decodeAnswer(bytes, LIMITS), '010007', '0100e0'],
    [
      'narrower limits and more',
      (bytes) => decodeAnswer(bytes, LIMITS),
      `0101${'00'.repeat(17)}`,
      `0101${'00'.repeat(16)}`,
    ],
    [
      'narrower limits that are cut short',
      (bytes) => decodeAnswer(bytes, LIMITS),
      `0101${'00'.repeat(15)}`,
      `0101${'00'.repeat(16)}`,
    ],
  ])('%s', (_, decode, wrong, right) => {
    expect(decode(fromHex(wrong))).toBeNull()
    expect(decode(fromHex(right))).not.toBeNull()
  })

  it('a message that is too long', () => {
    const of = (start: string, sizeBytes: number): Uint8Array => {
      const head = fromHex(start)
      // One difference that fills it: a block whose length takes three bytes.
      const wanted = new Uint8Array(sizeBytes - head.length - 4)
      const range: Range = { kind: 'difference', wanted, end: SPAN.to.slice() }
      return Uint8Array.of(...head, ...write([range]))
    }
    const limits = '00000000001000050000000ffffffffe'
    for (const [decode, start] of [
      [decodeQuestion, `01${'00'.repeat(16)}${limits}`],
      [(bytes: Uint8Array) => decodeAnswer(bytes, LIMITS), '0100'],
    ] as const) {
      expect(of(start, 60_000)).toHaveLength(60_000)
      expect(decode(of(start, 60_000))).not.toBeNull()
      expect(decode(of(start, 60_001))).toBeNull()
    }
  })
})
