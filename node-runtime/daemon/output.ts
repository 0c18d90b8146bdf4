// What the commands write: results to stdout, failures to stderr, for programs or for people.
import { CloudError } from '../contract/errors.ts'

/** One line of JSON on stdout. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}

export function printText(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Any failure as one of ours. */
export function toCloudError(error: unknown): CloudError {
  if (error instanceof CloudError) return error
  return new CloudError('INTERNAL', error instanceof Error ? error.message : String(error))
}

/** Says on stderr why a command failed, as JSON or in words. */
export function printFailure(error: unknown, { json }: { json: boolean }): void {
  const failure = toCloudError(error)
  process.stderr.write(json ? `${JSON.stringify(failure)}\n` : `dharma: ${failure.message}\n`)
}

/** A reader that has gone, as in `dharma call … | head -1`, is no failure. */
export function endWhenReaderGoes(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
}
