// Records: what is signed, when a record holds, and which of two wins. Pure, the same on all machines.
import type { CloudRecord } from '../../contract/db.ts'
import { CloudError } from '../../contract/errors.ts'
import type { Json } from '../../contract/values.ts'
import { canonicalJson } from '../canonical.ts'
import { decodeKey, domainBytes, fromHex, hash, sign, toHex, verify } from '../keys.ts'

const RECORD_DOMAIN = 'dharma/record/1'
const COSIGN_DOMAIN = 'dharma/cosignature/1'
const OWNER_DOMAIN = 'dharma/record-owner/1'

export interface RecordAddress {
  system: string
  collection: string
  id: string
}

export type UnsignedRecord = Omit<CloudRecord, 'signature'>
export type Cosignature = NonNullable<CloudRecord['cosignatures']>[number]

function recordBytes(record: UnsignedRecord): Uint8Array {
  return domainBytes(RECORD_DOMAIN, canonicalJson(record))
}

/** What each named person of a co-signed record signs. */
export function cosignBytes({
  system,
  collection,
  id,
  value,
}: RecordAddress & { value: Json }): Uint8Array {
  return domainBytes(COSIGN_DOMAIN, canonicalJson({ system, collection, id, value }))
}

export function signRecord(record: UnsignedRecord, authorSecretKey: Uint8Array): CloudRecord {
  return { ...record, signature: toHex(sign(recordBytes(record), authorSecretKey)) }
}

function forged(record: CloudRecord, reason: string): CloudError {
  const { system, collection, id, author } = record
  return new CloudError(
    'DB_RECORD_FORGED',
    `The record "${id}" was not accepted: ${reason}. Nothing was changed.`,
    { system, collection, id, author, reason },
  )
}

/**
 * Checks everything about a record that can be checked from it alone.
 * @throws CloudError DB_RECORD_FORGED, with the reason
 */
export function verifyRecord(record: CloudRecord): void {
  const { signature, ...unsigned } = record
  const authorKey = decodeKey(record.author)
  if (authorKey === null || !verify(recordBytes(unsigned), fromHex(signature), authorKey)) {
    throw forged(record, 'the author did not sign this')
  }
  if (record.created > record.version) throw forged(record, 'it is older than its own beginning')
  if (record.deleted === true && record.value !== null) throw forged(record, 'deleted, yet a value')
  if (record.rule === 'create-only' && record.created !== record.version) {
    throw forged(record, 'a create-only record was changed')
  }
  if ((record.rule === 'co-signed') !== (record.cosignatures !== undefined)) {
    throw forged(record, 'its co-signatures do not go with its write rule')
  }
  if (record.rule !== 'author' && record.deleted === true) {
    throw forged(record, 'its write rule allows no deletion')
  }
  if (record.cosignatures !== undefined) verifyCosignatures(record, record.cosignatures)
}

function verifyCosignatures(record: CloudRecord, cosignatures: readonly Cosignature[]): void {
  const bytes = cosignBytes(record)
  let previous = ''
  for (const { person, signature } of cosignatures) {
    const key = decodeKey(person)
    if (key === null || !verify(bytes, fromHex(signature), key)) {
      throw forged(record, 'a co-signature does not hold')
    }
    if (person <= previous) throw forged(record, 'its co-signatures are not sorted')
    previous = person
  }
  if (!cosignatures.some(({ person }) => person === record.author)) {
    throw forged(record, 'its author is none of those who co-signed')
  }
}

/**
 * Who owns the place a record takes: its author, or all who co-signed it together, under its write
 * rule. Records of different owners never replace each other, so nobody can overwrite another's.
 */
export function recordOwner(record: CloudRecord): string {
  if (record.cosignatures === undefined) return `${record.rule}:${record.author}`
  const persons = record.cosignatures.map(({ person }) => person).join(',')
  return `${record.rule}:${toHex(hash(domainBytes(OWNER_DOMAIN, persons)))}`
}

/**
 * Of two records in the same place, does `challenger` replace `holder`? Newest wins; create-only
 * keeps the oldest; ties go to the greater signature, so that all machines agree.
 */
export function replaces(challenger: CloudRecord, holder: CloudRecord): boolean {
  if (challenger.version === holder.version) return challenger.signature > holder.signature
  const newer = challenger.version > holder.version
  return challenger.rule === 'create-only' && holder.rule === 'create-only' ? !newer : newer
}

/**
 * Of several owners' records with one id, the one that the id means: the earliest created that is not
 * deleted, ties by author's key. Null if all are deleted.
 */
export function chooseRecord(records: readonly CloudRecord[]): CloudRecord | null {
  let chosen: CloudRecord | null = null
  for (const record of records) {
    if (record.deleted === true) continue
    if (
      chosen === null ||
      record.created < chosen.created ||
      (record.created === chosen.created && record.author < chosen.author)
    ) {
      chosen = record
    }
  }
  return chosen
}
