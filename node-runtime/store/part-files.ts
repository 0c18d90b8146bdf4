// Bytes that are found by their hash, as files of one folder: rules and transcripts, which those keep
// who have a result. When there is no room left, `core/sessions/part-shares.ts` says what goes. Beside
// `<hash>` lies an empty file `<hash>.<owner>` for each whose share it counts to.
import { readdir, readFile, rename, rm, stat, utimes, writeFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { CloudError } from '../contract/errors.ts'
import { PartShares } from '../core/sessions/part-shares.ts'
import { KeyedQueue } from '../flow/keyed-queue.ts'

/** A machine's share of the history of games: some 20,000 games of usual length. */
const QUOTA_BYTES = 256 * 1024 * 1024
/** What a file takes on the disk however small it is: so the quota limits how many there are, too. */
const LEAST_FILE_BYTES = 4096
/** Files whose sizes are asked for at a time at the start. */
const READ_AT_ONCE = 64
/** The share of what no person has brought here: what was looked at, and the rules of what is installed. */
export const NOBODY = 'nobody'
const NAME = /^([0-9a-f]{64})(?:\.([a-z0-9]{52}|nobody))?$/

export class PartFiles {
  readonly #folder: string
  readonly #quotaBytes: number
  readonly #shares = new PartShares()
  /** What happens to one part happens in turn. */
  readonly #turns = new KeyedQueue()
  readonly #writes = new Set<Promise<void>>()
  #closed = false

  private constructor(folder: string, quotaBytes: number) {
    this.#folder = folder
    this.#quotaBytes = quotaBytes
  }

  static async open(folder: string, quotaBytes = QUOTA_BYTES): Promise<PartFiles> {
    await mkdir(folder, { recursive: true })
    const files = new PartFiles(folder, quotaBytes)
    await files.#read()
    return files
  }

  /** The bytes, unchecked; null if they are not here. */
  async get(hash: string): Promise<Uint8Array | null> {
    if (!this.#shares.has(hash)) return null
    return this.#turns.run(hash, async () => {
      try {
        const path = join(this.#folder, hash)
        const bytes = await readFile(path)
        const now = new Date()
        await utimes(path, now, now)
        this.#shares.use(hash)
        return bytes
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
        const owners = this.#shares.ownersOf(hash)
        this.#shares.forget(hash)
        await this.#tidy(hash, owners)
        return null
      }
    })
  }

  /**
   * Keeps the bytes, as far as the owner's share has room. They are on the disk when the promise
   * resolves; a crash leaves all or nothing.
   * @param owner  a person's key, or `NOBODY`
   */
  put(hash: string, bytes: Uint8Array, owner: string): Promise<void> {
    return this.#write(() => this.#putNow(hash, bytes, owner))
  }

  /** Counts what is here to one share more, so that it stays as long as that one has room. */
  async claim(hash: string, owner: string): Promise<void> {
    if (!this.#shares.has(hash)) return
    await this.#write(() => this.#turns.run(hash, () => this.#claimNow(hash, owner)))
  }

  async remove(hash: string): Promise<void> {
    const owners = this.#shares.ownersOf(hash)
    this.#shares.forget(hash)
    await this.#write(() => this.#turns.run(hash, () => this.#tidy(hash, owners)))
  }

  /** Waits until what is being written is on the disk. Later writes are refused as cancelled. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.allSettled(this.#writes)
  }

  async #write(deed: () => Promise<void>): Promise<void> {
    if (this.#closed) throw new CloudError('CANCELLED', 'This machine is leaving the cloud.')
    const writing = deed()
    this.#writes.add(writing)
    try {
      await writing
    } finally {
      this.#writes.delete(writing)
    }
  }

  async #putNow(hash: string, bytes: Uint8Array, owner: string): Promise<void> {
    await this.#turns.run(hash, async () => {
      if (this.#shares.has(hash)) return this.#claimNow(hash, owner)
      const path = join(this.#folder, hash)
      await writeFile(`${path}.new`, bytes, { flush: true })
      // Before the bytes: these are never without an owner.
      await writeFile(`${path}.${owner}`, '')
      await rename(`${path}.new`, path)
      this.#count(hash, bytes.length)
      this.#shares.claim(hash, owner)
    })
    for (;;) {
      const given = this.#shares.giveWay(this.#quotaBytes, owner)
      if (given === null) return
      await this.#turns.run(given.hash, () => this.#tidy(given.hash, [given.owner]))
    }
  }

  #count(hash: string, sizeBytes: number): void {
    this.#shares.add(hash, Math.max(sizeBytes, LEAST_FILE_BYTES))
  }

  async #claimNow(hash: string, owner: string): Promise<void> {
    if (!this.#shares.claim(hash, owner)) return
    await writeFile(join(this.#folder, `${hash}.${owner}`), '')
  }

  /** Removes what does not count any more: the claims of these, and the bytes without any. */
  async #tidy(hash: string, owners: readonly string[]): Promise<void> {
    const path = join(this.#folder, hash)
    const claimed = this.#shares.ownersOf(hash)
    if (claimed.length === 0) await rm(path, { force: true })
    for (const owner of owners) {
      if (!claimed.includes(owner)) await rm(`${path}.${owner}`, { force: true })
    }
  }

  async #read(): Promise<void> {
    const hashes: string[] = []
    const owners = new Map<string, string[]>()
    for (const name of await readdir(this.#folder)) {
      const path = join(this.#folder, name)
      const [, hash, owner] = NAME.exec(name) ?? []
      // Left by a write that did not come to its end.
      if (hash === undefined) await rm(path, { force: true })
      else if (owner !== undefined) owners.set(hash, [...(owners.get(hash) ?? []), owner])
      else hashes.push(hash)
    }
    const found: { hash: string; sizeBytes: number; usedMs: number }[] = []
    for (let i = 0; i < hashes.length; i += READ_AT_ONCE) {
      const read = hashes.slice(i, i + READ_AT_ONCE).map(async (hash) => {
        const { size, mtimeMs } = await stat(join(this.#folder, hash))
        return { hash, sizeBytes: size, usedMs: mtimeMs }
      })
      found.push(...(await Promise.all(read)))
    }
    found.sort((a, b) => a.usedMs - b.usedMs)
    for (const { hash, sizeBytes } of found) {
      this.#count(hash, sizeBytes)
      for (const owner of owners.get(hash) ?? []) this.#shares.claim(hash, owner)
      // Of a version that knew no shares.
      if (!owners.has(hash)) await this.#claimNow(hash, NOBODY)
    }
    for (const [hash, names] of owners) await this.#tidy(hash, names)
  }
}
