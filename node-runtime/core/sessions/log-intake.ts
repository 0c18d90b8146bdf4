// What of the seats' logs belongs to the session: blocks are opened, attestations kept, and actions handed
// to their place, in any order. A log waits while its next action waits for another's; one that holds what
// fits nowhere is read no further, and nobody is blamed for it.
import type { SessionDescriptor } from '../../contract/sessions.ts'
import { attestationHash, openAttestation } from '../forms/attestation.ts'
import type { Attestation } from '../forms/attestation.ts'
import type { SignedForm, VerifySignature } from '../forms/signed-form.ts'
import { isOfSeat, openAction } from './action.ts'
import type { Action } from './action.ts'
import { readBlock } from './block.ts'
import type { Added, Branches } from './branches.ts'
import type { RefereeEffect } from './referee-events.ts'

/** Attestations of one person: the machines of a seat, and some renewed. Others have room of their own. */
const MAX_ATTESTATIONS_OF_PERSON = 32
export const FITS_NOWHERE = 'an action fits nowhere'

export interface IntakeOptions {
  session: string
  descriptor: SessionDescriptor
  cloud: string
  check: VerifySignature | undefined
}

/** What is to be done about a log, and whether the session has an action more. */
export interface Taken {
  effects: RefereeEffect[]
  isNews: boolean
}

export class LogIntake {
  readonly #options: IntakeOptions
  readonly #branches: Branches
  readonly #attestations = new Map<string, Attestation>()
  /** Logs whose last action waits for another's. */
  readonly #stalled = new Map<string, Action>()
  /** By log: blocks that were taken in, and the last attestation among them. */
  readonly #read = new Map<string, { blocks: number; attestation: string | null }>()
  #ownLog: string | null = null
  #isOwnLost = false

  constructor(options: IntakeOptions, branches: Branches) {
    this.#options = options
    this.#branches = branches
  }

  attestationOf(hash: string): Attestation | undefined {
    return this.#attestations.get(hash)
  }

  /** Is there something in the own log that can't be taken in, and never will be? */
  get isOwnLost(): boolean {
    return this.#isOwnLost
  }

  /** The own log is this one. */
  own(log: string): void {
    this.#ownLog = log
  }

  /** The attestations that these actions name. */
  attestationsUnder(actions: readonly Action[]): Attestation[] {
    const named = new Set(actions.map(({ attestation }) => attestation))
    return [...this.#attestations.values()].filter(({ hash }) => named.has(hash))
  }

  /** How many blocks of a log were taken in, and the last attestation among them. */
  readOf(log: string): { blocks: number; attestation: string | null } {
    return this.#read.get(log) ?? { blocks: 0, attestation: null }
  }

  takeBlock(log: string, text: string): Taken {
    if (this.#stalled.has(log)) return noNews([])
    const block = readBlock(text)
    if (block === null) return noNews(this.drop(log, 'a block is no action'))
    if (block.type === 'action') return this.#takeAction(block.form, log)
    const hash = this.#takeAttestation(block.form)
    if (hash === null) return noNews(this.drop(log, 'an attestation does not hold'))
    return noNews([this.#taken(log, hash)])
  }

  /** An action that came by another way than a log. */
  take(form: SignedForm, attestation: SignedForm | null): Taken {
    if (attestation !== null) this.#takeAttestation(attestation)
    return this.#takeAction(form, null)
  }

  /** Hands in again what logs wait with: it need not have a place among what came ahead of its log. */
  wake(): RefereeEffect[] {
    const effects: RefereeEffect[] = []
    for (let progress = true; progress; ) {
      progress = false
      for (const [log, action] of this.#stalled) {
        const added = this.#branches.add(action)
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
    if (log !== this.#ownLog) return [dropped]
    this.#isOwnLost = true
    return [dropped, { type: 'changed' }]
  }

  /** What this machine has signed itself. */
  know(attestation: Attestation): void {
    this.#attestations.set(attestation.hash, attestation)
  }

  /** This machine has written to the log itself, under this attestation: it need not read that. */
  wrote(log: string, attestation: string): void {
    this.#read.set(log, { ...this.readOf(log), attestation })
  }

  #takeAttestation(form: SignedForm): string | null {
    const known = attestationHash(form)
    if (this.#attestations.has(known)) return known
    const { cloud, check, descriptor } = this.#options
    const attestation = openAttestation(form, cloud, check)
    if (attestation === null || !descriptor.seats.includes(attestation.person)) return null
    const { person } = attestation
    const own = [...this.#attestations.values()].filter((other) => other.person === person)
    if (own.length < MAX_ATTESTATIONS_OF_PERSON) this.know(attestation)
    return attestation.hash
  }

  #takeAction(form: SignedForm, log: string | null): Taken {
    const { session, descriptor, check } = this.#options
    const action = openAction(form, check)
    const seats = { session, seats: descriptor.seats }
    const genuine =
      action !== null && isOfSeat(action, seats, this.#attestations.get(action.attestation))
    if (!genuine) {
      return noNews(log === null ? [] : this.drop(log, 'an action is not the seat’s'))
    }
    const added = this.#branches.add(action)
    if (added === 'waiting') {
      if (log !== null) this.#stalled.set(log, action)
      return noNews([])
    }
    const effects = log === null ? [] : this.#afterwards(log, added)
    return { effects, isNews: added === 'added' }
  }

  #afterwards(log: string, added: Exclude<Added, 'waiting'>): RefereeEffect[] {
    return added === 'refused' ? this.drop(log, FITS_NOWHERE) : [this.#taken(log)]
  }

  #taken(log: string, attestation?: string): RefereeEffect {
    const read = this.readOf(log)
    this.#read.set(log, {
      blocks: read.blocks + 1,
      attestation: attestation ?? read.attestation,
    })
    return { type: 'readOn', log }
  }
}

function noNews(effects: RefereeEffect[]): Taken {
  return { effects, isNews: false }
}
