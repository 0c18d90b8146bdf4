// The seat that this machine holds: what it may do now, and what it signs. What is signed is written to its
// log before it counts, and nothing else is signed until it is: another signature would be a second for
// one position.
import * as z from 'zod'
import type { ErrorCode } from '../../contract/errors.ts'
import type { SessionDescriptor } from '../../contract/sessions.ts'
import type { Json } from '../../contract/values.ts'
import type { Attestation } from '../forms/attestation.ts'
import type { FormFault } from '../forms/signed-form.ts'
import { durationText } from '../text.ts'
import { ACTION_TYPES, faultOfAction } from './action.ts'
import type { Action, ActionStatement, SeatAction } from './action.ts'
import { writeBlock } from './block.ts'
import type { Branches } from './branches.ts'
import type { Judgement } from './judgement.ts'
import { FITS_NOWHERE } from './log-intake.ts'
import type { LogIntake, Taken } from './log-intake.ts'
import { jsonEqual } from './position.ts'
import { retryAfterMs } from './referee-events.ts'
import type { Appended, OwnAction, RefereeEffect, Refusal, Trouble } from './referee-events.ts'

/** A silent opponent may be gone for a moment: long enough to come back over a restart. */
const DEFAULT_CLAIM_AFTER_MS = 5 * 60_000
const MIN_CLAIM_AFTER_MS = 10_000
const MAX_CLAIM_AFTER_MS = 30 * 24 * 3_600_000
const claimOptionsSchema = z.object({ claimAfterMs: z.number() })
/** Another action could be a second one for the position of one that does not count. */
const SEAT_LOST =
  'What this machine has signed in your seat cannot be taken in again, so it signs nothing more in this session.'

/** This machine, and its signature under an action. The attestation may be renewed. */
export interface Signer {
  machine: string
  attestation: () => Attestation
  sign: (statement: ActionStatement) => Action
}

/** The session as far as it is here. */
export interface SessionSoFar {
  session: string
  branches: Branches
  judgement: Judgement
  intake: LogIntake
}

/** When something may be done, and what keeps the machine from it. */
export interface Moment {
  nowMs: number
  /** The others may be called silent from then on. */
  claimFromMs: number
  /** In words, what this machine can't do now. */
  trouble: string | null
}

/** With the log that it is written to, and the blocks that this had when it was taken. */
interface HeldSeat {
  seat: number
  log: string
  blocks: number
  signer: Signer
}

interface PendingAction {
  log: string
  /** Null for the agreement that the seat gives by itself. */
  token: number | null
  appendToken: number
  action: SeatAction
  texts: string[]
  /** It counts, and may be told. */
  kept: boolean
  tries: number
}

export class OwnSeat {
  readonly #soFar: SessionSoFar
  readonly #signer: Signer | null
  #held: HeldSeat | null = null
  #pending: PendingAction | null = null
  #diskTrouble: string | null = null
  #nextToken = 1

  constructor(soFar: SessionSoFar, signer: Signer | null) {
    this.#soFar = soFar
    this.#signer = signer
  }

  /** Null while this machine holds none. */
  get seat(): number | null {
    return this.#held?.seat ?? null
  }

  /** What keeps it from signing, or from writing what it has signed. */
  get trouble(): Trouble | null {
    if (this.#soFar.intake.isOwnLost) return { what: 'seat', message: SEAT_LOST }
    return this.#diskTrouble === null ? null : { what: 'disk', message: this.#diskTrouble }
  }

  /** Is all that it ever signed taken in, and written? */
  get isSettled(): boolean {
    return this.#pending === null && (this.#held === null || this.#knowsItself(this.#held))
  }

  /** This machine holds the seat, with a log that has so many blocks already; unless it can't sign. */
  hold(seat: number, log: string, blocks: number): void {
    const signer = this.#signer
    if (signer === null) return
    this.#held = { seat, log, blocks, signer }
    this.#soFar.intake.own(log)
  }

  /** This machine has signed more in the seat than it knows, or may have: it signs no more. */
  lose(seat: number): void {
    const signer = this.#signer
    if (signer === null) return
    this.#held = { seat, log: '', blocks: 0, signer }
    this.#soFar.intake.loseOwn()
  }

  act(
    { token, action, wallMs }: { token: number; action: OwnAction; wallMs: number },
    moment: Moment,
  ): RefereeEffect[] {
    const held = this.#held
    if (held === null) {
      const message = 'You have no seat in this session on this machine. You can watch it.'
      return [this.#refused(token, refuse('SESSION_NOT_SEATED', message))]
    }
    const refusal = this.#refusalOf(action, held, moment)
    if (refusal !== null) return [this.#refused(token, refusal)]
    const body = action.type === 'move' ? action.body : null
    return this.#write(held, token, { type: action.type, body, atMs: wallMs })
  }

  /** Signs the end, once it is known and nothing of the seat is under way. */
  agree(): RefereeEffect[] {
    const { judgement, branches } = this.#soFar
    const { ending, agreements } = judgement
    const held = this.#held
    if (ending === null || held === null || this.#pending !== null) return []
    // A proof needs nobody's word. A claim is the claimant's; whom it is held against has not agreed by
    // having come back.
    if (ending.by === 'fault' || ending.by === 'claim') return []
    if (agreements[held.seat] !== null || judgement.isBehind || !this.#knowsItself(held)) return []
    if (branches.roomOf(held.seat)?.isOpenFor(held.signer.attestation().hash) !== true) return []
    const atMs = branches.order.at(-1)?.atMs ?? 0
    const { scores, reason } = ending.outcome
    return this.#write(held, null, { type: ACTION_TYPES.agree, body: { scores, reason }, atMs })
  }

  /** Writes what is signed, if it is not being written. */
  append(): RefereeEffect[] {
    const pending = this.#pending
    if (pending === null || pending.appendToken !== 0) return []
    pending.appendToken = this.#nextToken++
    return [{ type: 'append', token: pending.appendToken, texts: pending.texts }]
  }

  /** What is being written counts from now on: it can't be taken back any more. Said once. */
  kept(appendToken: number): Taken {
    const pending = this.#pending
    if (pending === null || pending.appendToken !== appendToken || pending.kept) {
      return { effects: [], isNews: false }
    }
    pending.kept = true
    const { branches, judgement } = this.#soFar
    const { log, token, action } = pending
    if (branches.add(action) === 'refused') {
      return { effects: this.#ownRefused(log, token), isNews: false }
    }
    const wrote = { type: 'wrote', action } as const
    if (token === null) return { effects: [wrote], isNews: true }
    const ply = judgement.actions.length
    return { effects: [{ type: 'acted', token, ply, action }, wrote], isNews: true }
  }

  /** The log has what was written, or is tried again after a while. */
  appended(event: Appended): RefereeEffect[] {
    const pending = this.#pending
    if (pending === null || pending.appendToken !== event.token) return []
    if (!event.ok) {
      pending.appendToken = 0
      this.#diskTrouble = event.message
      const afterMs = retryAfterMs(pending.tries++)
      return [{ type: 'changed' }, { type: 'setTimer', id: 'append', afterMs }]
    }
    this.#pending = null
    this.#diskTrouble = null
    this.#soFar.intake.wrote(pending.log, pending.action.attestation)
    return [{ type: 'changed' }]
  }

  /** Has all that this machine ever signed here been taken in? Else it could sign for one position twice. */
  #knowsItself({ log, blocks }: HeldSeat): boolean {
    const { intake } = this.#soFar
    return !intake.isOwnLost && intake.readOf(log).blocks >= blocks
  }

  #refusalOf(
    action: OwnAction,
    held: HeldSeat,
    { nowMs, claimFromMs, trouble }: Moment,
  ): Refusal | null {
    const { branches, judgement } = this.#soFar
    const { fault, ending, position, toAct } = judgement
    const { seat, signer } = held
    if (fault !== null) {
      return refuse(
        'SESSION_TRANSCRIPT_FORGED',
        `Play has stopped: seat ${fault.seat} broke the rules.`,
        { seat: fault.seat, ply: fault.ply },
      )
    }
    if (ending !== null) return refuse('SESSION_OVER', `It is over: ${ending.outcome.reason}.`)
    if (this.#pending !== null) {
      return this.#diskTrouble === null
        ? refuse('SESSION_NOT_YOUR_TURN', 'Your last action is still being written.')
        : refuse('UNAVAILABLE', 'Your last action is signed, and this machine cannot write it yet.')
    }
    // Signed now, an action would go on from a position that nobody has seen yet.
    if (position === null || judgement.isBehind || !this.#knowsItself(held)) {
      if (trouble !== null) return refuse('UNAVAILABLE', trouble)
      return refuse('SESSION_NOT_YOUR_TURN', 'The position is still being worked out.')
    }
    const room = branches.roomOf(seat)
    if (room === undefined || !room.hasOpenBytes) {
      return refuse('SESSION_TOO_LARGE', 'You have acted as often as a seat may in one session.')
    }
    if (!room.isOpenFor(signer.attestation().hash)) {
      return refuse(
        'SESSION_TOO_LARGE',
        'More machines of yours have come to this session than a seat may have. Go on with one that has acted in it.',
      )
    }
    if (action.type === 'resign') return null
    if (action.type === 'claim') {
      if (toAct.includes(seat) || toAct.length === 0) {
        return refuse('SESSION_NOT_YOUR_TURN', 'You are to act, not the others.')
      }
      const leftMs = claimFromMs - nowMs
      if (leftMs <= 0) return null
      const left = durationText(leftMs)
      const message = `The others have ${left} left to act. If they have not by then, you can claim.`
      return refuse('SESSION_CLAIM_EARLY', message, { leftMs })
    }
    if (!toAct.includes(seat)) return refuse('SESSION_NOT_YOUR_TURN', 'It is not your turn.')
    const legal = position.legal[seat] ?? []
    if (legal.some((allowed) => jsonEqual(allowed, action.body))) return null
    return refuse('SESSION_ACTION_ILLEGAL', 'The rules do not allow this move.', {
      action: action.body,
    })
  }

  #write(
    { seat, log, signer }: HeldSeat,
    token: number | null,
    what: Pick<ActionStatement, 'type' | 'body' | 'atMs'>,
  ): RefereeEffect[] {
    const { session, branches, intake } = this.#soFar
    const attestation = signer.attestation()
    const heads = branches.heads()
    const statement: ActionStatement = {
      session,
      seat,
      seq: branches.seenOf([heads[seat] ?? null]),
      heads,
      machine: signer.machine,
      attestation: attestation.hash,
      ...what,
    }
    const fault = faultOfAction(statement)
    if (fault !== null) return this.#unsignable(token, fault)
    const action = { ...signer.sign(statement), attested: attestation }
    const texts = [writeBlock({ type: 'action', form: action.form })]
    if (intake.readOf(log).attestation !== attestation.hash) {
      texts.unshift(writeBlock({ type: 'attestation', form: attestation.form }))
    }
    this.#pending = { log, token, appendToken: 0, action, texts, kept: false, tries: 0 }
    return this.append()
  }

  #unsignable(token: number | null, fault: FormFault): RefereeEffect[] {
    // An agreement is a bonus: the end stands without it.
    if (token === null) return []
    if (fault === 'too-long') {
      const message = 'This move is too large to be signed: nobody could read it.'
      return [this.#refused(token, refuse('SESSION_TOO_LARGE', message))]
    }
    const message =
      'This move cannot be signed: it is nested too deeply, or has half a character in it.'
    return [this.#refused(token, refuse('BAD_INPUT', message))]
  }

  /** The room went to the seat's other machine meanwhile, or this is a mistake: nothing is built on it. */
  #ownRefused(log: string, token: number | null): RefereeEffect[] {
    const dropped = this.#soFar.intake.drop(log, FITS_NOWHERE)
    if (token === null) return dropped
    return [...dropped, this.#refused(token, refuse('UNAVAILABLE', SEAT_LOST))]
  }

  /** Says where the session was, too. */
  #refused(token: number, refusal: Refusal): RefereeEffect {
    const where = { ply: this.#soFar.judgement.actions.length, seat: this.seat }
    return { type: 'refused', token, ...refusal, details: { ...where, ...refusal.details } }
  }
}

function refuse(code: ErrorCode, message: string, details: Record<string, Json> = {}): Refusal {
  return { code, message, details }
}

/** When the others may be called silent: ms after the last news of them. */
export function claimAfterMs({ options }: SessionDescriptor): number {
  const { data } = claimOptionsSchema.safeParse(options)
  if (data === undefined) return DEFAULT_CLAIM_AFTER_MS
  return Math.min(MAX_CLAIM_AFTER_MS, Math.max(MIN_CLAIM_AFTER_MS, data.claimAfterMs))
}
