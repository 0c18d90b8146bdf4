// The runtime's log: a file in the data folder, and what went wrong also on stderr. stdout is left to
// the lines that programs read. Writing to it never throws.
import { join } from 'node:path'
import pino from 'pino'
import type { Log } from '../ports/log.ts'
import { LogFile } from './log-file.ts'
import type { LogDisk } from './log-file.ts'

/** The log and the one put aside take at most twice as much. */
const MAX_LOG_BYTES = 5_000_000
/** Longer lines are cut: the message and the stack come first in them. */
const MAX_LINE_LENGTH = 64 * 1024

function cutLine(line: string): string {
  if (line.length <= MAX_LINE_LENGTH) return line
  return `${JSON.stringify({ level: 40, time: Date.now(), cut: line.slice(0, MAX_LINE_LENGTH) })}\n`
}

/**
 * A log to `log/runtime.log` in the data folder. The file is opened with the first line, so that a
 * start that fails because the folder is in use leaves the other's log alone.
 */
export function createLog(dataDir: string, disk?: LogDisk): Log {
  const file = new LogFile({
    path: join(dataDir, 'log', 'runtime.log'),
    maxBytes: MAX_LOG_BYTES,
    describeLost: (count) =>
      `${JSON.stringify({ level: 40, time: Date.now(), msg: 'lines of this log were lost', count })}\n`,
    ...(disk === undefined ? {} : { disk }),
  })
  // A terminal that was closed is no reason to stop.
  process.stderr.on('error', () => undefined)
  const logger = pino(
    { base: null, serializers: { error: pino.stdSerializers.err } },
    pino.multistream([
      { level: 'info', stream: { write: (line: string) => file.write(cutLine(line)) } },
      { level: 'warn', stream: { write: (line: string) => void process.stderr.write(line) } },
    ]),
  )
  const write =
    (level: 'info' | 'warn' | 'error') =>
    (message: string, fields: Record<string, unknown> = {}): void => {
      try {
        logger[level](fields, message)
      } catch {
        // The fields can't be written, as when one of their getters throws; the message can.
        file.write(`${JSON.stringify({ level, time: Date.now(), msg: message })}\n`)
      }
    }
  return { info: write('info'), warn: write('warn'), error: write('error') }
}
