// By which ways the machine looks for the others, as `cloud.watchConnection` tells it. Followed only while
// somebody looks at it: it changes with every try.
import { createStore } from 'zustand/vanilla'
import type { StoreApi } from 'zustand/vanilla'
import type { ConnectionReport } from '../../node-runtime/contract/connection.ts'
import type { CloudError } from '../../node-runtime/contract/errors.ts'
import type { Connection } from '../client/connection.ts'
import { followStream } from './stream.ts'

export interface ConnectionReportState {
  /** Null until the first event. */
  report: ConnectionReport | null
  error: CloudError | null
}

export function followConnectionReport(connection: Connection): {
  store: StoreApi<ConnectionReportState>
  stop: () => void
} {
  const store = createStore<ConnectionReportState>(() => ({ report: null, error: null }))
  const stop = followStream(connection, {
    open: (client, signal) => client.cloud.watchConnection({}, { signal }),
    onEvent: (report) => store.setState({ report, error: null }),
    onError: (error) => store.setState({ error }),
  })
  return { store, stop }
}
