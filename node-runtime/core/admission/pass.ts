// What a machine shows at the door, and whether that lets it into the cloud. Which kind of pass it takes says
// the cloud's genesis, which nobody can change.
import * as z from 'zod'
import type { Genesis } from '../forms/genesis.ts'
import { signedFormSchema } from '../forms/signed-form.ts'
import type { Attested } from '../forms/revocation.ts'
import type { VerifySignature } from '../forms/signed-form.ts'
import type { RevokedMachines } from '../membership/revoked-machines.ts'
import { isRevokedChain, MAX_CHAIN, openChain } from './admission-form.ts'
import { holdsReleaseProof, isExpired, openRelease } from './release-form.ts'
import { isWork } from './work.ts'

/** How a machine may come in; see `cloudStatusSchema` for what each means. */
export const ADMISSION_KINDS = ['link', 'open', 'invitation', 'release'] as const
export type AdmissionKind = (typeof ADMISSION_KINDS)[number]

const NONCE = /^[0-9a-z]{1,16}$/
const SIGNATURE = /^[0-9a-f]{128}$/

export const passSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('work'), nonce: z.string().regex(NONCE) }),
  z.object({
    kind: z.literal('invitation'),
    /** From the machine's person back to a key of the genesis. */
    chain: z.array(signedFormSchema).min(1).max(MAX_CHAIN),
  }),
  z.object({
    kind: z.literal('release'),
    release: signedFormSchema,
    /** See `proveRelease`. */
    proof: z.string().regex(SIGNATURE),
  }),
])
export type Pass = z.infer<typeof passSchema>

/**
 * Why a machine is not let in. `KIND_UNKNOWN`: the cloud admits in a way of a later version. `…_MISSING`: it
 * shows no pass of the kind that the cloud asks for. `…_INVALID`: that pass does not hold. `MACHINE_REVOKED`: its
 * person has revoked it. `INVITER_REVOKED`: whom it came in by was revoked before. `TOO_BUSY`: too much of what was
 * shown from where it is did not hold; it may come again.
 */
export const ADMISSION_FAULTS = [
  'MACHINE_REVOKED',
  'TOO_BUSY',
  'KIND_UNKNOWN',
  'WORK_MISSING',
  'WORK_INVALID',
  'INVITATION_MISSING',
  'INVITATION_INVALID',
  'INVITER_REVOKED',
  'RELEASE_MISSING',
  'RELEASE_INVALID',
  'RELEASE_EXPIRED',
  'RELEASE_REVOKED',
] as const
export type AdmissionFault = (typeof ADMISSION_FAULTS)[number]

/** A machine, with the sequence of the attestation by which it is its person's. */
export interface Guest extends Attested {
  /** Of the connection on which the pass is shown. */
  handshakeHash: Uint8Array
}

export interface DoorRules {
  cloud: string
  /** Null while this machine has not heard how the cloud began: then its id alone lets in. */
  genesis: Pick<Genesis, 'admission' | 'keys'> | null
  /** Releases that the cloud's key took back. */
  revoked: ReadonlySet<string>
  /** Machines that their persons took back. */
  machines: Pick<RevokedMachines, 'isRevoked' | 'revokesAt'>
  /** Ms since 1970. */
  nowMs: number
}

export function admissionKindOf(genesis: DoorRules['genesis']): AdmissionKind | null {
  if (genesis === null) return 'link'
  return ADMISSION_KINDS.find((kind) => kind === genesis.admission.kind) ?? null
}

/** Why the guest is not let in; null if it is. Never throws. */
export function faultOfPass(
  pass: Pass | null,
  guest: Guest,
  rules: DoorRules,
  check?: VerifySignature,
): AdmissionFault | null {
  if (rules.machines.isRevoked(guest)) return 'MACHINE_REVOKED'
  switch (admissionKindOf(rules.genesis)) {
    case null:
      return 'KIND_UNKNOWN'
    case 'link':
      return null
    case 'open':
      return faultOfWork(pass, guest, rules)
    case 'invitation':
      return faultOfInvitation(pass, guest, rules, check)
    case 'release':
      return faultOfRelease(pass, guest, rules, check)
  }
}

function faultOfWork(
  pass: Pass | null,
  { machine }: Guest,
  { cloud, genesis }: DoorRules,
): AdmissionFault | null {
  if (pass?.kind !== 'work') return 'WORK_MISSING'
  const bits = genesis?.admission.work ?? 0
  return isWork({ cloud, machine, bits }, pass.nonce) ? null : 'WORK_INVALID'
}

function faultOfInvitation(
  pass: Pass | null,
  { person }: Guest,
  { cloud, genesis, machines }: DoorRules,
  check?: VerifySignature,
): AdmissionFault | null {
  if (pass?.kind !== 'invitation') return 'INVITATION_MISSING'
  const keys = genesis?.keys ?? []
  const admissions = openChain(pass.chain, { cloud, person, keys }, check)
  if (admissions === null) return 'INVITATION_INVALID'
  return isRevokedChain(admissions, machines) ? 'INVITER_REVOKED' : null
}

/** Can it be that a pass holds no more, now that this machine is revoked? Costs nothing. */
export function namesInviter(pass: Pass | null, machine: string): boolean {
  return pass?.kind === 'invitation' && pass.chain.some(({ body }) => body.includes(machine))
}

function faultOfRelease(
  pass: Pass | null,
  { machine, handshakeHash }: Guest,
  { cloud, genesis, revoked, nowMs }: DoorRules,
  check?: VerifySignature,
): AdmissionFault | null {
  if (pass?.kind !== 'release') return 'RELEASE_MISSING'
  const keys = genesis?.keys ?? []
  const release = openRelease(pass.release, { cloud, keys }, check)
  if (release === null) return 'RELEASE_INVALID'
  if (revoked.has(release.release)) return 'RELEASE_REVOKED'
  if (isExpired(release, nowMs)) return 'RELEASE_EXPIRED'
  const holds = holdsReleaseProof({ handshakeHash, machine }, release.release, pass.proof, check)
  return holds ? null : 'RELEASE_INVALID'
}
