// Actions as machines sign them by hand, for tests: honest ones, one after the other, and a cheat's.
import type { SessionDescriptor } from '../contract/sessions.ts'
import type { ActionStatement, SeatAction } from '../core/sessions/action.ts'
import { writeBlock } from '../core/sessions/block.ts'
import { sessionId } from '../core/sessions/position.ts'
import type { Holder } from './session-tables.ts'

/** A log that a cheat writes by hand. */
export function forgedLog(
  descriptor: SessionDescriptor,
  by: Holder,
  actions: readonly (Partial<ActionStatement> & Pick<ActionStatement, 'heads'>)[],
): { name: string; log: string[]; actions: SeatAction[] } {
  const signed = actions.map((action) => signedAction(descriptor, by, action))
  const log = [
    writeBlock({ type: 'attestation', form: by.attestation.form }),
    ...signed.map(({ form }) => writeBlock({ type: 'action', form })),
  ]
  return { name: `forged by ${by.machine}`, log, actions: signed }
}

/** An action that a machine signs by hand, the first of its seat unless it says something else. */
export function signedAction(
  descriptor: SessionDescriptor,
  by: Holder,
  action: Partial<ActionStatement> & Pick<ActionStatement, 'heads'>,
): SeatAction {
  const signed = by.sign({
    session: sessionId(descriptor),
    seat: descriptor.seats.indexOf(by.person),
    seq: 0,
    type: 'move',
    body: 1,
    machine: by.machine,
    attestation: by.attestation.hash,
    atMs: 1,
    ...action,
  })
  return { ...signed, attested: by.attestation }
}

/** Signs one action after the other, each of which has seen all before it on this way. */
export class Way {
  readonly #descriptor: SessionDescriptor
  readonly actions: readonly SeatAction[]

  constructor(descriptor: SessionDescriptor, actions: readonly SeatAction[] = []) {
    this.#descriptor = descriptor
    this.actions = actions
  }

  get heads(): (string | null)[] {
    return this.#descriptor.seats.map(
      (_, of) => this.actions.findLast(({ seat }) => seat === of)?.hash ?? null,
    )
  }

  /** The way with one action more. */
  with(by: Holder, action: Partial<ActionStatement> = {}): Way {
    const { heads } = this
    const seat = this.#descriptor.seats.indexOf(by.person)
    const seq = this.actions.filter((other) => other.seat === seat).length
    const signed = signedAction(this.#descriptor, by, { heads, seq, ...action })
    return new Way(this.#descriptor, [...this.actions, signed])
  }

  /** The last action on it. */
  get last(): SeatAction {
    const last = this.actions.at(-1)
    if (last === undefined) throw new Error('nothing was signed')
    return last
  }
}
