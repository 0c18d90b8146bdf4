// Who is said to be gone, and by whom. One voice is never enough where there are others, only neighbours have one,
// and the accused has time to answer.
import type { Claim, Member } from './ring-events.ts'
import { apart } from './rings.ts'

/** Voices that make a machine gone; in a cloud of three, two. */
const QUORUM = 3
/** From so many voices on, the accused has this long: it is told by those who are linked with it. */
export const ANSWER_MS = 5_000
/**
 * Neighbours see a little more of the ring between them than there is: whoever is within so many mean gaps of the
 * accused on some ring has a voice.
 */
const REACH_GAPS = 8
/** Machines that are accused at the same time, and voices kept of each. */
const MAX_ACCUSED = 128
const MAX_VOICES = 8
/** A charge that nobody joins is forgotten. */
const FORGOTTEN_MS = 60_000

interface Charge {
  accused: Member
  voices: Map<string, Claim>
  sinceMs: number
  /** When it is decided, once there are enough voices. */
  dueMs: number | null
}

/** May a machine at one place call the one at another gone? Everybody comes to the same answer. */
export function hasVoice(accuser: Member, accused: Member, machines: number): boolean {
  if (accuser.machine === accused.machine) return false
  if (machines <= 2 * REACH_GAPS) return true
  return accuser.at.some((at, ring) => apart(at, accused.at[ring]!) * machines <= REACH_GAPS)
}

export class Charges {
  readonly #charges = new Map<string, Charge>()

  get size(): number {
    return this.#charges.size
  }

  has(machine: string): boolean {
    return this.#charges.has(machine)
  }

  /** Has enough been said of it? */
  isDecided(machine: string): boolean {
    return (this.#charges.get(machine)?.dueMs ?? null) !== null
  }

  /** Does one voice more, or none, make it gone? */
  isPressing(machine: string, machines: number): boolean {
    return (this.#charges.get(machine)?.voices.size ?? 0) >= Math.max(1, quorum(machines) - 1)
  }

  /** Notes a voice; who has none is not heard. */
  add(claim: Claim, machines: number, nowMs: number): void {
    const { accuser, accused } = claim
    if (!hasVoice(accuser, accused, machines)) return
    let charge = this.#charges.get(accused.machine)
    if (charge !== undefined && charge.accused.incarnation > accused.incarnation) return
    if (charge === undefined || charge.accused.incarnation < accused.incarnation) {
      charge = { accused, voices: new Map(), sinceMs: nowMs, dueMs: null }
      this.#charges.delete(accused.machine)
      this.#charges.set(accused.machine, charge)
      for (const first of this.#charges.keys()) {
        if (this.#charges.size <= MAX_ACCUSED) break
        this.#charges.delete(first)
      }
    }
    if (charge.voices.size < MAX_VOICES) charge.voices.set(accuser.machine, claim)
    if (charge.voices.size >= quorum(machines)) charge.dueMs ??= nowMs + ANSWER_MS
  }

  /** The machine lives, in an incarnation of which that was not said. */
  answered({ machine, incarnation }: Member): void {
    const charge = this.#charges.get(machine)
    if (charge !== undefined && charge.accused.incarnation < incarnation)
      this.#charges.delete(machine)
  }

  /** This machine knows better. */
  drop(machine: string): void {
    this.#charges.delete(machine)
  }

  /** Those whose time has passed, each once. */
  takeDue(nowMs: number): Member[] {
    const gone: Member[] = []
    for (const [machine, { accused, dueMs, sinceMs }] of this.#charges) {
      if (dueMs === null && nowMs - sinceMs < FORGOTTEN_MS) continue
      if (dueMs !== null && dueMs > nowMs) continue
      this.#charges.delete(machine)
      if (dueMs !== null) gone.push(accused)
    }
    return gone
  }
}

function quorum(machines: number): number {
  return Math.max(1, Math.min(QUORUM, machines - 1))
}
