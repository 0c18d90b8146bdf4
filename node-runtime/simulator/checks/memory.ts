// What a machine keeps for others is bounded for each of them, however slow they are.
import type { SimulatedMachine } from '../machine.ts'
import type { Report } from './finding.ts'

/** Fresh records, missing ones and spans that wait, a reading, and a window of frames both ways. */
const MOST_FOR_ONE = 1024 + 8192 + 256 + 256 + 2 * 2048

export function checkMemory(machine: SimulatedMachine, links: number, report: Report): void {
  const waiting = machine.core?.waiting ?? 0
  if (waiting > MOST_FOR_ONE * links) {
    report('memory grows', `${machine.key} keeps ${waiting} things for ${links} machines`)
  }
}
