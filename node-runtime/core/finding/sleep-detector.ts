// Was this computer asleep? Whoever sleeps is told by nobody: what it was linked with is gone when it wakes, and
// it may be in another network.

/** How often the clocks are read. */
export const LOOK_MS = 1_000
/** By then others give up a machine that is silent (`membership/failure-detector.ts`); less has no effect. */
const SHORTEST_SLEEP_MS = 3_000

export interface Clocks {
  /** One that goes on while the computer sleeps, and that nobody sets: since it was started. */
  uptimeMs: number
  /** How long processors have worked for this process. */
  busyMs: number
}

export class SleepDetector {
  #clocks: Clocks

  constructor(clocks: Clocks) {
    this.#clocks = clocks
  }

  /**
   * To be called every `LOOK_MS`. Who comes late because it was busy was not asleep.
   * @returns how long this computer, or this process, stood still; 0 if it did not
   */
  look(clocks: Clocks): number {
    const { uptimeMs, busyMs } = this.#clocks
    this.#clocks = clocks
    const lateMs = clocks.uptimeMs - uptimeMs - LOOK_MS - (clocks.busyMs - busyMs)
    return lateMs >= SHORTEST_SLEEP_MS ? lateMs : 0
  }
}
