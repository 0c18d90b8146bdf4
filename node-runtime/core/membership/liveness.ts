// Is the machine at the other end of a link still there? One heartbeat a second each way, answered at
// once; its round trip is the shown latency. All times are monotonic: the clock on the wall may jump.
import { beginHistory, isSuspect, recordArrival } from './failure-detector.ts'
import type { ArrivalHistory } from './failure-detector.ts'

/** One heartbeat a second: a dead machine is found in a few seconds, at 0.1 % of a core per link. */
export const HEARTBEAT_MS = 1_000
/**
 * This machine looks once a heartbeat. When it comes so much later, it has itself stood still (a busy
 * processor, a closed lid), and the silence of that time says nothing of the others.
 */
const OWN_STALL_MS = HEARTBEAT_MS / 2
/** Share of a new round trip in the shown latency, so that it does not jump. */
const LATENCY_GAIN = 0.3

export class Liveness {
  #history: ArrivalHistory
  #lookedMs: number
  #pings = 0
  /** The ping that waits for its answer. */
  #open: { number: number; atMs: number } | null = null
  #latencyMs: number | null = null

  constructor(nowMs: number) {
    this.#history = beginHistory(nowMs, HEARTBEAT_MS)
    this.#lookedMs = nowMs
  }

  /** Smoothed round trip; null before the first. */
  get latencyMs(): number | null {
    return this.#latencyMs
  }

  /**
   * To be called every `HEARTBEAT_MS`.
   * @returns the number of the ping to send, or null if the other side is gone by all odds
   */
  beat(nowMs: number): number | null {
    this.#forgiveOwnStall(nowMs)
    if (isSuspect(this.#history, nowMs)) return null
    this.#open = { number: ++this.#pings, atMs: nowMs }
    return this.#pings
  }

  /** The other side asked: any sign of life counts. */
  pinged(nowMs: number): void {
    this.#forgiveOwnStall(nowMs)
    this.#history = recordArrival(this.#history, nowMs)
  }

  /** The other side answered. True if the latency is known anew. */
  ponged(number: number, nowMs: number): boolean {
    this.pinged(nowMs)
    if (number !== this.#open?.number) return false
    const roundTripMs = nowMs - this.#open.atMs
    this.#open = null
    this.#latencyMs =
      this.#latencyMs === null
        ? roundTripMs
        : this.#latencyMs + LATENCY_GAIN * (roundTripMs - this.#latencyMs)
    return true
  }

  #forgiveOwnStall(nowMs: number): void {
    const lateMs = nowMs - this.#lookedMs - HEARTBEAT_MS
    this.#lookedMs = nowMs
    if (lateMs < OWN_STALL_MS) return
    const { lastMs, gapsMs } = this.#history
    this.#history = { gapsMs, lastMs: Math.min(nowMs, lastMs + lateMs) }
  }
}
