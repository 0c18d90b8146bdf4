// The database of a person on a disk of its own, of any number of persons, in each test of a file: with a system
// that has notes, whose manifest, keys and judge a test may change, on a clock that a test sets.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { manifestSchema } from '../contract/manifest.ts'
import type { Manifest } from '../contract/manifest.ts'
import { HybridClock } from '../core/db/hybrid-clock.ts'
import type { RecordSigner } from '../core/db/signed-record.ts'
import { signAttestation } from '../core/forms/attestation.ts'
import { encodeKey, hash, keyPair } from '../core/keys.ts'
import { Revocations } from '../services/cloud/revocations.ts'
import { Database } from '../services/db/database.ts'
import type { NamedSystem } from '../services/db/database.ts'
import { Judgement, declaredCollection } from '../services/db/judgement.ts'
import type { JudgesValues } from '../services/db/judgement.ts'
import { IndexedRecords } from '../store/indexed-records.ts'
import { silentLog } from './silent-log.ts'

/** The cloud that all of them are in. */
export const CLOUD = encodeKey(hash(Buffer.from('a cloud')))
/** The key of the system that has the notes. */
export const SYSTEM = encodeKey(hash(Buffer.from('a system')))

/** What a note is by the manifest of the start. */
export const text = { type: 'object', required: ['text'], properties: { text: { type: 'string' } } }

/** The system's manifest with this schema of notes. */
export function manifestWith(schema: object): Manifest {
  return manifestSchema.parse({
    manifestVersion: 1,
    id: 'org.example.notes',
    name: 'Notes',
    version: '1.0.0',
    ui: 'ui/index.html',
    permissions: ['db'],
    collections: {
      notes: { schema, maxBytes: 1_000 },
      stamps: { schema: {}, write: 'content' },
      deals: { schema: {}, write: 'co-signed' },
    },
  })
}

/** Knows one schema well enough for these tests, and counts what it is asked. */
class CountingJudge implements JudgesValues {
  asked = 0
  judge(_hash: string, schema: unknown, values: readonly string[]) {
    this.asked += values.length
    const { required = [] } = schema as { required?: string[] }
    return Promise.resolve(
      values.map((value) => {
        const parsed = JSON.parse(value) as Record<string, unknown>
        const missing = required.find((field) => !(field in Object(parsed)))
        return missing === undefined
          ? { ok: true as const }
          : { ok: false as const, errors: [{ at: `#/${missing}`, error: 'is required' }] }
      }),
    )
  }
}

function signerOf(seed: number): RecordSigner {
  const person = keyPair(new Uint8Array(32).fill(seed))
  const machine = keyPair(new Uint8Array(32).fill(seed + 50))
  const attestation = signAttestation(
    {
      person: encodeKey(person.publicKey),
      machine: encodeKey(machine.publicKey),
      cloud: CLOUD,
      sequence: 1,
      expiresMs: 4_000_000_000_000,
    },
    person.secretKey,
  )
  return { cloud: CLOUD, attestation, machineSecretKey: machine.secretKey }
}

export const anna = signerOf(1)
export const ben = signerOf(2)
export const persons = { anna: anna.attestation.person, ben: ben.attestation.person }

/** The databases of the test that runs. Called once in a file, outside of tests. */
export function eachDatabase(): Setting {
  const setting = new Setting()
  beforeEach(() => setting.begin())
  afterEach(() => setting.end())
  return setting
}

class Setting {
  #folder = ''
  nowMs = 0
  manifest = manifestWith(text)
  judge = new CountingJudge()
  /** Of the system as it is installed now: the key, and those that it had before. */
  keys: [present: string, ...former: string[]] = [SYSTEM]
  /** Those that are open, in the order of their opening. */
  readonly stores: IndexedRecords[] = []

  async begin(): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), 'dharma-db-'))
    this.nowMs = 1_790_000_000_000
    this.manifest = manifestWith(text)
    this.judge = new CountingJudge()
    this.keys = [SYSTEM]
  }

  async end(): Promise<void> {
    await Promise.all(this.stores.splice(0).map((store) => store.close()))
    await rm(this.#folder, { recursive: true, force: true })
  }

  /** @param name  of the folder: the same again is the same database */
  async open(author: RecordSigner, name = author.attestation.person): Promise<Database> {
    const nowMs = (): number => this.nowMs
    const { store } = await IndexedRecords.open({
      folder: join(this.#folder, name),
      cloud: CLOUD,
      log: silentLog,
      nowMs,
    })
    this.stores.push(store)
    const clock = new HybridClock(nowMs)
    if (store.newestVersion !== undefined) clock.see(store.newestVersion)
    return new Database({
      cloud: CLOUD,
      store,
      clock,
      judgement: new Judgement(this.judge, (system, collection) =>
        this.keys.includes(system) ? declaredCollection(this.manifest, collection) : undefined,
      ),
      author: () => author,
      revocations: await Revocations.open(CLOUD, store),
      resolveSystem: (reference) => this.#resolve(reference),
      completeness: () => ({
        complete: true,
        setsAnswered: 1,
        setsKnown: 1,
        machinesLinked: 0,
        machinesInStep: 0,
        ageMs: null,
      }),
      log: silentLog,
    })
  }

  #resolve(reference: string): NamedSystem {
    const { manifest, keys } = this
    return reference === manifest.id || keys.includes(reference)
      ? { key: keys[0], formerKeys: keys.slice(1), manifest }
      : { key: encodeKey(hash(Buffer.from(reference))), formerKeys: [], manifest: undefined }
  }
}

/** A note's place, as a caller names it. */
export const noteAt = (id: string) => ({
  system: 'org.example.notes',
  collection: 'notes',
  id,
})
