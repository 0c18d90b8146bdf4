// Which clouds this machine knows, which one it is in, and the keys of those it originated.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import type { CloudNotice, KnownCloud } from '../contract/cloud.ts'
import { readCloudKey } from '../contract/cloud-key.ts'
import { CloudError } from '../contract/errors.ts'
import { keySchema } from '../contract/values.ts'
import { cloudIdOf, genesisBody, openGenesis } from '../core/forms/genesis.ts'
import { decodeKey, encodeKey, fromHex, toHex } from '../core/keys.ts'
import type { NewCloud } from '../services/cloud/cloud-service.ts'
import { SerialQueue } from '../flow/serial-queue.ts'
import { newKeyPair } from '../store/new-keys.ts'
import { readJsonFile, writeJsonFile } from '../store/json-file.ts'

/**
 * Zero bits of the work in a new cloud that is open to all: a fifth of a second of a processor for each machine,
 * once.
 */
const WORK_BITS = 16

/** Of a folder that has none, where nobody chose. */
const FIRST_CLOUD: NewCloud = { name: '', admission: 'open' }

const fileSchema = z.object({
  current: keySchema,
  clouds: z.record(
    keySchema,
    z.object({
      originated: z.boolean(),
      /** Of a cloud that this machine originated: belongs to the first key in its genesis. */
      secretKey: z.string().optional(),
      /** How the cloud began; its hash is the cloud's id. Learned from whoever has it. */
      genesis: z.string().optional(),
    }),
  ),
})
type CloudFile = z.infer<typeof fileSchema>
type CloudEntry = CloudFile['clouds'][string]

export interface CloudBookOptions {
  /** To be joined. */
  cloud?: string
  /** Where a folder begins that has no cloud yet. */
  home?: string
  /** Told what the person should know. */
  say?: (notice: CloudNotice) => void
}

/** A key that speaks for a cloud: the first one of its genesis. */
export interface OwnerKey {
  publicKey: string
  secretKey: Uint8Array
}

/** @throws CloudError CLOUD_KEY_INVALID */
export function parseCloudKey(text: string): string {
  const read = readCloudKey(text)
  if ('key' in read) return read.key
  throw new CloudError('CLOUD_KEY_INVALID', read.fault, { length: read.length })
}

export class CloudBook {
  readonly #path: string
  /** Each change begins with what the one before has written: no key is lost to one that was under way. */
  readonly #changes = new SerialQueue()
  #file: CloudFile

  private constructor(path: string, file: CloudFile) {
    this.#path = path
    this.#file = file
  }

  /**
   * The folder's cloud, or the one that is wanted; a new one that this machine originates if there is none. A
   * folder that has clouds and no list of them gets back the one it has.
   * @throws CloudError CLOUD_KEY_INVALID, DATA_DAMAGED
   */
  static async open(dataDir: string, options: CloudBookOptions = {}): Promise<CloudBook> {
    const { say = () => {}, home } = options
    const path = join(dataDir, 'cloud.json')
    const wanted = options.cloud === undefined ? undefined : parseCloudKey(options.cloud)
    const known = await readJsonFile(path, fileSchema, {
      evenIfGone: true,
      onFallback: (message) => say({ code: 'FILE_MENDED', message }),
    })
    if (known !== null) {
      const book = new CloudBook(path, known)
      if (wanted !== undefined) await book.choose(wanted)
      return book
    }
    const found = await cloudsIn(dataDir)
    const first = wanted ?? (found.length === 0 ? home : undefined)
    const file =
      found.length === 0 && first === undefined ? begun(FIRST_CLOUD) : listed(found, first)
    if (found.length > 0) {
      say({
        code: 'CLOUD_REOPENED',
        message:
          'The list of clouds was lost (cloud.json). The clouds whose records are in the data folder ' +
          'were opened again. If this machine began one of them, it has no longer the key to speak for it.',
      })
    }
    await writeJsonFile(path, file)
    return new CloudBook(path, file)
  }

  /**
   * Begins a cloud and makes it the current one of a folder. Answers with its id.
   * @throws CloudError DATA_DAMAGED
   */
  static async begin(dataDir: string, cloud: NewCloud): Promise<string> {
    const path = join(dataDir, 'cloud.json')
    const known = await readJsonFile(path, fileSchema, { evenIfGone: true })
    if (known === null && (await cloudsIn(dataDir)).length === 0) {
      const file = begun(cloud)
      await writeJsonFile(path, file)
      return file.current
    }
    const book = await CloudBook.open(dataDir)
    const id = await book.create(cloud)
    await book.choose(id)
    return id
  }

  get current(): string {
    return this.#file.current
  }

  get originated(): boolean {
    return this.isOriginated(this.#file.current)
  }

  /** All clouds that this machine has been in, the first one first. */
  get known(): KnownCloud[] {
    const { current, clouds } = this.#file
    return Object.entries(clouds).map(([cloud, { originated }]) => ({
      cloud,
      originated,
      current: cloud === current,
    }))
  }

  /** Did this machine begin that cloud? */
  isOriginated(cloud: string): boolean {
    return this.#file.clouds[cloud]?.originated ?? false
  }

  /** How a cloud began, if this machine has heard that. Clouds of 0.1 have no genesis. */
  genesisOf(cloud: string): string | undefined {
    return this.#file.clouds[cloud]?.genesis
  }

  /**
   * Keeps how a cloud began, as another machine or a release told; a false genesis changes nothing. A cloud
   * that was not known is known from then on.
   */
  async learnGenesis(cloud: string, body: string): Promise<void> {
    if (openGenesis(body, cloud) === null) return
    await this.#change((file) => {
      const entry = file.clouds[cloud] ?? { originated: false }
      return entry.genesis === undefined ? kept(file, cloud, { ...entry, genesis: body }) : file
    })
  }

  /** The key by which this machine speaks for a cloud; null if it did not begin it, or lost the key. */
  ownerKeyOf(cloud: string): OwnerKey | null {
    const { secretKey, genesis } = this.#file.clouds[cloud] ?? {}
    if (secretKey === undefined || genesis === undefined) return null
    const [publicKey] = openGenesis(genesis, cloud)?.keys ?? []
    return publicKey === undefined ? null : { publicKey, secretKey: fromHex(secretKey) }
  }

  /** Begins a cloud, and keeps its key. It is not the current one yet. Answers with its id. */
  async create(cloud: NewCloud): Promise<string> {
    const { id, entry } = originate(cloud)
    await this.#change((file) => kept(file, id, entry))
    return id
  }

  /** Makes a cloud the current one. */
  async choose(cloud: string): Promise<void> {
    await this.#change((file) => (cloud === file.current ? file : chosen(file, cloud)))
  }

  #change(change: (file: CloudFile) => CloudFile): Promise<void> {
    return this.#changes.run(async () => {
      const file = change(this.#file)
      if (file === this.#file) return
      await writeJsonFile(this.#path, file)
      this.#file = file
    })
  }
}

/** The clouds that a data folder has records of. */
async function cloudsIn(dataDir: string): Promise<string[]> {
  try {
    const names = await readdir(join(dataDir, 'clouds'))
    return names.filter((name) => decodeKey(name) !== null).sort()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** @throws CloudError DATA_DAMAGED if it can't be told which one is meant */
function listed(found: readonly string[], wanted: string | undefined): CloudFile {
  const [only] = found
  const current = wanted ?? only
  if (current === undefined || (wanted === undefined && found.length > 1)) {
    throw new CloudError(
      'DATA_DAMAGED',
      'The list of clouds is gone (cloud.json), and the data folder has records of several. ' +
        `Start again with --cloud and the key of the one you mean: ${found.join(', ')}.`,
      { clouds: found },
    )
  }
  const clouds = Object.fromEntries([...found, current].map((key) => [key, { originated: false }]))
  return { current, clouds }
}

function kept(file: CloudFile, cloud: string, entry: CloudEntry): CloudFile {
  return { ...file, clouds: { ...file.clouds, [cloud]: entry } }
}

function chosen(file: CloudFile, cloud: string): CloudFile {
  const entry = file.clouds[cloud] ?? { originated: false }
  return { current: cloud, clouds: { ...file.clouds, [cloud]: entry } }
}

function begun(cloud: NewCloud): CloudFile {
  const { id, entry } = originate(cloud)
  return { current: id, clouds: { [id]: entry } }
}

function originate({ name, admission: kind }: NewCloud): { id: string; entry: CloudEntry } {
  const { publicKey, secretKey } = newKeyPair()
  const genesis = genesisBody({
    name,
    admission: kind === 'open' ? { kind, work: WORK_BITS } : { kind },
    keys: [encodeKey(publicKey)],
    nonce: toHex(globalThis.crypto.getRandomValues(new Uint8Array(16))),
  })
  return {
    id: cloudIdOf(genesis),
    entry: { originated: true, secretKey: toHex(secretKey), genesis },
  }
}
