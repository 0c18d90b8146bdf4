// "In step" is said only of machines that hold the same, as far as both have had time to settle.
import type { SimulatedMachine } from '../machine.ts'
import type { Report } from './finding.ts'
import { formatVersion } from '../../core/db/hybrid-clock.ts'

/** What was merged later may have come after the comparison that is spoken of. */
const SETTLED_MS = 20_000

export function checkInStep(
  machine: SimulatedMachine,
  other: SimulatedMachine | undefined,
  nowMs: number,
  report: Report,
): void {
  if (other === undefined || !other.isUp) return
  if (nowMs - Math.max(machine.mergedMs, other.mergedMs) < SETTLED_MS) return
  const wallMs = Math.min(machine.wallMs(), other.wallMs()) - SETTLED_MS
  const greatest = formatVersion({ timeMs: Math.max(0, Math.floor(wallMs)), counter: 0 })
  const lacks = (a: SimulatedMachine, b: SimulatedMachine): boolean =>
    [...a.held.values()].some(({ item }) => item.version <= greatest && !b.holds(item))
  if (lacks(machine, other) || lacks(other, machine)) {
    report('in step without being equal', `${machine.key} says so of ${other.key}`)
  }
}
