import { describe, expect, it } from 'vitest'
import { PUNCH_EVERY_MS, PunchPlan } from './punch-plan.ts'

/** When each is tried, in twenty seconds, over so many of them. */
function tried(plan: PunchPlan, relayed: readonly string[], steps: number): [string, number][] {
  const all: [string, number][] = []
  for (let step = 0; step <= steps; step++) {
    const machine = plan.take(relayed, step * PUNCH_EVERY_MS)
    if (machine === null) continue
    all.push([machine, step])
    plan.ended(step * PUNCH_EVERY_MS)
  }
  return all
}

describe('a link through a relay', () => {
  it('is tried directly after twenty seconds, then ever more rarely, at last every ten minutes', () => {
    const steps = tried(new PunchPlan(), ['a'], 150).map(([, step]) => step)
    expect(steps).toEqual([1, 3, 7, 15, 31, 61, 91, 121])
  })

  it('is not tried sooner', () => {
    const plan = new PunchPlan()
    expect(plan.take(['a'], 5)).toBeNull()
    expect(plan.take(['a'], PUNCH_EVERY_MS + 4)).toBeNull()
    expect(plan.take(['a'], PUNCH_EVERY_MS + 5)).toBe('a')
  })

  it('is tried one at a time, whoever waited longest first', () => {
    expect(tried(new PunchPlan(), ['a', 'b', 'c'], 4)).toEqual([
      ['a', 1],
      ['b', 2],
      ['c', 3],
      ['a', 4],
    ])
  })

  it('waits until the one before has ended', () => {
    const plan = new PunchPlan(1_000)
    plan.take(['a', 'b'], 0)
    expect(plan.take(['a', 'b'], 1_000)).toBe('a')
    expect(plan.take(['a', 'b'], 9_000)).toBeNull()
    plan.ended(9_000)
    expect(plan.take(['a', 'b'], 9_999)).toBeNull()
    expect(plan.take(['a', 'b'], 10_000)).toBe('b')
  })

  it('is forgotten once it is direct, and tried as at first when it is relayed again or the network changed', () => {
    const plan = new PunchPlan(1_000)
    plan.take(['a'], 0)
    expect(plan.take(['a'], 1_000)).toBe('a')
    plan.ended(1_000)
    expect(plan.take([], 2_000)).toBeNull()
    expect(plan.take(['a'], 2_500)).toBeNull()
    expect(plan.take(['a'], 3_500)).toBe('a')
    plan.ended(3_500)
    plan.beginAnew()
    expect(plan.take(['a'], 4_500)).toBeNull()
    expect(plan.take(['a'], 5_500)).toBe('a')
  })
})
