// A person's word that a machine is theirs, in one cloud and for a time. Records and actions are signed
// by machines; the attestation says in whose name.
import * as z from 'zod'
import { keySchema, timeMsSchema } from '../../contract/values.ts'
import { domainBytes, hash, toHex } from '../keys.ts'
import { openForm, signForm } from './signed-form.ts'
import type { SignedForm, VerifySignature } from './signed-form.ts'

const KIND = 'attestation'

/**
 * The longest body (bytes of UTF-8) of an attestation that a record may name. One of today takes 300; it
 * travels with records, up to 64 with one of them, so it is bounded apart from other forms.
 */
export const MAX_ATTESTATION_BODY_BYTES = 1_920

const statementSchema = z.object({
  person: keySchema,
  machine: keySchema,
  /** The cloud's id: an attestation of one cloud is none in another. */
  cloud: keySchema,
  /** Grows with every attestation of the same machine by the same person. */
  sequence: timeMsSchema,
  /** What the machine writes with a later version does not count. */
  expiresMs: timeMsSchema,
})
export type AttestationStatement = z.infer<typeof statementSchema>

/** An attestation that holds, with the hash under which records name it (hex). */
export interface Attestation extends AttestationStatement {
  hash: string
  form: SignedForm
}

/** The name of an attestation in records and actions: it covers the signature, too. Hex. */
export function attestationHash({ body, signature }: SignedForm): string {
  return toHex(hash(domainBytes('dharma/attestation-hash/1', `${body}\n${signature}`)))
}

export function signAttestation(
  statement: AttestationStatement,
  personSecretKey: Uint8Array,
): Attestation {
  const form = signForm(KIND, statement, personSecretKey)
  return { ...statement, hash: attestationHash(form), form }
}

/** May records name it? By its length; sessions measure what they hold by themselves. */
export function fitsRecords({ body }: SignedForm): boolean {
  return Buffer.byteLength(body, 'utf8') <= MAX_ATTESTATION_BODY_BYTES
}

/** The attestation in a form, or null if the person did not sign it or it is of another cloud. */
export function openAttestation(
  form: SignedForm,
  cloud: string,
  check?: VerifySignature,
): Attestation | null {
  const attestation = openAnyAttestation(form, check)
  return attestation?.cloud === cloud ? attestation : null
}

/** The same, of whatever cloud it is. */
export function openAnyAttestation(form: SignedForm, check?: VerifySignature): Attestation | null {
  const statement = openForm(form, KIND, statementSchema, 'person', check)
  return statement === null ? null : { ...statement, hash: attestationHash(form), form }
}
