// One action in a session: what is signed, by which machine, and what it had seen of the others.
// Actions are the truth of a session; the logs that carry them are only their way.
import * as z from 'zod'
import { MAX_SEATS } from '../../contract/sessions.ts'
import { hashSchema, jsonSchema, keySchema, timeMsSchema } from '../../contract/values.ts'
import type { Attestation } from '../forms/attestation.ts'
import { faultOfForm, openForm, signForm } from '../forms/signed-form.ts'
import type { FormFault, SignedForm, VerifySignature } from '../forms/signed-form.ts'
import { domainBytes, hash, toHex } from '../keys.ts'

const KIND = 'action'
const HASH_DOMAIN = 'dharma/action-hash/1'

const statementSchema = z.object({
  session: hashSchema,
  seat: z
    .number()
    .int()
    .min(0)
    .max(MAX_SEATS - 1),
  /** The seat's actions before this one, on the branch that it goes on with. */
  seq: z.number().int().min(0),
  /** By seat, the last action that the machine had seen (the own seat's included); null for none. */
  heads: z.array(hashSchema.nullable()).min(1).max(MAX_SEATS),
  /**
   * `move`: the body goes to the rules. `resign`, `claim` and `agree` are understood for every kind of
   * session. Types of later versions are held and passed on, and change nothing.
   */
  type: z.string().min(1).max(40),
  body: jsonSchema,
  /** Who signs, and the hash of the attestation that makes it the person's. */
  machine: keySchema,
  attestation: hashSchema,
  /** The machine's clock. A claim: the order comes from `heads`. */
  atMs: timeMsSchema,
})
export type ActionStatement = z.infer<typeof statementSchema>

/** An action whose signature holds. Its hash is its name; it covers what was signed and nothing else. */
export interface Action extends ActionStatement {
  hash: string
  form: SignedForm
}

export const ACTION_TYPES = {
  move: 'move',
  /** The seat gives up. It needs no turn. */
  resign: 'resign',
  /** The others have been silent for too long: the claimant's word, and shown as that. */
  claim: 'claim',
  /** After the end: the seat agrees with the outcome that the body repeats. A bonus. */
  agree: 'agree',
} as const

/** The name of an action. Of the body alone: two signatures under one body are one action. Hex. */
function actionHash({ body }: SignedForm): string {
  return toHex(hash(domainBytes(HASH_DOMAIN, body)))
}

/** Why nobody could read this action, were it signed; null if all can. */
export function faultOfAction(statement: ActionStatement): FormFault | null {
  return faultOfForm(KIND, statement)
}

/** @throws RangeError if nobody could read it, as `faultOfAction` says */
export function signAction(statement: ActionStatement, machineSecretKey: Uint8Array): Action {
  const form = signForm(KIND, statement, machineSecretKey)
  return { ...statement, hash: actionHash(form), form }
}

/** The action in a form, or null if it is none or its machine did not sign it. Never throws. */
export function openAction(form: SignedForm, check?: VerifySignature): Action | null {
  const statement = openForm(form, KIND, statementSchema, 'machine', check)
  return statement === null ? null : { ...statement, hash: actionHash(form), form }
}

/** An action of a seat, with the attestation that makes its machine the person's. */
export interface SeatAction extends Action {
  attested: Attestation
}

/** What a session asks of an action before it looks at the others: its place and whose it is. */
export interface SessionSeats {
  session: string
  /** The persons by seat. */
  seats: readonly string[]
}

/** Is this an action of this session, by a machine of the person in the seat? */
export function isOfSeat(
  action: Action,
  { session, seats }: SessionSeats,
  attestation: Attestation,
): boolean {
  return (
    action.session === session &&
    action.heads.length === seats.length &&
    attestation.hash === action.attestation &&
    attestation.machine === action.machine &&
    attestation.person === seats[action.seat]
  )
}
