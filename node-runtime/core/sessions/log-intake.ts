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
import { bytesInTranscript, MAX_ATTESTATION_BYTES } from './transcript.ts'

/**
 * Attestations of one person: the machines of a seat, and some renewed. Others have room of their own, as
 * in bytes, of which each seat's person has an equal share.
 */
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
  /** By person, what their attestations take. */
  readonly #used = new Map<string, { count: number; bytes: number }>()
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

  /** Is an attestation here, or may its person have one more? */
  hasRoomFor({ hash, person, form }: Attestation): boolean {
    if (this.#attestations.has(hash)) return true
    const { count, bytes } = this.#usedBy(person)
    const share = Math.floor(MAX_ATTESTATION_BYTES / this.#options.descriptor.seats.length)
    return count < MAX_ATTESTATIONS_OF_PERSON && bytes + bytesOf(form) <= share
  }

  /** Keeps an attestation that holds, if there is room for it. */
  know(attestation: Attestation): void {
    const { hash, person, form } = attestation
    if (this.#attestations.has(hash) || !this.hasRoomFor(attestation)) return
    this.#attestations.set(hash, attestation)
    const { count, bytes } = this.#usedBy(person)
    this.#used.set(person, { count: count + 1, bytes: bytes + bytesOf(form) })
  }

  /** This machine has written to the log itself, under this attestation: it need not read that. */
  wrote(log: string, attestation: string): void {
    this.#read.set(log, { ...this.readOf(log), attestation })
  }

  #usedBy(person: string): { count: number; bytes: number } {
    return this.#used.get(person) ?? { count: 0, bytes: 0 }
  }

  #takeAttestation(form: SignedForm): string | null {
    const known = attestationHash(form)
    if (this.#attestations.has(known)) return known
    const { cloud, check, descriptor } = this.#options
    const attestation = openAttestation(form, cloud, check)
    if (attestation === null || !descriptor.seats.includes(attestation.person)) return null
    this.know(attestation)
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

function bytesOf(attestation: SignedForm): number {
  return bytesInTranscript({ type: 'attestation', form: attestation })
}

function noNews(effects: RefereeEffect[]): Taken {
  return { effects, isNews: false }
}
