// The referee of one session: takes in what the seats' machines have signed (`log-intake.ts`), derives its
// order (`branches.ts`), has the rules play it (`judgement.ts`), and writes the own seat's (`own-seat.ts`).
// Only what an action proves by itself blames a seat; what fails on this machine is said to be that, and
// tried again.
import type { SessionDescriptor } from '../../contract/sessions.ts'
import type { Attestation } from '../forms/attestation.ts'
import type { VerifySignature } from '../forms/signed-form.ts'
import type { Core } from '../step.ts'
import type { SeatAction } from './action.ts'
import { Branches } from './branches.ts'
import { Judgement } from './judgement.ts'
import type { Ending, Fault, PlayedAction } from './judgement.ts'
import type { IsRevoked } from './held-back.ts'
import { LogIntake } from './log-intake.ts'
import type { Taken } from './log-intake.ts'
import { OwnSeat, claimAfterMs } from './own-seat.ts'
import type { Signer } from './own-seat.ts'
import { sessionId } from './position.ts'
import type { Position, RulesAnswer, Viewer } from './position.ts'
import { retryAfterMs } from './referee-events.ts'
import type { RefereeEffect, RefereeEvent, Trouble } from './referee-events.ts'

/** What waits for what is here to be played, such as an action after a start, waits no longer than this. */
const SETTLE_LIMIT_MS = 5_000

export interface RefereeOptions {
  descriptor: SessionDescriptor
  cloud: string
  viewer: Viewer
  own: Signer | null
  check?: VerifySignature
  /** Which machines their persons have revoked, as far as that is known here; none if absent. */
  isRevoked?: IsRevoked
}

export class Referee implements Core<RefereeEvent, RefereeEffect> {
  readonly session: string
  readonly descriptor: SessionDescriptor
  readonly #viewer: Viewer
  readonly #branches: Branches
  readonly #judgement: Judgement
  readonly #intake: LogIntake
  readonly #own: OwnSeat
  #asked: { token: number; stamp: string } | null = null
  #tries = 0
  #rulesTrouble: string | null = null
  #nextToken = 1
  #lastNewsMs: number | null = null
  /** Tokens of those who wait until all is settled. */
  readonly #awaiting = new Set<number>()

  constructor({ descriptor, cloud, viewer, own, check, isRevoked }: RefereeOptions) {
    this.descriptor = descriptor
    this.session = sessionId(descriptor)
    this.#viewer = viewer
    const { session } = this
    const seats = descriptor.seats.length
    const branches = new Branches(seats)
    const judgement = new Judgement(seats, branches)
    const intake = new LogIntake({ session, descriptor, cloud, check, isRevoked }, branches)
    this.#branches = branches
    this.#judgement = judgement
    this.#intake = intake
    this.#own = new OwnSeat({ session, branches, judgement, intake }, own)
  }

  /** The position after the last action that was played; null until the rules have begun. */
  get position(): Position | null {
    return this.#judgement.position
  }

  /** Moves, resignations and claims that have taken effect, in their order. */
  get actions(): readonly PlayedAction[] {
    return this.#judgement.actions
  }

  /** How it ended, and by whose word; null while it goes on. */
  get ending(): Ending | null {
    return this.#judgement.ending
  }

  get fault(): Fault | null {
    return this.#judgement.fault
  }

  get ownSeat(): number | null {
    return this.#own.seat
  }

  get trouble(): Trouble | null {
    const own = this.#own.trouble
    if (own !== null || this.#rulesTrouble === null) return own
    return { what: 'rules', message: this.#rulesTrouble }
  }

  /** The seats that may act now. */
  get toAct(): number[] {
    return this.#judgement.toAct
  }

  /** All actions that are part of the session, in their order: what a transcript holds. */
  get transcript(): { actions: readonly SeatAction[]; attestations: readonly Attestation[] } {
    const actions = this.#judgement.transcript
    const named = new Map(actions.map(({ attested }) => [attested.hash, attested]))
    return { actions, attestations: [...named.values()] }
  }

  /** The seats' agreements with the outcome, by seat. */
  get agreements(): (SeatAction | null)[] {
    return this.#judgement.agreements
  }

  /** Actions placed so far: how far this machine has the session, whatever the rules say of them. */
  get length(): number {
    return this.#branches.size
  }

  /** So long the seats that are to act may be silent, in ms. */
  get claimAfterMs(): number {
    return claimAfterMs(this.descriptor)
  }

  /** In so many ms the own seat may claim, 0 once it may; null while there is nothing to claim. */
  claimInMs(nowMs: number): number | null {
    const { ownSeat, toAct } = this
    if (ownSeat === null || toAct.length === 0 || toAct.includes(ownSeat)) return null
    return Math.max(0, this.#claimFromMs(nowMs) - nowMs)
  }

  /** From the last news on, the others have their time. */
  #claimFromMs(nowMs: number): number {
    return (this.#lastNewsMs ?? nowMs) + this.claimAfterMs
  }

  /** Is everything that is here played? */
  get isPlayed(): boolean {
    return this.position !== null && !this.#judgement.isBehind
  }

  /** Is everything that is here played, and written what is signed? */
  get isSettled(): boolean {
    return this.#own.isSettled && this.isPlayed
  }

  step(event: RefereeEvent, nowMs: number): RefereeEffect[] {
    const effects = this.#handle(event, nowMs)
    if (this.#awaiting.size === 0 || (!this.isSettled && this.trouble === null)) return effects
    return [...effects, ...[...this.#awaiting].flatMap((token) => this.#awaited(token))]
  }

  #handle(event: RefereeEvent, nowMs: number): RefereeEffect[] {
    this.#lastNewsMs ??= nowMs
    switch (event.type) {
      case 'block':
        return this.#taken(this.#intake.takeBlock(event.log, event.text, event.isStored), nowMs)
      case 'unread':
        return this.#intake.unread(event.log)
      case 'action':
        return this.#taken(this.#intake.take(event.form, event.attestation), nowMs)
      case 'held':
        this.#own.hold(event.seat, event.log, event.blocks)
        return [{ type: 'changed' }, ...this.#goOn()]
      case 'lost':
        this.#own.lose(event.seat)
        return [{ type: 'changed' }]
      case 'act': {
        const claimFromMs = this.#claimFromMs(nowMs)
        const trouble = this.trouble?.message ?? null
        return this.#own.act(event, { nowMs, claimFromMs, trouble })
      }
      case 'awaited':
        this.#awaiting.add(event.token)
        return [{ type: 'setTimer', id: `settle ${event.token}`, afterMs: SETTLE_LIMIT_MS }]
      case 'kept':
        return this.#taken(this.#own.kept(event.token), nowMs)
      case 'appended': {
        if (!event.ok) return this.#own.appended(event)
        // What is in the log is kept, whether that was said or not.
        const counted = this.#taken(this.#own.kept(event.token), nowMs)
        return [...counted, ...this.#own.appended(event), ...this.#goOn()]
      }
      case 'rules':
        return this.#rulesAnswered(event.token, event.answer)
      case 'started':
        return this.#goOn()
      case 'timer':
        return this.#rang(event.id)
    }
  }

  #rang(id: string): RefereeEffect[] {
    const [kind, ...words] = id.split(' ')
    const what = words.join(' ')
    switch (kind) {
      case 'append':
        return this.#own.append()
      case 'read':
        return [{ type: 'readOn', log: what }]
      case 'settle':
        return this.#awaited(Number(what))
      default:
        return this.#goOn()
    }
  }

  /** Whoever waits by this token waits no more. */
  #awaited(token: number): RefereeEffect[] {
    if (!this.#awaiting.delete(token)) return []
    return [
      { type: 'clearTimer', id: `settle ${token}` },
      { type: 'settled', token },
    ]
  }

  /** What has come may let logs go on that waited for it, and is played. */
  #taken({ effects, isNews }: Taken, nowMs: number): RefereeEffect[] {
    if (!isNews) return effects
    this.#lastNewsMs = nowMs
    return [...effects, ...this.#intake.wake(), { type: 'changed' }, ...this.#goOn()]
  }

  /** Plays what is not played yet, and agrees with the end. */
  #goOn(): RefereeEffect[] {
    const request = this.#judgement.next(this.#viewer)
    if (request === null) {
      this.#asked = null
      return this.#own.agree()
    }
    // The one question that is open is this one, or it was about a way that counts no more.
    if (this.#asked?.stamp === request.stamp) return []
    const token = this.#nextToken++
    this.#asked = { token, stamp: request.stamp }
    return [{ type: 'askRules', token, request: request.request }]
  }

  #rulesAnswered(token: number, answer: RulesAnswer): RefereeEffect[] {
    if (this.#asked?.token !== token) return []
    this.#asked = null
    if (answer.status === 'failed' || answer.status === 'unavailable') {
      this.#rulesTrouble = answer.message
      const afterMs = retryAfterMs(this.#tries++)
      return [{ type: 'changed' }, { type: 'setTimer', id: 'rules', afterMs }]
    }
    this.#rulesTrouble = null
    this.#tries = 0
    this.#judgement.answered(answer)
    return [{ type: 'changed' }, ...this.#goOn()]
  }
}
