import { describe, expect, it } from 'vitest'
import { beginHistory, isSuspect, recordArrival, suspicion } from './failure-detector.ts'

function regular(gapMs: number, beats: number) {
  let history = beginHistory(0, gapMs)
  for (let beat = 1; beat <= beats; beat++) history = recordArrival(history, beat * gapMs)
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
    expect(suspicion(history, nowMs + 2500)).toBeGreaterThan(suspicion(history, nowMs + 2000))
  })

  it('is more patient with a machine whose heartbeat is irregular', () => {
    let jumpy = beginHistory(0, 1000)
    let nowMs = 0
    for (let beat = 0; beat < 30; beat++) {
      nowMs += beat % 2 === 0 ? 200 : 3000
      jumpy = recordArrival(jumpy, nowMs)
    }
    expect(isSuspect(jumpy, nowMs + 4000)).toBe(false)
    expect(isSuspect(jumpy, nowMs + 60_000)).toBe(true)
  })

  it('counts odds as a normal distribution has them', () => {
    const history = { lastMs: 5_000, gapsMs: [1_000] }
    // Source: -log10 of the normal tail at 0, 1, 2 and -2 deviations of 250 ms; at 4 it is 4.5, of
    // which the approximation makes a little more.
    for (const [silenceMs, phi] of [
      [1_000, 0.301],
      [1_250, 0.7995],
      [1_500, 1.643],
      [2_000, 4.74],
      [500, 0.01],
    ] as const) {
      expect(suspicion(history, 5_000 + silenceMs), `${silenceMs} ms`).toBeCloseTo(phi, 1)
    }
    expect(suspicion(history, 5_500)).toBeLessThan(0.02)
    expect(suspicion(history, 1e9)).toBe(Number.POSITIVE_INFINITY)
  })

  it('takes the deviation from the gaps, and no less than a part of the mean or a millisecond', () => {
    const wide = { lastMs: 0, gapsMs: [500, 1_500] }
    expect(suspicion(wide, 2_000)).toBeCloseTo(1.643, 1)
    const none = { lastMs: 0, gapsMs: [0] }
    expect(suspicion(none, 2)).toBeCloseTo(1.643, 1)
  })

  it('suspects at odds of one to a hundred million', () => {
    const history = { lastMs: 0, gapsMs: [1_000] }
    let nowMs = 1_000
    while (!isSuspect(history, nowMs)) nowMs++
    expect(suspicion(history, nowMs)).toBeGreaterThan(8)
    expect(suspicion(history, nowMs - 1)).toBeLessThanOrEqual(8)
  })

  it('remembers the last sixty gaps, none of them before its beginning', () => {
    let history = beginHistory(1_000, 77)
    expect(history).toEqual({ lastMs: 1_000, gapsMs: [77] })
    history = recordArrival(history, 900)
    expect(history).toEqual({ lastMs: 900, gapsMs: [77, 0] })
    for (let at = 1; at <= 70; at++) history = recordArrival(history, 900 + at * 10)
    expect(history.gapsMs).toEqual(Array.from({ length: 60 }, () => 10))
    expect(history.lastMs).toBe(1_600)
  })
})
