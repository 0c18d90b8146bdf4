// How the clock of this computer stands to those of others, in words.
import type { CloudNotice } from '../../contract/cloud.ts'
import type { ClockReport } from '../../contract/connection.ts'
import { MAX_DRIFT_MS } from '../../core/db/hybrid-clock.ts'
import type { ClockSkew } from '../../core/membership/other-clocks.ts'

/** Clocks that are set by the network are within a second; what is said on the way takes another. */
const RIGHT_MS = 60_000

/** @param tickSkewMs  how far the ring's tick and this machine's idea of it were apart */
export function reportClock(
  { skewMs, machines }: ClockSkew,
  tickSkewMs: number | null,
): ClockReport {
  const state = stateOf(skewMs)
  return { state, skewMs, machines, tickSkewMs, message: describe(state, skewMs ?? 0, machines) }
}

/** For the person, if the clock is to be set right. */
export function noticesOfClock({ state, message }: ClockReport): CloudNotice[] {
  return state === 'ahead' || state === 'behind' ? [{ code: 'CLOCK_OFF', message }] : []
}

function stateOf(skewMs: number | null): ClockReport['state'] {
  if (skewMs === null) return 'unknown'
  if (Math.abs(skewMs) <= RIGHT_MS) return 'right'
  return skewMs > 0 ? 'ahead' : 'behind'
}

function describe(state: ClockReport['state'], skewMs: number, machines: number): string {
  if (state === 'unknown') return 'No other machine has said yet what time it is.'
  const others = machines === 1 ? 'another machine' : `${machines} other machines`
  if (state === 'right') return `The clock of this computer agrees with that of ${others}.`
  const span = describeSpan(Math.abs(skewMs))
  const what = `The clock of this computer is ${span} ${state === 'ahead' ? 'ahead of' : 'behind'} that of ${others}. Set it right.`
  if (Math.abs(skewMs) <= MAX_DRIFT_MS) return what
  return state === 'ahead'
    ? `${what} Until then others show what is written here only once its time has come.`
    : `${what} Until then what others write is shown only once its time has come here.`
}

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const

/** Such as `2 hours`. */
export function describeSpan(ms: number): string {
  const [unit, unitMs] = UNITS.find(([, one]) => ms >= one) ?? UNITS[3]
  const count = Math.round(ms / unitMs)
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}
