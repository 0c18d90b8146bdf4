// Who the person is. The service has no stream: it is read with each connection, and again by those
// who have just changed it.
import { createStore } from 'zustand/vanilla'
import type { StoreApi } from 'zustand/vanilla'
import { CloudError } from '../../node-runtime/contract/errors.ts'
import type { Connection } from '../client/connection.ts'
import { whileConnected } from './stream.ts'

export interface IdentityState {
  identity: { person: string; machine: string; name: string } | null
  error: CloudError | null
}
export type IdentityStore = StoreApi<IdentityState>

export function createIdentityStore(connection: Connection): {
  store: IdentityStore
  refresh: () => Promise<void>
  stop: () => void
} {
  const store = createStore<IdentityState>(() => ({ identity: null, error: null }))
  const refresh = async (): Promise<void> => {
    try {
      const identity = await connection.state.getState().client.identity.whoami({})
      store.setState({ identity, error: null })
    } catch (error) {
      if (error instanceof CloudError) store.setState({ error })
      else throw error
    }
  }
  return { store, refresh, stop: whileConnected(connection, () => void refresh()) }
}
