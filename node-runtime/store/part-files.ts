// Bytes that are found by their hash, as files of one folder: rules and transcripts, which those keep
// who have a result. When there is no room left, what was not used for longest goes.
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A machine's share of the history of games: some 20,000 games of usual length. */
const QUOTA_BYTES = 256 * 1024 * 1024
const NAME = /^[0-9a-f]{64}$/

export class PartFiles {
  readonly #folder: string
  readonly #quotaBytes: number
  /** By hash, in the order of their last use. */
  readonly #sizes: Map<string, number>
  readonly #writing = new Map<string, Promise<void>>()
  #totalBytes = 0

  private constructor(folder: string, quotaBytes: number, sizes: Map<string, number>) {
    this.#folder = folder
    this.#quotaBytes = quotaBytes
    this.#sizes = sizes
    for (const sizeBytes of sizes.values()) this.#totalBytes += sizeBytes
  }

  static async open(folder: string, quotaBytes = QUOTA_BYTES): Promise<PartFiles> {
    await mkdir(folder, { recursive: true })
    const found: { name: string; sizeBytes: number; usedMs: number }[] = []
    for (const name of await readdir(folder)) {
      const path = join(folder, name)
      // Left by a write that did not come to its end.
      if (!NAME.test(name)) await rm(path, { force: true })
      else {
        const { size, mtimeMs } = await stat(path)
        found.push({ name, sizeBytes: size, usedMs: mtimeMs })
      }
    }
    found.sort((a, b) => a.usedMs - b.usedMs)
    const sizes = new Map(found.map(({ name, sizeBytes }) => [name, sizeBytes]))
    return new PartFiles(folder, quotaBytes, sizes)
  }

  /** The bytes, unchecked; null if they are not here. */
  async get(hash: string): Promise<Uint8Array | null> {
    const sizeBytes = this.#sizes.get(hash)
    if (sizeBytes === undefined) return null
    try {
      const path = join(this.#folder, hash)
      const bytes = await readFile(path)
      const now = new Date()
      await utimes(path, now, now)
      this.#sizes.delete(hash)
      this.#sizes.set(hash, sizeBytes)
      return bytes
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      this.#forget(hash)
      return null
    }
  }

  /** Keeps the bytes. They are on the disk when the promise resolves; a crash leaves all or nothing. */
  put(hash: string, bytes: Uint8Array): Promise<void> {
    if (this.#sizes.has(hash)) return Promise.resolve()
    let writing = this.#writing.get(hash)
    if (writing === undefined) {
      writing = this.#write(hash, bytes).finally(() => this.#writing.delete(hash))
      this.#writing.set(hash, writing)
    }
    return writing
  }

  async #write(hash: string, bytes: Uint8Array): Promise<void> {
    const path = join(this.#folder, hash)
    await writeFile(`${path}.new`, bytes, { flush: true })
    await rename(`${path}.new`, path)
    this.#sizes.set(hash, bytes.length)
    this.#totalBytes += bytes.length
    for (const oldest of this.#sizes.keys()) {
      if (this.#totalBytes <= this.#quotaBytes || oldest === hash) break
      await this.remove(oldest)
    }
  }

  async remove(hash: string): Promise<void> {
    this.#forget(hash)
    await rm(join(this.#folder, hash), { force: true })
  }

  #forget(hash: string): void {
    this.#totalBytes -= this.#sizes.get(hash) ?? 0
    this.#sizes.delete(hash)
  }
}
