// Changes as async streams, for the calls of the contract that watch something.

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

/**
 * Every event from this call on, in order, none left out. Ends when the signal is given, which also
 * ends the subscription of a stream that nobody reads.
 */
export function events<T>(
  subscribe: (emit: (event: T) => void) => Unsubscribe,
  signal: AbortSignal | undefined,
): AsyncGenerator<T, void> {
  const bell = new Bell()
  const waiting: T[] = []
  const unsubscribe = subscribe((event) => {
    waiting.push(event)
    bell.ring()
  })
  const end = (): void => {
    unsubscribe()
    bell.ring()
  }
  signal?.addEventListener('abort', end)
  async function* read(): AsyncGenerator<T, void> {
    try {
      while (signal?.aborted !== true) {
        for (let event = waiting.shift(); event !== undefined; event = waiting.shift()) yield event
        await bell.next()
      }
    } finally {
      signal?.removeEventListener('abort', end)
      unsubscribe()
    }
  }
  return read()
}
