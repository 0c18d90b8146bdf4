// Records: what is signed, when a record holds, where it belongs, and which of two wins. Pure, the
// same on all machines. A record is kept and passed on as the bytes that were signed.
import type { Json } from '../../contract/values.ts'
import { canonicalJson, parseCanonical } from '../canonical.ts'
import { fitsRecords } from '../forms/attestation.ts'
import type { Attestation } from '../forms/attestation.ts'
import type { VerifySignature } from '../forms/signed-form.ts'
import { decodeText } from '../text.ts'
import { decodeKey, domainBytes, encodeKey, fromHex, hash, sign, toHex, verify } from '../keys.ts'
import { versionTimeMs } from './hybrid-clock.ts'
import { MAX_HEADER_BYTES, MAX_PARTIES, MAX_VALUE_BYTES, parseHeader } from './record-header.ts'
import type { RecordHeader } from './record-header.ts'

export type { RecordHeader } from './record-header.ts'

const NEWLINE = 0x0a
const ENVELOPE_VERSION = 1
const HASH_BYTES = 32
const SIGNATURE_BYTES = 64
const SEAL_BYTES = HASH_BYTES + SIGNATURE_BYTES

/** The longest envelope that can hold: refused before anything is parsed. */
export const MAX_ENVELOPE_BYTES =
  2 + MAX_PARTIES * SEAL_BYTES + MAX_HEADER_BYTES + 1 + MAX_VALUE_BYTES

/** A machine's signature, and the attestation that says in whose name (hex hash). */
export interface RecordSignature {
  attestation: string
  /** 64 bytes. */
  signature: Uint8Array
}

/** A record as machines hold it. Its header was read from the body; the signatures may be unchecked. */
export interface HeldRecord {
  header: RecordHeader
  /** Header, newline, value: the bytes that were signed. */
  body: Uint8Array
  /** Sorted by attestation. */
  signatures: readonly RecordSignature[]
  /** Tells records of one version apart, the same everywhere; 32 bytes. */
  id32: Uint8Array
}

/** Where a record belongs. Nobody can stand in another's place: the author is a part of it. */
export interface RecordAddress {
  system: string
  collection: string
  author: string
  id: string
}

/** Why a record does not hold. */
export type RecordFault =
  | 'value-not-canonical'
  | 'attestation-unknown'
  | 'attestation-expired'
  | 'attestation-too-long'
  | 'signer-not-author'
  | 'signature-invalid'
  | 'signatures-wrong'
  | 'parties-wrong'
  | 'content-id-wrong'
  | 'not-deletable'

/**
 * Which rules these are. Raise it whenever a record that held before does not hold any more: what machines
 * keep from before is then held against them once. 2: attestations that records name have a greatest length.
 */
export const RECORD_RULES = 2

/** Is a record with this fault its author's own, and only over a limit? */
export function isOverLimit(fault: RecordFault | null): boolean {
  return fault === 'attestation-too-long'
}

export type UnsignedRecord = Omit<RecordHeader, 'size' | 'attestation'> & { value: Json }

/** The machine that signs, in the name of the person that its attestation names. */
export interface RecordSigner {
  cloud: string
  attestation: Attestation
  machineSecretKey: Uint8Array
}

function signedBytes(cloud: string, attestation: string, body: Uint8Array): Uint8Array {
  return Buffer.concat([domainBytes('dharma/record/1', `${cloud}\n${attestation}\n`), body])
}

function encodeBody(header: RecordHeader, valueText: string): Uint8Array {
  return Buffer.from(`${canonicalJson({ ...header, kind: 'record', v: 1 })}\n${valueText}`, 'utf8')
}

/** The id of a content record: the hash of all that is signed but the id itself. Hex. */
function contentIdOf(headerText: string, valueText: string): string {
  const { id: _, ...rest } = JSON.parse(headerText) as Record<string, unknown>
  return toHex(hash(domainBytes('dharma/content-id/1', `${canonicalJson(rest)}\n${valueText}`)))
}

/** The author part of a co-signed record's address. */
function authorOfParties(parties: readonly string[]): string {
  return encodeKey(hash(domainBytes('dharma/parties/1', parties.join('\n'))))
}

function identify(body: Uint8Array, signatures: readonly RecordSignature[]): Uint8Array {
  const seals = signatures.flatMap(({ attestation, signature }) => [
    fromHex(attestation),
    signature,
  ])
  return hash(Buffer.concat([body, ...seals]))
}

function sortSignatures(signatures: readonly RecordSignature[]): RecordSignature[] {
  return [...signatures].sort((a, b) => (a.attestation < b.attestation ? -1 : 1))
}

function hold(
  header: RecordHeader,
  body: Uint8Array,
  signatures: readonly RecordSignature[],
): HeldRecord {
  const sorted = sortSignatures(signatures)
  return { header, body, signatures: sorted, id32: identify(body, sorted) }
}

/**
 * Signs a record of one author. For `content` the id is computed; the one given is not looked at.
 * The caller has checked that the value is no larger than MAX_VALUE_BYTES.
 */
export function signRecord(record: UnsignedRecord, signer: RecordSigner): HeldRecord {
  const { value, ...fields } = record
  const valueText = record.deleted === true ? '' : canonicalJson(value)
  const attestation = signer.attestation.hash
  let header: RecordHeader = { ...fields, attestation, size: Buffer.byteLength(valueText) }
  if (record.rule === 'content') {
    const text = canonicalJson({ ...header, kind: 'record', v: 1 })
    header = { ...header, id: contentIdOf(text, valueText) }
  }
  const body = encodeBody(header, valueText)
  const signature = sign(signedBytes(signer.cloud, attestation, body), signer.machineSecretKey)
  return hold(header, body, [{ attestation, signature }])
}

/** The body that all parties of a co-signed record sign; the parties may come in any order. */
export function cosignedBody(
  record: Omit<UnsignedRecord, 'author' | 'rule' | 'deleted' | 'parties'>,
  parties: readonly string[],
): Uint8Array {
  const { value, ...fields } = record
  const sorted = [...parties].sort()
  const valueText = canonicalJson(value)
  const header: RecordHeader = {
    ...fields,
    author: authorOfParties(sorted),
    rule: 'co-signed',
    parties: sorted,
    attestation: null,
    size: Buffer.byteLength(valueText),
  }
  return encodeBody(header, valueText)
}

/** One party's signature under a co-signed body. */
export function cosign(body: Uint8Array, signer: RecordSigner): RecordSignature {
  const attestation = signer.attestation.hash
  const signature = sign(signedBytes(signer.cloud, attestation, body), signer.machineSecretKey)
  return { attestation, signature }
}

/** Puts a body and its signatures together; null if the body is no record's. Nothing is verified. */
export function assembleRecord(
  body: Uint8Array,
  signatures: readonly RecordSignature[],
): HeldRecord | null {
  const end = body.subarray(0, MAX_HEADER_BYTES + 1).indexOf(NEWLINE)
  if (end < 0 || signatures.length === 0 || signatures.length > MAX_PARTIES) return null
  const text = decodeText(body.subarray(0, end))
  const header = text === null ? null : parseHeader(text)
  if (header === null || body.length - end - 1 !== header.size) return null
  return hold(header, body, signatures)
}

/** A record as bytes: version, number of signatures, signatures, body. */
export function encodeRecord({ body, signatures }: HeldRecord): Uint8Array {
  const seals = signatures.flatMap(({ attestation, signature }) => [
    fromHex(attestation),
    signature,
  ])
  return Buffer.concat([Uint8Array.of(ENVELOPE_VERSION, signatures.length), ...seals, body])
}

/** The record in an envelope; null for anything else. Never throws; nothing is verified. */
export function decodeRecord(bytes: Uint8Array): HeldRecord | null {
  if (bytes.length > MAX_ENVELOPE_BYTES || bytes[0] !== ENVELOPE_VERSION) return null
  const count = bytes[1] ?? 0
  const bodyAt = 2 + count * SEAL_BYTES
  if (count === 0 || count > MAX_PARTIES || bytes.length <= bodyAt) return null
  const signatures: RecordSignature[] = []
  for (let at = 2; at < bodyAt; at += SEAL_BYTES) {
    signatures.push({
      attestation: toHex(bytes.subarray(at, at + HASH_BYTES)),
      signature: bytes.slice(at + HASH_BYTES, at + SEAL_BYTES),
    })
  }
  return assembleRecord(bytes.slice(bodyAt), signatures)
}

/** The JSON text of the value; empty when deleted, null if the bytes are no text. */
export function valueTextOf({ body, header }: HeldRecord): string | null {
  return decodeText(body.subarray(body.length - header.size))
}

/** The value; null when deleted. Only for records that hold. */
export function recordValue(record: HeldRecord): Json {
  return record.header.deleted === true ? null : (JSON.parse(valueTextOf(record) ?? '') as Json)
}

/**
 * Does the record hold in this cloud? All that can be known from it and the attestations it names;
 * neither the time of day nor what this machine has decides anything. That it is over a limit is told
 * of one that has no other fault.
 */
export function verifyRecord(
  record: HeldRecord,
  cloud: string,
  attestationOf: (hash: string) => Attestation | undefined,
  check: VerifySignature = verify,
): RecordFault | null {
  const { header, body, signatures } = record
  const text = valueTextOf(record)
  if (text === null || (header.deleted !== true && parseCanonical(text) === undefined)) {
    return 'value-not-canonical'
  }
  if (header.rule === 'content') {
    if (header.deleted === true) return 'not-deletable'
    const headerText = decodeText(body.subarray(0, body.length - header.size - 1))
    if (headerText === null || contentIdOf(headerText, text) !== header.id) {
      return 'content-id-wrong'
    }
  }
  const signers: string[] = []
  let overLimit: RecordFault | null = null
  for (const { attestation: name, signature } of signatures) {
    const attestation = attestationOf(name)
    if (attestation === undefined || attestation.cloud !== cloud) return 'attestation-unknown'
    if (!fitsRecords(attestation.form)) overLimit = 'attestation-too-long'
    if (versionTimeMs(header.version) > attestation.expiresMs) return 'attestation-expired'
    const key = decodeKey(attestation.machine)
    if (key === null || !check(signedBytes(cloud, name, body), signature, key)) {
      return 'signature-invalid'
    }
    signers.push(attestation.person)
  }
  if (header.parties !== undefined) {
    return findPartyFault(header, header.parties, signers) ?? overLimit
  }
  if (signatures.length !== 1 || signatures[0]?.attestation !== header.attestation) {
    return 'signatures-wrong'
  }
  return signers[0] === header.author ? overLimit : 'signer-not-author'
}

/**
 * Does a record that once held do so by the rules of today? Its signatures were checked when it came,
 * and are not checked again.
 */
export function stillHolds(
  record: HeldRecord,
  cloud: string,
  attestationOf: (hash: string) => Attestation | undefined,
): boolean {
  const read = decodeRecord(encodeRecord(record))
  return read !== null && verifyRecord(read, cloud, attestationOf, () => true) === null
}

function findPartyFault(
  header: RecordHeader,
  parties: readonly string[],
  signers: readonly string[],
): RecordFault | null {
  if (header.deleted === true) return 'not-deletable'
  if (header.author !== authorOfParties(parties)) return 'parties-wrong'
  const sorted = [...signers].sort()
  const same = sorted.length === parties.length && sorted.every((one, at) => one === parties[at])
  return same ? null : 'signatures-wrong'
}

/** Of two records at one address, does `challenger` win? Newest version; then the greater id32. */
export function replaces(challenger: HeldRecord, held: HeldRecord): boolean {
  if (challenger.header.version !== held.header.version) {
    return challenger.header.version > held.header.version
  }
  return Buffer.compare(challenger.id32, held.id32) > 0
}

/** An address as one text, sorted by system, collection, id and author. */
export function addressKey({ system, collection, author, id }: RecordAddress): string {
  return [system, collection, id, author].join('\u0000')
}
