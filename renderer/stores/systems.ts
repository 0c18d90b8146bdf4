// The installed systems, as `systems.watch` tells them.
import { createStore } from 'zustand/vanilla'
import type { StoreApi } from 'zustand/vanilla'
import type { CloudError } from '../../node-runtime/contract/errors.ts'
import type { InstalledSystem } from '../../node-runtime/contract/systems.ts'
import type { Connection } from '../client/connection.ts'
import type { SystemNames } from '../client/named-tabs.ts'
import { followStream } from './stream.ts'

export interface SystemsState {
  /** Null until the first event. */
  systems: InstalledSystem[] | null
  error: CloudError | null
}
export type SystemsStore = StoreApi<SystemsState>

export function createSystemsStore(connection: Connection): {
  store: SystemsStore
  names: SystemNames
  stop: () => void
} {
  const store = createStore<SystemsState>(() => ({ systems: null, error: null }))
  /** The list now, or as soon as it has come. */
  const known: SystemNames['known'] = () => {
    const { systems } = store.getState()
    if (systems !== null) return systems
    return new Promise((resolve) => {
      const stop = store.subscribe(({ systems }) => {
        if (systems === null) return
        stop()
        resolve(systems)
      })
    })
  }
  const stop = followStream(connection, {
    open: (client, signal) => client.systems.watch({}, { signal }),
    onEvent: ({ systems }) =>
      store.setState({
        systems: systems.toSorted((a, b) => a.name.localeCompare(b.name)),
        error: null,
      }),
    onError: (error) => store.setState({ error }),
  })
  const ask: SystemNames['ask'] = async () =>
    (await connection.state.getState().client.systems.list({})).systems
  return { store, names: { known, ask }, stop }
}
