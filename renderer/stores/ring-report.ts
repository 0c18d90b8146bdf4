// The ring of servers, as `cloud.watchRing` tells it. Followed only while somebody looks at it: it changes with every lap.
import { createStore } from 'zustand/vanilla'
import type { StoreApi } from 'zustand/vanilla'
import type { RingReport } from '../../node-runtime/contract/machines.ts'
import type { Connection } from '../client/connection.ts'
import { followStream } from './stream.ts'

export interface RingReportState {
  /** Null until the first event, and while it can't be had. */
  report: RingReport | null
}

export function followRingReport(connection: Connection): {
  store: StoreApi<RingReportState>
  stop: () => void
} {
  const store = createStore<RingReportState>(() => ({ report: null }))
  const stop = followStream(connection, {
    open: (client, signal) => client.cloud.watchRing({}, { signal }),
    onEvent: (report) => store.setState({ report }),
    // The page says what is wrong by the machines, which come the same way.
    onError: () => store.setState({ report: null }),
  })
  return { store, stop }
}
