import { afterAll, describe, expect, it } from 'vitest'
import type { RingPlant } from '../ring-machine.ts'
import { runRings } from '../scenarios/rings.ts'

interface PlantedRingBug {
  name: string
  plant: RingPlant
  machines: number
  liars?: number
  foundBy: readonly string[]
}

const BUGS: readonly PlantedRingBug[] = [
  {
    name: 'any token is passed on',
    plant: { keepsTokens: true },
    machines: 10,
    foundBy: ['not one token'],
  },
  {
    name: 'a machine that is gone stays a neighbour',
    plant: { keepsDead: true },
    machines: 10,
    // What it is given is lost, the token too.
    foundBy: ['dead machine kept', 'not one token', 'ring is not closed'],
  },
  {
    name: 'a liar’s word makes a machine gone',
    plant: { believesAnyone: true },
    machines: 10,
    liars: 1,
    foundBy: ['live machine called gone', 'live machine passed over'],
  },
  {
    name: 'what did not come is not asked for',
    plant: { neverAsks: true },
    machines: 24,
    foundBy: ['broadcast is incomplete'],
  },
]
const MOST_SEEDS = 8

describe('a bug planted in the rings', { timeout: 120_000 }, () => {
  const took: string[] = []
  afterAll(() => console.log(`planted bugs of the rings, seeds until found: ${took.join('; ')}`))

  it.each(BUGS)('is found: $name', ({ name, plant, machines, liars = 0, foundBy }) => {
    for (let seed = 1; seed <= MOST_SEEDS; seed++) {
      const [finding] = runRings({ seed, machines, liars, plant, faultsMs: 60_000 }).findings
      if (finding === undefined) continue
      took.push(`${name} ${seed}`)
      expect(foundBy).toContain(finding.check)
      return
    }
    expect.fail(`not found in ${MOST_SEEDS} seeds`)
  })

  it.each(BUGS)('is what was found: without it, the same seed is clean: $name', (bug) => {
    const { machines, liars = 0 } = bug
    expect(runRings({ seed: 1, machines, liars, faultsMs: 60_000 }).findings).toEqual([])
  })
})
