// Answers the `cloud` calls.
import type { CloudStatus, KnownCloud, MachineInfo } from '../../contract/cloud.ts'
import { snapshots } from '../../flow/streams.ts'
import { os } from '../../rpc/caller.ts'

interface CloudServiceOptions {
  status: () => CloudStatus
  machines: () => MachineInfo[]
  onChange: (listener: () => void) => () => void
  join: (cloud: string) => Promise<void>
  known: () => KnownCloud[]
  renameMachine: (name: string) => Promise<void>
}

export function createCloudService(options: CloudServiceOptions) {
  const { status, machines, onChange } = options
  return {
    status: os.cloud.status.handler(() => status()),
    machines: os.cloud.machines.handler(() => ({ machines: machines() })),
    watch: os.cloud.watch.handler(({ signal }) =>
      snapshots(onChange, () => ({ status: status(), machines: machines() }), signal),
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
