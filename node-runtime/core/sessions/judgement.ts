// What the actions of a session amount to, one after the other: moves by the rules, resignations and
// claims by the runtime, and the proof when one of them breaks the rules.
import type { EndedBy, Outcome } from '../../contract/sessions.ts'
import type { Json } from '../../contract/values.ts'
import type { SignedForm } from '../forms/signed-form.ts'
import { ACTION_TYPES } from './action.ts'
import type { Action, SeatAction } from './action.ts'
import type { Branches } from './branches.ts'
import { jsonEqual } from './position.ts'
import type { Position, RulesAnswer, RulesRequest, Viewer } from './position.ts'

/** Positions that are kept, for branches that come to count later; older ones are played again. */
const KEPT_POSITIONS = 32

/** An action that took effect. */
export interface PlayedAction {
  ply: number
  seat: number
  type: 'move' | 'resign' | 'claim'
  body: Json
  atMs: number
}

export interface Ending {
  outcome: Outcome
  by: EndedBy
}

/** A seat broke the rules. The proof holds for everyone, without this machine's word. */
export interface Fault {
  seat: number
  ply: number
  message: string
  /**
   * The action that the rules refuse at the very position it names; or two for one position. None where
   * it is all that the seat has signed: the transcript has that.
   */
  proof: SignedForm[]
}

interface Played {
  hash: string
  /** The position after it; null once it is old. */
  position: Position | null
  effect: PlayedAction | null
  ending: Ending | null
  fault: Fault | null
}

export class Judgement {
  readonly #seats: number
  readonly #branches: Branches
  #start: Position | null = null
  #played: Played[] = []
  /** Grows when what was played is played anew. */
  #version = 0
  #actions: PlayedAction[] = []
  /** Where it ended or a fault was proven; -1 while it goes on, or if it was over before anybody acted. */
  #end = -1

  constructor(seats: number, branches: Branches) {
    this.#seats = seats
    this.#branches = branches
  }

  /** After all that was played; null until the rules have begun. */
  get position(): Position | null {
    const last = this.#played.at(-1)
    return last === undefined ? this.#start : last.position
  }

  get actions(): readonly PlayedAction[] {
    return this.#actions
  }

  get fault(): Fault | null {
    const [breach] = this.#branches.breaches
    if (breach === undefined) return this.#played[this.#end]?.fault ?? null
    const { seat, twins } = breach
    return {
      seat,
      ply: this.#actions.length,
      message:
        twins === null
          ? 'it signed more than a seat may in one session'
          : 'one machine signed two different actions for one position',
      proof: twins === null ? [] : twins.map(({ form }) => form),
    }
  }

  get ending(): Ending | null {
    const seats = this.#branches.breaches.map(({ seat }) => seat)
    return seats.length === 0 ? this.#endOfPlay : this.#faulty(seats)
  }

  /** How it ended, but for what seats have proven by what they signed, whatever the rules say. */
  get #endOfPlay(): Ending | null {
    const over = this.#start?.outcome ?? null
    if (over !== null) return { outcome: over, by: 'rules' }
    const { fault = null, ending = null } = this.#played[this.#end] ?? {}
    return fault === null ? ending : this.#faulty([fault.seat])
  }

  /** How many actions there are up to the end. */
  get #plies(): number {
    return this.#endOfPlay === null ? this.#branches.order.length : this.#end + 1
  }

  /** Are there actions that the rules have not seen yet? */
  get isBehind(): boolean {
    return this.#upcoming !== undefined
  }

  get toAct(): number[] {
    const { position } = this
    if (position === null || this.isBehind || this.ending !== null) return []
    return seatsToActIn(position)
  }

  /** By seat, the agreement with how it ended. */
  get agreements(): (SeatAction | null)[] {
    const { breaches, order } = this.#branches
    const outcome = this.#endOfPlay?.outcome
    const agreed: (SeatAction | null)[] = Array.from({ length: this.#seats }, () => null)
    if (outcome === undefined || breaches.length > 0) return agreed
    for (const action of order) {
      const { type, seat, body } = action
      if (type !== ACTION_TYPES.agree || this.#branches.seenOf(action.heads) < this.#plies) continue
      const same = jsonEqual(body, { scores: outcome.scores, reason: outcome.reason })
      if (same) agreed[seat] ??= action
    }
    return agreed
  }

  /**
   * Everything up to the end, so that whoever has the end has the same. What proves a cheat by itself may
   * count or not, and stands on what may: then it is all there is.
   */
  get transcript(): readonly SeatAction[] {
    const { breaches, all, order } = this.#branches
    return breaches.length > 0 ? all : order.slice(0, this.#plies)
  }

  /** What the rules are to be asked next; null when all is played. */
  next(viewer: Viewer): { stamp: string; request: RulesRequest } | null {
    this.#followOrder()
    const { position } = this
    if (position === null) return { stamp: 'start', request: { call: 'start', viewer } }
    for (let action = this.#upcoming; action !== undefined; action = this.#upcoming) {
      if (action.type === ACTION_TYPES.move && this.#endOfPlay === null) {
        const { seat, body, hash } = action
        const request = { call: 'play', state: position.state, seat, action: body, viewer } as const
        return { stamp: `${this.#version}/${this.#played.length}/${hash}`, request }
      }
      this.#push(action, { position, ending: this.#endingBy(action, position) })
    }
    return null
  }

  /** The rules' answer to what `next` gave last. */
  answered(answer: Extract<RulesAnswer, { status: 'ok' | 'illegal' }>): void {
    if (this.#start === null) {
      if (answer.status === 'ok') this.#start = answer.position
      return
    }
    const action = this.#upcoming
    if (action === undefined) return
    if (answer.status === 'ok') {
      const { position } = answer
      const { outcome } = position
      this.#push(action, {
        position,
        ending: outcome === null ? null : { outcome, by: 'rules' },
        effect: true,
      })
      return
    }
    // Where something came between that it had not seen, it is void, and nobody's fault.
    const proves = this.#hasSeenAll(action)
    this.#push(action, {
      position: this.position,
      ending: null,
      fault: proves
        ? {
            seat: action.seat,
            ply: this.#actions.length,
            message: 'the rules do not allow its action',
            proof: [action.form],
          }
        : null,
    })
  }

  /** The first that is not played yet. */
  get #upcoming(): Action | undefined {
    return this.#branches.order[this.#played.length]
  }

  /** Had the one that is to be played seen all that was? */
  #hasSeenAll({ heads }: Action): boolean {
    return this.#branches.seenOf(heads) === this.#played.length
  }

  /** Keeps what was played as far as the order is still the same, and its position is kept. */
  #followOrder(): void {
    const { order } = this.#branches
    let kept = this.#played.findIndex(({ hash }, index) => hash !== order[index]?.hash)
    if (kept < 0) return
    if (this.#played[kept - 1]?.position === null) kept = 0
    this.#played.length = kept
    if (this.#end >= kept) this.#end = -1
    this.#actions = this.#played.flatMap(({ effect }) => (effect === null ? [] : [effect]))
    this.#version++
  }

  #endingBy(action: Action, position: Position): Ending | null {
    if (this.#endOfPlay !== null) return null
    const { type, seat } = action
    if (type === ACTION_TYPES.resign) {
      return { outcome: this.#loss([seat], 'resigned'), by: 'resignation' }
    }
    if (type !== ACTION_TYPES.claim || !this.#hasSeenAll(action)) return null
    const toAct = seatsToActIn(position)
    if (toAct.length === 0 || toAct.includes(seat)) return null
    const outcome = {
      scores: position.legal.map((_, of) => (of === seat ? 1 : 0)),
      reason: 'claimed, as the others were silent',
    }
    return { outcome, by: 'claim' }
  }

  #push(
    { hash, seat, type, body, atMs }: Action,
    to: { position: Position | null; ending: Ending | null; fault?: Fault | null; effect?: true },
  ): void {
    const took = to.effect === true || to.ending !== null
    const effect = took
      ? { ply: this.#actions.length, seat, type: type as PlayedAction['type'], body, atMs }
      : null
    if (effect !== null) this.#actions.push(effect)
    const { position, ending, fault = null } = to
    if (ending !== null || fault !== null) this.#end = this.#played.length
    this.#played.push({ hash, position, effect, ending, fault })
    const old = this.#played.at(-1 - KEPT_POSITIONS)
    if (old !== undefined) old.position = null
  }

  #faulty(seats: readonly number[]): Ending {
    return { outcome: this.#loss(seats, 'the rules were broken'), by: 'fault' }
  }

  #loss(losers: readonly number[], reason: string): Outcome {
    return {
      scores: Array.from({ length: this.#seats }, (_, seat) => (losers.includes(seat) ? 0 : 1)),
      reason,
    }
  }
}

function seatsToActIn({ legal }: Position): number[] {
  return legal.flatMap((actions, seat) => (actions.length > 0 ? [seat] : []))
}
