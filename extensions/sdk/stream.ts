// Streams of the runtime as callbacks with a disposer.
import { CloudError } from '../../node-runtime/contract/errors.ts'
import { fromWireError } from '../../node-runtime/rpc/errors.ts'

/** Ends a subscription. Calling it again does nothing. */
export type Disposer = () => void

/** Gets the one error that ends a subscription. */
export type OnError = (error: CloudError) => void

/**
 * Calls `onEvent` for every event of a stream until the returned function is called or the stream
 * fails; then `onError` is called once, and nothing after it.
 */
export function follow<T>(
  open: (signal: AbortSignal) => Promise<AsyncIterable<T>>,
  onEvent: (event: T) => void,
  onError: OnError,
): Disposer {
  const controller = new AbortController()
  const { signal } = controller
  const run = async (): Promise<void> => {
    try {
      for await (const event of await open(signal)) {
        if (signal.aborted) return
        onEvent(event)
      }
      throw new CloudError('UNAVAILABLE', 'The machine ended this stream. Reload the page.')
    } catch (error) {
      if (!signal.aborted) onError(fromWireError(error))
    }
  }
  void run()
  return () => controller.abort()
}
