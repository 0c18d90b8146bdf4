import { describe, expect, it } from 'vitest'
import {
  formatVersion,
  HybridClock,
  isTooFarAhead,
  MAX_DRIFT_MS,
  versionTimeMs,
} from './hybrid-clock.ts'

describe('a hybrid clock', () => {
  it('gives ever newer versions, though the wall clock stands still or goes back', () => {
    const times = [1000, 1000, 900, 2000]
    const clock = new HybridClock(() => times.shift() ?? 2000)
    const versions = [clock.next(), clock.next(), clock.next(), clock.next()]
    expect(versions).toEqual(versions.toSorted())
    expect(new Set(versions).size).toBe(4)
    expect(versionTimeMs(versions[3]!)).toBe(2000)
  })

  it('goes on after the newest version it saw', () => {
    const clock = new HybridClock(() => 1000)
    clock.see(formatVersion({ timeMs: 5000, counter: 7 }))
    expect(clock.next()).toBe(formatVersion({ timeMs: 5000, counter: 8 }))
  })

  it('is not dragged along by a clock that is far ahead', () => {
    const clock = new HybridClock(() => 1000)
    const future = formatVersion({ timeMs: 1001 + MAX_DRIFT_MS, counter: 0 })
    expect(isTooFarAhead(future, 1000)).toBe(true)
    clock.see(future)
    expect(versionTimeMs(clock.next())).toBe(1000)
  })

  it('goes to the next millisecond when the counter is used up', () => {
    const clock = new HybridClock(() => 1000)
    clock.see(formatVersion({ timeMs: 1000, counter: 0xffff }))
    expect(clock.next()).toBe(formatVersion({ timeMs: 1001, counter: 0 }))
  })
})
