// Bounds what is received from a stranger's server: in silence, in time and in bytes.
import { CloudError } from '../../contract/errors.ts'

export interface TransferLimits {
  /** The longest silence: until the answer begins, and between two pieces of it. */
  silenceMs: number
  /** From the first byte sent to the last received, over all requests. */
  totalMs: number
  /** All answers together. */
  totalBytes: number
}

export interface TransferGuard {
  /** Why it ended, in our words, if it did not end well. */
  readonly failure: CloudError | undefined
  /** Aborts when it is over, however it ended. */
  readonly signal: AbortSignal
  /** Settles, with an error, only if time is up. */
  readonly expired: Promise<never>
  /** Ends everything; the first reason counts. */
  fail(error: CloudError): CloudError
  /** Runs `work`, and ends everything if it stays silent or fails. */
  beforeSilence<T>(work: Promise<T>): Promise<T>
  /** @throws CloudError SYSTEM_TOO_LARGE */
  received(bytes: number): void
  close(): void
}

/**
 * @param late  the error of a server that took too long; the argument ends the sentence
 * @param broken  the error of work that failed
 */
export function createTransferGuard(
  limits: TransferLimits,
  late: (why: string) => CloudError,
  broken: (error: unknown) => CloudError,
): TransferGuard {
  const closing = new AbortController()
  let failure: CloudError | undefined
  let receivedBytes = 0

  function fail(error: CloudError): CloudError {
    failure ??= error
    closing.abort(failure)
    return failure
  }

  const expired = new Promise<never>((_resolve, reject) => {
    const timer = setTimeout(() => {
      reject(fail(late(`the server took longer than ${limits.totalMs / 1000} s`)))
    }, limits.totalMs)
    closing.signal.addEventListener('abort', () => clearTimeout(timer))
  })
  // Whoever races against it handles it; nobody may be racing any more.
  expired.catch(() => undefined)

  return {
    get failure() {
      return failure
    },
    signal: closing.signal,
    expired,
    fail,
    close: () => closing.abort(),
    async beforeSilence(work) {
      const timer = setTimeout(() => {
        fail(late(`the server was silent for ${limits.silenceMs / 1000} s`))
      }, limits.silenceMs)
      try {
        return await work
      } catch (error) {
        throw fail(failure ?? broken(error))
      } finally {
        clearTimeout(timer)
      }
    },
    received(bytes) {
      receivedBytes += bytes
      if (receivedBytes <= limits.totalBytes) return
      throw fail(
        new CloudError(
          'SYSTEM_TOO_LARGE',
          `The repository is too large: it sent more than ${limits.totalBytes >> 20} MB.`,
          { limitBytes: limits.totalBytes },
        ),
      )
    },
  }
}
