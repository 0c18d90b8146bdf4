// The two messages of a reconciliation: the question, which is all the answerer knows of a session, and
// the answer.
import { SALT_BYTES } from './comparison.ts'
import type { Key } from './item.ts'
import { readRanges, versionSpan, writeRange } from './ranges.ts'
import type { Range } from './ranges.ts'
import { readVersion, writeVersion } from './wire-keys.ts'
import { ByteReader, ByteWriter } from './wire.ts'

/** A message is no longer than this, so that it never stands in the way of a push for long. */
export const MOST_MESSAGE_BYTES = 60_000
/** Room for what stands before the ranges of a question or an answer. */
export const HEAD_BYTES = 64

/** Both inclusive: nothing older than the least, nothing from the future. */
export interface Limits {
  least: string
  greatest: string
}

export interface Question {
  session: number
  salt: Uint8Array
  limits: Limits
  ranges: Range[]
}

export type Answer =
  | { session: number; kind: 'ranges'; ranges: Range[] }
  /** The answerer's limits are narrower: ask again within these. */
  | { session: number; kind: 'narrower'; limits: Limits }

const RANGES = 0
const NARROWER = 1

function readLimits(reader: ByteReader): Limits {
  return { least: readVersion(reader), greatest: readVersion(reader) }
}

function writeRanges(writer: ByteWriter, ranges: readonly Range[], limits: Limits): void {
  const { from, to } = versionSpan(limits.least, limits.greatest)
  let start: Readonly<Key> = from
  for (const range of ranges) {
    writeRange(writer, range, start, to)
    start = range.end
  }
}

/** @returns the message without its kind */
export function encodeQuestion({ session, salt, limits, ranges }: Question): Uint8Array {
  const writer = new ByteWriter(512).varint(session).raw(salt)
  writeVersion(writer, limits.least)
  writeVersion(writer, limits.greatest)
  writeRanges(writer, ranges, limits)
  return writer.finish()
}

/** Never throws; null if it is no question. */
export function decodeQuestion(bytes: Uint8Array): Question | null {
  if (bytes.length > MOST_MESSAGE_BYTES) return null
  const reader = new ByteReader(bytes)
  const session = reader.varint()
  const salt = reader.raw(SALT_BYTES)
  const limits = readLimits(reader)
  if (reader.failed || limits.least > limits.greatest) return null
  const ranges = readRanges(reader, versionSpan(limits.least, limits.greatest))
  return ranges === null ? null : { session, salt, limits, ranges }
}

/** @param limits  those of the question; @returns the message without its kind */
export function encodeAnswer(answer: Answer, limits: Limits): Uint8Array {
  const writer = new ByteWriter(512).varint(answer.session)
  if (answer.kind === 'narrower') {
    writer.byte(NARROWER)
    writeVersion(writer, answer.limits.least)
    writeVersion(writer, answer.limits.greatest)
  } else {
    writer.byte(RANGES)
    writeRanges(writer, answer.ranges, limits)
  }
  return writer.finish()
}

/** @param limits  those of the question. Never throws; null if it is no answer. */
export function decodeAnswer(bytes: Uint8Array, limits: Limits): Answer | null {
  if (bytes.length > MOST_MESSAGE_BYTES) return null
  const reader = new ByteReader(bytes)
  const session = reader.varint()
  const kind = reader.byte()
  if (kind === NARROWER) {
    const narrower = readLimits(reader)
    return reader.complete ? { session, kind: 'narrower', limits: narrower } : null
  }
  if (reader.failed || kind !== RANGES) return null
  const ranges = readRanges(reader, versionSpan(limits.least, limits.greatest))
  return ranges === null ? null : { session, kind: 'ranges', ranges }
}
