// Records as callers see them, and back: what was signed, and what certifies it.
import type { CloudRecord, RecordProof } from '../../contract/db.ts'
import { CloudError } from '../../contract/errors.ts'
import type { Json, SignedForm } from '../../contract/values.ts'
import { assembleRecord, recordValue, verifyRecord } from '../../core/db/signed-record.ts'
import type { HeldRecord } from '../../core/db/signed-record.ts'
import { MAX_ATTESTATION_BODY_BYTES, openAttestation } from '../../core/forms/attestation.ts'
import type { Attestation } from '../../core/forms/attestation.ts'
import { canonicalJson } from '../../core/canonical.ts'
import { fromHex, toHex } from '../../core/keys.ts'

/** Without the proof. */
export function viewRecord(record: HeldRecord): CloudRecord {
  return { ...viewFields(record), value: recordValue(record) }
}

function viewFields(record: HeldRecord): Omit<CloudRecord, 'value'> {
  const { system, collection, id, author, version, rule, deleted, parties } = record.header
  return {
    system,
    collection,
    id,
    author,
    version,
    rule,
    ...(deleted === undefined ? {} : { deleted }),
    ...(parties === undefined ? {} : { parties: [...parties] }),
  }
}

/** The same, its value read only when somebody asks for it: most news of records are not about that. */
export function viewLater(record: HeldRecord): CloudRecord {
  const view = viewFields(record)
  let value: { read: Json } | null = null
  return Object.defineProperty(view, 'value', {
    enumerable: true,
    get: () => (value ??= { read: recordValue(record) }).read,
  }) as CloudRecord
}

/** One that does not count, as if it was deleted: others may have seen what it took the place of. */
export function viewHidden(record: HeldRecord): CloudRecord {
  return { ...viewFields(record), deleted: true, value: null }
}

/** @param attestations  those that the signatures name, in their order */
export function proveRecord(
  { body, signatures }: HeldRecord,
  attestations: readonly SignedForm[],
): RecordProof {
  return {
    body: Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'),
    signatures: signatures.map(({ attestation, signature }) => ({
      attestation,
      signature: toHex(signature),
    })),
    attestations: [...attestations],
  }
}

function forged({ collection, id, author }: CloudRecord, reason: string): CloudError {
  return new CloudError(
    'DB_RECORD_FORGED',
    `The record "${id}" was not accepted: ${reason}. Nothing was changed.`,
    { collection, id, author, reason },
  )
}

export interface ProvenRecord {
  record: HeldRecord
  attestations: Attestation[]
  /** The persons in whose names it was signed. */
  signers: string[]
}

/**
 * What an attestation and a signature take in a proof at most: a body as text has twice its signs, and
 * the rest is two signatures and a hash in hex, and the names of the fields.
 */
const SEAL_BYTES = 2 * MAX_ATTESTATION_BODY_BYTES + 400

/**
 * How much a view takes in an answer, about: it says no more than what was signed. A proof says that once
 * more, as text within text, which has twice the signs at most.
 */
export function shownBytes({ body, signatures }: HeldRecord, proof: boolean): number {
  return proof ? 3 * body.length + SEAL_BYTES * signatures.length : body.length
}

/**
 * The record that a proof certifies, once it is found to say what the caller was shown.
 * @throws CloudError DB_RECORD_FORGED
 */
export function openProof(shown: CloudRecord, cloud: string): ProvenRecord {
  const { proof, ...view } = shown
  if (proof === undefined) throw forged(shown, 'it comes without its proof')
  const attestations = new Map<string, Attestation>()
  for (const form of proof.attestations) {
    const attestation = openAttestation(form, cloud)
    if (attestation !== null) attestations.set(attestation.hash, attestation)
  }
  const record = assembleRecord(
    Buffer.from(proof.body, 'utf8'),
    proof.signatures.map(({ attestation, signature }) => ({
      attestation,
      signature: fromHex(signature),
    })),
  )
  if (record === null) throw forged(shown, 'its proof is no record')
  const fault = verifyRecord(record, cloud, (hash) => attestations.get(hash))
  if (fault !== null) throw forged(shown, `its proof does not hold (${fault})`)
  if (canonicalJson(viewRecord(record)) !== canonicalJson(view)) {
    throw forged(shown, 'its proof says something else')
  }
  const named = record.signatures.flatMap(({ attestation }) => attestations.get(attestation) ?? [])
  return { record, attestations: named, signers: named.map(({ person }) => person).sort() }
}
