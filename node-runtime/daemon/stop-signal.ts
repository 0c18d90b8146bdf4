// When to stop: SIGINT, SIGTERM, or the end of the process that started this one with a channel.

/** Asked again after so long, we stop at once. Before, it may be the same request by two ways. */
const PATIENCE_MS = 2_000

export type StopSignal = 'SIGINT' | 'SIGTERM'

/**
 * Ends this process by a signal, in the midst of what it does. `process.exit` would wait for a disk that
 * does not answer, for as long as that takes.
 */
export function endAtOnce(signal: StopSignal): void {
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
}

/** Resolves when this process is asked to stop, and how; asked again later, the process ends at once. */
export function waitForStop(): Promise<StopSignal> {
  return new Promise((resolve) => {
    let askedMs: number | null = null
    const stop = (signal: StopSignal): void => {
      if (askedMs !== null && performance.now() - askedMs > PATIENCE_MS) endAtOnce(signal)
      askedMs ??= performance.now()
      resolve(signal)
    }
    process.on('SIGINT', () => stop('SIGINT'))
    process.on('SIGTERM', () => stop('SIGTERM'))
    if (process.channel !== undefined) process.once('disconnect', () => stop('SIGTERM'))
  })
}
