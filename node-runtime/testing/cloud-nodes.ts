// Several machines of one cloud in one process, on a DHT of their own, for tests.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import createTestnet from '@hyperswarm/testnet'
import { CloudNode } from '../machine/cloud-node.ts'
import type { Manifest } from '../contract/manifest.ts'
import { encodeKey, hash, keyPair } from '../core/keys.ts'
import type { Log } from '../ports/log.ts'
import { sharedJudge } from '../sandbox/schema-judge.ts'
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

export class TestCloud {
  readonly cloud = encodeKey(keyPair().publicKey)
  readonly #machines: TestMachine[] = []
  readonly #folders: string[] = []
  readonly #testnet: Awaited<ReturnType<typeof createTestnet>>

  private constructor(testnet: Awaited<ReturnType<typeof createTestnet>>) {
    this.#testnet = testnet
  }

  static async create(): Promise<TestCloud> {
    return new TestCloud(await createTestnet(4, { host: '127.0.0.1' }))
  }

  /**
   * A machine with a new data folder, or the one of an earlier machine.
   * @param options.alone  it can't find the others
   */
  async start(
    options: { dataDir?: string; log?: Log; alone?: boolean } = {},
  ): Promise<TestMachine> {
    const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'dharma-test-')))
    this.#folders.push(dataDir)
    const identity = await Identity.open(dataDir)
    const node = await CloudNode.open({
      folder: join(dataDir, 'clouds', this.cloud),
      cloud: this.cloud,
      identity,
      kind: 'headless',
      appVersion: '0.0.0',
      systems: {
        resolve: (name) => (name === notesManifest.id || name === NOTES_KEY ? NOTES_KEY : null),
        get: (key) => (key === NOTES_KEY ? { manifest: notesManifest } : undefined),
        readFile: () => Promise.reject(new Error('this system has no files')),
      },
      judge: sharedJudge(),
      originated: false,
      log: options.log ?? silentLog,
      bootstrap: options.alone === true ? [] : this.#testnet.bootstrap,
      host: '127.0.0.1',
    })
    const machine = { node, identity, dataDir }
    this.#machines.push(machine)
    return machine
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
