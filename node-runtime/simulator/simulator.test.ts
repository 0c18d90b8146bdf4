import { describe, expect, it } from 'vitest'
import { runSeed } from './scenarios/run.ts'
import kept from './seeds.json' with { type: 'json' }

/** A fixed number, about twenty seconds' worth on two shared cores; `npm run simulate` runs any. */
const SEEDS = 12
const MACHINES = 100

interface KeptSeed {
  machines: number
  seed: number
  story: string
}

describe('a hundred simulated machines', { timeout: 300_000 }, () => {
  it.each(Array.from({ length: SEEDS }, (_, i) => i + 1))(
    'lose nothing, bring nothing back and agree in the end: seed %d',
    (seed) => {
      const { findings, acknowledged, scenario } = runSeed({ seed, machines: MACHINES })
      expect(findings, JSON.stringify(scenario)).toEqual([])
      expect(acknowledged).toBeGreaterThan(0)
    },
  )
})

describe('seeds that once failed', { timeout: 60_000 }, () => {
  it.each(kept as KeptSeed[])('$machines machines, seed $seed: $story', ({ seed, machines }) => {
    expect(runSeed({ seed, machines }).findings).toEqual([])
  })
})

describe('a seed', () => {
  it('is the same run each time, and another one is another run', () => {
    const first = runSeed({ seed: 7, machines: 12 })
    const again = runSeed({ seed: 7, machines: 12 })
    const other = runSeed({ seed: 8, machines: 12 })
    expect(again.trace).toBe(first.trace)
    expect(again.events).toBe(first.events)
    expect(other.trace).not.toBe(first.trace)
  })
})
