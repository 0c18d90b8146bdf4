// The cloud and its machines, as `cloud.watch` tells them.
import { createStore } from 'zustand/vanilla'
import type { StoreApi } from 'zustand/vanilla'
import type { CloudStatus, KnownCloud } from '../../node-runtime/contract/cloud.ts'
import type { MachineInfo } from '../../node-runtime/contract/machines.ts'
import type { CloudError } from '../../node-runtime/contract/errors.ts'
import { toCloudError } from '../client/cloud-error.ts'
import type { Connection } from '../client/connection.ts'
import { followStream } from './stream.ts'

/** Samples kept for each machine's line of latency. */
const LATENCY_SAMPLES = 40

export interface CloudState {
  /** Null until the first event. */
  status: CloudStatus | null
  machines: MachineInfo[]
  /** Every cloud that this machine was in, the present one included. */
  known: KnownCloud[]
  /** The last measured round trips by machine, oldest first, in ms. */
  latencies: Record<string, number[]>
  error: CloudError | null
}
export type CloudStore = StoreApi<CloudState>

/** Adds the newest measure of each machine to its line. */
export function addLatencies(
  lines: Record<string, number[]>,
  machines: readonly MachineInfo[],
): Record<string, number[]> {
  const next: Record<string, number[]> = {}
  for (const { machine, self, latencyMs } of machines) {
    if (self) continue
    const line = lines[machine] ?? []
    const grown = latencyMs === null ? line : [...line, latencyMs].slice(-LATENCY_SAMPLES)
    // Of most machines of a large cloud there never is any.
    if (grown.length > 0) next[machine] = grown
  }
  return next
}

export function createCloudStore(connection: Connection): {
  store: CloudStore
  stop: () => void
} {
  const store = createStore<CloudState>(() => ({
    status: null,
    machines: [],
    known: [],
    latencies: {},
    error: null,
  }))
  const onError = (error: CloudError): void => store.setState({ error })
  /** Which clouds are known changes with the present one only. */
  const readKnown = (cloud: string): void => {
    const { client } = connection.state.getState()
    client.cloud.known({}).then(
      ({ clouds }) => {
        if (store.getState().status?.cloud === cloud) store.setState({ known: clouds })
      },
      (error: unknown) => onError(toCloudError(error)),
    )
  }
  const stop = followStream(connection, {
    open: (client, signal) => client.cloud.watch({}, { signal }),
    onEvent: ({ status, machines }) => {
      const before = store.getState().status?.cloud
      store.setState(({ latencies }) => ({
        status,
        machines,
        latencies: addLatencies(latencies, machines),
        error: null,
      }))
      if (status.cloud !== before) readKnown(status.cloud)
    },
    onError,
  })
  return { store, stop }
}
