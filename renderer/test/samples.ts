// What a machine, a cloud, a system or a list may say of itself, for tests: alike in all but what a test names.
import { CloudError } from '../../node-runtime/contract/errors.ts'
import type {
  CloudStatus,
  GivenInvitation,
  InvitationOffer,
} from '../../node-runtime/contract/cloud.ts'
import type { ConnectionReport } from '../../node-runtime/contract/connection.ts'
import type { MachineDetails, MachineInfo } from '../../node-runtime/contract/machines.ts'
import type { ListContent, ListReport } from '../../node-runtime/contract/lists.ts'
import type { InstalledSystem, SystemPreview } from '../../node-runtime/contract/systems.ts'

export const SELF_KEY = 'y'.repeat(51) + 'o'
export const OTHER_KEY = 'n'.repeat(51) + 'o'
export const CLOUD_KEY = 'r'.repeat(51) + 'o'
export const PERSON_KEY = 'g'.repeat(51) + 'o'
export const COMMIT = '0123456789abcdef0123456789abcdef01234567'
export const REPOSITORY = 'https://example.org/event-games.git'
export const SYSTEM_KEY = 's'.repeat(51) + 'y'
export const PHRASE = Array.from({ length: 24 }, (_, index) => `word${index + 1}`).join(' ')

export function machine(changes: Partial<MachineInfo>): MachineInfo {
  return {
    machine: SELF_KEY,
    person: PERSON_KEY,
    name: 'Kitchen',
    self: false,
    online: true,
    suspected: false,
    linked: true,
    relayed: false,
    place: null,
    latencyMs: null,
    kind: 'desktop',
    relays: false,
    appVersion: '0.1.0',
    revoked: false,
    lastSeenMs: Date.now(),
    ...changes,
  }
}

export function status(changes: Partial<CloudStatus>): CloudStatus {
  return {
    machine: SELF_KEY,
    cloud: CLOUD_KEY,
    originated: true,
    connections: 0,
    state: 'alone',
    machineName: 'Kitchen',
    machinesKnown: 1,
    machinesOnline: 1,
    machinesEstimated: 1,
    dhtOnline: true,
    startedMs: Date.now(),
    dataDir: '/home/ada/.dharma',
    appVersion: '0.1.0',
    notices: [],
    ...changes,
  }
}

export const PREVIEW: SystemPreview = {
  url: REPOSITORY,
  id: 'org.dharma.event-games',
  key: SYSTEM_KEY,
  publisher: null,
  host: 'org.dharma.event-games',
  name: 'Event Games',
  version: '0.1.0',
  description: 'Tournaments and games between people, found across the cloud.',
  author: { name: 'Ada Byron', email: 'ada@example.org' },
  commit: COMMIT,
  committedMs: Date.now() - 86_400_000,
  message: 'First version',
  sizeBytes: 48_213,
  fileCount: 31,
  icon: null,
  permissions: ['db', 'sessions'],
  collections: {},
  sessions: {},
  installed: null,
  changes: null,
  namesakes: [],
}

export const CONNECTION: ConnectionReport = {
  state: 'alone',
  admission: {
    kind: 'open',
    state: 'in',
    fault: null,
    hearsay: false,
    message: 'Whoever knows the key comes in.',
  },
  ways: (['memory', 'lan', 'list', 'dht'] as const).map((way) => ({
    way,
    state: way === 'dht' ? 'failed' : 'off',
    tookMs: way === 'dht' ? 1_500 : null,
    found: 0,
    reached: 0,
    step: way === 'dht' ? 'NO_NODE' : null,
    message: way === 'dht' ? 'No node of the DHT answered.' : 'It is off.',
  })),
  lists: [],
  links: { direct: 0, relayed: 0 },
  relaying: null,
  nat: 'home',
  addresses: ['192.0.2.7:4000'],
  clock: {
    state: 'unknown',
    skewMs: null,
    machines: 0,
    tickSkewMs: null,
    message: 'No other machine has said yet what time it is.',
  },
  ports: {
    on: true,
    state: 'failed',
    by: null,
    address: null,
    untilMs: null,
    step: 'NO_ANSWER',
    message: 'The router does not answer.',
  },
}

export function installedFrom(
  preview: SystemPreview,
  granted: InstalledSystem['granted'],
): InstalledSystem {
  const { id, key, publisher, name, version, commit, url, author } = preview
  const { permissions, sessions, collections } = preview
  return {
    id,
    key,
    publisher,
    host: preview.host,
    formerKeys: [],
    name,
    version,
    commit,
    url,
    author,
    permissions,
    granted,
    sessions,
    collections,
    schemaHashes: {},
    sizeBytes: preview.sizeBytes,
    installedMs: Date.now(),
    ...(preview.description === undefined ? {} : { description: preview.description }),
  }
}

/** A list that was read a minute ago, and has three machines. */
export function lookUpList(url: string, changes: Partial<ListReport> = {}): ListReport {
  return {
    url,
    kind: 'git',
    keeps: false,
    hasAccess: false,
    state: 'read',
    entries: 3,
    newestMs: Date.now() - 7_200_000,
    newestAgeMs: 7_200_000,
    readMs: Date.now() - 60_000,
    reason: null,
    message: '',
    backup: null,
    ...changes,
  }
}

export const INVITATION: InvitationOffer = {
  cloud: OTHER_KEY,
  name: 'Chess club',
  inviter: { person: PERSON_KEY, name: 'Grace' },
  expiresMs: Date.now() + 7_200_000,
}

/** One that nobody has used. */
export function given(changes: Partial<GivenInvitation> = {}): GivenInvitation {
  return {
    id: '1',
    link: 'dharma:invite/yb3nd',
    code: 'apple river stone cloud seven',
    uses: 1,
    used: 0,
    admitted: [],
    expiresMs: Date.now() + 86_400_000,
    state: 'open',
    ...changes,
  }
}

export function listContent(url: string): ListContent {
  return {
    url,
    entries: 3,
    newest: Date.now(),
    machines: [],
    sequence: 1,
    signer: SELF_KEY,
    backup: null,
    pushed: true,
  }
}

/** Of a machine that is in the list. */
export function detailsOf(
  { machines }: { machines: readonly MachineInfo[] },
  key: string,
): MachineDetails {
  const info = machines.find((one) => one.machine === key)
  if (info === undefined) throw new CloudError('MACHINE_UNKNOWN', 'It is not known here.')
  const { linked, relayed, latencyMs } = info
  return {
    machine: info,
    protocol: { version: 2, capabilities: ['machines/2'] },
    resources: { cores: 4, memoryBytes: 8 * 2 ** 30 },
    addresses: ['192.0.2.9:4000'],
    besideOn: linked ? [0, 2] : [],
    link: linked
      ? {
          dialled: true,
          address: relayed ? null : '192.0.2.9:4000',
          through: relayed ? OTHER_KEY : null,
          openedMs: Date.now() - 180_000,
          latencies: { stretchMs: 5_000, meansMs: [12, 14, null, latencyMs ?? 13] },
        }
      : null,
  }
}
