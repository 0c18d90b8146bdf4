// Machines of one cloud that have sessions, in one process, on a DHT of their own, for tests.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import createTestnet from '@hyperswarm/testnet'
import { manifestSchema } from '../contract/manifest.ts'
import type { Manifest } from '../contract/manifest.ts'
import type { SessionDescriptor } from '../contract/sessions.ts'
import { encodeKey } from '../core/keys.ts'
import { newKeyPair } from '../store/new-keys.ts'
import { signMachineForm } from '../core/forms/machine-form.ts'
import { SessionLogs } from '../store/session-logs.ts'
import type { SeatLog } from '../store/session-logs.ts'
import { PROTOCOL } from '../swarm/capabilities.ts'
import { Swarm } from '../swarm/swarm.ts'
import { silentLog } from './silent-log.ts'
import { MemoryRecords } from './memory-records.ts'
import { Identity } from '../services/identity/identity.ts'
import type { SessionRecords } from '../services/sessions/results.ts'
import { Sessions } from '../services/sessions/sessions.ts'
import type { SessionsOptions } from '../services/sessions/sessions.ts'

const EXTENSION = new URL('../../extensions/event-games/', import.meta.url)

export const gamesManifest: Manifest = manifestSchema.parse({
  manifestVersion: 1,
  id: 'org.example.games',
  name: 'Games',
  version: '1.0.0',
  ui: 'ui/index.html',
  permissions: ['sessions'],
  collections: { results: { schema: {}, write: 'author' } },
  sessions: { 'connect-four': { rules: 'rules/connect-four.ts', seats: 2, results: 'results' } },
})

/** What the system was called before, in the place of a former key. */
export const FORMER_GAMES = 'org.example.games-before'

export interface SessionMachine {
  dataDir: string
  identity: Identity
  records: SessionRecords
  /** Those of all persons. */
  cloudRecords: MemoryRecords
  swarm: Swarm
  sessions: Sessions
  /** Aborted as the machine is closed. */
  closing: AbortSignal
  close: () => Promise<void>
}

export interface MachineOptions {
  /** Of an earlier machine. */
  dataDir?: string
  installed?: boolean
  /** The source of the rules, for another version of the system. */
  rules?: string
  /** Makes the machine this person's. */
  phrase?: string
  now?: () => number
  /** Whom it knows to be revoked. */
  revokes?: SessionsOptions['revokes']
}

export class SessionCloud {
  readonly cloud = encodeKey(newKeyPair().publicKey)
  readonly records = new MemoryRecords()
  readonly #machines = new Set<SessionMachine>()
  readonly #folders = new Set<string>()
  readonly #testnet: Awaited<ReturnType<typeof createTestnet>>

  private constructor(testnet: Awaited<ReturnType<typeof createTestnet>>) {
    this.#testnet = testnet
  }

  static async create(): Promise<SessionCloud> {
    return new SessionCloud(await createTestnet(4, { host: '127.0.0.1' }))
  }

  /** A machine with a new data folder, or the one of an earlier machine. */
  async start(options: MachineOptions = {}): Promise<SessionMachine> {
    const { installed = true, rules, phrase, now = Date.now, revokes } = options
    const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'dharma-sessions-')))
    this.#folders.add(dataDir)
    const identity = await Identity.open(dataDir)
    if (phrase !== undefined) await identity.restore(phrase, { forgetPhrase: true })
    const statement = {
      cloud: this.cloud,
      machine: identity.machine,
      attestation: identity.attestationFor(this.cloud),
      name: identity.machineName,
      device: 'headless' as const,
      appVersion: '0.0.0',
      protocol: PROTOCOL,
      sequence: Date.now(),
    }
    const entry = signMachineForm(statement, identity.machineKeys.secretKey)
    const swarm = new Swarm(
      {
        keyPair: identity.machineKeys,
        cloud: this.cloud,
        ownEntry: () => entry,
        log: silentLog,
        bootstrap: this.#testnet.bootstrap,
        host: '127.0.0.1',
      },
      {
        linkOpened: () => {},
        linkClosed: () => {},
        linkDoubted: () => {},
        heartbeat: () => {},
        waysChanged: () => {},
      },
    )
    const records = this.records.of(identity.person)
    const sessions = await Sessions.open({
      cloud: this.cloud,
      folder: join(dataDir, 'sessions'),
      identity,
      network: swarm,
      systems: {
        ownerOf: (key: string) =>
          installed && [gamesManifest.id, FORMER_GAMES].includes(key)
            ? { key: gamesManifest.id, manifest: gamesManifest }
            : undefined,
        readFile: async (_id: string, path: string) =>
          rules === undefined ? readFile(new URL(path, EXTENSION)) : Buffer.from(rules),
      },
      records,
      ...(revokes === undefined ? {} : { revokes }),
      log: silentLog,
      now,
    })
    swarm.start()
    const closing = new AbortController()
    const machine: SessionMachine = {
      dataDir,
      identity,
      records,
      cloudRecords: this.records,
      swarm,
      sessions,
      closing: closing.signal,
      close: async () => {
        closing.abort()
        this.#machines.delete(machine)
        await sessions.close()
        await swarm.close()
      },
    }
    this.#machines.add(machine)
    return machine
  }

  async close(): Promise<void> {
    await Promise.all([...this.#machines].map((machine) => machine.close()))
    await this.#testnet.destroy()
    await Promise.all(
      [...this.#folders].map((folder) => rm(folder, { recursive: true, force: true })),
    )
  }
}

/** A game of Connect Four between two machines' persons; its seed tells it from others. */
export function game(
  seed: string,
  ...seats: SessionMachine[]
): Omit<SessionDescriptor, 'rules'> & { rules?: string } {
  return {
    system: gamesManifest.id,
    kind: 'connect-four',
    seats: seats.map(({ identity }) => identity.person),
    seed,
    options: {},
    context: { event: 'test' },
  }
}

/** Opens the log of a machine's seat behind the back of its (closed) runtime. */
export async function openSeatLog(
  { dataDir }: SessionMachine,
  session: string,
  seat: number,
): Promise<{ log: SeatLog; close: () => Promise<void> }> {
  const logs = await SessionLogs.open({ folder: join(dataDir, 'sessions'), log: silentLog })
  return { log: await logs.openOwn(session, seat), close: () => logs.close() }
}
