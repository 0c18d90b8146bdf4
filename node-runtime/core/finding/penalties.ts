// Machines that broke the rules of a link have to wait before they get another, and where this one was turned
// away it waits before it comes again: ever longer, so that what comes back each time costs less and less, and
// forgiven after a while.

/** How long the first wait is, and the longest, after which all is forgiven. */
export interface Waits {
  firstMs: number
  longestMs: number
}

const WAITS: Waits = { firstMs: 2_000, longestMs: 10 * 60_000 }
/** Keys are free: there is no use in remembering more. */
const MAX_PENALTIES = 256

interface Penalty {
  faults: number
  untilMs: number
}

export class Penalties {
  readonly #waits: Waits
  readonly #penalties = new Map<string, Penalty>()

  constructor(waits = WAITS) {
    this.#waits = waits
  }

  get size(): number {
    return this.#penalties.size
  }

  note(machine: string, nowMs: number): void {
    const faults = (this.#faultsOf(machine, nowMs) ?? 0) + 1
    this.#penalties.delete(machine)
    const { firstMs, longestMs } = this.#waits
    const waitMs = Math.min(firstMs * 2 ** (faults - 1), longestMs)
    this.#penalties.set(machine, { faults, untilMs: nowMs + waitMs })
    if (this.#penalties.size <= MAX_PENALTIES) return
    for (const oldest of this.#penalties.keys()) {
      this.#penalties.delete(oldest)
      return
    }
  }

  isWaiting(machine: string, nowMs: number): boolean {
    const penalty = this.#penalties.get(machine)
    return penalty !== undefined && nowMs < penalty.untilMs
  }

  get machines(): string[] {
    return [...this.#penalties.keys()]
  }

  /** Until when the machine waits, or waited. */
  untilMs(machine: string): number {
    return this.#penalties.get(machine)?.untilMs ?? Number.NEGATIVE_INFINITY
  }

  forgive(machine: string): void {
    this.#penalties.delete(machine)
  }

  forgiveAll(): void {
    this.#penalties.clear()
  }

  /** Its earlier faults, unless it has been good for long since. */
  #faultsOf(machine: string, nowMs: number): number | null {
    const penalty = this.#penalties.get(machine)
    return penalty === undefined || nowMs - penalty.untilMs > this.#waits.longestMs
      ? null
      : penalty.faults
  }
}
