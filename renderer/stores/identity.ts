// Who the person is, as `identity.watch` tells it.
import { createStore } from 'zustand/vanilla'
import type { StoreApi } from 'zustand/vanilla'
import type { CloudError } from '../../node-runtime/contract/errors.ts'
import type { OwnIdentity } from '../../node-runtime/contract/identity.ts'
import type { Connection } from '../client/connection.ts'
import { followStream } from './stream.ts'

export interface IdentityState {
  /** Null until the first event. */
  identity: OwnIdentity | null
  error: CloudError | null
}
export type IdentityStore = StoreApi<IdentityState>

export function createIdentityStore(connection: Connection): {
  store: IdentityStore
  stop: () => void
} {
  const store = createStore<IdentityState>(() => ({ identity: null, error: null }))
  const stop = followStream(connection, {
    open: (client, signal) => client.identity.watch({}, { signal }),
    onEvent: (identity) => store.setState({ identity, error: null }),
    onError: (error) => store.setState({ error }),
  })
  return { store, stop }
}
