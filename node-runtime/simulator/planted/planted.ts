// Bugs planted on purpose: a simulator that does not find them finds nothing.
import type { Plant, SimulatedMachine } from '../machine.ts'
import type { Scenario } from '../scenarios/scenario.ts'
import type { SharedVerifier } from '../verifier.ts'

export interface PlantedBug {
  name: string
  plant: Plant
  machines: number
  /** What must be drawn for it to show at all. */
  change?: (scenario: Scenario) => Scenario
  prepare?: (machines: readonly SimulatedMachine[], verifier: SharedVerifier) => void
  /** What it is found by: one of these. */
  foundBy: readonly string[]
}
