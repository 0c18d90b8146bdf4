import { expect, test } from 'vitest'
import { RestartLimit } from './restart-limit.ts'

test('what keeps dying is started twice, what dies now and then always', () => {
  const limit = new RestartLimit()
  expect([0, 1_000, 2_000].map((ms) => limit.died(ms))).toEqual([true, true, false])
  expect([70_000, 140_000, 210_000, 280_000].every((ms) => limit.died(ms))).toBe(true)
})

test('after somebody asked for another try, it begins anew', () => {
  const limit = new RestartLimit()
  for (const ms of [0, 1, 2]) limit.died(ms)
  limit.reset()
  expect(limit.died(3)).toBe(true)
})
