// How long a process has stood still at worst of late. Where processes share too few cores one that lives is still for
// seconds, again and again: what it has done in the last minutes it may do again.

/** After so long a standstill counts for half. */
const HALF_MS = 60_000

export class Stalls {
  #worstMs = 0
  #atMs = 0

  /** It stood still for so long. All times are monotonic. */
  note(stalledMs: number, nowMs: number): void {
    if (stalledMs <= this.worstMs(nowMs)) return
    this.#worstMs = stalledMs
    this.#atMs = nowMs
  }

  /** The worst of late, ms; less with each minute. */
  worstMs(nowMs: number): number {
    return this.#worstMs * 2 ** (-Math.max(0, nowMs - this.#atMs) / HALF_MS)
  }
}
