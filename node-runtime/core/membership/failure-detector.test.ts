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
})
