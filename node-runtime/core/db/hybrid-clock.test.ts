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

  it('looks at nothing older than what it has, of whatever counter', () => {
    const clock = new HybridClock(() => 1000)
    clock.see(formatVersion({ timeMs: 5000, counter: 7 }))
    clock.see(formatVersion({ timeMs: 5000, counter: 6 }))
    clock.see(formatVersion({ timeMs: 4000, counter: 99 }))
    expect(clock.next()).toBe(formatVersion({ timeMs: 5000, counter: 8 }))
    clock.see(formatVersion({ timeMs: 5000, counter: 20 }))
    expect(clock.next()).toBe(formatVersion({ timeMs: 5000, counter: 21 }))
    clock.see(formatVersion({ timeMs: 6000, counter: 3 }))
    expect(clock.next()).toBe(formatVersion({ timeMs: 6000, counter: 4 }))
  })

  it('forgets no honest version for one that is far ahead', () => {
    const clock = new HybridClock(() => 1000)
    clock.see(formatVersion({ timeMs: 1001 + MAX_DRIFT_MS, counter: 0 }))
    clock.see(formatVersion({ timeMs: 5000, counter: 7 }))
    expect(clock.next()).toBe(formatVersion({ timeMs: 5000, counter: 8 }))
  })

  it('follows a clock that is just as far ahead as it may be', () => {
    const clock = new HybridClock(() => 1000)
    const ahead = formatVersion({ timeMs: 1000 + MAX_DRIFT_MS, counter: 0 })
    expect(isTooFarAhead(ahead, 1000)).toBe(false)
    clock.see(ahead)
    expect(clock.next()).toBe(formatVersion({ timeMs: 1000 + MAX_DRIFT_MS, counter: 1 }))
  })

  it('comes back when it was itself too far ahead, and not sooner', () => {
    let nowMs = 1000 + MAX_DRIFT_MS
    const clock = new HybridClock(() => nowMs)
    const first = clock.next()
    nowMs = 1000
    expect(clock.next() > first).toBe(true)
    nowMs = 999
    expect(clock.next()).toBe(formatVersion({ timeMs: 999, counter: 0 }))
  })

  it('writes versions with all their digits, and uses the last counter', () => {
    expect(formatVersion({ timeMs: 255, counter: 10 })).toBe('0000000000ff-000a')
    const clock = new HybridClock(() => 1000)
    clock.see(formatVersion({ timeMs: 1000, counter: 0xfffe }))
    expect(clock.next()).toBe(formatVersion({ timeMs: 1000, counter: 0xffff }))
  })

  it('allows five minutes', () => {
    expect(MAX_DRIFT_MS).toBe(300_000)
  })
})
