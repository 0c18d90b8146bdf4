// Answers the `cloud` calls.
import type {
  CloudInfo,
  CloudStatus,
  GivenInvitation,
  InvitationOffer,
  InvitationsReport,
  KnownCloud,
} from '../../contract/cloud.ts'
import type { ADMISSION_CHOICES, ConnectionReport } from '../../contract/connection.ts'
import type { MachineDetails, MachineInfo, RingReport } from '../../contract/machines.ts'
import { snapshots } from '../../flow/streams.ts'
import { os } from '../../rpc/caller.ts'
import type { Lists } from './lists/lists.ts'
import type { OwnedReleases } from './owned-releases.ts'

/** What the person chooses of a new cloud. */
export interface NewCloud {
  name: string
  admission: (typeof ADMISSION_CHOICES)[number]
}

export interface HowToJoin {
  /** Where this machine has none any more. */
  phrase?: string | undefined
  /** The cloud to which an invitation led before. */
  expected?: string | undefined
}

interface CloudServiceOptions {
  status: () => CloudStatus
  machines: () => MachineInfo[]
  /** @throws CloudError MACHINE_UNKNOWN */
  machine: (machine: string) => MachineDetails
  connection: () => ConnectionReport
  ring: () => RingReport
  onChange: (listener: () => void) => () => void
  onRingChange: (listener: () => void) => () => void
  onConnectionChange: (listener: () => void) => () => void
  /** By a cloud's key or an invitation. */
  join: (text: string, how: HowToJoin) => Promise<void>
  readInvitation: (text: string) => Promise<InvitationOffer>
  invitations: () => InvitationsReport
  invite: (uses: number, lastsMs: number) => Promise<GivenInvitation>
  withdrawInvitation: (id: string) => Promise<void>
  create: (cloud: NewCloud & { phrase?: string | undefined }) => Promise<void>
  info: () => CloudInfo
  /** Of the present cloud. */
  releases: () => Pick<OwnedReleases, 'make' | 'list' | 'revoke'>
  known: () => KnownCloud[]
  /** Of the present cloud. */
  lists: () => Pick<Lists, 'reports' | 'add' | 'remove' | 'read' | 'create' | 'push'>
  renameMachine: (name: string) => Promise<void>
  setPortMapping: (on: boolean) => Promise<void>
  showInvitations: (on: boolean) => Promise<void>
}

export function createCloudService(options: CloudServiceOptions) {
  const { status, machines, connection, onChange } = options
  return {
    status: os.cloud.status.handler(() => status()),
    machines: os.cloud.machines.handler(() => ({ machines: machines() })),
    machine: os.cloud.machine.handler(({ input }) => options.machine(input.machine)),
    watchMachine: os.cloud.watchMachine.handler(({ input, signal }) =>
      snapshots(onChange, () => options.machine(input.machine), signal),
    ),
    watch: os.cloud.watch.handler(({ signal }) =>
      snapshots(onChange, () => ({ status: status(), machines: machines() }), signal),
    ),
    connection: os.cloud.connection.handler(() => connection()),
    watchConnection: os.cloud.watchConnection.handler(({ signal }) =>
      snapshots(options.onConnectionChange, connection, signal),
    ),
    ring: os.cloud.ring.handler(() => options.ring()),
    watchRing: os.cloud.watchRing.handler(({ signal }) =>
      snapshots(options.onRingChange, options.ring, signal),
    ),
    join: os.cloud.join.handler(async ({ input }) => {
      const { cloud, ...how } = input
      await options.join(cloud, how)
      return { cloud: status().cloud }
    }),
    invite: os.cloud.invite.handler(({ input }) => options.invite(input.uses, input.lastsMs)),
    invitations: os.cloud.invitations.handler(() => options.invitations()),
    withdrawInvitation: os.cloud.withdrawInvitation.handler(async ({ input }) => {
      await options.withdrawInvitation(input.id)
      return {}
    }),
    readInvitation: os.cloud.readInvitation.handler(({ input }) =>
      options.readInvitation(input.invitation),
    ),
    create: os.cloud.create.handler(async ({ input }) => {
      await options.create(input)
      const { name, admission } = input
      return { cloud: status().cloud, name, admission }
    }),
    info: os.cloud.info.handler(() => options.info()),
    release: os.cloud.release.handler(({ input }) =>
      options.releases().make(input.name, input.expiresMs),
    ),
    releases: os.cloud.releases.handler(() => ({ releases: options.releases().list() })),
    revokeRelease: os.cloud.revokeRelease.handler(async ({ input }) => ({
      release: await options.releases().revoke(input.release),
    })),
    known: os.cloud.known.handler(() => ({ clouds: options.known() })),
    lists: os.cloud.lists.handler(() => ({ lists: options.lists().reports })),
    addList: os.cloud.addList.handler(({ input: { url, ...more } }) =>
      options.lists().add(url, more),
    ),
    removeList: os.cloud.removeList.handler(async ({ input }) => {
      await options.lists().remove(input.url)
      return {}
    }),
    readList: os.cloud.readList.handler(({ input }) => options.lists().read(input.url)),
    createList: os.cloud.createList.handler(({ input: { url, ...more } }) =>
      options.lists().create(url, more),
    ),
    pushList: os.cloud.pushList.handler(({ input: { url, ...more } }) =>
      options.lists().push(url, more),
    ),
    renameMachine: os.cloud.renameMachine.handler(async ({ input }) => {
      await options.renameMachine(input.name)
      return {}
    }),
    setPortMapping: os.cloud.setPortMapping.handler(async ({ input }) => {
      await options.setPortMapping(input.on)
      return {}
    }),
    showInvitations: os.cloud.showInvitations.handler(async ({ input }) => {
      await options.showInvitations(input.on)
      return {}
    }),
  }
}
