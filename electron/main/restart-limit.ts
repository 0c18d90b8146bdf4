// How often something that dies is started again by itself. Pure.

/** What dies this often within this time is not started again by itself. */
const MOST_DEATHS = 3
const WITHIN_MS = 60_000

export class RestartLimit {
  #deathsMs: number[] = []

  /** It died; may it be started again? */
  died(nowMs: number): boolean {
    this.#deathsMs = [...this.#deathsMs, nowMs].filter((ms) => nowMs - ms < WITHIN_MS)
    return this.#deathsMs.length < MOST_DEATHS
  }

  /** Somebody wants it tried again: the deaths before count no more. */
  reset(): void {
    this.#deathsMs = []
  }
}
