import { expect, it } from 'vitest'
import { pauseAfter } from './list-pace.ts'

const MINUTE = 60_000
const asked = { reachedHost: true, failures: 0, retryAfterS: null }

it('a host is asked once in five minutes at most, and ever more rarely while that fails', () => {
  const pauses = [0, 1, 2, 3, 8, 1_000].map((failures) => pauseAfter({ ...asked, failures }))
  expect(pauses.map((ms) => ms / MINUTE)).toEqual([5, 5, 10, 20, 360, 360])
})

it('one that wants to be left alone is, for a day at most', () => {
  expect(pauseAfter({ ...asked, failures: 1, retryAfterS: 3_600 })).toBe(60 * MINUTE)
  expect(pauseAfter({ ...asked, failures: 1, retryAfterS: 1 })).toBe(5 * MINUTE)
  expect(pauseAfter({ ...asked, failures: 1, retryAfterS: 1e12 })).toBe(24 * 60 * MINUTE)
})

it('what never reached the host costs it nothing', () => {
  expect(pauseAfter({ reachedHost: false, failures: 5, retryAfterS: null })).toBe(0)
})
