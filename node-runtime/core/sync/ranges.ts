// Ranges of the order as two machines tell each other about them, and their bytes. Ranges of a message
// stand one behind the other: each begins where the one before ended, the first at the lower limit.
import { compareKeys, ID_WORDS, KEY_WORDS, versionKey, VERSION_WORDS } from './item.ts'
import type { Key } from './item.ts'
import type { ByteReader, ByteWriter } from './wire.ts'

/** Of a keyed hash that is new in each session: enough that only chance (2^-96) makes two equal. */
export const FINGERPRINT_BYTES = 12
/** An id in a list, keyed likewise: two of a million differ but look equal once in 3·10^7 sessions. */
export const SHORT_ID_BYTES = 8
/** More than fit in a message that is of any use. */
export const MOST_RANGES = 4096

/**
 * What is said about a range:
 * - `skip`: nothing (it is equal, or not asked about);
 * - `fingerprint`: of all in it;
 * - `list`: the short ids of all in it;
 * - `need`: short ids of records that the sender wants;
 * - `difference`: the answer to a list: which of its ids the answerer lacks, one bit each. What the
 *   other lacks is sent without further words.
 */
export type RangeContent =
  | { kind: 'skip' }
  | { kind: 'fingerprint'; fingerprint: Uint8Array }
  | { kind: 'list'; ids: Uint8Array[] }
  | { kind: 'need'; ids: Uint8Array[] }
  | { kind: 'difference'; wanted: Uint8Array }

/** `end`: the first key that is no longer in it. */
export type Range = RangeContent & { end: Key }

/** From `from` (inclusive) to `to` (exclusive). */
export interface Span {
  from: Readonly<Key>
  to: Readonly<Key>
}

const KINDS = ['skip', 'fingerprint', 'list', 'need', 'difference'] as const
const KIND_BITS = 0b111
const COUNTER_BIT = 0b1000
/** The prefix's length in bytes stands in the upper four bits; two values are taken for more. */
const PREFIX_SHIFT = 4
const WHOLE_ID = 15
const TO_LIMIT = 14
const LONGEST_PREFIX = 13
const ID_BYTES = ID_WORDS * 4
const COUNTERS = 0x10000

/** The span of all versions from `least` to `greatest`, both inclusive. */
export function versionSpan(least: string, greatest: string): Span {
  const to = versionKey(greatest)
  to[1] = to[1]! + 1
  if (to[1] === 0) to[0] = to[0]! + 1
  return { from: versionKey(least), to }
}

function timeMs(key: Readonly<Key>): number {
  return key[0]! * COUNTERS + (key[1]! >>> 16)
}

/** The shortest key that is greater than `before` and not greater than `after`. */
export function separator(before: Readonly<Key>, after: Readonly<Key>): Key {
  const bound = new Uint32Array(KEY_WORDS)
  bound[0] = after[0]!
  bound[1] = after[1]! & 0xffff0000
  if (compareKeys(bound, before) > 0) return bound
  bound[1] = after[1]!
  for (let byte = 0; byte < ID_BYTES && compareKeys(bound, before) <= 0; byte++) {
    const word = VERSION_WORDS + (byte >> 2)
    bound[word] = after[word]! & (0xffffffff << (24 - 8 * (byte & 3)))
  }
  return bound
}

function prefixBytes(key: Readonly<Key>): Uint8Array {
  const bytes = new Uint8Array(ID_BYTES)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < ID_WORDS; i++) view.setUint32(i * 4, key[VERSION_WORDS + i]!)
  let length = ID_BYTES
  while (length > 0 && bytes[length - 1] === 0) length -= 1
  return length > LONGEST_PREFIX ? bytes : bytes.subarray(0, length)
}

function writeIds(writer: ByteWriter, ids: readonly Uint8Array[]): void {
  writer.varint(ids.length)
  for (const id of ids) writer.raw(id)
}

/**
 * @param start  where the range begins
 * @param limit  where the last range of a message may end
 */
export function writeRange(
  writer: ByteWriter,
  range: Range,
  start: Readonly<Key>,
  limit: Readonly<Key>,
): void {
  const kind = KINDS.indexOf(range.kind)
  if (compareKeys(range.end, limit) === 0) {
    writer.byte(kind | (TO_LIMIT << PREFIX_SHIFT))
  } else {
    const prefix = prefixBytes(range.end)
    const length = prefix.length === ID_BYTES ? WHOLE_ID : prefix.length
    const counter = range.end[1]! & 0xffff
    const counterBit = counter === 0 ? 0 : COUNTER_BIT
    writer.byte(kind | counterBit | (length << PREFIX_SHIFT))
    writer.varint(timeMs(range.end) - timeMs(start))
    if (counter !== 0) writer.byte(counter >> 8).byte(counter & 0xff)
    writer.raw(prefix)
  }
  if (range.kind === 'fingerprint') writer.raw(range.fingerprint)
  else if (range.kind === 'list' || range.kind === 'need') writeIds(writer, range.ids)
  else if (range.kind === 'difference') writer.block(range.wanted)
}

function readEnd(reader: ByteReader, head: number, start: Readonly<Key>, limit: Key): Key {
  const length = head >> PREFIX_SHIFT
  if (length === TO_LIMIT) return limit
  const end = new Uint32Array(KEY_WORDS)
  const time = timeMs(start) + reader.varint()
  const counter = (head & COUNTER_BIT) === 0 ? 0 : reader.byte() * 0x100 + reader.byte()
  if (time >= 2 ** 48) reader.fail()
  end[0] = Math.floor(time / COUNTERS)
  end[1] = (time % COUNTERS) * COUNTERS + counter
  const prefix = reader.raw(length === WHOLE_ID ? ID_BYTES : length)
  prefix.forEach((byte, i) => {
    const word = VERSION_WORDS + (i >> 2)
    end[word] = end[word]! | (byte << (24 - 8 * (i & 3)))
  })
  return end
}

function readIds(reader: ByteReader): Uint8Array[] {
  const count = reader.varint()
  if (count * SHORT_ID_BYTES > reader.left) {
    reader.fail()
    return []
  }
  return Array.from({ length: count }, () => reader.raw(SHORT_ID_BYTES))
}

function readContent(reader: ByteReader, kind: number): RangeContent {
  switch (KINDS[kind]) {
    case 'skip':
      return { kind: 'skip' }
    case 'fingerprint':
      return { kind: 'fingerprint', fingerprint: reader.raw(FINGERPRINT_BYTES) }
    case 'list':
      return { kind: 'list', ids: readIds(reader) }
    case 'need':
      return { kind: 'need', ids: readIds(reader) }
    case 'difference':
      return { kind: 'difference', wanted: reader.block(reader.left) }
    default:
      reader.fail()
      return { kind: 'skip' }
  }
}

/**
 * The ranges that the rest of a message holds, or null if they are not sorted, overlap, are empty,
 * are too many, or are no ranges at all.
 */
export function readRanges(reader: ByteReader, span: Span): Range[] | null {
  const ranges: Range[] = []
  let start = span.from
  const limit = span.to.slice()
  while (reader.left > 0) {
    if (ranges.length === MOST_RANGES) return null
    const head = reader.byte()
    const end = readEnd(reader, head, start, limit)
    const content = readContent(reader, head & KIND_BITS)
    if (reader.failed || compareKeys(end, start) <= 0 || compareKeys(end, limit) > 0) return null
    ranges.push({ ...content, end })
    start = end
  }
  return reader.failed ? null : ranges
}
