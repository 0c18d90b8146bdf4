// The page's connection to the runtime of this machine: opens it, and opens it again when it is lost.
import { createStore } from 'zustand/vanilla'
import type { StoreApi } from 'zustand/vanilla'
import { CloudError } from '../../node-runtime/contract/errors.ts'
import { contract } from '../../node-runtime/contract/index.ts'
import { connect } from '../../node-runtime/rpc/client.ts'
import type { Client } from '../../node-runtime/rpc/client.ts'
import type { AnyPort } from '../../node-runtime/rpc/port.ts'

/** A port that is open, and how one learns of its end. */
export interface OpenedPort {
  port: AnyPort
  closed: Promise<void>
  close(): void
}

export interface ConnectionState {
  phase: 'connecting' | 'connected' | 'lost'
  /** Always callable; without a connection every call fails with UNAVAILABLE. */
  client: Client
  /** When the next try begins; null while none is planned, as after a refusal (UNAUTHENTICATED). */
  retryAtMs: number | null
  /** Why the last try failed. */
  failure: CloudError | null
}

export interface Connection {
  readonly state: StoreApi<ConnectionState>
  /** Tries now, without waiting for the planned time. */
  retry(): void
  close(): void
}

/** Waits between tries: short at first, so that a restart is hardly seen; then never longer than this. */
const FIRST_RETRY_MS = 400
const LONGEST_RETRY_MS = 8000

function disconnectedClient(): Client {
  const refuse = (): never => {
    throw new CloudError('UNAVAILABLE', 'There is no connection to this machine at the moment.')
  }
  return connect(contract, { postMessage: refuse, on: () => undefined })
}

/** `open` makes one try; it rejects with a CloudError that says why in words. */
export function createConnection(open: () => Promise<OpenedPort>): Connection {
  const offline = disconnectedClient()
  const state = createStore<ConnectionState>(() => ({
    phase: 'connecting',
    client: offline,
    retryAtMs: null,
    failure: null,
  }))
  let closed = false
  let waitMs = FIRST_RETRY_MS
  let timer: ReturnType<typeof setTimeout> | undefined
  let opened: OpenedPort | null = null

  const plan = (): void => {
    if (closed) return
    state.setState({ retryAtMs: Date.now() + waitMs })
    timer = setTimeout(() => void attempt(), waitMs)
    waitMs = Math.min(waitMs * 2, LONGEST_RETRY_MS)
  }

  const attempt = async (): Promise<void> => {
    state.setState({ retryAtMs: null })
    try {
      const next = await open()
      if (closed) return next.close()
      opened = next
      waitMs = FIRST_RETRY_MS
      state.setState({ phase: 'connected', client: connect(contract, next.port), failure: null })
      await next.closed
      opened = null
      state.setState({ phase: 'lost', client: offline })
    } catch (error) {
      const failure =
        error instanceof CloudError
          ? error
          : new CloudError('UNAVAILABLE', 'This machine does not answer.')
      state.setState({ phase: 'lost', client: offline, failure })
      // Whom the machine does not know, it will not know later.
      if (failure.code === 'UNAUTHENTICATED') return
    }
    plan()
  }

  void attempt()
  return {
    state,
    retry() {
      if (state.getState().retryAtMs === null) return
      clearTimeout(timer)
      void attempt()
    },
    close() {
      closed = true
      clearTimeout(timer)
      opened?.close()
    },
  }
}
