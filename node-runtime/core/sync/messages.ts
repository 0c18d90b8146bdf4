// The messages of the protocol `dharma/records/2`, and their bytes. Decoding never throws.
import type { SignedForm } from '../forms/signed-form.ts'
import { MAX_FORM_CHARS } from '../forms/signed-form.ts'
import { MAX_PARTIES } from '../db/record-header.ts'
import { MAX_ENVELOPE_BYTES } from '../db/signed-record.ts'
import { MAX_ATTESTATION_BODY_BYTES } from '../forms/attestation.ts'
import { fromHex, toHex } from '../keys.ts'
import { decodeText } from '../text.ts'
import { ID_WORDS, KEY_WORDS } from './item.ts'
import type { OutgoingRecord } from './replication-events.ts'
import type { Run } from './runs.ts'
import { readVersion, readWords, writeVersion, writeWords } from './wire-keys.ts'
import { ByteReader, ByteWriter } from './wire.ts'

/**
 * Records, with the attestations they name, are gathered into frames of about this, so that a small one
 * never waits long behind others.
 */
export const FRAME_BYTES = 60_000
const SIGNATURE_BYTES = 64
/** An attestation in a frame: the longest, its signature, and its length. */
const FORM_ROOM = MAX_ATTESTATION_BODY_BYTES + 2 * SIGNATURE_BYTES
/** One record alone may take more: the longest, with all the attestations it can name, and its head. */
export const MOST_BYTES = MAX_ENVELOPE_BYTES + (MAX_PARTIES + 1) * FORM_ROOM
/** One record for about 300 bytes of frame; it keeps what one frame costs in bounds. */
export const MOST_FRAME_RECORDS = 256
const MOST_CAPABILITIES = 32
const MOST_NAME_BYTES = 40
/** 500 segments hold 16 million records. */
export const MOST_SEGMENTS = 500
const SEGMENT_KEY_BYTES = 32

const KIND = {
  hello: 0,
  pushed: 1,
  healed: 2,
  acknowledge: 3,
  question: 4,
  answer: 5,
  drained: 6,
  wantSegments: 7,
  segments: 8,
} as const

export interface Segment extends Run {
  /** Of the static core. */
  key: Uint8Array
}

export interface FrameBody {
  attestations: readonly SignedForm[]
  /** Envelopes. */
  records: readonly Uint8Array[]
}

export interface FrameReceipt {
  number: number
  /** Which of its records are not held. */
  missing: readonly number[]
}

export type Message =
  | {
      kind: 'hello'
      capabilities: readonly string[]
      /** How many records the sender holds. */
      count: number
      /** How many bytes of frames it takes before it acknowledged any. */
      window: number
      /** The newest version it knows of. */
      newest: string
      /** It has the receiver's greeting. */
      greeted: boolean
    }
  | (FrameBody & { kind: 'pushed' | 'healed'; number: number })
  | {
      kind: 'acknowledge'
      /** Frames that were taken in, oldest first. They may be sent so much more. */
      frames: readonly FrameReceipt[]
    }
  | { kind: 'question'; bytes: Uint8Array }
  | {
      kind: 'answer'
      bytes: Uint8Array
      /** Records will follow that the asker lacks; `drained` says when they are all sent. */
      sending: boolean
      /** The newest version it holds. */
      newest: string
    }
  | { kind: 'drained' }
  | { kind: 'wantSegments' }
  | { kind: 'segments'; segments: readonly Segment[] }
  /** Of a later version: passed over. */
  | { kind: 'unknown' }

/** Records that travel together, with each attestation that they name once: a frame, if not told otherwise. */
export class Gathered {
  readonly records: OutgoingRecord[] = []
  readonly #most: { bytes: number; records: number }
  readonly #forms = new Map<string, SignedForm>()
  #bytes = 0

  constructor(most = { bytes: FRAME_BYTES, records: MOST_FRAME_RECORDS }) {
    this.#most = most
  }

  /** Adds the record if there is room for it and for the attestations it brings; one always has room. */
  add(record: OutgoingRecord): boolean {
    let bytes = this.#bytes + record.bytes.length
    const fresh: [string, SignedForm][] = []
    for (const form of record.attestations) {
      const name = form.body + form.signature
      if (this.#forms.has(name)) continue
      bytes += Buffer.byteLength(form.body, 'utf8') + SIGNATURE_BYTES
      fresh.push([name, form])
    }
    const isFull = this.records.length === this.#most.records || bytes > this.#most.bytes
    if (isFull && this.records.length > 0) return false
    this.records.push(record)
    for (const [name, form] of fresh) this.#forms.set(name, form)
    this.#bytes = bytes
    return true
  }

  /** What a frame of them says: the same for all who are sent it. */
  encode(): Uint8Array {
    const writer = new ByteWriter(4096).varint(this.#forms.size)
    for (const { body, signature } of this.#forms.values()) {
      writer.block(Buffer.from(body, 'utf8')).raw(fromHex(signature))
    }
    writer.varint(this.records.length)
    for (const { bytes } of this.records) writer.block(bytes)
    return writer.finish()
  }
}

/** Gathers records into frames, in order. */
export function frameRecords(
  records: readonly OutgoingRecord[],
): { body: Uint8Array; records: OutgoingRecord[] }[] {
  const frames: Gathered[] = []
  for (const record of records) {
    if (frames.at(-1)?.add(record) === true) continue
    const frame = new Gathered()
    frame.add(record)
    frames.push(frame)
  }
  return frames.map((frame) => ({ body: frame.encode(), records: frame.records }))
}

/** @param number  counts the frames of one link in one direction, from 0 */
export function encodeFrame(
  kind: 'pushed' | 'healed',
  number: number,
  body: Uint8Array,
): Uint8Array {
  return new ByteWriter(body.length + 8).byte(KIND[kind]).varint(number).raw(body).finish()
}

export function encodeMessage(
  message: Exclude<Message, { kind: 'pushed' | 'healed' | 'unknown' }>,
): Uint8Array {
  const writer = new ByteWriter().byte(KIND[message.kind])
  switch (message.kind) {
    case 'hello':
      writer
        .byte(message.greeted ? 1 : 0)
        .varint(message.count)
        .varint(message.window)
      writeVersion(writer, message.newest)
      writer.varint(message.capabilities.length)
      for (const name of message.capabilities) writer.block(Buffer.from(name, 'utf8'))
      break
    case 'acknowledge':
      writer.varint(message.frames.length)
      for (const { number, missing } of message.frames) {
        writer.varint(number).varint(missing.length)
        for (const record of missing) writer.varint(record)
      }
      break
    case 'question':
      writer.raw(message.bytes)
      break
    case 'answer':
      writer.byte(message.sending ? 1 : 0)
      writeVersion(writer, message.newest)
      writer.raw(message.bytes)
      break
    case 'segments':
      writer.varint(message.segments.length)
      for (const { key, from, to, fingerprint } of message.segments) {
        writer.raw(key)
        writeWords(writer, from)
        writeWords(writer, to)
        writeWords(writer, fingerprint.sum)
        writer.varint(fingerprint.count)
      }
      break
    case 'drained':
    case 'wantSegments':
      break
  }
  return writer.finish()
}

/** A number of parts that must be there: at least a byte each, and no more than `most`. */
function readCount(reader: ByteReader, most: number): number {
  const count = reader.varint()
  if (count <= most && count <= reader.left) return count
  reader.fail()
  return 0
}

function readForm(reader: ByteReader): SignedForm {
  const body = decodeText(reader.block(MAX_FORM_CHARS * 3))
  if (body === null) reader.fail()
  return { body: body ?? '', signature: toHex(reader.raw(SIGNATURE_BYTES)) }
}

function readAll<T>(reader: ByteReader, most: number, read: () => T): T[] {
  const count = readCount(reader, most)
  const all: T[] = []
  for (let i = 0; i < count && !reader.failed; i++) all.push(read())
  return all
}

function readHello(reader: ByteReader): Message {
  const greeted = reader.byte() === 1
  const count = reader.varint()
  const window = reader.varint()
  const newest = readVersion(reader)
  const capabilities = readAll(reader, MOST_CAPABILITIES, () => {
    const name = decodeText(reader.block(MOST_NAME_BYTES))
    if (name === null) reader.fail()
    return name ?? ''
  })
  // A later version may say more.
  reader.raw(reader.left)
  return { kind: 'hello', capabilities, count, window, newest, greeted }
}

function readSegment(reader: ByteReader): Segment {
  return {
    key: reader.raw(SEGMENT_KEY_BYTES).slice(),
    from: readWords(reader, KEY_WORDS),
    to: readWords(reader, KEY_WORDS),
    fingerprint: { sum: readWords(reader, ID_WORDS), count: reader.varint() },
  }
}

function readFrameBody(reader: ByteReader): FrameBody {
  const attestations = readAll(reader, MOST_FRAME_RECORDS, () => readForm(reader))
  const records = readAll(reader, MOST_FRAME_RECORDS, () => reader.block(MAX_ENVELOPE_BYTES))
  if (records.length === 0) reader.fail()
  return { attestations, records }
}

/** What a frame says, or null. Never throws. */
export function decodeFrameBody(bytes: Uint8Array): FrameBody | null {
  const reader = new ByteReader(bytes)
  const body = readFrameBody(reader)
  return reader.complete ? body : null
}

/** The message, or null if it is none. Never throws. What it holds are views of `bytes`. */
export function decodeMessage(bytes: Uint8Array): Message | null {
  if (bytes.length > MOST_BYTES) return null
  const reader = new ByteReader(bytes)
  const kind = reader.byte()
  if (reader.failed) return null
  const message = readBody(reader, kind)
  return reader.complete ? message : null
}

function readBody(reader: ByteReader, kind: number): Message {
  switch (kind) {
    case KIND.hello:
      return readHello(reader)
    case KIND.pushed:
    case KIND.healed: {
      const number = reader.varint()
      return { kind: kind === KIND.pushed ? 'pushed' : 'healed', number, ...readFrameBody(reader) }
    }
    case KIND.acknowledge: {
      const frames = readAll(reader, MOST_BYTES, () => ({
        number: reader.varint(),
        missing: readAll(reader, MOST_FRAME_RECORDS, () => reader.varint()),
      }))
      return { kind: 'acknowledge', frames }
    }
    case KIND.question:
      return { kind: 'question', bytes: reader.raw(reader.left) }
    case KIND.answer: {
      const sending = reader.byte() === 1
      const newest = readVersion(reader)
      return { kind: 'answer', sending, newest, bytes: reader.raw(reader.left) }
    }
    case KIND.drained:
      return { kind: 'drained' }
    case KIND.wantSegments:
      return { kind: 'wantSegments' }
    case KIND.segments:
      return {
        kind: 'segments',
        segments: readAll(reader, MOST_SEGMENTS, () => readSegment(reader)),
      }
    default:
      reader.raw(reader.left)
      return { kind: 'unknown' }
  }
}
