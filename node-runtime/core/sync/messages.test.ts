import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_PARTIES } from '../db/record-header.ts'
import { MAX_ENVELOPE_BYTES } from '../db/signed-record.ts'
import { MAX_ATTESTATION_BODY_BYTES } from '../forms/attestation.ts'
import { MAX_FORM_CHARS } from '../forms/signed-form.ts'
import { fromHex, toHex } from '../keys.ts'
import {
  decodeFrameBody,
  decodeMessage,
  encodeFrame,
  encodeMessage,
  FRAME_BYTES,
  frameRecords,
  MOST_BYTES,
  MOST_FRAME_RECORDS,
} from './messages.ts'
import type { Segment } from './messages.ts'
import type { OutgoingRecord } from './replication-events.ts'
import { ByteWriter } from './wire.ts'

type Encoded = Parameters<typeof encodeMessage>[0]

const hello = {
  kind: 'hello',
  capabilities: ['segments', 'ü'],
  count: 300,
  window: 1_048_576,
  newest: '018bcfe56800-00ff',
  greeted: true,
} satisfies Encoded

const segment: Segment = {
  key: new Uint8Array(32).fill(0xab),
  from: Uint32Array.from({ length: 10 }, (_, i) => i * 0x1020304),
  to: Uint32Array.from({ length: 10 }, (_, i) => 0xffffffff - i),
  fingerprint: { sum: Uint32Array.from({ length: 8 }, (_, i) => i), count: 70_000 },
}

function record(name: string, sizeBytes: number, attestations: string[] = []): OutgoingRecord {
  return {
    item: { version: '018bcfe56800-0000', id: name.padEnd(64, '0') },
    bytes: new Uint8Array(sizeBytes).fill(name.charCodeAt(0)),
    attestations: attestations.map((body) => ({ body, signature: 'cd'.repeat(64) })),
  }
}

describe('messages are bytes that do not change', () => {
  it.each<[string, Encoded, string]>([
    ['hello', hello, '0001ac02808040018bcfe5680000ff02087365676d656e747302c3bc'],
    [
      'acknowledge',
      {
        kind: 'acknowledge',
        frames: [
          { number: 200, missing: [] },
          { number: 201, missing: [0, 255] },
        ],
      },
      '0302c80100c9010200ff01',
    ],
    ['question', { kind: 'question', bytes: Uint8Array.of(9, 8, 7) }, '04090807'],
    [
      'answer',
      { kind: 'answer', sending: true, newest: '018bcfe56800-00ff', bytes: Uint8Array.of(9) },
      '0501018bcfe5680000ff09',
    ],
    [
      'the answer of one that has nothing to send',
      { kind: 'answer', sending: false, newest: '000000000000-0000', bytes: new Uint8Array(0) },
      '05000000000000000000',
    ],
    ['drained', { kind: 'drained' }, '06'],
    ['wantSegments', { kind: 'wantSegments' }, '07'],
    [
      'segments',
      { kind: 'segments', segments: [segment] },
      `0801${'ab'.repeat(32)}${[...segment.from, ...segment.to, ...segment.fingerprint.sum]
        .map((word) => word.toString(16).padStart(8, '0'))
        .join('')}f0a204`,
    ],
  ])('%s', (_, message, hex) => {
    expect(toHex(encodeMessage(message))).toBe(hex)
    expect(decodeMessage(fromHex(hex))).toEqual(message)
  })

  it.each(['pushed', 'healed'] as const)('%s', (kind) => {
    const [frame] = frameRecords([record('a', 2, ['{}']), record('b', 3, ['{}', '{"ü":1}'])])
    const bytes = encodeFrame(kind, 300, frame!.body)
    const head = kind === 'pushed' ? '01ac02' : '02ac02'
    const forms = `02027b7d${'cd'.repeat(64)}087b22c3bc223a317d${'cd'.repeat(64)}`
    expect(toHex(bytes)).toBe(`${head}${forms}0202616103626262`)
    const body = {
      attestations: [
        { body: '{}', signature: 'cd'.repeat(64) },
        { body: '{"ü":1}', signature: 'cd'.repeat(64) },
      ],
      records: [Uint8Array.of(97, 97), Uint8Array.of(98, 98, 98)],
    }
    expect(decodeMessage(bytes)).toEqual({ kind, number: 300, ...body })
    expect(decodeFrameBody(frame!.body)).toEqual(body)
  })
})

describe('records are gathered into frames', () => {
  const sizes = (records: OutgoingRecord[]): number[] =>
    frameRecords(records).map(({ records }) => records.length)

  it('in order, as many as fit', () => {
    const half = FRAME_BYTES / 2
    expect(sizes([])).toEqual([])
    expect(sizes([record('a', half), record('b', half), record('c', 1)])).toEqual([2, 1])
    expect(sizes([record('a', half), record('b', half + 1), record('c', half - 1)])).toEqual([1, 2])
    expect(sizes([record('a', 1), record('b', MAX_ENVELOPE_BYTES), record('c', 1)])).toEqual([
      1, 1, 1,
    ])
    const frames = frameRecords([record('a', half), record('b', half), record('c', 1)])
    expect(frames.flatMap(({ records }) => records.map(({ item }) => item.id[0]))).toEqual([
      'a',
      'b',
      'c',
    ])
  })

  it('of so many at most', () => {
    const tiny = Array.from({ length: 2 * MOST_FRAME_RECORDS + 1 }, () => record('a', 1))
    expect(sizes(tiny)).toEqual([MOST_FRAME_RECORDS, MOST_FRAME_RECORDS, 1])
    for (const { body } of frameRecords(tiny)) expect(decodeFrameBody(body)).not.toBeNull()
  })
})

describe('attestations count', () => {
  const long = 'a'.repeat(MAX_ATTESTATION_BODY_BYTES)
  const formBytes = MAX_ATTESTATION_BODY_BYTES + 64

  it('in the frame to which they are new, once', () => {
    const room = FRAME_BYTES - formBytes
    const sizes = (...records: OutgoingRecord[]): number[] =>
      frameRecords(records).map(({ records }) => records.length)
    expect(sizes(record('a', 1, [long]), record('b', room - 1, [long]))).toEqual([2])
    expect(sizes(record('a', 1, [long]), record('b', room, [long]))).toEqual([1, 1])
    const other = `b${long.slice(1)}`
    expect(sizes(record('a', 1, [long]), record('b', room - 1, [other]))).toEqual([1, 1])
    // Bytes, not characters.
    const wide = 'ü'.repeat(MAX_ATTESTATION_BODY_BYTES / 2)
    expect(sizes(record('a', 1, [wide]), record('b', room - 1))).toEqual([2])
    expect(sizes(record('a', 1, [wide]), record('b', room))).toEqual([1, 1])
    // Those of the frame before are new to the next one.
    const full = record('c', room - formBytes + 1, [long, other])
    expect(sizes(record('a', 1, [long]), full, record('b', 1, [long]))).toEqual([1, 1, 1])
  })

  it('so that however many persons sign, nobody has to refuse a frame', () => {
    const records = Array.from({ length: 300 }, (_, i) => {
      return record('a', 200, [long.slice(3) + `${i}`.padStart(3, '0')])
    })
    const frames = frameRecords(records)
    expect(frames.flatMap(({ records }) => records)).toEqual(records)
    for (const { body } of frames) {
      expect(body.length).toBeLessThan(FRAME_BYTES + 1_000)
      expect(decodeFrameBody(body)).not.toBeNull()
    }
  })

  it('and the largest record that holds makes a message with all of them', () => {
    const forms = Array.from({ length: MAX_PARTIES }, (_, i) => {
      return long.slice(3) + `${i}`.padStart(3, '0')
    })
    const [frame] = frameRecords([record('a', MAX_ENVELOPE_BYTES, forms)])
    const message = encodeFrame('healed', Number.MAX_SAFE_INTEGER, frame!.body)
    expect(message.length).toBeLessThanOrEqual(MOST_BYTES)
    expect(decodeMessage(message)).not.toBeNull()
  })
})

describe('no message is', () => {
  const tooMany = (count: number): ByteWriter => {
    const writer = new ByteWriter().varint(0).varint(count)
    for (let i = 0; i < count; i++) writer.block(Uint8Array.of(1))
    return writer
  }
  const form = (body: Uint8Array): Uint8Array =>
    new ByteWriter()
      .varint(1)
      .block(body)
      .raw(new Uint8Array(64))
      .varint(1)
      .block(Uint8Array.of(1))
      .finish()
  const names = (capabilities: string[]): Uint8Array => encodeMessage({ ...hello, capabilities })
  const frame = (body: Uint8Array): Uint8Array => encodeFrame('pushed', 0, body)
  const many = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i}`)
  const segments = (count: number): Uint8Array =>
    encodeMessage({ kind: 'segments', segments: Array.from({ length: count }, () => segment) })
  const acknowledge = (count: number): Uint8Array =>
    encodeMessage({
      kind: 'acknowledge',
      frames: [{ number: 1, missing: Array.from({ length: count }, (_, i) => i) }],
    })

  it.each<[string, wrong: () => Uint8Array, right?: () => Uint8Array]>([
    ['nothing', () => new Uint8Array(0)],
    [
      'a name of a capability that is too long',
      () => names(['a'.repeat(41)]),
      () => names(['a'.repeat(40)]),
    ],
    ['too many capabilities', () => names(many(33)), () => names(many(32))],
    [
      'a name that is no text',
      () => Uint8Array.of(...names([]).slice(0, -1), 1, 1, 0xff),
      () => Uint8Array.of(...names([]).slice(0, -1), 1, 1, 0x61),
    ],
    ['a greeting that is cut short', () => names([]).slice(0, -1), () => names([])],
    [
      'a frame without records',
      () => frame(Uint8Array.of(0, 0)),
      () => frame(Uint8Array.of(0, 1, 0)),
    ],
    [
      'a frame with too many records',
      () => frame(tooMany(257).finish()),
      () => frame(tooMany(256).finish()),
    ],
    [
      'a frame with a record that is too long',
      () => frame(tooMany(0).block(new Uint8Array(0)).finish()),
    ],
    [
      'a longer record than there can be',
      () =>
        frame(
          new ByteWriter()
            .varint(0)
            .varint(1)
            .block(new Uint8Array(MAX_ENVELOPE_BYTES + 1))
            .finish(),
        ),
      () =>
        frame(
          new ByteWriter().varint(0).varint(1).block(new Uint8Array(MAX_ENVELOPE_BYTES)).finish(),
        ),
    ],
    [
      'a form that is no text',
      () => frame(form(Uint8Array.of(0xff))),
      () => frame(form(Uint8Array.of(0x61))),
    ],
    [
      'a form that is too long',
      () => frame(form(new Uint8Array(MAX_FORM_CHARS * 3 + 1).fill(97))),
      () => frame(form(new Uint8Array(MAX_FORM_CHARS * 3).fill(97))),
    ],
    ['a frame with bytes too many', () => Uint8Array.of(...frame(Uint8Array.of(0, 1, 0)), 0)],
    ['a frame that is cut short', () => frame(Uint8Array.of(0, 1, 5, 1))],
    ['drained, and more', () => Uint8Array.of(6, 0), () => Uint8Array.of(6)],
    ['segments wanted, and more', () => Uint8Array.of(7, 0), () => Uint8Array.of(7)],
    ['too many segments', () => segments(501), () => segments(500)],
    ['a segment that is cut short', () => segments(2).slice(0, -1), () => segments(2)],
    ['a receipt with too many missing', () => acknowledge(257), () => acknowledge(256)],
    ['receipts that are not there', () => Uint8Array.of(3, 1), () => Uint8Array.of(3, 1, 0, 0)],
    ['an answer that is cut short', () => Uint8Array.of(5, 0, 1, 2, 3, 4, 5, 6, 7)],
    [
      'a longer message than there can be',
      () => new Uint8Array(MOST_BYTES + 1).fill(4),
      () => new Uint8Array(MOST_BYTES).fill(4),
    ],
  ])('%s', (_, wrong, right) => {
    expect(decodeMessage(wrong())).toBeNull()
    if (right !== undefined) expect(decodeMessage(right())).not.toBeNull()
  })

  it('a frame of a segment that is none', () => {
    expect(decodeFrameBody(Uint8Array.of(0, 0))).toBeNull()
    expect(decodeFrameBody(Uint8Array.of(0, 1, 0, 0))).toBeNull()
    expect(decodeFrameBody(Uint8Array.of(0, 1, 0))).toEqual({
      attestations: [],
      records: [new Uint8Array(0)],
    })
  })
})

it('a later version may say more in its greeting, and use other kinds', () => {
  const more = Uint8Array.of(...encodeMessage(hello), 1, 2, 3)
  expect(decodeMessage(more)).toEqual(hello)
  expect(decodeMessage(Uint8Array.of(0, 2, ...encodeMessage(hello).slice(2)))).toEqual({
    ...hello,
    greeted: false,
  })
  for (const kind of [9, 255]) {
    expect(decodeMessage(Uint8Array.of(kind, 1, 2))).toEqual({ kind: 'unknown' })
  }
})

it('whatever is decoded is encoded to the same bytes', () => {
  fc.assert(
    fc.property(fc.nat(8), fc.uint8Array({ maxLength: 60, size: 'max' }), (kind, rest) => {
      const bytes = Uint8Array.of(kind, ...rest)
      const message = decodeMessage(bytes)
      if (message === null || 'records' in message || message.kind === 'unknown') return
      const again = encodeMessage(message)
      if (message.kind === 'hello' || message.kind === 'answer') {
        expect(decodeMessage(again)).toEqual(message)
      } else {
        expect([...again]).toEqual([...bytes])
      }
    }),
    { numRuns: 500 },
  )
})
