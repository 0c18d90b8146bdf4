/* oxlint-disable house/pure-core -- goes when the services stand on the referee */
// The chain of signed actions of a session: what is signed, what links to what, and its replay under
// the rules. Pure, so that players, spectators and readers of a result all decide the same.
import { CloudError } from '../../contract/errors.ts'
import type {
  Outcome,
  ResultValue,
  SessionDescriptor,
  SignedAction,
} from '../../contract/sessions.ts'
import type { Json } from '../../contract/values.ts'
import { canonicalJson } from '../canonical.ts'
import { decodeKey, domainBytes, fromHex, hash, toHex, verify } from '../keys.ts'

const SESSION_DOMAIN = 'dharma/session/1'
const ACTION_DOMAIN = 'dharma/session-action/1'

/** A position, and what the rules say of it. */
export interface Position {
  state: Json
  outcome: Outcome | null
  /** The legal actions by seat; all empty after the end, else empty for all seats but one. */
  legal: Json[][]
}

/** The rules of a session kind, as something that runs. Every failure is a CloudError RULES_FAILED. */
export interface RulesRunner {
  start(descriptor: SessionDescriptor): Promise<Position>
  advance(descriptor: SessionDescriptor, state: Json, seat: number, action: Json): Promise<Position>
  view(state: Json, seat: number | 'spectator'): Promise<Json>
}

/** Where a chain stands. */
export interface ChainHead {
  session: string
  descriptor: SessionDescriptor
  actions: readonly SignedAction[]
  position: Position
}

export type UnsignedAction = Omit<SignedAction, 'signature'>

/** The id of a session: the hash of its descriptor. */
export function sessionId(descriptor: SessionDescriptor): string {
  return toHex(hash(domainBytes(SESSION_DOMAIN, canonicalJson(descriptor))))
}

/** What the person in the seat signs. */
export function actionBytes(action: UnsignedAction): Uint8Array {
  const { session, ply, seat, action: move, previous, atMs } = action
  return domainBytes(
    ACTION_DOMAIN,
    canonicalJson({ session, ply, seat, action: move, previous, atMs }),
  )
}

/** What the next action links to. Of what was signed, so that it does not depend on the signature. */
export function actionHash(action: UnsignedAction): string {
  return toHex(hash(actionBytes(action)))
}

/** Do two JSON values say the same? */
export function jsonEqual(a: Json, b: Json): boolean {
  return canonicalJson(a) === canonicalJson(b)
}

export async function beginChain(
  descriptor: SessionDescriptor,
  rules: RulesRunner,
): Promise<ChainHead> {
  return {
    session: sessionId(descriptor),
    descriptor,
    actions: [],
    position: await rules.start(descriptor),
  }
}

/** The seat whose turn it is; null after the end. */
export function seatToAct({ position }: ChainHead): number | null {
  const seat = position.legal.findIndex((actions) => actions.length > 0)
  return position.outcome !== null || seat < 0 ? null : seat
}

/** The action as it has to be signed to come next. */
export function nextAction(
  head: ChainHead,
  { seat, action, atMs }: { seat: number; action: Json; atMs: number },
): UnsignedAction {
  const last = head.actions.at(-1)
  return {
    session: head.session,
    ply: head.actions.length,
    seat,
    action,
    previous: last === undefined ? head.session : actionHash(last),
    atMs,
  }
}

function forged(reason: string, { ply, seat }: { ply: number; seat: number }): CloudError {
  return new CloudError('SESSION_TRANSCRIPT_FORGED', `Move ${ply + 1} does not hold: ${reason}.`, {
    ply,
    seat,
    reason,
  })
}

/**
 * Adds the next action after checking its place, its link, its signature and its legality.
 * @throws CloudError SESSION_TRANSCRIPT_FORGED with { ply, seat, reason }; the head is unchanged
 */
export async function extendChain(
  head: ChainHead,
  action: SignedAction,
  rules: RulesRunner,
): Promise<ChainHead> {
  const { descriptor, position } = head
  const { seat } = action
  const at = { ply: head.actions.length, seat }
  if (position.outcome !== null) throw forged('the session was over', at)
  const expected = nextAction(head, action)
  if (action.session !== expected.session) throw forged('it is of another session', at)
  if (action.ply !== expected.ply) throw forged(`it claims to be move ${action.ply + 1}`, at)
  if (seat !== seatToAct(head)) throw forged(`it was not the turn of seat ${seat}`, at)
  if (action.previous !== expected.previous) throw forged('it follows another move', at)
  const key = decodeKey(descriptor.seats[seat] ?? '')
  if (key === null || !verify(actionBytes(action), fromHex(action.signature), key)) {
    throw forged('the person in the seat did not sign it', at)
  }
  if (!(position.legal[seat] ?? []).some((legal) => jsonEqual(legal, action.action))) {
    throw forged('the rules do not allow it', at)
  }
  return {
    ...head,
    actions: [...head.actions, action],
    position: await rules.advance(descriptor, position.state, seat, action.action),
  }
}

/** The value of the result record of a session that is over. All machines build the same. */
export function resultValue(head: ChainHead, outcome: Outcome): ResultValue {
  const { session, descriptor, actions } = head
  const { kind, context } = descriptor
  return { session, descriptor, actions: [...actions], outcome, kind, context }
}

/**
 * Replays a result from its own content and calls `onHead` with every position, the first included.
 * @throws CloudError SESSION_TRANSCRIPT_FORGED if anything in it does not hold
 */
export async function replay(
  result: ResultValue,
  rules: RulesRunner,
  onHead: (head: ChainHead) => Promise<void> = () => Promise.resolve(),
): Promise<ChainHead> {
  const { descriptor } = result
  const whole = (reason: string): CloudError =>
    new CloudError('SESSION_TRANSCRIPT_FORGED', `The result does not hold: ${reason}.`, { reason })
  if (result.session !== sessionId(descriptor)) throw whole('it is of another session')
  if (result.kind !== descriptor.kind || !jsonEqual(result.context, descriptor.context)) {
    throw whole('its copies differ from the descriptor')
  }
  let head = await beginChain(descriptor, rules)
  await onHead(head)
  for (const action of result.actions) {
    head = await extendChain(head, action, rules)
    await onHead(head)
  }
  if (head.position.outcome === null) throw whole('the session was not over')
  if (!jsonEqual(head.position.outcome, result.outcome)) {
    throw whole('the rules give another outcome')
  }
  return head
}
