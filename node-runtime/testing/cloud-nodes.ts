// Several machines of one cloud in one process, on a DHT of their own, for tests.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import createTestnet from '@hyperswarm/testnet'
import type { DhtAddress } from 'hyperdht'
import type { OwnerKey } from '../machine/cloud-book.ts'
import { CloudNode } from '../machine/cloud-node.ts'
import type { ReleaseFile } from '../contract/cloud.ts'
import type { Manifest } from '../contract/manifest.ts'
import type { WayName } from '../core/finding/ways-core.ts'
import { cloudIdOf } from '../core/forms/genesis.ts'
import { encodeKey, hash } from '../core/keys.ts'
import { newKeyPair } from '../store/new-keys.ts'
import type { Log } from '../ports/log.ts'
import { sharedJudge } from '../sandbox/schema-judge.ts'
import type { JudgesValues } from '../services/db/judgement.ts'
import { Identity } from '../services/identity/identity.ts'
import { silentLog } from './silent-log.ts'

export { silentLog }

/** Resolves when `check` holds, asked again and again; rejects after `timeoutMs`. */
export async function until(
  check: () => boolean | Promise<boolean>,
  timeoutMs = 20_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${check.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

export const notesManifest: Manifest = {
  manifestVersion: 1,
  id: 'org.example.notes',
  name: 'Notes',
  version: '1.0.0',
  ui: 'ui/index.html',
  permissions: ['db'],
  collections: {
    notes: {
      schema: { type: 'object', required: ['text'], properties: { text: { type: 'string' } } },
      write: 'author',
      maxBytes: 1_000,
    },
    stamps: { schema: {}, write: 'content', maxBytes: 1_000 },
    deals: { schema: {}, write: 'co-signed', maxBytes: 1_000 },
  },
  sessions: {},
}

/** The key of the system of that manifest. */
export const NOTES_KEY = encodeKey(hash(Buffer.from(notesManifest.id)))

export interface TestMachine {
  node: CloudNode
  identity: Identity
  dataDir: string
}

export interface TestMachineOptions {
  /** Of an earlier machine; a new one if absent. */
  dataDir?: string
  log?: Log
  /** It can't find the others. */
  alone?: boolean
  /** By which ways it looks for them; all but the local network if absent. */
  ways?: readonly WayName[]
  /** Its local network: those with the same port of this computer hear each other. */
  lanPort?: number
  /** Look-up lists that it is told of. */
  lists?: readonly string[]
  /** What the machine has of the system Notes now; undefined if it is not installed. */
  notes?: () => Manifest | undefined
  judge?: JudgesValues
  /** The time of day that the machine believes in. */
  now?: () => number
  /** It has the key that speaks for the cloud. */
  ownerKey?: OwnerKey
  /** By which it comes in where releases do. */
  release?: ReleaseFile
  /** Told how the cloud began; the machine knows it from the start if this is absent. */
  learned?: (genesis: string) => void
}

export class TestCloud {
  readonly cloud: string
  /** How the cloud began; clouds of 0.1 have none. */
  readonly genesis: string | null
  readonly #machines: TestMachine[] = []
  readonly #folders: string[] = []
  readonly #testnet: Awaited<ReturnType<typeof createTestnet>>

  private constructor(testnet: Awaited<ReturnType<typeof createTestnet>>, genesis: string | null) {
    this.#testnet = testnet
    this.genesis = genesis
    this.cloud = genesis === null ? encodeKey(newKeyPair().publicKey) : cloudIdOf(genesis)
  }

  static async create({ genesis = null }: { genesis?: string | null } = {}): Promise<TestCloud> {
    return new TestCloud(await createTestnet(4, { host: '127.0.0.1' }), genesis)
  }

  get bootstrap(): readonly DhtAddress[] {
    return this.#testnet.bootstrap
  }

  /** A data folder that is gone when the cloud is closed. */
  async makeFolder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'dharma-test-'))
    this.#folders.push(folder)
    return folder
  }

  /** Where a machine keeps what belongs to this cloud. */
  folderIn(dataDir: string): string {
    return join(dataDir, 'clouds', this.cloud)
  }

  async start(options: TestMachineOptions = {}): Promise<TestMachine> {
    const {
      log = silentLog,
      alone = false,
      judge = sharedJudge(),
      now,
      ways,
      lanPort,
      lists,
    } = options
    const { ownerKey = null, release = null } = options
    const notes = options.notes ?? (() => notesManifest)
    const dataDir = options.dataDir ?? (await this.makeFolder())
    const identity = await Identity.open(dataDir)
    let genesis = options.learned === undefined ? this.genesis : null
    const learned = (body: string): void => {
      genesis = body
      options.learned?.(body)
    }
    const node = await CloudNode.open({
      folder: this.folderIn(dataDir),
      cloud: this.cloud,
      identity,
      kind: 'headless',
      appVersion: '0.0.0',
      systems: {
        resolve: (name) =>
          name === NOTES_KEY || (name === notesManifest.id && notes() !== undefined)
            ? NOTES_KEY
            : null,
        ownerOf: (key) => {
          const manifest = key === NOTES_KEY ? notes() : undefined
          return manifest === undefined ? undefined : { key, formerKeys: [], manifest }
        },
        readFile: () => Promise.reject(new Error('this system has no files')),
      },
      judge,
      genesis: { body: () => genesis, learned },
      originated: false,
      ownerKey,
      release,
      log,
      bootstrap: alone ? [] : this.bootstrap,
      host: '127.0.0.1',
      ...(now === undefined ? {} : { now }),
      ...(ways === undefined ? {} : { ways }),
      ...(lanPort === undefined ? {} : { lanPort }),
      ...(lists === undefined ? {} : { lists: lists.map((url) => ({ url })) }),
    })
    const machine = { node, identity, dataDir }
    this.#machines.push(machine)
    return machine
  }

  /** The DHT is no more; whoever has no other way is lost. */
  async endDht(): Promise<void> {
    await this.#testnet.destroy()
  }

  async stop(machine: TestMachine): Promise<void> {
    this.#machines.splice(this.#machines.indexOf(machine), 1)
    await machine.node.close()
  }

  async close(): Promise<void> {
    await Promise.all(this.#machines.map(({ node }) => node.close()))
    await this.#testnet.destroy()
    await Promise.all(this.#folders.map((folder) => rm(folder, { recursive: true, force: true })))
  }
}
