// The referee of one session: takes the blocks of all seats' logs in any order, derives the order of the
// actions, has the rules play them, and writes the own seat's. Only what an action proves by itself
// blames a seat; what fails on this machine is said to be that, and tried again.
import type { ErrorCode } from '../../contract/errors.ts'
import type { Outcome, SessionDescriptor } from '../../contract/sessions.ts'
import type { Json } from '../../contract/values.ts'
import { attestationHash, openAttestation } from '../forms/attestation.ts'
import type { Attestation } from '../forms/attestation.ts'
import type { FormFault, SignedForm, VerifySignature } from '../forms/signed-form.ts'
import type { Core } from '../step.ts'
import { ACTION_TYPES, faultOfAction, isOfSeat, openAction } from './action.ts'
import type { Action, ActionStatement } from './action.ts'
import { MAX_BLOCK_BYTES, readBlock, writeBlock } from './block.ts'
import { Branches } from './branches.ts'
import { Judgement } from './judgement.ts'
import type { Ending, Fault, PlayedAction } from './judgement.ts'
import { jsonEqual, sessionId } from './position.ts'
import type { Position, RulesAnswer, RulesRequest, Viewer } from './position.ts'

/** A silent opponent may be gone for a moment: long enough to come back over a restart. */
const DEFAULT_CLAIM_AFTER_MS = 5 * 60_000
const MIN_CLAIM_AFTER_MS = 10_000
const MAX_CLAIM_AFTER_MS = 30 * 24 * 3_600_000
/** After a failure of this machine: the first pause, doubled each time up to the longest. */
const RETRY_MS = 250
const MAX_RETRY_MS = 30_000
/** Attestations of one person: the machines of a seat, and some renewed. Others have room of their own. */
const MAX_ATTESTATIONS_OF_PERSON = 32
/** Of the own seat. Another action could be a second one for the position of one that does not count. */
const SEAT_LOST =
  'What this machine has signed in your seat cannot be taken in again, so it signs nothing more in this session.'
const FITS_NOWHERE = 'an action fits nowhere'

export interface RefereeOptions {
  descriptor: SessionDescriptor
  cloud: string
  viewer: Viewer
  /** This machine, and its signature under an action. The attestation may be renewed. */
  own: {
    machine: string
    attestation: () => Attestation
    sign: (statement: ActionStatement) => Action
  } | null
  check?: VerifySignature
}

export type RefereeEvent =
  /** A block of a seat's log, in the order of its log. Read the next one when told to. */
  | { type: 'block'; log: string; text: string }
  /** An action that came by another way than a log. */
  | { type: 'action'; form: SignedForm; attestation: SignedForm | null }
  /** This machine holds the seat, with a log that has so many blocks already. */
  | { type: 'held'; seat: number; log: string; blocks: number }
  | { type: 'act'; token: number; action: OwnAction; wallMs: number }
  /** What `append` asked for is on the disk, and will be in the log whatever happens. */
  | { type: 'kept'; token: number }
  | { type: 'appended'; token: number; ok: true }
  | { type: 'appended'; token: number; ok: false; message: string }
  | { type: 'rules'; token: number; answer: RulesAnswer }
  | { type: 'timer'; id: RefereeTimer }

export type RefereeEffect =
  | { type: 'askRules'; token: number; request: RulesRequest }
  /** Writes the blocks to the own log in one go; answered by `kept`, and by `appended` once they are in it. */
  | { type: 'append'; token: number; texts: string[] }
  /** The action is on the disk. */
  | { type: 'acted'; token: number; ply: number; action: Action }
  /** Any action of this machine is on the disk, the agreement that it gives by itself included. */
  | { type: 'wrote'; action: Action }
  | { type: 'refused'; token: number; code: ErrorCode; message: string; details: Json }
  | { type: 'readOn'; log: string }
  /** What the log holds is of no session: it is not read on. Nobody is blamed for it. */
  | { type: 'dropLog'; log: string; reason: string }
  | { type: 'setTimer'; id: RefereeTimer; afterMs: number }
  | { type: 'changed' }

export type RefereeTimer = 'rules' | 'append'

export type OwnAction = { type: 'move'; body: Json } | { type: 'resign' } | { type: 'claim' }

/** What this machine can't do now, in words. Not a fault of any player. */
export interface Trouble {
  what: 'rules' | 'disk' | 'seat'
  message: string
}

interface PendingOwn {
  /** Null for the agreement that the referee gives by itself. */
  token: number | null
  appendToken: number
  action: Action
  texts: string[]
  /** It counts, and may be told. */
  kept: boolean
  tries: number
}

export class Referee implements Core<RefereeEvent, RefereeEffect> {
  readonly session: string
  readonly #options: RefereeOptions
  readonly #branches: Branches
  readonly #judgement: Judgement
  readonly #attestations = new Map<string, Attestation>()
  /** Logs whose last action waits for another's. */
  readonly #stalled = new Map<string, Action>()
  /** By log: blocks that were taken in, and the last attestation among them. */
  readonly #read = new Map<string, { blocks: number; attestation: string | null }>()
  #ownSeat: number | null = null
  #own: { log: string; blocks: number } | null = null
  #pending: PendingOwn | null = null
  #asked: { token: number; stamp: string } | null = null
  #tries = 0
  #trouble: { rules: string | null; disk: string | null } = { rules: null, disk: null }
  /** What the own seat has signed is not all taken in, and never will be. */
  #seatLost = false
  #nextToken = 1
  #lastNewsMs: number | null = null

  constructor(options: RefereeOptions) {
    this.#options = options
    this.session = sessionId(options.descriptor)
    const seats = options.descriptor.seats.length
    this.#branches = new Branches(seats)
    this.#judgement = new Judgement(seats, this.#branches)
  }

  get descriptor(): SessionDescriptor {
    return this.#options.descriptor
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
    return this.#ownSeat
  }

  get trouble(): Trouble | null {
    if (this.#seatLost) return { what: 'seat', message: SEAT_LOST }
    const { rules, disk } = this.#trouble
    if (disk !== null) return { what: 'disk', message: disk }
    return rules === null ? null : { what: 'rules', message: rules }
  }

  /** The seats that may act now. */
  get toAct(): number[] {
    return this.#judgement.toAct
  }

  /** All actions that are part of the session, in their order: what a transcript holds. */
  get transcript(): { actions: readonly Action[]; attestations: readonly Attestation[] } {
    const actions = this.#judgement.transcript
    const named = new Set(actions.map(({ attestation }) => attestation))
    const attestations = [...this.#attestations.values()].filter(({ hash }) => named.has(hash))
    return { actions, attestations }
  }

  /** The seats' agreements with the outcome, by seat. */
  get agreements(): (Action | null)[] {
    return this.#judgement.agreements
  }

  attestationOf(hash: string): Attestation | undefined {
    return this.#attestations.get(hash)
  }

  /** Actions placed so far: how far this machine has the session, whatever the rules say of them. */
  get length(): number {
    return this.#branches.size
  }

  /** When the others may be called silent: ms after the last news of them. */
  get claimAfterMs(): number {
    const { options } = this.#options.descriptor
    const wanted =
      typeof options === 'object' && options !== null && !Array.isArray(options)
        ? options['claimAfterMs']
        : undefined
    if (typeof wanted !== 'number' || !Number.isFinite(wanted)) return DEFAULT_CLAIM_AFTER_MS
    return Math.min(MAX_CLAIM_AFTER_MS, Math.max(MIN_CLAIM_AFTER_MS, wanted))
  }

  step(event: RefereeEvent, nowMs: number): RefereeEffect[] {
    this.#lastNewsMs ??= nowMs
    switch (event.type) {
      case 'block':
        return this.#takeBlock(event, nowMs)
      case 'action':
        if (event.attestation !== null) this.#takeAttestation(event.attestation)
        return this.#takeAction(event.form, null, nowMs)
      case 'held':
        this.#ownSeat = event.seat
        this.#own = { log: event.log, blocks: event.blocks }
        return [{ type: 'changed' }, ...this.#goOn()]
      case 'act':
        return this.#act(event, nowMs)
      case 'kept':
        return this.#pending?.appendToken === event.token ? this.#kept(this.#pending, nowMs) : []
      case 'appended':
        return this.#appended(event, nowMs)
      case 'rules':
        return this.#rulesAnswered(event.token, event.answer)
      case 'timer':
        if (event.id === 'append') return this.#append()
        return this.#goOn()
    }
  }

  #takeBlock({ log, text }: { log: string; text: string }, nowMs: number): RefereeEffect[] {
    if (this.#stalled.has(log)) return []
    const block = readBlock(text)
    if (block === null) return this.#drop(log, 'a block is no action')
    if (block.type === 'action') return this.#takeAction(block.form, log, nowMs)
    const hash = this.#takeAttestation(block.form)
    if (hash === null) return this.#drop(log, 'an attestation does not hold')
    return [this.#taken(log, hash)]
  }

  #drop(log: string, reason: string): RefereeEffect[] {
    const dropped: RefereeEffect = { type: 'dropLog', log, reason }
    if (log !== this.#own?.log) return [dropped]
    this.#seatLost = true
    return [dropped, { type: 'changed' }]
  }

  #taken(log: string, attestation?: string): RefereeEffect {
    const read = this.#read.get(log) ?? { blocks: 0, attestation: null }
    this.#read.set(log, {
      blocks: read.blocks + 1,
      attestation: attestation ?? read.attestation,
    })
    return { type: 'readOn', log }
  }

  #takeAttestation(form: SignedForm): string | null {
    const known = attestationHash(form)
    if (this.#attestations.has(known)) return known
    const { cloud, check, descriptor } = this.#options
    const attestation = openAttestation(form, cloud, check)
    if (attestation === null || !descriptor.seats.includes(attestation.person)) return null
    const { person } = attestation
    const own = [...this.#attestations.values()].filter((other) => other.person === person)
    if (own.length < MAX_ATTESTATIONS_OF_PERSON) {
      this.#attestations.set(attestation.hash, attestation)
    }
    return attestation.hash
  }

  #takeAction(form: SignedForm, log: string | null, nowMs: number): RefereeEffect[] {
    const action = openAction(form, this.#options.check)
    const seats = { session: this.session, seats: this.#options.descriptor.seats }
    const genuine =
      action !== null && isOfSeat(action, seats, this.#attestations.get(action.attestation))
    if (!genuine) {
      return log === null ? [] : this.#drop(log, 'an action is not the seat’s')
    }
    const added = this.#branches.add(action)
    if (added === 'waiting') {
      if (log !== null) this.#stalled.set(log, action)
      return []
    }
    const effects: RefereeEffect[] = []
    if (log !== null) {
      if (added === 'refused') effects.push(...this.#drop(log, FITS_NOWHERE))
      else effects.push(this.#taken(log))
    }
    if (added !== 'added') return effects
    this.#lastNewsMs = nowMs
    return [...effects, ...this.#wakeLogs(), { type: 'changed' }, ...this.#goOn()]
  }

  /** Hands in again what logs wait with: it need not have a place among what came ahead of its log. */
  #wakeLogs(): RefereeEffect[] {
    const effects: RefereeEffect[] = []
    for (let progress = true; progress; ) {
      progress = false
      for (const [log, action] of this.#stalled) {
        const added = this.#branches.add(action)
        if (added === 'waiting') continue
        progress = true
        this.#stalled.delete(log)
        if (added === 'refused') effects.push(...this.#drop(log, FITS_NOWHERE))
        else effects.push(this.#taken(log))
      }
    }
    return effects
  }

  /** Is everything that is here played, and written what is signed? */
  get isSettled(): boolean {
    const ready = this.#ownSeat === null || this.#knowsItself
    return ready && this.#pending === null && this.position !== null && !this.#judgement.isBehind
  }

  /** Has all that this machine ever signed here been taken in? Else it could sign for one position twice. */
  get #knowsItself(): boolean {
    const own = this.#own
    if (own === null || this.#seatLost) return false
    return (this.#read.get(own.log)?.blocks ?? 0) >= own.blocks
  }

  /** Plays what is not played yet, and agrees with the end. */
  #goOn(): RefereeEffect[] {
    const before = this.#judgement.stamp
    const request = this.#judgement.next(this.#options.viewer)
    const effects: RefereeEffect[] = this.#judgement.stamp === before ? [] : [{ type: 'changed' }]
    if (request === null) {
      this.#asked = null
      return [...effects, ...this.#agree()]
    }
    // The one question that is open is this one, or it was about a way that counts no more.
    if (this.#asked?.stamp === request.stamp) return effects
    const token = this.#nextToken++
    this.#asked = { token, stamp: request.stamp }
    return [...effects, { type: 'askRules', token, request: request.request }]
  }

  #rulesAnswered(token: number, answer: RulesAnswer): RefereeEffect[] {
    if (this.#asked?.token !== token) return []
    this.#asked = null
    if (answer.status === 'failed' || answer.status === 'unavailable') {
      this.#trouble.rules = answer.message
      const afterMs = Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** Math.min(this.#tries++, 10))
      return [{ type: 'changed' }, { type: 'setTimer', id: 'rules', afterMs }]
    }
    this.#trouble.rules = null
    this.#tries = 0
    this.#judgement.answered(answer)
    return [{ type: 'changed' }, ...this.#goOn()]
  }

  #act(
    { token, action, wallMs }: { token: number; action: OwnAction; wallMs: number },
    nowMs: number,
  ): RefereeEffect[] {
    const refusal = this.#refusalOf(action, nowMs)
    if (refusal !== null) return [{ type: 'refused', token, ...refusal }]
    const body = action.type === 'move' ? action.body : null
    return this.#write(token, action.type, body, wallMs)
  }

  #refusalOf(
    action: OwnAction,
    nowMs: number,
  ): { code: ErrorCode; message: string; details: Json } | null {
    const { ownSeat: seat, fault, ending, position, toAct } = this
    const details = { ply: this.actions.length, seat }
    const refuse = (code: ErrorCode, message: string, more: Record<string, Json> = {}) => ({
      code,
      message,
      details: { ...details, ...more },
    })
    if (seat === null || this.#options.own === null) {
      return refuse(
        'SESSION_NOT_SEATED',
        'You have no seat in this session on this machine. You can watch it.',
      )
    }
    if (fault !== null) {
      return refuse(
        'SESSION_TRANSCRIPT_FORGED',
        `Play has stopped: seat ${fault.seat} broke the rules.`,
        { seat: fault.seat, ply: fault.ply },
      )
    }
    if (ending !== null) return refuse('SESSION_OVER', `It is over: ${ending.outcome.reason}.`)
    if (this.#pending !== null) {
      return this.#trouble.disk === null
        ? refuse('SESSION_NOT_YOUR_TURN', 'Your last action is still being written.')
        : refuse('UNAVAILABLE', 'Your last action is signed, and this machine cannot write it yet.')
    }
    // Signed now, an action would go on from a position that nobody has seen yet.
    if (position === null || this.#judgement.isBehind || !this.#knowsItself) {
      if (this.trouble !== null) return refuse('UNAVAILABLE', this.trouble.message)
      return refuse('SESSION_NOT_YOUR_TURN', 'The position is still being worked out.')
    }
    if (!this.#branches.hasRoom(seat, MAX_BLOCK_BYTES)) {
      return refuse('SESSION_TOO_LARGE', 'You have acted as often as a seat may in one session.')
    }
    if (action.type === 'resign') return null
    if (action.type === 'claim') {
      if (toAct.includes(seat) || toAct.length === 0) {
        return refuse('SESSION_NOT_YOUR_TURN', 'You are to act, not the others.')
      }
      const leftMs = (this.#lastNewsMs ?? nowMs) + this.claimAfterMs - nowMs
      if (leftMs <= 0) return null
      return refuse('SESSION_CLAIM_EARLY', 'The others have time left to act.', { leftMs })
    }
    if (!toAct.includes(seat)) return refuse('SESSION_NOT_YOUR_TURN', 'It is not your turn.')
    const legal = position.legal[seat] ?? []
    if (legal.some((allowed) => jsonEqual(allowed, action.body))) return null
    return refuse('SESSION_ACTION_ILLEGAL', 'The rules do not allow this move.', {
      action: action.body,
    })
  }

  #write(token: number | null, type: string, body: Json, wallMs: number): RefereeEffect[] {
    const { own } = this.#options
    const seat = this.#ownSeat
    if (own === null || seat === null) return []
    const attestation = own.attestation()
    const heads = this.#branches.heads()
    const head = heads[seat] ?? null
    const statement: ActionStatement = {
      session: this.session,
      seat,
      seq: head === null ? 0 : this.#branches.seqOf(head) + 1,
      heads,
      type,
      body,
      machine: own.machine,
      attestation: attestation.hash,
      atMs: wallMs,
    }
    const formFault = faultOfAction(statement)
    if (formFault !== null) return this.#unsignable(token, formFault)
    const action = own.sign(statement)
    this.#attestations.set(attestation.hash, attestation)
    const texts = [writeBlock({ type: 'action', form: action.form })]
    if (this.#read.get(this.#own?.log ?? '')?.attestation !== attestation.hash) {
      texts.unshift(writeBlock({ type: 'attestation', form: attestation.form }))
    }
    this.#pending = { token, appendToken: 0, action, texts, kept: false, tries: 0 }
    return this.#append()
  }

  #unsignable(token: number | null, fault: FormFault): RefereeEffect[] {
    // An agreement is a bonus: the end stands without it.
    if (token === null) return []
    const details = { ply: this.actions.length, seat: this.#ownSeat }
    if (fault === 'too-long') {
      const message = 'This move is too large to be signed: nobody could read it.'
      return [{ type: 'refused', token, code: 'SESSION_TOO_LARGE', message, details }]
    }
    const message =
      'This move cannot be signed: it is nested too deeply, or has half a character in it.'
    return [{ type: 'refused', token, code: 'BAD_INPUT', message, details }]
  }

  /** Writes what is signed, and nothing else until it is written: another signature would be a second. */
  #append(): RefereeEffect[] {
    const pending = this.#pending
    if (pending === null || pending.appendToken !== 0) return []
    pending.appendToken = this.#nextToken++
    return [{ type: 'append', token: pending.appendToken, texts: pending.texts }]
  }

  #appended(
    event: { token: number; ok: true } | { token: number; ok: false; message: string },
    nowMs: number,
  ): RefereeEffect[] {
    const pending = this.#pending
    if (pending === null || pending.appendToken !== event.token) return []
    if (!event.ok) {
      pending.appendToken = 0
      this.#trouble.disk = event.message
      const afterMs = Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** Math.min(pending.tries++, 10))
      return [{ type: 'changed' }, { type: 'setTimer', id: 'append', afterMs }]
    }
    const effects = this.#kept(pending, nowMs)
    this.#pending = null
    this.#trouble.disk = null
    this.#countOwn(pending)
    return [...effects, { type: 'changed' }, ...this.#goOn()]
  }

  /** The own action counts from now on: it can't be taken back any more. */
  #kept(pending: PendingOwn, nowMs: number): RefereeEffect[] {
    if (pending.kept) return []
    pending.kept = true
    const { token, action } = pending
    if (this.#branches.add(action) === 'refused') return this.#ownRefused(token)
    this.#lastNewsMs = nowMs
    const acted: RefereeEffect[] =
      token === null ? [] : [{ type: 'acted', token, ply: this.actions.length, action }]
    return [
      ...acted,
      { type: 'wrote', action },
      { type: 'changed' },
      ...this.#wakeLogs(),
      ...this.#goOn(),
    ]
  }

  /** The room went to the seat's other machine meanwhile, or this is a mistake: nothing is built on it. */
  #ownRefused(token: number | null): RefereeEffect[] {
    const dropped = this.#own === null ? [] : this.#drop(this.#own.log, FITS_NOWHERE)
    if (token === null) return dropped
    const details = { ply: this.actions.length, seat: this.#ownSeat }
    const refused = { code: 'UNAVAILABLE', message: SEAT_LOST, details } as const
    return [...dropped, { type: 'refused', token, ...refused }]
  }

  /** What was written needs no reading. */
  #countOwn({ action, texts }: PendingOwn): void {
    const own = this.#own
    if (own === null) return
    own.blocks += texts.length
    const blocks = (this.#read.get(own.log)?.blocks ?? 0) + texts.length
    this.#read.set(own.log, { blocks, attestation: action.attestation })
  }

  /** Signs the end, once it is known and nothing of the own seat is under way. */
  #agree(): RefereeEffect[] {
    const { ending, ownSeat, fault } = this
    if (ending === null || ownSeat === null || fault !== null || this.#pending !== null) return []
    // A claim is the claimant's word; whom it is held against has not agreed by having come back.
    if (ending.by === 'claim') return []
    if (!this.#branches.hasRoom(ownSeat, MAX_BLOCK_BYTES)) return []
    if (this.agreements[ownSeat] !== null || this.#judgement.isBehind) return []
    if (!this.#knowsItself) return []
    const last = this.#branches.order.at(-1)
    return this.#write(null, ACTION_TYPES.agree, outcomeBody(ending.outcome), last?.atMs ?? 0)
  }
}

/** What an agreement repeats. */
function outcomeBody({ scores, reason }: Outcome): Json {
  return { scores, reason }
}
