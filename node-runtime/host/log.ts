// The runtime's log: a file in the data folder, and what went wrong also on stderr. stdout is left to
// the lines that programs read.
import { mkdirSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import type { Log } from '../ports/log.ts'

/** A log larger than this is put aside at the next start; the one put aside before goes. */
const MAX_LOG_BYTES = 5_000_000

function putAsideIfLarge(path: string): void {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats !== undefined && stats.size > MAX_LOG_BYTES) renameSync(path, `${path}.1`)
}

/**
 * A log to `log/runtime.log` in the data folder. The file is opened with the first line, so that a
 * start that fails because the folder is in use leaves the other's log alone.
 */
export function createLog(dataDir: string): Log {
  const open = (): pino.Logger => {
    const folder = join(dataDir, 'log')
    const path = join(folder, 'runtime.log')
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    putAsideIfLarge(path)
    return pino(
      { base: null, serializers: { error: pino.stdSerializers.err } },
      pino.multistream([
        // Synchronous, so that the last lines before a crash are there.
        { level: 'info', stream: pino.destination({ dest: path, sync: true, mode: 0o600 }) },
        { level: 'warn', stream: process.stderr },
      ]),
    )
  }
  let logger: pino.Logger | null = null
  const write =
    (level: 'info' | 'warn' | 'error') =>
    (message: string, fields: Record<string, unknown> = {}): void => {
      logger ??= open()
      logger[level](fields, message)
    }
  return { info: write('info'), warn: write('warn'), error: write('error') }
}
