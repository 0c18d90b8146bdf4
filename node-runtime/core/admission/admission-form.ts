// Somebody of the cloud lets a person in. Whom the cloud's own key let in may let in others, and so on: a
// chain of such forms leads from each person back to a key that the genesis names.
import * as z from 'zod'
import { keySchema, timeMsSchema } from '../../contract/values.ts'
import { openAttestation } from '../forms/attestation.ts'
import { openForm, signedFormSchema, signForm } from '../forms/signed-form.ts'
import type { SignedForm, VerifySignature } from '../forms/signed-form.ts'
import type { Attestation } from '../forms/attestation.ts'
import type { Attested } from '../forms/revocation.ts'
import type { RevokedMachines } from '../membership/revoked-machines.ts'

const KIND = 'admission'

/** Steps from a person to the cloud's key. */
export const MAX_CHAIN = 16
/** Of all bodies of a chain, which must fit into a greeting. One of 16 ordinary steps has 14,000. */
const MAX_CHAIN_BYTES = 20_000

const statementSchema = z.object({
  cloud: keySchema,
  /** Who is let in, with all machines. */
  person: keySchema,
  /** Who signs: a key of the genesis, or a machine of somebody who is in. */
  signer: keySchema,
  /** By which the signer is a machine of a person; null for a key of the genesis. */
  attestation: signedFormSchema.nullable(),
  sequence: timeMsSchema,
})

/** One link of the chain. */
export interface Admission {
  person: string
  /** By which machine of whom; null: the cloud's own key did. */
  inviter: Attested | null
  /** When, ms since 1970, by the word of who signed. */
  sequence: number
}

export interface AdmissionSigner {
  publicKey: string
  secretKey: Uint8Array
  /** Null for a key of the genesis. */
  attestation: Attestation | null
}

/** @param sequence  ms since 1970 */
export function signAdmission(
  { cloud, person, sequence }: { cloud: string; person: string; sequence: number },
  { publicKey, secretKey, attestation }: AdmissionSigner,
): SignedForm {
  const statement = {
    cloud,
    person,
    signer: publicKey,
    attestation: attestation?.form ?? null,
    sequence,
  }
  return signForm(KIND, statement, secretKey)
}

/** The admission in a form, or null if it is none of this cloud by somebody who could give it. */
function openAdmission(
  form: SignedForm,
  cloud: string,
  keys: readonly string[],
  check?: VerifySignature,
): Admission | null {
  const statement = openForm(form, KIND, statementSchema, 'signer', check)
  if (statement === null || statement.cloud !== cloud) return null
  const { person, signer, attestation: attested, sequence } = statement
  if (attested === null) return keys.includes(signer) ? { person, inviter: null, sequence } : null
  const attestation = openAttestation(attested, cloud, check)
  if (attestation === null || attestation.machine !== signer) return null
  return sequence > attestation.expiresMs ? null : { person, inviter: attestation, sequence }
}

/** One by a machine of a person, by itself: who invited whom, whatever that is worth at the door. */
export interface ByMachine extends Admission {
  inviter: Attested
}

/** That admission in a form, or null if it is none of this cloud, or by a key of the genesis. */
export function openInvitation(
  form: SignedForm,
  cloud: string,
  check?: VerifySignature,
): ByMachine | null {
  const admission = openAdmission(form, cloud, [], check)
  if (admission === null || admission.inviter === null) return null
  return { ...admission, inviter: admission.inviter }
}

/**
 * Who let in whom, from a person to the cloud's key, the person first; null if the chain does not hold. Whether a
 * machine in it was its person's by then is not looked at: see `isRevokedChain`.
 * @param keys  of the cloud's genesis
 */
export function openChain(
  chain: readonly SignedForm[],
  { cloud, person, keys }: { cloud: string; person: string; keys: readonly string[] },
  check?: VerifySignature,
): Admission[] | null {
  const bytes = chain.reduce((sum, { body }) => sum + Buffer.byteLength(body, 'utf8'), 0)
  if (chain.length > MAX_CHAIN || bytes > MAX_CHAIN_BYTES) return null
  const admissions: Admission[] = []
  let expected: string | null = person
  for (const form of chain) {
    if (expected === null) return null
    const admission = openAdmission(form, cloud, keys, UNCHECKED)
    if (admission === null || admission.person !== expected) return null
    admissions.push(admission)
    expected = admission.inviter?.person ?? null
  }
  if (expected !== null) return null
  // From the cloud's key on: what a stranger makes up fails at its first form that has to be by somebody else.
  const holds = chain.toReversed().every((form) => openAdmission(form, cloud, keys, check) !== null)
  return holds ? admissions : null
}

/** The persons of a chain, the one that it lets in first; null if it does not hold. */
export function readChain(...of: Parameters<typeof openChain>): string[] | null {
  return openChain(...of)?.map(({ person }) => person) ?? null
}

/** Whom a form lets in, by its words alone; null if it is none. */
export function namedIn(form: SignedForm): string | null {
  return openForm(form, KIND, statementSchema, 'signer', UNCHECKED)?.person ?? null
}

/** Did a machine let somebody in when it was its person's no more, as their revocation says? */
export function isRevokedChain(
  admissions: readonly Admission[],
  machines: Pick<RevokedMachines, 'revokesAt'>,
): boolean {
  return admissions.some(
    ({ inviter, sequence }) => inviter !== null && machines.revokesAt(inviter, sequence),
  )
}

/** What costs nothing is looked at first. */
const UNCHECKED: VerifySignature = () => true
