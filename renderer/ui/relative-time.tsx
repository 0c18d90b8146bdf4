import { useSyncExternalStore } from 'react'
import type { ReactNode } from 'react'

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** How often times on screen are worded anew. */
const TICK_MS = 10 * SECOND_MS

/** Time since `timeMs` in words, as of `nowMs`. */
export function describeAge(timeMs: number, nowMs: number): string {
  const ageMs = Math.max(0, nowMs - timeMs)
  if (ageMs < 10 * SECOND_MS) return 'just now'
  if (ageMs < MINUTE_MS) return `${Math.floor(ageMs / SECOND_MS)} s ago`
  if (ageMs < HOUR_MS) return `${Math.floor(ageMs / MINUTE_MS)} min ago`
  if (ageMs < DAY_MS) return `${Math.floor(ageMs / HOUR_MS)} h ago`
  if (ageMs < 2 * DAY_MS) return 'yesterday'
  if (ageMs < 30 * DAY_MS) return `${Math.floor(ageMs / DAY_MS)} days ago`
  return new Date(timeMs).toLocaleDateString(undefined, { dateStyle: 'medium' })
}

/** Time until `timeMs` in words, as of `nowMs`. */
export function describeLeft(timeMs: number, nowMs: number): string {
  const leftMs = Math.max(0, timeMs - nowMs)
  if (leftMs < MINUTE_MS) return 'in less than a minute'
  if (leftMs < HOUR_MS) return `in ${Math.round(leftMs / MINUTE_MS)} min`
  if (leftMs < 2 * DAY_MS) return `in ${Math.round(leftMs / HOUR_MS)} h`
  return `in ${Math.round(leftMs / DAY_MS)} days`
}

/** One timer for all times on screen, and none while there are no times. */
const listeners = new Set<() => void>()
let timer: ReturnType<typeof setInterval> | undefined
let nowMs = 0

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) {
    timer = setInterval(() => {
      nowMs = Date.now()
      for (const each of listeners) each()
    }, TICK_MS)
  }
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0) clearInterval(timer)
  }
}

function readNow(): number {
  // Without a running timer the last reading may be old.
  if (listeners.size === 0 && Date.now() - nowMs > TICK_MS) nowMs = Date.now()
  return nowMs
}

/** The present time, read anew as often as times on screen are worded. */
export function useNowMs(): number {
  return useSyncExternalStore(subscribe, readNow)
}

/** A past time in words that stay true, with the exact one on hover. */
export function RelativeTime({ timeMs }: { timeMs: number }): ReactNode {
  const nowMs = useNowMs()
  return <Time timeMs={timeMs}>{describeAge(timeMs, Math.max(nowMs, timeMs))}</Time>
}

/** A time to come, in the same way. */
export function TimeLeft({ timeMs }: { timeMs: number }): ReactNode {
  const nowMs = useNowMs()
  return <Time timeMs={timeMs}>{describeLeft(timeMs, nowMs)}</Time>
}

function Time({ timeMs, children }: { timeMs: number; children: string }): ReactNode {
  return (
    <time dateTime={new Date(timeMs).toISOString()} title={new Date(timeMs).toLocaleString()}>
      {children}
    </time>
  )
}
