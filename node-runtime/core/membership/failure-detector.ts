// Suspects a machine that has gone quiet, by how unusual its silence is (phi accrual). With each sign of life a machine
// says when the next one is to come, so that what is learned of its lateness holds for any pace.
// Source: Hayashibara et al., "The φ accrual failure detector" (SRDS 2004), with the logistic
// approximation of the normal tail that Akka and Cassandra use.

/** Signs of life remembered, so that it adapts to a changed link. */
const WINDOW = 60
/** The deviation never falls below this part of the promised gap: a calm link must not make us nervous. */
const DEVIATION_FLOOR = 0.2
/** And this is enough at any pace. */
const MOST_FLOOR_MS = 400
/** Suspect at odds of 1 in 10^8 that the machine is merely late. */
const SUSPICION_PHI = 8
/** Deviations after which the odds are 1 in 1,000: reason enough to ask. */
const QUIET_DEVIATIONS = 3.1

export interface ArrivalHistory {
  readonly lastMs: number
  /** When the next sign of life is to come, after the last. */
  readonly promisedMs: number
  /** By how much earlier ones came later than promised. */
  readonly lateMs: readonly number[]
}

/** A history that begins now. */
export function beginHistory(nowMs: number, promisedMs: number): ArrivalHistory {
  return { lastMs: nowMs, promisedMs, lateMs: [] }
}

/** The history after a sign of life. @param promisedMs  when the next one is to come */
export function recordArrival(
  history: ArrivalHistory,
  nowMs: number,
  promisedMs: number,
): ArrivalHistory {
  // What was asked for, or begins a new pace, comes before its time, and is not late.
  const late = Math.max(0, nowMs - history.lastMs - history.promisedMs)
  const lateMs = [...history.lateMs, late].slice(-WINDOW)
  return { lastMs: nowMs, promisedMs, lateMs }
}

/** -log10 of the probability that a sign of life is still to come after the silence so far. */
export function suspicion(history: ArrivalHistory, nowMs: number): number {
  const { expectedMs, deviationMs } = rhythmOf(history)
  const y = (nowMs - history.lastMs - expectedMs) / deviationMs
  const e = Math.exp(-y * (1.5976 + 0.070566 * y * y))
  const laterProbability = y > 0 ? e / (1 + e) : 1 - 1 / (1 + e)
  return laterProbability <= 0 ? Number.POSITIVE_INFINITY : -Math.log10(laterProbability)
}

export function isSuspect(history: ArrivalHistory, nowMs: number): boolean {
  return suspicion(history, nowMs) > SUSPICION_PHI
}

/** When a machine that was not heard until then is to be asked whether it is there. */
export function quietFromMs(history: ArrivalHistory): number {
  const { expectedMs, deviationMs } = rhythmOf(history)
  return history.lastMs + expectedMs + QUIET_DEVIATIONS * deviationMs
}

function rhythmOf({ promisedMs, lateMs }: ArrivalHistory): {
  expectedMs: number
  deviationMs: number
} {
  const count = Math.max(1, lateMs.length)
  const meanMs = lateMs.reduce((sum, late) => sum + late, 0) / count
  const variance = lateMs.reduce((sum, late) => sum + (late - meanMs) ** 2, 0) / count
  const floorMs = Math.min(MOST_FLOOR_MS, promisedMs * DEVIATION_FLOOR)
  return {
    expectedMs: promisedMs + meanMs,
    deviationMs: Math.max(Math.sqrt(variance), floorMs, 1),
  }
}
