// What sealed cores are here, without opening any: for quotas, and for what may be served.
import * as z from 'zod'
import type { Log } from '../ports/log.ts'
import type { SealedEntry } from './sealed-core.ts'
import { SmallLevel } from './small-level.ts'

const entrySchema = z.object({
  blocks: z.number().int(),
  sizeBytes: z.number().int(),
  complete: z.boolean(),
})
type StoredEntry = z.infer<typeof entrySchema>

export class SealedList {
  readonly #level: SmallLevel<StoredEntry>
  readonly #entries: Map<string, SealedEntry>

  private constructor(level: SmallLevel<StoredEntry>, entries: Map<string, SealedEntry>) {
    this.#level = level
    this.#entries = entries
  }

  /** A list that can't be read begins anew; what it misses is entered again by who has the cores. */
  static async open(folder: string, log: Log): Promise<SealedList> {
    const entries = new Map<string, SealedEntry>()
    const level = await SmallLevel.open<StoredEntry>(folder, 'json', log, async (opened) => {
      for await (const [key, value] of opened.iterator()) {
        entries.set(key, { key, ...entrySchema.parse(value) })
      }
    })
    return new SealedList(level, entries)
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
    await this.#level.write((level) => level.put(key, value, { sync: true }))
    this.#entries.set(key, { key, ...value })
  }

  async remove(key: string): Promise<void> {
    await this.#level.write((level) => level.del(key))
    this.#entries.delete(key)
  }

  close(): Promise<void> {
    return this.#level.close()
  }
}
