// Fewer runs of each property while mutation testing: a mutant that a property can notice is noticed in
// the first of them, and each is run once for every mutant that it covers.
import { vi } from 'vitest'

const MOST_RUNS = 60

vi.mock('fast-check', async (original) => {
  const real = await original()
  function assert(property, parameters) {
    const numRuns = Math.min(parameters?.numRuns ?? MOST_RUNS, MOST_RUNS)
    return real.assert(property, { ...parameters, numRuns })
  }
  return { ...real, assert, default: { ...real.default, assert } }
})
