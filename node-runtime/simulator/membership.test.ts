import { describe, expect, it } from 'vitest'
import { runMembership } from './scenarios/membership.ts'

describe('simulated members of a cloud', { timeout: 120_000 }, () => {
  it.each([
    ...Array.from({ length: 20 }, (_, i) => [8, i + 1] as const),
    ...Array.from({ length: 4 }, (_, i) => [50, i + 1] as const),
  ])('all know the newest of each other in the end: %d machines, seed %d', (count, seed) => {
    const { findings, trace } = runMembership(seed, count)
    expect(findings).toEqual([])
    if (count < 10) expect(runMembership(seed, count).trace).toBe(trace)
  })
})
