// A person's word that a machine is theirs no more, in one cloud, and what of its records stays valid.
// It decides what is shown and counted; what is held does not depend on it.
import * as z from 'zod'
import { keySchema, timeMsSchema, versionSchema } from '../../contract/values.ts'
import type { AttestationStatement } from './attestation.ts'
import { openForm, signForm } from './signed-form.ts'
import type { SignedForm, VerifySignature } from './signed-form.ts'

const KIND = 'revocation'

const statementSchema = z.object({
  person: keySchema,
  machine: keySchema,
  /** The cloud's id: a revocation of one cloud is none in another. */
  cloud: keySchema,
  /**
   * Of a machine's revocations the greatest counts. It ends the attestations with this sequence or a
   * lesser one: a machine that was found again can be attested anew.
   */
  sequence: timeMsSchema,
  /** What the machine signed with a later version does not count; null: nothing of it does. */
  validUntil: versionSchema.nullable(),
})
export type RevocationStatement = z.infer<typeof statementSchema>

/** A revocation that holds. */
export interface Revocation extends RevocationStatement {
  form: SignedForm
}

export function signRevocation(
  statement: RevocationStatement,
  personSecretKey: Uint8Array,
): Revocation {
  return { ...statement, form: signForm(KIND, statement, personSecretKey) }
}

/** The revocation in a form, or null if the person did not sign it or it is of another cloud. */
export function openRevocation(
  form: SignedForm,
  cloud: string,
  check?: VerifySignature,
): Revocation | null {
  const statement = openForm(form, KIND, statementSchema, 'person', check)
  if (statement === null || statement.cloud !== cloud) return null
  return { ...statement, form }
}

/** Which machine is whose, as an attestation has it. */
export type Attested = Pick<AttestationStatement, 'person' | 'machine' | 'sequence'>
