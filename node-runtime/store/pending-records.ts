// What is held at an address, writes on their way to the disk included: so that a writer sees what
// earlier ones put, without waiting for their sync. An address is here only while somebody needs it.
import type { StoredRecord } from '../ports/record-store.ts'

/** One address. All who hold it see the same, and a write changes it for all. */
export interface Pending {
  readonly address: string
  held: StoredRecord | undefined
  /** While what is held is on its way to the disk. */
  written: Promise<void> | null
}

interface Entry extends Pending {
  users: number
  loaded: Promise<void>
  /** It was read before a write failed; what it says may be wrong. */
  stale: boolean
}

const NOTHING = Promise.resolve()

export type LoadRecords = (
  addresses: readonly string[],
) => Promise<readonly (StoredRecord | undefined)[]>

export class PendingRecords {
  readonly #entries = new Map<string, Entry>()
  readonly #load: LoadRecords
  readonly #unread: Entry[] = []
  #nextRead: Promise<void> | null = null
  #lastRead: Promise<void> = NOTHING

  constructor(load: LoadRecords) {
    this.#load = load
  }

  /**
   * Calls `use` with what is held at the addresses, and keeps them until what it returns is settled.
   * `use` is synchronous up to its promise: what it sees is true while it decides.
   * @param allowed  awaited first, with what is held; its error is thrown
   */
  async with<T>(
    addresses: readonly string[],
    use: (held: readonly Pending[]) => Promise<T>,
    allowed: Promise<unknown> = NOTHING,
  ): Promise<T> {
    for (;;) {
      const entries = this.#take(addresses)
      try {
        await Promise.all(new Set([allowed, ...entries.map(({ loaded }) => loaded)]))
        if (entries.some(({ stale }) => stale)) continue
        return await use(entries)
      } finally {
        for (const entry of entries) this.#release(entry)
      }
    }
  }

  /** What is on its way will not arrive. Everything is read anew. */
  invalidate(): void {
    for (const entry of this.#entries.values()) entry.stale = true
    this.#entries.clear()
  }

  #take(addresses: readonly string[]): Entry[] {
    const missing: Entry[] = []
    const entries = addresses.map((address) => {
      let entry = this.#entries.get(address)
      if (entry === undefined) {
        entry = { address, held: undefined, written: null, users: 0, loaded: NOTHING, stale: false }
        this.#entries.set(address, entry)
        missing.push(entry)
      }
      entry.users++
      return entry
    })
    if (missing.length > 0) {
      this.#unread.push(...missing)
      // One read after the other, each for all who asked meanwhile: cheaper, and writers keep the order
      // in which they came.
      const loaded = (this.#nextRead ??= this.#readAfter(this.#lastRead))
      for (const entry of missing) entry.loaded = loaded
    }
    return entries
  }

  #readAfter(previous: Promise<void>): Promise<void> {
    const read = async (): Promise<void> => {
      const entries = this.#unread.splice(0)
      this.#nextRead = null
      await this.#fill(entries)
    }
    const reading = previous.then(read)
    this.#lastRead = reading.catch(() => {
      // Who asked for it has the error.
    })
    return reading
  }

  async #fill(entries: readonly Entry[]): Promise<void> {
    try {
      const found = await this.#load(entries.map(({ address }) => address))
      entries.forEach((entry, at) => (entry.held = found[at]))
    } catch (error) {
      // Who comes next tries for themselves.
      for (const entry of entries) {
        entry.stale = true
        if (this.#entries.get(entry.address) === entry) this.#entries.delete(entry.address)
      }
      throw error
    }
  }

  #release(entry: Entry): void {
    entry.users--
    if (entry.users === 0 && this.#entries.get(entry.address) === entry) {
      this.#entries.delete(entry.address)
    }
  }
}
