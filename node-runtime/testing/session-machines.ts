// @ts-nocheck -- follows the switch of the database
// Machines of one cloud that have sessions, in one process, on a DHT of their own, for tests.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import createTestnet from '@hyperswarm/testnet'
import { manifestSchema } from '../contract/manifest.ts'
import type { Manifest } from '../contract/manifest.ts'
import type { SessionDescriptor } from '../contract/sessions.ts'
import { encodeKey, keyPair } from '../core/keys.ts'
import { signMachineForm } from '../core/forms/machine-form.ts'
import { RecordStore } from '../store/record-store.ts'
import { SessionLogs } from '../store/session-logs.ts'
import type { SeatLog } from '../store/session-logs.ts'
import { PROTOCOL } from '../swarm/capabilities.ts'
import { Swarm } from '../swarm/swarm.ts'
import { silentLog } from './cloud-nodes.ts'
import { Database } from '../services/db/database.ts'
import { Identity } from '../services/identity/identity.ts'
import { Sessions } from '../services/sessions/sessions.ts'

const EXTENSION = new URL('../../extensions/event-games/', import.meta.url)

export const gamesManifest: Manifest = manifestSchema.parse({
  manifestVersion: 1,
  id: 'org.example.games',
  name: 'Games',
  version: '1.0.0',
  ui: 'ui/index.html',
  permissions: ['sessions'],
  collections: { results: { schema: {}, write: 'co-signed' } },
  sessions: { 'connect-four': { rules: 'rules/connect-four.ts', seats: 2, results: 'results' } },
})

export interface SessionMachine {
  dataDir: string
  identity: Identity
  database: Database
  swarm: Swarm
  sessions: Sessions
  close: () => Promise<void>
}

export class SessionCloud {
  readonly #cloud = encodeKey(keyPair().publicKey)
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
  async start(options: { dataDir?: string; installed?: boolean } = {}): Promise<SessionMachine> {
    const { installed = true } = options
    const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'dharma-sessions-')))
    this.#folders.add(dataDir)
    const identity = await Identity.open(dataDir)
    const store = await RecordStore.open(join(dataDir, 'records'), silentLog, Date.now)
    const statement = {
      cloud: this.#cloud,
      machine: identity.machine,
      attestation: identity.attestationFor(this.#cloud),
      name: identity.machineName,
      device: 'headless' as const,
      appVersion: '0.0.0',
      protocol: PROTOCOL,
      sequence: Date.now(),
      dbLog: store.ownLog,
    }
    const entry = signMachineForm(statement, identity.machineKeys.secretKey)
    const swarm = new Swarm(
      {
        keyPair: identity.machineKeys,
        cloud: this.#cloud,
        ownEntry: () => entry,
        log: silentLog,
        bootstrap: this.#testnet.bootstrap,
        host: '127.0.0.1',
      },
      {
        linkOpened: ({ form }) => {
          const { dbLog } = JSON.parse(form.body) as { dbLog: string }
          void store.follow(dbLog)
        },
        linkClosed: () => {},
        heartbeat: () => {},
        dhtChanged: () => {},
      },
    )
    const systems = {
      get: (id: string) =>
        installed && id === gamesManifest.id ? { manifest: gamesManifest } : undefined,
      readFile: (_id: string, path: string) => readFile(new URL(path, EXTENSION)),
    }
    const database = new Database({
      store,
      author: () => ({ person: identity.person, secretKey: identity.personSecretKey }),
      manifestOf: (id) => systems.get(id)?.manifest,
    })
    swarm.onLink((mux) => store.replicate(mux))
    const sessions = await Sessions.open({
      folder: join(dataDir, 'sessions'),
      identity,
      network: swarm,
      systems,
      records: database,
      log: silentLog,
      now: Date.now,
    })
    swarm.start()
    const machine: SessionMachine = {
      dataDir,
      identity,
      database,
      swarm,
      sessions,
      close: async () => {
        this.#machines.delete(machine)
        await sessions.close()
        await swarm.close()
        await store.close()
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

/** A game of Connect Four between two machines; its seed tells it from others. */
export function game(seed: string, ...seats: SessionMachine[]): SessionDescriptor {
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
  const logs = await SessionLogs.open(join(dataDir, 'sessions'))
  return { log: await logs.openOwn(session, seat), close: () => logs.close() }
}
