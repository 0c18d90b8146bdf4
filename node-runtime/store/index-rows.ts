// The rows of the index as bytes: a key, which sorts, and a value, which carries a checksum over both,
// so that a damaged row is never taken for a record.
import crc32 from 'crc-32'
import { knownFields } from '../core/db/record-header.ts'
import type { RecordHeader } from '../core/db/record-header.ts'
import type { RecordSignature } from '../core/db/signed-record.ts'
import type { SignedForm } from '../core/forms/signed-form.ts'
import type { OrderItem, StoredRecord } from '../ports/record-store.ts'

/** What a row is, by the first byte of its key. */
const KINDS = {
  record: 'r',
  order: 'o',
  attestation: 'a',
  /** From the future. */
  early: 'q',
  /** Held once, and not by the rules of today. */
  unfit: 'u',
  meta: 'm',
} as const
export type RowKind = keyof typeof KINDS

export interface Row {
  key: Buffer
  value: Buffer
}

const SEPARATOR = '\u0000'
/** Sorts after every key that begins with the text before it. */
const AFTER_SEPARATOR = '\u0001'

const CHECKSUM_BYTES = 4
const HASH_BYTES = 32
const SIGNATURE_BYTES = 64
const VERSION_BYTES = 8
const VERSION_TIME_DIGITS = 12
const LINE_FEED = 0x0a

/** All keys of a kind: from `gte` to before `lt`. */
export function kindRange(kind: RowKind): { gte: Buffer; lt: Buffer } {
  const first = KINDS[kind].charCodeAt(0)
  return { gte: Buffer.from([first]), lt: Buffer.from([first + 1]) }
}

/** @param address  see `addressKey` */
export function recordKey(address: string): Buffer {
  return Buffer.from(KINDS.record + address, 'utf8')
}

/** The keys of a system's records; of one collection's; of those from a prefix, or after an id, on. */
export function recordRange(
  system: string,
  within?: {
    collection: string
    prefix?: string
    after?: { id: string; author: string }
    id?: string
  },
): { gte: Buffer; lt: Buffer } {
  const parts = within === undefined ? [system] : [system, within.collection]
  if (within?.id !== undefined) parts.push(within.id)
  const base = parts.join(SEPARATOR)
  const { prefix = '', after } = within ?? {}
  const gte = recordKey(base + SEPARATOR + prefix)
  const beyond =
    after === undefined
      ? gte
      : recordKey([base, after.id, after.author].join(SEPARATOR) + AFTER_SEPARATOR)
  return {
    gte: Buffer.compare(gte, beyond) < 0 ? beyond : gte,
    lt: recordKey(base + AFTER_SEPARATOR),
  }
}

/** The place of a version and an id32 in the order, or among what is early or put aside. */
export function orderKey(kind: 'order' | 'early' | 'unfit', { version, id32 }: OrderItem): Buffer {
  const key = Buffer.alloc(1 + VERSION_BYTES + HASH_BYTES)
  key.write(KINDS[kind], 'latin1')
  const digits = version.slice(0, VERSION_TIME_DIGITS) + version.slice(VERSION_TIME_DIGITS + 1)
  key.write(digits, 1, 'hex')
  key.set(id32, 1 + VERSION_BYTES)
  return key
}

export function orderItemOf(key: Uint8Array): OrderItem {
  const digits = Buffer.from(key.subarray(1, 1 + VERSION_BYTES)).toString('hex')
  const time = digits.slice(0, VERSION_TIME_DIGITS)
  return {
    version: `${time}-${digits.slice(VERSION_TIME_DIGITS)}`,
    id32: Buffer.from(key.subarray(1 + VERSION_BYTES)),
  }
}

export function attestationKey(attestationHash: string): Buffer {
  return Buffer.from(KINDS.attestation + attestationHash, 'latin1')
}

export const META_KEY = Buffer.from(KINDS.meta, 'latin1')

/** A value with its checksum. */
export function seal(key: Buffer, value: Uint8Array): Buffer {
  const sealed = Buffer.allocUnsafe(CHECKSUM_BYTES + value.length)
  sealed.writeUInt32LE(checksum(key, value))
  sealed.set(value, CHECKSUM_BYTES)
  return sealed
}

/** The value behind a checksum, or null if it does not hold for this key. */
export function unseal(key: Uint8Array, sealed: Uint8Array): Buffer | null {
  if (sealed.length < CHECKSUM_BYTES) return null
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength)
  const value = bytes.subarray(CHECKSUM_BYTES)
  return checksum(key, value) === bytes.readUInt32LE() ? value : null
}

/** Against damage, not against people: whoever changes rows on purpose is found by the signatures. */
function checksum(key: Uint8Array, value: Uint8Array): number {
  return crc32.buf(value, crc32.buf(key)) >>> 0
}

/** A record's row: id32, verdict, signatures, body; all lengths but the body's in one byte. */
export function encodeRow({ record, verdict }: StoredRecord): Buffer {
  const words = Buffer.from(verdict, 'utf8')
  const parts: Uint8Array[] = [
    record.id32,
    Buffer.from([words.length]),
    words,
    Buffer.from([record.signatures.length]),
  ]
  for (const { attestation, signature } of record.signatures) {
    parts.push(Buffer.from(attestation, 'hex'), signature)
  }
  parts.push(record.body)
  return Buffer.concat(parts)
}

/** The record of a row, whose checksum holds. */
export function decodeRow(row: Buffer): StoredRecord {
  const wordsAt = HASH_BYTES + 1
  const wordsEnd = wordsAt + row.readUInt8(HASH_BYTES)
  const bodyAt = wordsEnd + 1 + row.readUInt8(wordsEnd) * (HASH_BYTES + SIGNATURE_BYTES)
  const signatures: RecordSignature[] = []
  for (let at = wordsEnd + 1; at < bodyAt; at += HASH_BYTES + SIGNATURE_BYTES) {
    signatures.push({
      attestation: row.toString('hex', at, at + HASH_BYTES),
      signature: row.subarray(at + HASH_BYTES, at + HASH_BYTES + SIGNATURE_BYTES),
    })
  }
  const body = row.subarray(bodyAt)
  const id32 = row.subarray(0, HASH_BYTES)
  return {
    record: { header: readHeader(body), body, signatures, id32 },
    verdict: row.toString('utf8', wordsAt, wordsEnd),
  }
}

/** The header of a body, which was checked when the record came in. */
function readHeader(body: Buffer): RecordHeader {
  const text = body.toString('utf8', 0, body.indexOf(LINE_FEED))
  return knownFields(JSON.parse(text) as RecordHeader)
}

export function encodeForm(form: SignedForm): Buffer {
  return Buffer.from(JSON.stringify([form.body, form.signature]), 'utf8')
}

/** The form of a row, whose checksum holds. */
export function decodeForm(value: Buffer): SignedForm {
  const [body, signature] = JSON.parse(value.toString('utf8')) as [string, string]
  return { body, signature }
}

/** The change that puts a record at its address (see `addressKey`). */
export function recordChange(address: string, stored: StoredRecord): Row & { type: 'put' } {
  const key = recordKey(address)
  return { type: 'put', key, value: seal(key, encodeRow(stored)) }
}

/** The change that gives a record its place in the order. */
export function orderChange(item: OrderItem, address: string): Row & { type: 'put' } {
  const key = orderKey('order', item)
  return { type: 'put', key, value: seal(key, Buffer.from(address, 'utf8')) }
}
