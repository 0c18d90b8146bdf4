// Releases of a cloud: builds that carry a key of their own, which the cloud's key has signed. A machine proves
// that it runs one; the cloud's key can take a release back.
import * as z from 'zod'
import { keySchema, timeMsSchema } from '../../contract/values.ts'
import { openForm, signForm } from '../forms/signed-form.ts'
import type { SignedForm, VerifySignature } from '../forms/signed-form.ts'
import { decodeKey, domainBytes, fromHex, sign, toHex, verify } from '../keys.ts'

const RELEASE = 'release'
const REVOCATION = 'release-revocation'

/** Clocks may be off by so much, and a machine must get in to hear of a newer release. */
const EXPIRY_GRACE_MS = 2 * 86_400_000

const releaseSchema = z.object({
  cloud: keySchema,
  /** The release's public key. */
  release: keySchema,
  /** A key of the cloud's genesis. */
  signer: keySchema,
  /** For people. */
  name: z.string().min(1).max(60),
  sequence: timeMsSchema,
  /** Ms since 1970; null: never. */
  expiresMs: timeMsSchema.nullable(),
})
export type Release = z.infer<typeof releaseSchema>

const revocationSchema = z.object({
  cloud: keySchema,
  release: keySchema,
  signer: keySchema,
  sequence: timeMsSchema,
})
export type ReleaseRevocation = z.infer<typeof revocationSchema>

export function signRelease(release: Release, cloudSecretKey: Uint8Array): SignedForm {
  return signForm(RELEASE, release, cloudSecretKey)
}

export function signReleaseRevocation(
  revocation: ReleaseRevocation,
  cloudSecretKey: Uint8Array,
): SignedForm {
  return signForm(REVOCATION, revocation, cloudSecretKey)
}

/** Of whom a form must be: the cloud, and its genesis' keys. */
export interface CloudKeys {
  cloud: string
  keys: readonly string[]
}

export function openRelease(
  form: SignedForm,
  { cloud, keys }: CloudKeys,
  check?: VerifySignature,
): Release | null {
  const release = openForm(form, RELEASE, releaseSchema, 'signer', check)
  return release?.cloud === cloud && keys.includes(release.signer) ? release : null
}

export function openReleaseRevocation(
  form: SignedForm,
  { cloud, keys }: CloudKeys,
  check?: VerifySignature,
): ReleaseRevocation | null {
  const revocation = openForm(form, REVOCATION, revocationSchema, 'signer', check)
  return revocation?.cloud === cloud && keys.includes(revocation.signer) ? revocation : null
}

export function isExpired({ expiresMs }: Release, nowMs: number): boolean {
  return expiresMs !== null && nowMs > expiresMs + EXPIRY_GRACE_MS
}

/** One machine at one end of one connection. */
export interface ProofEnds {
  handshakeHash: Uint8Array
  /** Of the machine that proves it. */
  machine: string
}

/** The release's key signs for this very connection, so that the proof is worth nothing on another. Hex. */
export function proveRelease(ends: ProofEnds, releaseSecretKey: Uint8Array): string {
  return toHex(sign(proofBytes(ends), releaseSecretKey))
}

export function holdsReleaseProof(
  ends: ProofEnds,
  release: string,
  proof: string,
  check: VerifySignature = verify,
): boolean {
  const key = decodeKey(release)
  return key !== null && check(proofBytes(ends), fromHex(proof), key)
}

function proofBytes({ handshakeHash, machine }: ProofEnds): Uint8Array {
  return domainBytes('dharma/release-proof/1', `${toHex(handshakeHash)}\n${machine}`)
}
