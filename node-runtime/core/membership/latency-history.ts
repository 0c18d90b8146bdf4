// How long answers took in the last minutes, as means of equal stretches of time: what a line is drawn of.

/** Short enough to show a hiccup, long enough that each has a beat (`liveness.ts`), however seldom they are. */
export const STRETCH_MS = 10_000
/** Ten minutes. */
const STRETCHES = 60

export class LatencyHistory {
  readonly #beganMs: number
  /** Of each stretch since the beginning that is kept, the last one still growing. */
  readonly #stretches: { sumMs: number; count: number }[] = []
  /** Stretches that were let go. */
  #past = 0

  constructor(beganMs: number) {
    this.#beganMs = beganMs
  }

  /** @param nowMs  monotonic, never before that of the last call */
  note(latencyMs: number, nowMs: number): void {
    this.#reach(nowMs)
    const stretch = this.#stretches.at(-1)!
    stretch.sumMs += latencyMs
    stretch.count++
  }

  /** Mean of each stretch up to now, ms, the oldest first; null where nothing was heard. */
  at(nowMs: number): (number | null)[] {
    this.#reach(nowMs)
    return this.#stretches.map(({ sumMs, count }) => (count === 0 ? null : sumMs / count))
  }

  #reach(nowMs: number): void {
    const wanted = Math.floor((nowMs - this.#beganMs) / STRETCH_MS) + 1
    // After a sleep nothing of before is kept, however long it was.
    const kept = this.#past + this.#stretches.length
    if (wanted - kept >= STRETCHES) {
      this.#stretches.length = 0
      this.#past = wanted - STRETCHES
    }
    while (this.#past + this.#stretches.length < wanted) {
      this.#stretches.push({ sumMs: 0, count: 0 })
      if (this.#stretches.length <= STRETCHES) continue
      this.#stretches.shift()
      this.#past++
    }
  }
}
