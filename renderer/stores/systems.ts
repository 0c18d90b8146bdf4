// The installed systems, as `systems.watch` tells them.
import { createStore } from 'zustand/vanilla'
import type { StoreApi } from 'zustand/vanilla'
import type { CloudError } from '../../node-runtime/contract/errors.ts'
import type { InstalledSystem } from '../../node-runtime/contract/systems.ts'
import type { Connection } from '../client/connection.ts'
import { followStream } from './stream.ts'

export interface SystemsState {
  /** Null until the first event. */
  systems: InstalledSystem[] | null
  error: CloudError | null
}
export type SystemsStore = StoreApi<SystemsState>

export function createSystemsStore(connection: Connection): {
  store: SystemsStore
  stop: () => void
} {
  const store = createStore<SystemsState>(() => ({ systems: null, error: null }))
  const stop = followStream(connection, {
    open: (client, signal) => client.systems.watch({}, { signal }),
    onEvent: ({ systems }) =>
      store.setState({
        systems: systems.toSorted((a, b) => a.name.localeCompare(b.name)),
        error: null,
      }),
    onError: (error) => store.setState({ error }),
  })
  return { store, stop }
}
