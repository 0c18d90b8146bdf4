// How the clock of this computer stands to those of others, by what each machine said when a link with it opened.
// One that lies moves nothing as long as most do not: the middle one counts.

/** As many as have links at once in most clouds. */
const MAX_CLOCKS = 64

export interface ClockSkew {
  /** How far this clock is ahead of the middle one, ms; below 0: behind. Null if nobody has said. */
  skewMs: number | null
  /** Clocks that it is compared with. */
  machines: number
}

export class OtherClocks {
  /** What each shows when the monotonic clock here shows 0; who said it last stands last. */
  readonly #clocks = new Map<string, number>()

  /** @param saidMs  its time of day, ms since 1970 */
  note(machine: string, saidMs: number, monotonicMs: number): void {
    this.#clocks.delete(machine)
    this.#clocks.set(machine, saidMs - monotonicMs)
    const [first] = this.#clocks.keys()
    if (this.#clocks.size > MAX_CLOCKS && first !== undefined) this.#clocks.delete(first)
  }

  /** The monotonic clock stood still, as it does while a computer sleeps. */
  forget(): void {
    this.#clocks.clear()
  }

  /** @param nowMs  this computer's time of day */
  skew(nowMs: number, monotonicMs: number): ClockSkew {
    const skews = [...this.#clocks.values()].map((clock) => nowMs - monotonicMs - clock)
    skews.sort((a, b) => a - b)
    const upper = skews[Math.floor(skews.length / 2)]
    const lower = skews[Math.floor((skews.length - 1) / 2)]
    if (upper === undefined || lower === undefined) return { skewMs: null, machines: 0 }
    // Of two in the middle the one that speaks for this clock.
    const skewMs = Math.abs(lower) < Math.abs(upper) ? lower : upper
    return { skewMs: Math.round(skewMs), machines: skews.length }
  }
}
