import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Pace } from './pace.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('the first is done at once, those that follow once for each while', () => {
  const act = vi.fn<() => void>()
  const pace = new Pace(100, act)
  for (let ms = 0; ms < 1_000; ms++) {
    pace.request()
    vi.advanceTimersByTime(1)
  }
  expect(act.mock.calls.length).toBeLessThanOrEqual(11)
  expect(act.mock.calls.length).toBeGreaterThanOrEqual(10)
})

test('the last request is never lost, and after quiet the next is done at once', () => {
  const act = vi.fn<() => void>()
  const pace = new Pace(100, act)
  pace.request()
  pace.request()
  expect(act).toHaveBeenCalledTimes(1)
  vi.advanceTimersByTime(100)
  expect(act).toHaveBeenCalledTimes(2)
  vi.advanceTimersByTime(1_000)
  pace.request()
  expect(act).toHaveBeenCalledTimes(3)
})

test('after it was stopped nothing is done', () => {
  const act = vi.fn<() => void>()
  const pace = new Pace(100, act)
  pace.request()
  pace.request()
  pace.stop()
  vi.advanceTimersByTime(1_000)
  expect(act).toHaveBeenCalledTimes(1)
})
