// What happens to failures that nobody caught.
import type { Log } from '../ports/log.ts'

/**
 * A promise that fails unheard is a fault of ours, but what waits for it is one call or one peer: it is
 * logged, and the machine goes on. After an exception that nobody caught nothing is known to hold: it
 * is logged, and the process ends as it would have.
 */
export function guardProcess(log: Log): void {
  process.on('unhandledRejection', (error) => {
    log.error('a failure was not handled; the machine goes on', { error })
  })
  process.on('uncaughtExceptionMonitor', (error, origin) => {
    log.error('the process failed', { error, origin })
  })
}
