// The demo's sense of time: pauses as people make them, which end when the demo does.
import { setTimeout as sleep } from 'node:timers/promises'

export interface Pace {
  signal: AbortSignal
  /** A pause somewhere between the two, divided by the speed. Rejects when the demo ends. */
  pause(fromMs: number, toMs: number): Promise<void>
  /** A question: has so much time passed since now, divided by the speed? */
  after(ms: number): () => boolean
}

/** @param speed  1 for people; 10 to see ten times as much */
export function createPace(speed: number, signal: AbortSignal): Pace {
  return {
    signal,
    after(ms) {
      const endMs = performance.now() + ms / speed
      return () => performance.now() >= endMs
    },
    async pause(fromMs, toMs) {
      await sleep((fromMs + Math.random() * (toMs - fromMs)) / speed, undefined, { signal })
    },
  }
}
