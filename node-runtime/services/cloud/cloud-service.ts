// Answers the `cloud` calls.
import type {
  CloudStatus,
  ConnectionReport,
  KnownCloud,
  MachineInfo,
} from '../../contract/cloud.ts'
import { snapshots } from '../../flow/streams.ts'
import { os } from '../../rpc/caller.ts'

interface CloudServiceOptions {
  status: () => CloudStatus
  machines: () => MachineInfo[]
  connection: () => ConnectionReport
  onChange: (listener: () => void) => () => void
  onConnectionChange: (listener: () => void) => () => void
  join: (cloud: string) => Promise<void>
  known: () => KnownCloud[]
  renameMachine: (name: string) => Promise<void>
}

export function createCloudService(options: CloudServiceOptions) {
  const { status, machines, connection, onChange } = options
  return {
    status: os.cloud.status.handler(() => status()),
    machines: os.cloud.machines.handler(() => ({ machines: machines() })),
    watch: os.cloud.watch.handler(({ signal }) =>
      snapshots(onChange, () => ({ status: status(), machines: machines() }), signal),
    ),
    connection: os.cloud.connection.handler(() => connection()),
    watchConnection: os.cloud.watchConnection.handler(({ signal }) =>
      snapshots(options.onConnectionChange, connection, signal),
    ),
    join: os.cloud.join.handler(async ({ input }) => {
      await options.join(input.cloud)
      return { cloud: status().cloud }
    }),
    known: os.cloud.known.handler(() => ({ clouds: options.known() })),
    renameMachine: os.cloud.renameMachine.handler(async ({ input }) => {
      await options.renameMachine(input.name)
      return {}
    }),
  }
}
