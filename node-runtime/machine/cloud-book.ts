// Which clouds this machine knows, which one it is in, and the keys of those it originated.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import type { CloudNotice, KnownCloud } from '../contract/cloud.ts'
import { readCloudKey } from '../contract/cloud-key.ts'
import { CloudError } from '../contract/errors.ts'
import { keySchema } from '../contract/values.ts'
import { cloudIdOf, genesisBody, openGenesis } from '../core/forms/genesis.ts'
import { decodeKey, encodeKey, toHex } from '../core/keys.ts'
import { newKeyPair } from '../store/new-keys.ts'
import { readJsonFile, writeJsonFile } from '../store/json-file.ts'

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

/** @throws CloudError CLOUD_KEY_INVALID */
export function parseCloudKey(text: string): string {
  const read = readCloudKey(text)
  if ('key' in read) return read.key
  throw new CloudError('CLOUD_KEY_INVALID', read.fault, { length: read.length })
}

export class CloudBook {
  readonly #path: string
  #file: CloudFile

  private constructor(path: string, file: CloudFile) {
    this.#path = path
    this.#file = file
  }

  /**
   * The folder's cloud; `join` if given; a new one that this machine originates if there is none. A
   * folder that has clouds and no list of them gets back the one it has.
   * @param say  told what the person should know
   * @throws CloudError CLOUD_KEY_INVALID, DATA_DAMAGED
   */
  static async open(
    dataDir: string,
    join_: string | undefined,
    say: (notice: CloudNotice) => void = () => {},
  ): Promise<CloudBook> {
    const path = join(dataDir, 'cloud.json')
    const wanted = join_ === undefined ? undefined : parseCloudKey(join_)
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
    const file = found.length === 0 && wanted === undefined ? originate() : listed(found, wanted)
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

  /** Keeps the genesis of a cloud that another machine told of; a false one changes nothing. */
  async learnGenesis(cloud: string, body: string): Promise<void> {
    const entry = this.#file.clouds[cloud]
    if (entry === undefined || entry.genesis !== undefined) return
    if (openGenesis(body, cloud) === null) return
    const file = {
      ...this.#file,
      clouds: { ...this.#file.clouds, [cloud]: { ...entry, genesis: body } },
    }
    await writeJsonFile(this.#path, file)
    this.#file = file
  }

  /** Makes a cloud the current one. */
  async choose(cloud: string): Promise<void> {
    if (cloud === this.#file.current) return
    const file = chosen(this.#file, cloud)
    await writeJsonFile(this.#path, file)
    this.#file = file
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

function chosen(file: CloudFile, cloud: string): CloudFile {
  const entry = file.clouds[cloud] ?? { originated: false }
  return { current: cloud, clouds: { ...file.clouds, [cloud]: entry } }
}

function originate(): CloudFile {
  const { publicKey, secretKey } = newKeyPair()
  const genesis = genesisBody({
    name: '',
    admission: { kind: 'link' },
    keys: [encodeKey(publicKey)],
    nonce: toHex(globalThis.crypto.getRandomValues(new Uint8Array(16))),
  })
  const cloud = cloudIdOf(genesis)
  const entry = { originated: true, secretKey: toHex(secretKey), genesis }
  return { current: cloud, clouds: { [cloud]: entry } }
}
