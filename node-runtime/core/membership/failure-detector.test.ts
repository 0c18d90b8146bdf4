import { describe, expect, it } from 'vitest'
import {
  beginHistory,
  isSuspect,
  quietFromMs,
  recordArrival,
  suspicion,
} from './failure-detector.ts'

function regular(gapMs: number, beats: number) {
  let history = beginHistory(0, gapMs)
  for (let beat = 1; beat <= beats; beat++) history = recordArrival(history, beat * gapMs, gapMs)
  return { history, nowMs: beats * gapMs }
}

describe('the failure detector', () => {
  it('trusts a machine whose heartbeat is on time or a little late', () => {
    const { history, nowMs } = regular(1000, 30)
    expect(isSuspect(history, nowMs + 1000)).toBe(false)
    expect(isSuspect(history, nowMs + 1500)).toBe(false)
  })

  it('suspects it after a few seconds of silence, ever more', () => {
    const { history, nowMs } = regular(1000, 30)
    expect(isSuspect(history, nowMs + 4000)).toBe(true)
    expect(suspicion(history, nowMs + 2000)).toBeGreaterThan(suspicion(history, nowMs + 1700))
  })

  it('is more patient with a machine whose heartbeat is irregular', () => {
    let jumpy = beginHistory(0, 1000)
    let nowMs = 0
    for (let beat = 0; beat < 30; beat++) {
      nowMs += beat % 2 === 0 ? 200 : 3000
      jumpy = recordArrival(jumpy, nowMs, 1000)
    }
    expect(isSuspect(jumpy, nowMs + 4000)).toBe(false)
    expect(isSuspect(jumpy, nowMs + 60_000)).toBe(true)
  })

  it('goes by what was promised last: what was learned at one pace holds at another', () => {
    const { history, nowMs } = regular(1000, 30)
    const slower = recordArrival(history, nowMs + 1000, 8_000)
    expect(isSuspect(slower, nowMs + 1000 + 8_500)).toBe(false)
    expect(quietFromMs(slower)).toBeGreaterThan(nowMs + 1000 + 8_500)
    expect(isSuspect(slower, nowMs + 1000 + 11_000)).toBe(true)
  })

  it('asks for a machine once it is late by three deviations and a tenth', () => {
    const { history, nowMs } = regular(400, 30)
    expect(quietFromMs(history)).toBeCloseTo(nowMs + 400 + 3.1 * 80)
    expect(suspicion(history, quietFromMs(history))).toBeGreaterThan(3)
    expect(isSuspect(history, quietFromMs(history))).toBe(false)
    const late = { lastMs: 0, promisedMs: 400, lateMs: [-100, 300] }
    expect(quietFromMs(late)).toBeCloseTo(400 + 100 + 3.1 * 200)
  })

  it('counts odds as a normal distribution has them', () => {
    const history = { lastMs: 5_000, promisedMs: 1_000, lateMs: [0] }
    // Source: -log10 of the normal tail at 0, 1, 2 and -2 deviations of 200 ms; at 4 it is 4.5, of
    // which the approximation makes a little more.
    for (const [silenceMs, phi] of [
      [1_000, 0.301],
      [1_200, 0.7995],
      [1_400, 1.643],
      [1_800, 4.74],
      [600, 0.01],
    ] as const) {
      expect(suspicion(history, 5_000 + silenceMs), `${silenceMs} ms`).toBeCloseTo(phi, 1)
    }
    expect(suspicion(history, 5_600)).toBeLessThan(0.02)
    expect(suspicion(history, 1e9)).toBe(Number.POSITIVE_INFINITY)
  })

  it('takes the deviation from what was late, within bounds below', () => {
    const wide = { lastMs: 0, promisedMs: 1_000, lateMs: [-500, 500] }
    expect(suspicion(wide, 2_000)).toBeCloseTo(1.643, 1)
    // A fifth of what was promised, but no more than 0.4 s, and no less than a millisecond.
    const seldom = { lastMs: 0, promisedMs: 8_000, lateMs: [0] }
    expect(suspicion(seldom, 8_800)).toBeCloseTo(1.643, 1)
    const none = { lastMs: 0, promisedMs: 0, lateMs: [0] }
    expect(suspicion(none, 2)).toBeCloseTo(1.643, 1)
  })

  it('suspects at odds of one to a hundred million', () => {
    const history = { lastMs: 0, promisedMs: 1_000, lateMs: [0] }
    let nowMs = 1_000
    while (!isSuspect(history, nowMs)) nowMs++
    expect(suspicion(history, nowMs)).toBeGreaterThan(8)
    expect(suspicion(history, nowMs - 1)).toBeLessThanOrEqual(8)
  })

  it('remembers the last sixty gaps, none of them before its beginning', () => {
    let history = beginHistory(1_000, 77)
    expect(history).toEqual({ lastMs: 1_000, promisedMs: 77, lateMs: [] })
    history = recordArrival(history, 900, 10)
    // What comes before its time is not late.
    expect(history).toEqual({ lastMs: 900, promisedMs: 10, lateMs: [0] })
    expect(recordArrival(history, 905, 10).lateMs).toEqual([0, 0])
    expect(recordArrival(history, 915, 10).lateMs).toEqual([0, 5])
    for (let at = 1; at <= 70; at++) history = recordArrival(history, 900 + at * 10, 10)
    expect(history.lateMs).toEqual(Array.from({ length: 60 }, () => 0))
    expect(history.lastMs).toBe(1_600)
  })
})
