import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HEARTBEAT_MS, Liveness } from './liveness.ts'

/** A link whose other side has answered at once for half a minute. */
function calm(): { liveness: Liveness; nowMs: number } {
  const liveness = new Liveness(0)
  let nowMs = 0
  for (let beat = 0; beat < 30; beat++, nowMs += HEARTBEAT_MS) {
    const number = liveness.beat(nowMs)
    liveness.pinged(nowMs + 5)
    liveness.ponged(number ?? -1, nowMs + 20)
  }
  return { liveness, nowMs }
}

/** How long the other side is silent before it is given up, with a look every second. */
function patienceMs(liveness: Liveness, fromMs: number): number {
  for (let nowMs = fromMs; nowMs < fromMs + 120_000; nowMs += HEARTBEAT_MS) {
    if (liveness.beat(nowMs) === null) return nowMs - fromMs
  }
  return Number.POSITIVE_INFINITY
}

describe('the liveness of a link', () => {
  it('measures the round trip, of the last ping only and once', () => {
    const { liveness, nowMs } = calm()
    expect(liveness.latencyMs).toBeCloseTo(20)
    const number = liveness.beat(nowMs)!
    expect(liveness.ponged(number - 1, nowMs + 900)).toBe(false)
    expect(liveness.ponged(number, nowMs + 40)).toBe(true)
    expect(liveness.ponged(number, nowMs + 900)).toBe(false)
    expect(liveness.latencyMs).toBeCloseTo(26)
  })

  it('gives up a machine that is silent for some seconds', () => {
    const { liveness, nowMs } = calm()
    expect(patienceMs(liveness, nowMs)).toBeLessThanOrEqual(6_000)
  })

  it('does not take its own standstill for the silence of others', () => {
    const { liveness, nowMs } = calm()
    const awakeMs = nowMs + 60_000
    expect(liveness.beat(awakeMs)).not.toBeNull()
    liveness.pinged(awakeMs + 10)
    expect(liveness.beat(awakeMs + HEARTBEAT_MS)).not.toBeNull()
    // And what it learned of the other's rhythm is as it was.
    expect(patienceMs(liveness, awakeMs + 2 * HEARTBEAT_MS)).toBeLessThanOrEqual(6_000)
  })

  it('still finds a machine that died during its own standstill', () => {
    const { liveness, nowMs } = calm()
    expect(patienceMs(liveness, nowMs + 60_000)).toBeLessThanOrEqual(6_000)
  })

  it('hears what had come during its standstill before it looks at the clock', () => {
    const { liveness, nowMs } = calm()
    liveness.pinged(nowMs + 30_000)
    expect(liveness.beat(nowMs + 30_001)).not.toBeNull()
    expect(patienceMs(liveness, nowMs + 31_000)).toBeLessThanOrEqual(6_000)
  })

  it('numbers its pings from one, and shows the first round trip as it was', () => {
    const liveness = new Liveness(0)
    expect(liveness.latencyMs).toBeNull()
    expect(liveness.ponged(0, 5)).toBe(false)
    expect(liveness.beat(10)).toBe(1)
    expect(liveness.ponged(1, 50)).toBe(true)
    expect(liveness.latencyMs).toBe(40)
    expect(liveness.beat(1_010)).toBe(2)
    expect(liveness.ponged(2, 1_150)).toBe(true)
    expect(liveness.latencyMs).toBeCloseTo(40 + 0.3 * 100)
  })

  it('forgives a standstill of half a second, and no shorter lateness', () => {
    // After a first silence of two seconds, in which this machine itself was late by so much.
    const patience = (lateMs: number): number => {
      const { liveness, nowMs } = calm()
      liveness.beat(nowMs)
      liveness.beat(nowMs + HEARTBEAT_MS + lateMs)
      let atMs = nowMs + HEARTBEAT_MS + lateMs
      for (;;) {
        atMs += 100
        if (liveness.beat(atMs) === null) return atMs - nowMs
      }
    }
    expect(patience(500) - patience(400)).toBeGreaterThanOrEqual(400)
    expect(patience(1_500) - patience(500)).toBeGreaterThanOrEqual(900)
    expect(patience(400) - patience(0)).toBeLessThanOrEqual(100)
  })

  it('is shaken by no order of pings and answers, however odd', () => {
    const step = fc.tuple(fc.constantFrom('beat', 'ping', 'pong'), fc.nat(3_000), fc.double())
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const liveness = new Liveness(0)
        let nowMs = 0
        for (const [kind, passedMs, number] of steps) {
          nowMs += passedMs
          if (kind === 'beat') liveness.beat(nowMs)
          else if (kind === 'ping') liveness.pinged(nowMs)
          else liveness.ponged(number, nowMs)
          expect(liveness.latencyMs ?? 0).toBeGreaterThanOrEqual(0)
        }
      }),
    )
  })
})
