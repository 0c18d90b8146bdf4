// What the machines of one seat may sign in a session. More than that is proof of cheating: no honest machine
// goes beyond half of it, so that not even two of one person, that know nothing of each other, do so together.
// So it does not matter to whom what came first: whoever gets all of it finds the same.
import { MAX_SEATS } from '../../contract/sessions.ts'
import type { Attestation } from '../forms/attestation.ts'
import type { SignedForm } from '../forms/signed-form.ts'
import type { SeatAction } from './action.ts'
import { MAX_BLOCK_BYTES } from './block.ts'
import { bytesInTranscript, MAX_ACTION_BYTES, MAX_ATTESTATION_BYTES } from './transcript.ts'

/** Attestations under which a seat acts: its machines, and some renewed. */
export const MAX_ATTESTATIONS_OF_SEAT = 24
/** What one attestation may take of a transcript: those of all seats fit, with the one too many of each. */
const MAX_ONE_ATTESTATION_BYTES = Math.floor(
  MAX_ATTESTATION_BYTES / (MAX_SEATS * (MAX_ATTESTATIONS_OF_SEAT + 1)),
)

/** Is an attestation short enough to act under in a session? Whether it is does not depend on others. */
export function fitsSessions(form: SignedForm): boolean {
  return bytesInTranscript({ type: 'attestation', form }) <= MAX_ONE_ATTESTATION_BYTES
}

export class SeatRoom {
  /** Bytes of actions. The one that goes beyond has a place behind it, since it is the proof. */
  readonly #limit: number
  readonly #attestations = new Map<string, Attestation>()
  #used = 0

  constructor(seats: number) {
    this.#limit = Math.floor(MAX_ACTION_BYTES / seats) - MAX_BLOCK_BYTES
  }

  /** An attestation under which the seat has acted. */
  attestation(hash: string): Attestation | undefined {
    return this.#attestations.get(hash)
  }

  /** Has the seat signed more than it may? */
  get isOverused(): boolean {
    return this.#used > this.#limit || this.#attestations.size > MAX_ATTESTATIONS_OF_SEAT
  }

  /** May an honest machine that has acted in it sign a block of any size? */
  get hasOpenBytes(): boolean {
    return this.#used + MAX_BLOCK_BYTES <= this.#limit / 2
  }

  /** May an honest machine sign under this attestation? */
  isOpenFor(attestation: string): boolean {
    const isIn = this.#attestations.has(attestation)
    return this.hasOpenBytes && (isIn || this.#attestations.size < MAX_ATTESTATIONS_OF_SEAT / 2)
  }

  /** Takes it in, unless so much is here already that it is over. */
  take({ form, attested }: SeatAction): boolean {
    const bytes = bytesInTranscript({ type: 'action', form })
    const { hash } = attested
    if (this.#used + bytes > this.#limit + MAX_BLOCK_BYTES) return false
    if (!this.#attestations.has(hash)) {
      if (this.#attestations.size > MAX_ATTESTATIONS_OF_SEAT) return false
      this.#attestations.set(hash, attested)
    }
    this.#used += bytes
    return true
  }
}
