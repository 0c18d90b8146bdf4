// A hybrid logical clock: wall-clock time that never goes back and counts within one millisecond,
// written so that versions sort as text.
// Source: Kulkarni et al., "Logical Physical Clocks" (OPODIS 2014).

const TIME_DIGITS = 12
const COUNTER_DIGITS = 4
const COUNTER_END = 0x10000

/**
 * How far ahead of this machine's clock a version may be. A clock further off would win over honest
 * writes for as long as it is ahead; five minutes is more than an unset clock with time sync drifts.
 */
export const MAX_DRIFT_MS = 5 * 60_000

interface Reading {
  timeMs: number
  counter: number
}

export function formatVersion({ timeMs, counter }: Reading): string {
  const time = timeMs.toString(16).padStart(TIME_DIGITS, '0')
  return `${time}-${counter.toString(16).padStart(COUNTER_DIGITS, '0')}`
}

/** The wall-clock part of a version, ms since 1970. */
export function versionTimeMs(version: string): number {
  return Number.parseInt(version.slice(0, TIME_DIGITS), 16)
}

function parseVersion(version: string): Reading {
  return {
    timeMs: versionTimeMs(version),
    counter: Number.parseInt(version.slice(TIME_DIGITS + 1), 16),
  }
}

export function isTooFarAhead(version: string, nowMs: number): boolean {
  return versionTimeMs(version) > nowMs + MAX_DRIFT_MS
}

export class HybridClock {
  #last: Reading = { timeMs: 0, counter: 0 }
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /**
   * A version newer than every one this clock gave or saw, but those that are too far ahead by now.
   */
  next(): string {
    const nowMs = this.#now()
    const { timeMs, counter } = this.#last
    // Behind a reading from a clock that was far ahead, all that is written would wait for its time.
    const wasAhead = timeMs > nowMs + MAX_DRIFT_MS
    if (nowMs > timeMs || wasAhead) this.#last = { timeMs: nowMs, counter: 0 }
    else if (counter + 1 < COUNTER_END) this.#last = { timeMs, counter: counter + 1 }
    else this.#last = { timeMs: timeMs + 1, counter: 0 }
    return formatVersion(this.#last)
  }

  /**
   * Takes note of a version from elsewhere that is to be overwritten, and ignores those too far ahead. Not meant
   * for all that comes: one member whose clock is just within what is allowed would put everybody's records off.
   */
  see(version: string): void {
    if (isTooFarAhead(version, this.#now())) return
    const seen = parseVersion(version)
    const last = this.#last
    if (seen.timeMs > last.timeMs || (seen.timeMs === last.timeMs && seen.counter > last.counter)) {
      this.#last = seen
    }
  }
}
