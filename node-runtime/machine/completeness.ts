// How much of the cloud an answer covers: what was found equal, and nothing more.
import type { Coverage } from '../services/db/database.ts'

interface Links {
  /** Machines that are linked now. */
  linked: number
  /** This machine began the cloud, and has heard of no other. */
  alone: boolean
}

/**
 * @param inStepMs  of linked machines: when all that both hold was last found equal, monotonic ms
 */
export function measureCompleteness(
  { linked, alone }: Links,
  inStepMs: ReadonlyMap<string, number>,
  nowMs: number,
): Coverage {
  const newestMs = Math.max(...inStepMs.values())
  const inStep = inStepMs.size
  return {
    complete: alone || (inStep > 0 && inStep >= linked),
    // In this version the cloud is one set.
    setsAnswered: 1,
    setsKnown: 1,
    machinesLinked: linked,
    machinesInStep: inStep,
    ageMs: inStep === 0 ? null : Math.max(0, nowMs - newestMs),
  }
}
