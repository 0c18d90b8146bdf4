// Changes as async streams, for the calls of the contract that watch something. What waits for a slow
// reader is bounded: a snapshot stands for all changes before it, and events have a cap.
import { CloudError } from '../contract/errors.ts'

/**
 * So many events wait for a reader. A page that is busy for a second falls behind by fewer; whoever
 * falls behind by more is better off reading the state again than all that happened to it.
 */
export const MAX_WAITING_EVENTS = 4096

type Unsubscribe = () => void

/** A promise that something has happened since the last wait, or that the signal was given. */
class Bell {
  #rung = false
  #wake: (() => void) | null = null

  ring(): void {
    this.#rung = true
    this.#wake?.()
  }

  async next(): Promise<void> {
    if (!this.#rung) await new Promise<void>((resolve) => (this.#wake = resolve))
    this.#rung = false
    this.#wake = null
  }
}

/**
 * The state now, and again after changes. Changes that come while one is being taken are one.
 * Ends when the signal is given.
 */
export async function* snapshots<T>(
  subscribe: (changed: () => void) => Unsubscribe,
  read: () => T | Promise<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T, void> {
  const bell = new Bell()
  const ring = (): void => bell.ring()
  const unsubscribe = subscribe(ring)
  signal?.addEventListener('abort', ring)
  try {
    while (signal?.aborted !== true) {
      yield await read()
      await bell.next()
    }
  } finally {
    signal?.removeEventListener('abort', ring)
    unsubscribe()
  }
}

interface EventsOptions<T> {
  /** Of the events that wait under one key only the newest is kept, at its later place. */
  keyOf?: (event: T) => string
  maxWaiting?: number
}

/** What a reader is told that has fallen too far behind: `details` are `{ lagged: true }`. */
function lagError(): CloudError {
  return new CloudError(
    'UNAVAILABLE',
    'More has changed than could be passed on. Read the present state, and watch again.',
    { lagged: true },
  )
}

/**
 * Every event from this call on, in order. `subscribe` is to emit only what the reader wants: the rest
 * must not wait here. Ends when the signal is given, which also ends the subscription of a stream that
 * nobody reads. Fails with UNAVAILABLE, `{ lagged: true }`, once more than `maxWaiting` wait.
 */
export function events<T>(
  subscribe: (emit: (event: T) => void) => Unsubscribe,
  signal: AbortSignal | undefined,
  { keyOf, maxWaiting = MAX_WAITING_EVENTS }: EventsOptions<T> = {},
): AsyncGenerator<T, void> {
  const bell = new Bell()
  const waiting = new Map<string | number, T>()
  let count = 0
  let lagged = false
  const unsubscribe = subscribe((event) => {
    if (lagged) return
    const key = keyOf?.(event) ?? count++
    waiting.delete(key)
    waiting.set(key, event)
    if (waiting.size > maxWaiting) {
      lagged = true
      waiting.clear()
      // `subscribe` may emit before it has returned.
      queueMicrotask(() => unsubscribe())
    }
    bell.ring()
  })
  const end = (): void => {
    unsubscribe()
    waiting.clear()
    bell.ring()
  }
  const take = (): { event: T } | null => {
    for (const [key, event] of waiting) {
      waiting.delete(key)
      return { event }
    }
    return null
  }
  signal?.addEventListener('abort', end)
  async function* read(): AsyncGenerator<T, void> {
    try {
      while (signal?.aborted !== true) {
        for (let next = take(); next !== null; next = take()) yield next.event
        if (lagged) throw lagError()
        await bell.next()
      }
    } finally {
      signal?.removeEventListener('abort', end)
      unsubscribe()
    }
  }
  return read()
}
