// Fewer runs of each property while mutation testing: a mutant that a property can notice is noticed in
// the first of them, and each is run once for every mutant that it covers. Tests that measure a million
// records are left out for the same reason.
import { beforeEach, inject, vi } from 'vitest'
import { presentPart } from './mutation-parts.mjs'

const MOST_RUNS = 25

const { without } = presentPart()

// The thread was used by another mutant before: what the test files do as they are loaded is done
// unbroken, as in a new one.
if (inject('mutantActivation') === 'runtime') {
  globalThis[inject('globalNamespace')].activeMutant = undefined
}

vi.mock('fast-check', async (original) => {
  const real = await original()
  function assert(property, parameters) {
    const numRuns = Math.min(parameters?.numRuns ?? MOST_RUNS, MOST_RUNS)
    return real.assert(property, { ...parameters, numRuns })
  }
  return { ...real, assert, default: { ...real.default, assert } }
})

beforeEach(({ task, skip }) => {
  if (without.some((name) => task.name === name)) skip()
})
