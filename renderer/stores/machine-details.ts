// One machine with all that is known of it, as `cloud.watchMachine` tells. Followed while somebody looks at it.
import { createStore } from 'zustand/vanilla'
import type { StoreApi } from 'zustand/vanilla'
import type { MachineDetails } from '../../node-runtime/contract/machines.ts'
import type { CloudError } from '../../node-runtime/contract/errors.ts'
import type { Connection } from '../client/connection.ts'
import { followStream } from './stream.ts'

export interface MachineDetailsState {
  /** Null until the first event. */
  details: MachineDetails | null
  error: CloudError | null
}

export function followMachineDetails(
  connection: Connection,
  machine: string,
): { store: StoreApi<MachineDetailsState>; stop: () => void } {
  const store = createStore<MachineDetailsState>(() => ({ details: null, error: null }))
  const stop = followStream(connection, {
    open: (client, signal) => client.cloud.watchMachine({ machine }, { signal }),
    onEvent: (details) => store.setState({ details, error: null }),
    onError: (error) => store.setState({ error }),
  })
  return { store, stop }
}
