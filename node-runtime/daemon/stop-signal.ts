// SIGINT and SIGTERM as a promise.

/** Asked to stop twice, we stop at once. */
const FORCED_EXIT_CODE = 130

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process. */
export function waitForStop(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false
    const stop = (): void => {
      if (asked) process.exit(FORCED_EXIT_CODE)
      asked = true
      resolve()
    }
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
  })
}
