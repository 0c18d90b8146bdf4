// What sealed cores are here, without opening any: for quotas, and for what may be served.
import { rm } from 'node:fs/promises'
import { ClassicLevel } from 'classic-level'
import * as z from 'zod'
import type { Log } from '../ports/log.ts'
import type { SealedEntry } from './sealed-core.ts'

const entrySchema = z.object({
  blocks: z.number().int(),
  sizeBytes: z.number().int(),
  complete: z.boolean(),
})
type StoredEntry = z.infer<typeof entrySchema>

export class SealedList {
  readonly #level: ClassicLevel<string, StoredEntry>
  readonly #entries = new Map<string, SealedEntry>()

  private constructor(level: ClassicLevel<string, StoredEntry>) {
    this.#level = level
  }

  /** A list that can't be read begins anew; what it misses is entered again by who has the cores. */
  static async open(folder: string, log: Log): Promise<SealedList> {
    try {
      return await SealedList.#read(folder)
    } catch (error) {
      log.warn('the list of sealed cores begins anew', { folder, error })
      await rm(folder, { recursive: true, force: true })
      return SealedList.#read(folder)
    }
  }

  static async #read(folder: string): Promise<SealedList> {
    const level = new ClassicLevel<string, StoredEntry>(folder, { valueEncoding: 'json' })
    await level.open()
    const list = new SealedList(level)
    try {
      for await (const [key, value] of level.iterator()) {
        list.#entries.set(key, { key, ...entrySchema.parse(value) })
      }
    } catch (error) {
      await level.close()
      throw error
    }
    return list
  }

  entries(): SealedEntry[] {
    return [...this.#entries.values()]
  }

  get(key: string): SealedEntry | undefined {
    return this.#entries.get(key)
  }

  get totalBytes(): number {
    let sizeBytes = 0
    for (const entry of this.#entries.values()) sizeBytes += entry.sizeBytes
    return sizeBytes
  }

  async put({ key, ...value }: SealedEntry): Promise<void> {
    await this.#level.put(key, value, { sync: true })
    this.#entries.set(key, { key, ...value })
  }

  async remove(key: string): Promise<void> {
    await this.#level.del(key)
    this.#entries.delete(key)
  }

  close(): Promise<void> {
    return this.#level.close()
  }
}
