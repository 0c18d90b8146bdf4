// What of the seats' logs belongs to the session: blocks are opened, and actions handed to their place with
// the attestation that came before them by the same way. So what is taken in of a log hangs on that log and
// on what its actions name, never on what came first. A log waits while its next action waits for another's;
// one that holds what fits nowhere is read no further, and nobody is blamed for it.
import type { SessionDescriptor } from '../../contract/sessions.ts'
import { attestationHash, openAttestation } from '../forms/attestation.ts'
import type { Attestation } from '../forms/attestation.ts'
import type { SignedForm, VerifySignature } from '../forms/signed-form.ts'
import { isOfSeat, openAction } from './action.ts'
import type { SeatAction } from './action.ts'
import { readBlock } from './block.ts'
import { HeldBack } from './held-back.ts'
import type { IsRevoked } from './held-back.ts'
import type { Added, Branches } from './branches.ts'
import { retryAfterMs } from './referee-events.ts'
import type { RefereeEffect } from './referee-events.ts'
import { fitsSessions, MAX_ATTESTATIONS_OF_SEAT } from './seat-room.ts'

export const FITS_NOWHERE = 'an action fits nowhere'

export interface IntakeOptions {
  session: string
  descriptor: SessionDescriptor
  cloud: string
  check: VerifySignature | undefined
  /** Nobody is, if absent. */
  isRevoked?: IsRevoked | undefined
}

/** What is to be done about a log, and whether the session has an action more. */
export interface Taken {
  effects: RefereeEffect[]
  isNews: boolean
}

/** What was taken in of a log. */
interface ReadLog {
  blocks: number
  /** How often the next block could not be read. */
  tries: number
  /** The last attestation. */
  attestation: string | null
  /** All attestations that stand in it, by their hash. */
  shown: Map<string, Attestation>
}

export class LogIntake {
  readonly #options: IntakeOptions
  readonly #branches: Branches
  readonly #heldBack: HeldBack
  /** What one log may show, since a transcript shows those of all seats. */
  readonly #maxShown: number
  /** Logs whose last action waits for another's. */
  readonly #stalled = new Map<string, SeatAction>()
  readonly #logs = new Map<string, ReadLog>()
  #ownLog: string | null = null
  #isOwnLost = false

  constructor(options: IntakeOptions, branches: Branches) {
    this.#options = options
    this.#branches = branches
    this.#heldBack = new HeldBack(options.isRevoked)
    this.#maxShown = options.descriptor.seats.length * (MAX_ATTESTATIONS_OF_SEAT + 1)
  }

  /** Is something missing of what this machine signed, or can't be taken in, and never will be? */
  get isOwnLost(): boolean {
    return this.#isOwnLost
  }

  /** The own log is this one. */
  own(log: string): void {
    this.#ownLog = log
  }

  loseOwn(): void {
    this.#isOwnLost = true
  }

  /** How many blocks of a log were taken in, and the last attestation among them. */
  readOf(log: string): Pick<ReadLog, 'blocks' | 'attestation'> {
    const { blocks, attestation } = this.#logOf(log)
    return { blocks, attestation }
  }

  /** @param isStored  it is of what a seat has stored of the end: who was revoked since has played all the same */
  takeBlock(log: string, text: string, isStored = false): Taken {
    if (this.#stalled.has(log)) return noNews([])
    const block = readBlock(text)
    if (block === null) return noNews(this.drop(log, 'a block is no action'))
    const { shown } = this.#logOf(log)
    if (block.type === 'attestation') {
      const attestation = this.#openAttestation(block.form, shown)
      if (attestation === null) return noNews(this.drop(log, 'an attestation does not hold'))
      shown.set(attestation.hash, attestation)
      if (shown.size > this.#maxShown) return noNews(this.drop(log, 'it has too many attestations'))
      return noNews([this.#taken(log, attestation.hash)])
    }
    const action = this.#openAction(block.form, (hash) => shown.get(hash))
    if (action === null) return noNews(this.drop(log, 'an action is not the seat’s'))
    const { added, isNews } = this.#place(action, isStored)
    if (added === 'waiting') {
      this.#stalled.set(log, action)
      return { effects: [], isNews }
    }
    return { effects: this.#afterwards(log, added), isNews }
  }

  /** The disk does not give the next block of a log: it is read on after a while. */
  unread(log: string): RefereeEffect[] {
    const afterMs = retryAfterMs(this.#logOf(log).tries++)
    return [{ type: 'setTimer', id: `read ${log}`, afterMs }]
  }

  /** An action that came by another way than a log. */
  take(form: SignedForm, attestation: SignedForm): Taken {
    const action = this.#openAction(form, () => this.#openAttestation(attestation) ?? undefined)
    return { effects: [], isNews: action !== null && this.#place(action).isNews }
  }

  /** Hands in again what logs wait with: it need not have a place among what came ahead of its log. */
  wake(): RefereeEffect[] {
    const effects: RefereeEffect[] = []
    for (let progress = true; progress; ) {
      progress = false
      for (const [log, action] of this.#stalled) {
        const { added, isNews } = this.#place(action)
        progress ||= isNews
        if (added === 'waiting') continue
        progress = true
        this.#stalled.delete(log)
        effects.push(...this.#afterwards(log, added))
      }
    }
    return effects
  }

  /** The log is read no further. */
  drop(log: string, reason: string): RefereeEffect[] {
    const dropped: RefereeEffect = { type: 'dropLog', log, reason }
    this.#logOf(log).shown.clear()
    if (log !== this.#ownLog) return [dropped]
    this.#isOwnLost = true
    return [dropped, { type: 'changed' }]
  }

  /** This machine has written to the log itself, under this attestation: it need not read that. */
  wrote(log: string, attestation: string): void {
    this.#logOf(log).attestation = attestation
  }

  /** Gives an action its place, and with it those of revoked machines that it had seen. */
  #place(action: SeatAction, isStored = false): { added: Added; isNews: boolean } {
    if (!isStored && this.#heldBack.has(action)) {
      return { added: this.#heldBack.keep(action) ? 'known' : 'waiting', isNews: false }
    }
    const added = this.#branches.add(action)
    const freed = added === 'refused' ? [] : this.#heldBack.free(action)
    const places = freed.map((one) => this.#branches.add(one))
    return { added, isNews: added === 'added' || places.includes('added') }
  }

  #logOf(log: string): ReadLog {
    const known = this.#logs.get(log)
    if (known !== undefined) return known
    const begun: ReadLog = { blocks: 0, tries: 0, attestation: null, shown: new Map() }
    this.#logs.set(log, begun)
    return begun
  }

  /** The attestation in a form, if it holds; one that was opened before is not checked again. */
  #openAttestation(form: SignedForm, shown?: ReadLog['shown']): Attestation | null {
    const hash = attestationHash(form)
    const known = shown?.get(hash) ?? this.#branches.attestationOf(hash)
    if (known !== undefined) return known
    if (!fitsSessions(form)) return null
    const { cloud, check, descriptor } = this.#options
    const attestation = openAttestation(form, cloud, check)
    const sits = attestation !== null && descriptor.seats.includes(attestation.person)
    return sits ? attestation : null
  }

  /** The action in a form, if it is a seat's by the attestation that it names. */
  #openAction(
    form: SignedForm,
    attestationOf: (hash: string) => Attestation | undefined,
  ): SeatAction | null {
    const { session, descriptor, check } = this.#options
    const action = openAction(form, check)
    const attested = action === null ? undefined : attestationOf(action.attestation)
    if (action === null || attested === undefined) return null
    const isSeats = isOfSeat(action, { session, seats: descriptor.seats }, attested)
    return isSeats ? { ...action, attested } : null
  }

  #afterwards(log: string, added: Exclude<Added, 'waiting'>): RefereeEffect[] {
    return added === 'refused' ? this.drop(log, FITS_NOWHERE) : [this.#taken(log)]
  }

  #taken(log: string, attestation?: string): RefereeEffect {
    const read = this.#logOf(log)
    read.blocks++
    read.tries = 0
    if (attestation !== undefined) read.attestation = attestation
    return { type: 'readOn', log }
  }
}

function noNews(effects: RefereeEffect[]): Taken {
  return { effects, isNews: false }
}
