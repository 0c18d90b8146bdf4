// Streams of the runtime into stores: as long as there is a connection, and again when there is one.
import type { CloudError } from '../../node-runtime/contract/errors.ts'
import type { Client } from '../../node-runtime/rpc/client.ts'
import { toCloudError } from '../client/cloud-error.ts'
import type { Connection } from '../client/connection.ts'

/** A stream that failed although the connection stands is asked for again after this long. */
const REOPEN_MS = 2000

export interface StreamFollower<T> {
  open: (client: Client, signal: AbortSignal) => Promise<AsyncIterable<T>>
  onEvent: (event: T) => void
  onError: (error: CloudError) => void
}

function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done, { once: true })
  })
}

async function follow<T>(
  client: Client,
  { open, onEvent, onError }: StreamFollower<T>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const event of await open(client, signal)) {
        if (signal.aborted) return
        onEvent(event)
      }
    } catch (error) {
      if (!signal.aborted) onError(toCloudError(error))
    }
    await delay(REOPEN_MS, signal)
  }
}

/** Calls `start` with each new connection's client; its signal aborts when that connection ends. */
export function whileConnected(
  { state }: Connection,
  start: (client: Client, signal: AbortSignal) => void,
): () => void {
  let current: AbortController | null = null
  const update = (): void => {
    const { phase, client } = state.getState()
    current?.abort()
    current = null
    if (phase !== 'connected') return
    current = new AbortController()
    start(client, current.signal)
  }
  let lastClient: Client | null = null
  const unsubscribe = state.subscribe(({ phase, client }) => {
    const next = phase === 'connected' ? client : null
    if (next === lastClient) return
    lastClient = next
    update()
  })
  lastClient = state.getState().phase === 'connected' ? state.getState().client : null
  update()
  return () => {
    unsubscribe()
    current?.abort()
  }
}

/** Follows a stream over all connections until the returned function is called. */
export function followStream<T>(connection: Connection, follower: StreamFollower<T>): () => void {
  return whileConnected(connection, (client, signal) => void follow(client, follower, signal))
}
