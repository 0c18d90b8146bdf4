// When to stop: SIGINT, SIGTERM, or the end of the process that started this one with a channel.

/** Asked again after so long, we stop at once. Before, it may be the same request by two ways. */
const PATIENCE_MS = 2_000
const FORCED_EXIT_CODE = 130

/** Resolves when this process is asked to stop; asked again later, the process ends at once. */
export function waitForStop(): Promise<void> {
  return new Promise((resolve) => {
    let askedMs: number | null = null
    const stop = (): void => {
      if (askedMs !== null && performance.now() - askedMs > PATIENCE_MS) {
        process.exit(FORCED_EXIT_CODE)
      }
      askedMs ??= performance.now()
      resolve()
    }
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
    if (process.channel !== undefined) process.once('disconnect', stop)
  })
}
