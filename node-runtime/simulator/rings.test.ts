import { describe, expect, it } from 'vitest'
import { runRings } from './scenarios/rings.ts'

/** A few seconds' worth; `npm run simulate -- --scenario rings` runs any. */
const RUNS = [
  ...Array.from({ length: 6 }, (_, i) => ({ machines: 3 + 2 * i, seed: i + 1, liars: i % 2 })),
  { machines: 40, seed: 1, liars: 2 },
  // It found machines called gone by what was said while they were cut off.
  { machines: 200, seed: 3, liars: 2 },
]

describe('simulated machines on the rings', { timeout: 120_000 }, () => {
  it.each(RUNS)(
    'are closed, connected and of one token in the end: $machines machines, seed $seed',
    (run) => {
      const { findings, trace } = runRings({ ...run, faultsMs: 60_000 })
      expect(findings).toEqual([])
      if (run.machines < 8) expect(runRings({ ...run, faultsMs: 60_000 }).trace).toBe(trace)
    },
  )
})
