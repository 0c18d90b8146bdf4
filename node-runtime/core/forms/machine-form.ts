// What a machine says of itself to the cloud: signed by the machine, with the person's attestation
// inside. Anyone can pass it on, nobody can change it.
import * as z from 'zod'
import { keySchema, timeMsSchema } from '../../contract/values.ts'
import { placeProofSchema } from '../rings/place.ts'
import { openAttestation } from './attestation.ts'
import type { Attestation } from './attestation.ts'
import { openForm, signedFormSchema, signForm } from './signed-form.ts'
import type { SignedForm, VerifySignature } from './signed-form.ts'

const KIND = 'machine'

/** Of the body of `invitation`: an ordinary one has 900, and others pass an entry on up to 4,096 in all. */
const MAX_INVITATION_CHARS = 1_800

/** IPv4, and a port. */
export const addressSchema = z.object({
  host: z.ipv4(),
  port: z.number().int().min(1).max(65_535),
})

const statementSchema = z.object({
  cloud: keySchema,
  machine: keySchema,
  attestation: signedFormSchema,
  name: z.string().min(1).max(60),
  /** `desktop` or `headless`; a later version may know more kinds. */
  device: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/),
  appVersion: z.string().max(40),
  /** What it speaks; unknown capabilities are passed over. */
  protocol: z.object({
    version: z.number().int().min(1),
    capabilities: z.array(z.string().max(60)).max(64),
  }),
  /** Where it may be found, as it believes itself; none in forms of before. */
  addresses: z.array(addressSchema).max(4).optional(),
  /** Until when look-up lists may name it; absent if they may not, and in forms of before. */
  listedUntilMs: timeMsSchema.optional(),
  /** By what its place on the rings can be checked; none in forms of before. */
  place: placeProofSchema.optional(),
  /** What its computer has; absent if it does not say, and in forms of before. */
  resources: z
    .object({
      cores: z.number().int().min(1).max(100_000),
      memoryBytes: z.number().int().min(1).max(Number.MAX_SAFE_INTEGER),
    })
    .optional(),
  /**
   * The admission by which its person came in, said where the person wants it seen and whom it is by does; absent
   * if not, and in forms of before. Nothing is proved by opening the entry: see `core/admission/shown-invitation.ts`.
   */
  invitation: signedFormSchema
    .refine(({ body }) => body.length <= MAX_INVITATION_CHARS, 'too long')
    .optional(),
  /** Does its person want it seen whom this machine let in? No if absent, as in forms of before. */
  showsInvited: z.boolean().optional(),
  /** Grows with every change, whatever the clock does; the newest entry of a machine counts. */
  sequence: timeMsSchema,
})
export type MachineStatement = z.infer<typeof statementSchema>

/** A machine's entry that holds. */
export interface MachineEntry extends Omit<MachineStatement, 'attestation'> {
  person: string
  attestation: Attestation
  /** As it came, to be passed on. */
  form: SignedForm
}

export function signMachineForm(
  statement: Omit<MachineStatement, 'attestation'> & { attestation: Attestation },
  machineSecretKey: Uint8Array,
): MachineEntry {
  const { attestation } = statement
  const form = signForm(KIND, { ...statement, attestation: attestation.form }, machineSecretKey)
  return { ...statement, person: attestation.person, form }
}

/** The entry in a form; null if machine or person did not sign it, or it is of another cloud. */
export function openMachineForm(
  form: SignedForm,
  cloud: string,
  check?: VerifySignature,
): MachineEntry | null {
  const statement = openForm(form, KIND, statementSchema, 'machine', check)
  if (statement === null || statement.cloud !== cloud) return null
  const attestation = openAttestation(statement.attestation, cloud, check)
  if (attestation === null || attestation.machine !== statement.machine) return null
  return { ...statement, person: attestation.person, attestation, form }
}
