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
