// Streams of events with an end that takes effect at once.

interface StreamOptions {
  /** Ends the stream when it aborts. */
  signal?: AbortSignal | undefined
  /** Called before each event is passed on; what it throws ends the stream. */
  beforeEvent?: () => void | Promise<void>
  toError: (error: unknown) => Error
}

/** Is this an answer that keeps coming? */
export function isStream(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}

/**
 * The events of `source`, with its errors mapped. A generator would end only at its next event; this
 * one ends when `return` is called or `signal` aborts, even while an event is being waited for. The
 * source is told to return, but not waited for.
 */
export function wrapStream(
  source: AsyncIterable<unknown>,
  { signal, beforeEvent, toError }: StreamOptions,
): AsyncIterableIterator<unknown> {
  const iterator = source[Symbol.asyncIterator]()
  const waiting = new Set<() => void>()
  let ended = false

  const end = (): void => {
    ended = true
    signal?.removeEventListener('abort', stop)
    for (const release of waiting) release()
    waiting.clear()
  }
  const stop = (): void => {
    if (ended) return
    end()
    // Nobody listens any more, so an error in the clean-up of the source has no one to go to.
    void (async () => iterator.return?.())().catch(() => undefined)
  }
  const done = (): IteratorReturnResult<undefined> => ({ done: true, value: undefined })

  /** The next event of the source, or null when the stream was ended meanwhile. */
  const pull = (): Promise<IteratorResult<unknown> | null> =>
    new Promise((resolve, reject) => {
      const release = (): void => resolve(null)
      waiting.add(release)
      const settle = (): boolean => waiting.delete(release)
      Promise.resolve(iterator.next()).then(
        (result) => settle() && resolve(result),
        (error: unknown) => settle() && reject(error as Error),
      )
    })

  if (signal?.aborted === true) stop()
  else signal?.addEventListener('abort', stop)

  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      if (ended) return done()
      try {
        const result = await pull()
        if (result === null) return done()
        if (result.done === true) end()
        else await beforeEvent?.()
        return ended && result.done !== true ? done() : result
      } catch (error) {
        stop()
        throw toError(error)
      }
    },
    async return() {
      stop()
      return done()
    },
  }
}
