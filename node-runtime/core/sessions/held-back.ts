// Actions of machines that their person has revoked. They count no more, but for those that others have
// built on already: an action that counts had seen them when nobody knew. So a game that went on with them
// goes on, and whoever opens it later finds the same.
import type { Attestation } from '../forms/attestation.ts'
import type { SeatAction } from './action.ts'

/** 2 MiB at most. Logs with more of them wait. */
const MAX_HELD_BACK = 64

/** More than there is room for actions in a session: what nobody has a place for may name others without end. */
const MAX_NAMED = 20_000

/** Has the person revoked the machine, for what it signs at that time of its own clock? */
export type IsRevoked = (attestation: Attestation, atMs: number) => boolean

export class HeldBack {
  readonly #isRevoked: IsRevoked
  readonly #held = new Map<string, SeatAction>()
  /** What actions that count, or may, had seen. */
  readonly #named = new Set<string>()

  constructor(isRevoked: IsRevoked = () => false) {
    this.#isRevoked = isRevoked
  }

  /** Must it wait for one that builds on it? */
  has({ hash, attested, atMs }: SeatAction): boolean {
    return !this.#named.has(hash) && this.#isRevoked(attested, atMs)
  }

  /** Keeps it until then; false if there is no room. */
  keep(action: SeatAction): boolean {
    if (!this.#held.has(action.hash) && this.#held.size >= MAX_HELD_BACK) return false
    this.#held.set(action.hash, action)
    return true
  }

  /** An action is taken in: what was kept of what it had seen counts with it, the first one first. */
  free({ heads }: SeatAction): SeatAction[] {
    const freed: SeatAction[] = []
    const named = [...heads]
    for (let hash = named.pop(); hash !== undefined; hash = named.pop()) {
      if (hash === null || this.#named.has(hash)) continue
      this.#name(hash)
      const action = this.#held.get(hash)
      if (action === undefined) continue
      this.#held.delete(hash)
      freed.unshift(action)
      named.push(...action.heads)
    }
    return freed
  }

  #name(hash: string): void {
    this.#named.add(hash)
    if (this.#named.size <= MAX_NAMED) return
    for (const oldest of this.#named) {
      this.#named.delete(oldest)
      break
    }
  }
}
