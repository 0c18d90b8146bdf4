// Records whose version is too far ahead of the clock. They wait one by one, outside the order, and hold
// nothing up; there is room for so many only, and those due first have it.
import { isTooFarAhead } from '../core/db/hybrid-clock.ts'
import type { StoredRecord } from '../ports/record-store.ts'
import type { IndexLevel } from './index-level.ts'
import type { Change } from './index-mending.ts'
import { decodeRow, encodeRow, kindRange, orderItemOf, orderKey, seal } from './index-rows.ts'

/**
 * Honest records come here from clocks that are some minutes off: a few. Whoever sends more than this
 * has them refused; they heal when their time has come.
 */
const MAX_RECORDS = 1_000
const MAX_BYTES = 16_000_000
const CHUNK_ROWS = 100

export class EarlyRecords {
  readonly #index: IndexLevel
  /** By key, hex, so that they sort by version. Null when it has to be read from the index. */
  #sizes: Map<string, number> | null = null
  #reading: Promise<void> | null = null
  #invalidations = 0

  constructor(index: IndexLevel) {
    this.#index = index
  }

  /** To be awaited before `put` and `remove`, again after each `invalidate`. */
  async ready(): Promise<void> {
    while (this.#sizes === null) await (this.#reading ??= this.#read())
  }

  /** Changes that were given did not reach the disk, or something there was lost. */
  invalidate(): void {
    this.#invalidations++
    this.#sizes = null
    this.#reading = null
  }

  /** Does it wait here? */
  has(stored: StoredRecord): boolean {
    return this.#known().has(keyOf(stored).toString('hex'))
  }

  /** The changes by which a record waits here: none if it does already, or if there is no room. */
  put(stored: StoredRecord): Change[] {
    const sizes = this.#known()
    const key = keyOf(stored)
    const name = key.toString('hex')
    if (sizes.has(name)) return []
    const value = encodeRow(stored)
    let bytes = value.length
    for (const size of sizes.values()) bytes += size
    let count = sizes.size + 1
    const evicted: string[] = []
    for (const latest of [...sizes.keys()].sort().reverse()) {
      if (count <= MAX_RECORDS && bytes <= MAX_BYTES) break
      if (latest < name) return []
      evicted.push(latest)
      bytes -= sizes.get(latest) ?? 0
      count--
    }
    for (const each of evicted) sizes.delete(each)
    sizes.set(name, value.length)
    return [
      ...evicted.map((each) => ({ type: 'del' as const, key: Buffer.from(each, 'hex') })),
      { type: 'put', key, value: seal(key, value) },
    ]
  }

  /** Those whose time has come. They stay until `remove`. */
  async due(nowMs: number): Promise<{ key: Buffer; stored: StoredRecord }[]> {
    const due: { key: Buffer; stored: StoredRecord }[] = []
    const names = this.#sizes === null ? null : [...this.#sizes.keys()]
    if (names?.every((name) => isTooFarAhead(versionOf(name), nowMs)) === true) return due
    for await (const { key, value } of this.#rows()) {
      if (isTooFarAhead(orderItemOf(key).version, nowMs)) break
      due.push({ key, stored: decodeRow(value) })
    }
    return due
  }

  remove(key: Buffer): Change {
    this.#known().delete(key.toString('hex'))
    return { type: 'del', key }
  }

  async #read(): Promise<void> {
    const invalidations = this.#invalidations
    try {
      const sizes = new Map<string, number>()
      for await (const { key, value } of this.#rows()) sizes.set(key.toString('hex'), value.length)
      if (invalidations === this.#invalidations) this.#sizes = sizes
    } finally {
      if (invalidations === this.#invalidations) this.#reading = null
    }
  }

  #known(): Map<string, number> {
    if (this.#sizes === null) throw new Error('records that are early were not read')
    return this.#sizes
  }

  async *#rows() {
    const range = kindRange('early')
    for (;;) {
      const rows = await this.#index.rows(range, CHUNK_ROWS)
      yield* rows
      const last = rows.at(-1)
      if (last === undefined) return
      range.gte = Buffer.concat([last.key, Buffer.alloc(1)])
    }
  }
}

function keyOf({ record: { header, id32 } }: StoredRecord): Buffer {
  return orderKey('early', { version: header.version, id32 })
}

function versionOf(name: string): string {
  return orderItemOf(Buffer.from(name, 'hex')).version
}
