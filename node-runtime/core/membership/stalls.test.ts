import { expect, it } from 'vitest'
import { Stalls } from './stalls.ts'

it('remembers the worst standstill, and half of it for each minute that has passed', () => {
  const stalls = new Stalls()
  expect(stalls.worstMs(5_000)).toBe(0)
  stalls.note(4_000, 10_000)
  expect(stalls.worstMs(10_000)).toBe(4_000)
  expect(stalls.worstMs(70_000)).toBe(2_000)
  expect(stalls.worstMs(130_000)).toBe(1_000)
  // A clock that was read earlier makes none worse.
  expect(stalls.worstMs(0)).toBe(4_000)
  stalls.note(900, 130_000)
  expect(stalls.worstMs(130_000)).toBe(1_000)
  stalls.note(1_500, 130_000)
  expect(stalls.worstMs(130_000)).toBe(1_500)
  expect(stalls.worstMs(190_000)).toBe(750)
})
