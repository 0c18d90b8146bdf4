// The records of a cloud on this machine, in a local index: the truth, and the only thing that an
// acknowledgement waits for. Row kinds: see `index-rows.ts`.
import { isTooFarAhead } from '../core/db/hybrid-clock.ts'
import { addressKey, replaces } from '../core/db/signed-record.ts'
import type { RecordAddress } from '../core/db/signed-record.ts'
import type { SignedForm } from '../core/forms/signed-form.ts'
import type { Log } from '../ports/log.ts'
import type {
  Acceptance,
  MergedRecord,
  NamedAttestation,
  OrderItem,
  RecordBatch,
  RecordStore,
  ScanRange,
  StoreDamage,
  StoredRecord,
} from '../ports/record-store.ts'
import { EarlyRecords } from './early-records.ts'
import { GroupCommit } from './group-commit.ts'
import { IndexRules } from './index-rules.ts'
import { IndexLevel, mendedMeanwhile } from './index-level.ts'
import type { IndexLevelOptions } from './index-level.ts'
import type { Change } from './index-mending.ts'
import {
  attestationKey,
  decodeForm,
  decodeRow,
  encodeForm,
  kindRange,
  orderChange,
  orderItemOf,
  orderKey,
  recordChange,
  recordKey,
  recordRange,
  seal,
} from './index-rows.ts'
import type { Row } from './index-rows.ts'
import { PendingRecords } from './pending-records.ts'
import type { Pending } from './pending-records.ts'

/**
 * The first chunk of a scan is small, for who wants the first few; each is twice as large as the one
 * before, as they cost less per row. Between two of them others have their turn.
 */
const FIRST_ROWS = 50
const CHUNK_ROWS = 400
/** Places in the order are short, and read by the machine itself. */
const ORDER_ROWS = 1_000
/** Own and others' attestations come with every batch; this many are not written again and again. */
const MAX_REMEMBERED_ATTESTATIONS = 10_000

export interface IndexedRecordsOptions extends IndexLevelOptions {
  /** The id of the cloud whose records these are. */
  cloud: string
  /** The time of day, ms since 1970. */
  nowMs: () => number
}

export class IndexedRecords implements RecordStore {
  readonly #index: IndexLevel
  readonly #early: EarlyRecords
  readonly #commits: GroupCommit
  readonly #pending: PendingRecords
  readonly #nowMs: () => number
  readonly #log: Log
  /** Attestations that are in the index; not all of them. */
  readonly #stored = new Set<string>()
  readonly #mergedListeners = new Set<(records: readonly MergedRecord[]) => void>()
  readonly #damageListeners = new Set<(damage: StoreDamage) => void>()

  private constructor(index: IndexLevel, { nowMs, log }: IndexedRecordsOptions) {
    this.#index = index
    this.#nowMs = nowMs
    this.#log = log
    this.#early = new EarlyRecords(index)
    this.#pending = new PendingRecords((addresses) => this.#load(addresses))
    this.#commits = new GroupCommit({
      write: ({ changes, added, newestVersion }) =>
        index.write(changes, { added, newestVersion: this.#newestWith(newestVersion) }),
      onFailed: () => {
        this.#pending.invalidate()
        this.#early.invalidate()
      },
    })
    index.onDamage = (damage) => {
      this.#pending.invalidate()
      this.#early.invalidate()
      this.#stored.clear()
      this.#commits.failGathered(mendedMeanwhile())
      this.#tell(this.#damageListeners, damage)
    }
  }

  /**
   * Opens or creates the index in a folder, in whatever state it is.
   * @returns what was found damaged; it comes back by reconciling with other machines. And how many
   *   records were put aside, because they do not hold by the rules of this version
   * @throws CloudError FOLDER_IN_USE, DISK_FULL, DISK_FAILED
   */
  static async open(
    options: IndexedRecordsOptions,
  ): Promise<{ store: IndexedRecords; damage: StoreDamage | null; putAside: number }> {
    const { index, damage } = await IndexLevel.open(options)
    try {
      const rules = new IndexRules(index, options.cloud)
      const putAside = await rules.apply(options.progress ?? (() => {}))
      return { store: new IndexedRecords(index, options), damage, putAside }
    } catch (error) {
      await index.close()
      throw error
    }
  }

  get count(): number {
    return this.#index.meta.records
  }

  get newestVersion(): string | undefined {
    return this.#index.meta.newestVersion
  }

  async accept(batch: RecordBatch): Promise<Acceptance> {
    await this.#commits.room()
    const addresses = batch.records.map(({ record }) => addressKey(record.header))
    return this.#pending.with(addresses, (held) => this.#merge(batch, held))
  }

  async write(
    addresses: readonly RecordAddress[],
    prepare: (held: readonly (StoredRecord | undefined)[]) => RecordBatch,
    allowed?: Promise<unknown>,
  ): Promise<Acceptance> {
    // Heard when it is awaited below.
    allowed?.catch(() => undefined)
    await this.#commits.room()
    const write = async (held: readonly Pending[]): Promise<Acceptance> => {
      const batch = prepare(held.map((each) => each.held))
      const of = new Map(held.map((each) => [each.address, each]))
      const places = batch.records.map(({ record }) => {
        const place = of.get(addressKey(record.header))
        if (place === undefined) throw new TypeError('a record of an address that was not named')
        return place
      })
      return this.#merge(batch, places)
    }
    return this.#pending.with(addresses.map(addressKey), write, allowed)
  }

  async setVerdicts(judged: readonly StoredRecord[]): Promise<number> {
    await this.#commits.room()
    const addresses = judged.map(({ record }) => addressKey(record.header))
    return this.#pending.with(addresses, async (held) => {
      const changes: Change[] = []
      judged.forEach((each, at) => {
        const place = held[at]
        if (place?.held === undefined || !isSame(place.held, itemOf(each))) return
        place.held = each
        changes.push(recordChange(place.address, each))
      })
      if (changes.length > 0) await this.#commits.stage({ changes, added: 0 }, () => {})
      return changes.length
    })
  }

  async releaseDue(): Promise<Acceptance> {
    await this.#commits.room()
    // One time for all of it: for a clock that was set back meanwhile they would be early again.
    const nowMs = this.#nowMs()
    const due = await this.#early.due(nowMs)
    const batch = { records: due.map(({ stored }) => stored) }
    const addresses = batch.records.map(({ record }) => addressKey(record.header))
    return this.#pending.with(addresses, (held) =>
      this.#merge(batch, held, {
        nowMs,
        finish: () => due.map(({ key }) => this.#early.remove(key)),
      }),
    )
  }

  async get(address: RecordAddress): Promise<StoredRecord | undefined> {
    const row = await this.#index.get(recordKey(addressKey(address)))
    return row === undefined ? undefined : decodeRow(row)
  }

  async ofId(system: string, collection: string, id: string): Promise<StoredRecord[]> {
    const found: StoredRecord[] = []
    for await (const row of this.#rows(recordRange(system, { collection, id }))) {
      found.push(decodeRow(row.value))
    }
    return found
  }

  async *scan({
    system,
    collection,
    prefix = '',
    after,
  }: ScanRange): AsyncGenerator<StoredRecord[], void> {
    const range = recordRange(system, {
      collection,
      prefix,
      ...(after === undefined ? {} : { after }),
    })
    for await (const rows of this.#chunks(range, FIRST_ROWS)) {
      const stored = rows.map(({ value }) => decodeRow(value))
      const within = stored.filter(({ record }) => record.header.id.startsWith(prefix))
      if (within.length > 0) yield within
      const last = stored.at(-1)?.record.header.id ?? ''
      if (!last.startsWith(prefix) && last > prefix) return
    }
  }

  async *ofSystem(system: string): AsyncGenerator<StoredRecord, void> {
    for await (const row of this.#rows(recordRange(system))) yield decodeRow(row.value)
  }

  async byId32(items: readonly OrderItem[]): Promise<(StoredRecord | undefined)[]> {
    const places = await this.#index.getMany(items.map((item) => orderKey('order', item)))
    const keys = places.flatMap((place) =>
      place === undefined ? [] : [recordKey(place.toString('utf8'))],
    )
    const rows = (await this.#index.getMany(keys)).values()
    return places.map((place, at) => {
      const row = place === undefined ? undefined : rows.next().value
      const stored = row === undefined ? undefined : decodeRow(row)
      // Meanwhile another may have taken its place.
      return stored !== undefined && isSame(stored, items[at]) ? stored : undefined
    })
  }

  async *order(from?: OrderItem): AsyncGenerator<OrderItem[], void> {
    const range = kindRange('order')
    if (from !== undefined) range.gte = orderKey('order', from)
    for await (const rows of this.#chunks(range, ORDER_ROWS)) {
      yield rows.map(({ key }) => orderItemOf(key))
    }
  }

  async attestation(hash: string): Promise<SignedForm | undefined> {
    const row = await this.#index.get(attestationKey(hash))
    return row === undefined ? undefined : decodeForm(row)
  }

  onMerged(listener: (records: readonly MergedRecord[]) => void): () => void {
    this.#mergedListeners.add(listener)
    return () => this.#mergedListeners.delete(listener)
  }

  onDamage(listener: (damage: StoreDamage) => void): () => void {
    this.#damageListeners.add(listener)
    return () => this.#damageListeners.delete(listener)
  }

  async close(): Promise<void> {
    await this.#commits.idle()
    await this.#index.close()
  }

  async #load(addresses: readonly string[]): Promise<(StoredRecord | undefined)[]> {
    await this.#index.recover()
    // Both are invalidated together: who has records that are not stale has these sizes as well.
    await this.#early.ready()
    const rows = await this.#index.getMany(addresses.map(recordKey))
    return rows.map((row) => (row === undefined ? undefined : decodeRow(row)))
  }

  /** Decides at once what becomes of each record; resolves when that is on the disk. */
  async #merge(
    { records, attestations = [] }: RecordBatch,
    places: readonly Pending[],
    {
      nowMs = this.#nowMs(),
      finish = () => [],
    }: { nowMs?: number; finish?: () => readonly Change[] } = {},
  ): Promise<Acceptance> {
    const merged: MergedRecord[] = []
    const changed = new Set<Pending>()
    const waiting = new Set<Promise<void>>()
    const changes: Change[] = []
    const acceptance = { merged, known: 0, outdated: 0, early: 0, refused: 0 }
    const early: StoredRecord[] = []
    let added = 0
    records.forEach((stored, at) => {
      const place = places[at] as Pending
      const { record } = stored
      if (isTooFarAhead(record.header.version, nowMs)) {
        changes.push(...this.#early.put(stored))
        early.push(stored)
        return
      }
      const before = place.held
      if (before !== undefined && !replaces(record, before.record)) {
        acceptance[isSame(before, itemOf(stored)) ? 'known' : 'outdated']++
        if (place.written !== null) waiting.add(place.written)
        return
      }
      if (before === undefined) added++
      else changes.push({ type: 'del', key: orderKey('order', itemOf(before)) })
      changes.push(recordChange(place.address, stored))
      changes.push(orderChange(itemOf(stored), place.address))
      merged.push(before === undefined ? stored : { ...stored, superseded: itemOf(before) })
      place.held = stored
      changed.add(place)
    })
    // Those due first have the room, so that one may have lost it to another of the batch.
    for (const each of early) acceptance[this.#early.has(each) ? 'early' : 'refused']++
    changes.push(...this.#newAttestations(attestations), ...finish())
    if (changes.length > 0) {
      const newestVersion = merged.map(({ record }) => record.header.version).reduce(later, '')
      const written = this.#commits.stage({ changes, added, newestVersion }, () => {
        for (const { hash } of attestations) this.#stored.add(hash)
        if (merged.length > 0) this.#tell(this.#mergedListeners, merged)
      })
      for (const place of changed) place.written = written
      waiting.add(written)
    }
    await Promise.all(waiting)
    return acceptance
  }

  #newAttestations(attestations: readonly NamedAttestation[]): Change[] {
    if (this.#stored.size > MAX_REMEMBERED_ATTESTATIONS) this.#stored.clear()
    return attestations
      .filter(({ hash }) => !this.#stored.has(hash))
      .map(({ hash, form }) => {
        const key = attestationKey(hash)
        return { type: 'put', key, value: seal(key, encodeForm(form)) }
      })
  }

  #newestWith(version: string | undefined): string | undefined {
    const newest = later(this.newestVersion ?? '', version ?? '')
    return newest === '' ? undefined : newest
  }

  /** One that throws harms nobody. */
  #tell<T>(listeners: ReadonlySet<(news: T) => void>, news: T): void {
    for (const listener of listeners) {
      try {
        listener(news)
      } catch (error) {
        this.#log.error('who listens to the records failed', { error })
      }
    }
  }

  async *#rows(range: { gte: Buffer; lt: Buffer }): AsyncGenerator<Row, void> {
    for await (const rows of this.#chunks(range, FIRST_ROWS)) yield* rows
  }

  /** A chunk at a time, with nothing kept open in between. */
  async *#chunks(
    { gte, lt }: { gte: Buffer; lt: Buffer },
    firstRows: number,
  ): AsyncGenerator<Row[], void> {
    for (
      let limitRows = firstRows;
      ;
      limitRows = Math.max(firstRows, Math.min(2 * limitRows, CHUNK_ROWS))
    ) {
      const rows = await this.#index.rows({ gte, lt }, limitRows)
      const last = rows.at(-1)
      if (last === undefined) return
      yield rows
      gte = Buffer.concat([last.key, Buffer.alloc(1)])
    }
  }
}

function itemOf({ record }: StoredRecord): OrderItem {
  return { version: record.header.version, id32: record.id32 }
}

function isSame(one: StoredRecord, item: OrderItem | undefined): boolean {
  return (
    item !== undefined &&
    one.record.header.version === item.version &&
    Buffer.compare(one.record.id32, item.id32) === 0
  )
}

function later(one: string, other: string): string {
  return one > other ? one : other
}
