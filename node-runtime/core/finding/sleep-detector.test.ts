import { describe, expect, it } from 'vitest'
import { SleepDetector } from './sleep-detector.ts'

/** Looks after so long, of which it was busy so long. */
function look(afterMs: number, workedMs: number, detector = new SleepDetector(begun)): number {
  return detector.look({ uptimeMs: begun.uptimeMs + afterMs, busyMs: begun.busyMs + workedMs })
}
const begun = { uptimeMs: 5_000_000, busyMs: 70_000 }

describe('sleep', () => {
  it('is what nothing else explains: the clock went on, and nothing was done', () => {
    expect(look(8 * 3_600_000, 20)).toBe(8 * 3_600_000 - 1_020)
    expect(look(4_000, 0)).toBe(3_000)
  })

  it('is not that a look comes a little late', () => {
    for (const afterMs of [990, 1_000, 1_500, 3_999]) expect(look(afterMs, 0)).toBe(0)
  })

  it('is not that this process was busy, on one processor or several', () => {
    expect(look(60_000, 58_000)).toBe(0)
    expect(look(60_000, 118_000)).toBe(0)
  })

  it('is told once', () => {
    const detector = new SleepDetector(begun)
    expect(look(60_000, 0, detector)).toBeGreaterThan(0)
    expect(look(61_000, 10, detector)).toBe(0)
    expect(look(120_000, 20, detector)).toBeGreaterThan(0)
  })
})
