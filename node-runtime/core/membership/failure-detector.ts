// Suspects a machine that has gone quiet, by how unusual its silence is (phi accrual).
// Source: Hayashibara et al., "The φ accrual failure detector" (SRDS 2004), with the logistic
// approximation of the normal tail that Akka and Cassandra use.

/** Gaps remembered per machine: about a minute of heartbeats, so that it adapts to a changed link. */
const WINDOW = 60
/** The deviation never falls below this part of the mean gap: a calm link must not make us nervous. */
const DEVIATION_FLOOR = 0.25
/** Suspect at odds of 1 in 10^8 that the machine is merely late. */
const SUSPICION_PHI = 8

export interface ArrivalHistory {
  readonly lastMs: number
  readonly gapsMs: readonly number[]
}

/** A history that begins now; `expectedGapMs` stands in until real gaps are known. */
export function beginHistory(nowMs: number, expectedGapMs: number): ArrivalHistory {
  return { lastMs: nowMs, gapsMs: [expectedGapMs] }
}

/** The history after a sign of life. */
export function recordArrival(history: ArrivalHistory, nowMs: number): ArrivalHistory {
  const gapMs = Math.max(0, nowMs - history.lastMs)
  return { lastMs: nowMs, gapsMs: [...history.gapsMs, gapMs].slice(-WINDOW) }
}

/** -log10 of the probability that a sign of life is still to come after the silence so far. */
export function suspicion(history: ArrivalHistory, nowMs: number): number {
  const { gapsMs, lastMs } = history
  const meanMs = gapsMs.reduce((sum, gap) => sum + gap, 0) / gapsMs.length
  const variance = gapsMs.reduce((sum, gap) => sum + (gap - meanMs) ** 2, 0) / gapsMs.length
  const deviationMs = Math.max(Math.sqrt(variance), meanMs * DEVIATION_FLOOR, 1)
  const y = (nowMs - lastMs - meanMs) / deviationMs
  const e = Math.exp(-y * (1.5976 + 0.070566 * y * y))
  const laterProbability = y > 0 ? e / (1 + e) : 1 - 1 / (1 + e)
  return laterProbability <= 0 ? Number.POSITIVE_INFINITY : -Math.log10(laterProbability)
}

export function isSuspect(history: ArrivalHistory, nowMs: number): boolean {
  return suspicion(history, nowMs) > SUSPICION_PHI
}
