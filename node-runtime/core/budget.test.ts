import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { Budget } from './budget.ts'

it('lets a burst through, then so much a second', () => {
  const budget = new Budget({ perSecond: 10, burst: 50 }, 0)
  expect(budget.use(50, 0)).toBe(0)
  expect(budget.use(5, 0)).toBe(500)
  expect(budget.left(500)).toBe(0)
  expect(budget.left(1_500)).toBe(10)
  expect(budget.left(60_000)).toBe(50)
})

it('uses nothing when there is not enough', () => {
  const budget = new Budget({ perSecond: 1, burst: 2 }, 0)
  expect(budget.tryUse(2, 0)).toBe(true)
  expect(budget.tryUse(1, 900)).toBe(false)
  expect(budget.tryUse(1, 1_000)).toBe(true)
})

it('never gives more than burst and time allow, even when the time goes back', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(10), fc.integer({ min: -500, max: 500 })), {
        maxLength: 200,
        size: 'max',
      }),
      (steps) => {
        const budget = new Budget({ perSecond: 20, burst: 30 }, 0)
        let nowMs = 0
        let latestMs = 0
        let used = 0
        for (const [amount, passedMs] of steps) {
          nowMs += passedMs
          latestMs = Math.max(latestMs, nowMs)
          if (budget.tryUse(amount, nowMs)) used += amount
          expect(used).toBeLessThanOrEqual(30 + latestMs * 0.02 + 1e-6)
        }
      },
    ),
  )
})
