// Answers the `cloud` calls.
import type {
  ADMISSION_CHOICES,
  CloudInfo,
  CloudStatus,
  ConnectionReport,
  KnownCloud,
  MachineInfo,
  ReleaseFile,
} from '../../contract/cloud.ts'
import { snapshots } from '../../flow/streams.ts'
import { os } from '../../rpc/caller.ts'

/** What the person chooses of a new cloud. */
export interface NewCloud {
  name: string
  admission: (typeof ADMISSION_CHOICES)[number]
}

interface CloudServiceOptions {
  status: () => CloudStatus
  machines: () => MachineInfo[]
  connection: () => ConnectionReport
  onChange: (listener: () => void) => () => void
  onConnectionChange: (listener: () => void) => () => void
  join: (cloud: string, phrase?: string) => Promise<void>
  create: (cloud: NewCloud & { phrase?: string | undefined }) => Promise<void>
  info: () => CloudInfo
  makeRelease: (name: string, expiresMs: number | null) => { release: string; file: ReleaseFile }
  revokeRelease: (release: string) => Promise<void>
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
      await options.join(input.cloud, input.phrase)
      return { cloud: status().cloud }
    }),
    create: os.cloud.create.handler(async ({ input }) => {
      await options.create(input)
      const { name, admission } = input
      return { cloud: status().cloud, name, admission }
    }),
    info: os.cloud.info.handler(() => options.info()),
    release: os.cloud.release.handler(({ input }) =>
      options.makeRelease(input.name, input.expiresMs),
    ),
    revokeRelease: os.cloud.revokeRelease.handler(async ({ input }) => {
      await options.revokeRelease(input.release)
      return {}
    }),
    known: os.cloud.known.handler(() => ({ clouds: options.known() })),
    renameMachine: os.cloud.renameMachine.handler(async ({ input }) => {
      await options.renameMachine(input.name)
      return {}
    }),
  }
}
