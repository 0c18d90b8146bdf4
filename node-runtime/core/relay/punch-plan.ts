// When a link that goes through a relay is tried directly again. Routers are restarted, networks change, and a punch
// may fail by chance: so it is tried again and again, ever more rarely, and one link at a time.

/** Both routers see a burst of packets: not more often than the stack does it. */
export const PUNCH_EVERY_MS = 20_000
const LONGEST_MS = 10 * 60_000

export class PunchPlan {
  readonly #everyMs: number
  /** By machine: when its link is tried next, and how long it is waited after that. */
  readonly #links = new Map<string, { dueMs: number; waitMs: number }>()
  #nextMs = Number.NEGATIVE_INFINITY

  constructor(everyMs = PUNCH_EVERY_MS) {
    this.#everyMs = everyMs
  }

  /**
   * @param relayed  the machines whose links go through a relay now
   * @param nowMs  monotonic
   * @returns the one whose link is to be tried now; null for none
   */
  take(relayed: readonly string[], nowMs: number): string | null {
    for (const machine of this.#links.keys()) {
      if (!relayed.includes(machine)) this.#links.delete(machine)
    }
    for (const machine of relayed) {
      if (this.#links.has(machine)) continue
      this.#links.set(machine, { dueMs: nowMs + this.#everyMs, waitMs: this.#everyMs })
    }
    if (nowMs < this.#nextMs) return null
    const [first] = [...this.#links].toSorted(([, one], [, other]) => one.dueMs - other.dueMs)
    if (first === undefined) return null
    const [machine, link] = first
    if (nowMs < link.dueMs) return null
    this.#nextMs = Number.POSITIVE_INFINITY
    const waitMs = Math.min(2 * link.waitMs, LONGEST_MS)
    this.#links.set(machine, { dueMs: nowMs + waitMs, waitMs })
    return machine
  }

  /** What was taken last has come to its end, whatever that was: until then there is no next one. */
  ended(nowMs: number): void {
    this.#nextMs = nowMs + this.#everyMs
  }

  /** In another network everything may be otherwise. */
  beginAnew(): void {
    this.#links.clear()
  }
}
