// The records of a system that had other keys before: what was written under any of them is read as one,
// and of one place the record that wins by the usual order stands for all.
import { replaces } from '../../core/db/signed-record.ts'
import type { RecordAddress } from '../../core/db/signed-record.ts'
import type { RecordStore, ScanRange, StoredRecord } from '../../ports/record-store.ts'

/** A record's place among those of a system, whatever its key was. */
type Place = Omit<RecordAddress, 'system'>

/** A place under each of the keys. */
export function addressesOf(keys: readonly string[], place: Place): RecordAddress[] {
  return keys.map((system) => ({ ...place, system }))
}

/** Of the records at one place, the one that stands for it. */
export function newestOf<R extends StoredRecord | undefined>(held: readonly R[]): R | undefined {
  let newest: R | undefined
  for (const one of held) {
    if (one === undefined) continue
    if (newest === undefined || replaces(one.record, newest.record)) newest = one
  }
  return newest
}

/** Those of some records that count, in their order. */
export type Counting = (stored: readonly StoredRecord[]) => Promise<StoredRecord[]>

/** What stands at a place; a deleted record, too. */
export async function readNewest(
  store: RecordStore,
  keys: readonly string[],
  place: Place,
  counting: Counting,
): Promise<StoredRecord | undefined> {
  const found = await Promise.all(addressesOf(keys, place).map((address) => store.get(address)))
  return newestOf(await counting(found.filter((one) => one !== undefined)))
}

/** What stands at each place of a range, in the order of `RecordStore.scan`, in chunks likewise. */
export async function* scanNewest(
  store: RecordStore,
  keys: readonly string[],
  range: Omit<ScanRange, 'system'>,
  counting: Counting,
): AsyncGenerator<StoredRecord[], void> {
  const lanes = keys.map((system) => new Lane(onlyCounting(store.scan({ ...range, system }))))
  async function* onlyCounting(
    scan: AsyncGenerator<StoredRecord[], void>,
  ): AsyncGenerator<StoredRecord[], void> {
    for await (const chunk of scan) {
      const left = await counting(chunk)
      if (left.length > 0) yield left
    }
  }
  try {
    await Promise.all(lanes.map((lane) => lane.fill()))
    while (lanes.some(({ head }) => head !== undefined)) {
      const chunk = takeWhileFull(lanes)
      if (chunk.length > 0) yield chunk
      await Promise.all(lanes.map((lane) => lane.fill()))
    }
  } finally {
    await Promise.all(lanes.map((lane) => lane.close()))
  }
}

/** The records of one key on their way into one order. */
class Lane {
  readonly #scan: AsyncGenerator<StoredRecord[], void>
  #chunk: readonly StoredRecord[] = []
  #at = 0
  #ended = false

  constructor(scan: AsyncGenerator<StoredRecord[], void>) {
    this.#scan = scan
  }

  /** The next record, of those that were read. */
  get head(): StoredRecord | undefined {
    return this.#chunk[this.#at]
  }

  /** Whether the next record has to be read first. */
  get isWaiting(): boolean {
    return this.head === undefined && !this.#ended
  }

  take(): StoredRecord[] {
    const { head } = this
    this.#at++
    return head === undefined ? [] : [head]
  }

  async fill(): Promise<void> {
    if (!this.isWaiting) return
    const next = await this.#scan.next()
    this.#ended = next.done === true
    this.#chunk = next.value ?? []
    this.#at = 0
  }

  async close(): Promise<void> {
    await this.#scan.return()
  }
}

/** The records of the lanes in one order, until one of them has to be read on. */
function takeWhileFull(lanes: readonly Lane[]): StoredRecord[] {
  const taken: StoredRecord[] = []
  while (!lanes.some(({ isWaiting }) => isWaiting)) {
    const heads = lanes.flatMap(({ head }) => head ?? [])
    const [first] = heads.sort(byPlace)
    if (first === undefined) break
    const here = lanes.filter(({ head }) => head !== undefined && byPlace(head, first) === 0)
    const newest = newestOf(here.flatMap((lane) => lane.take()))
    if (newest !== undefined) taken.push(newest)
  }
  return taken
}

/** By id, as UTF-8, then by author. */
function byPlace({ record: one }: StoredRecord, { record: other }: StoredRecord): number {
  const [a, b] = [one.header, other.header]
  if (a.id !== b.id) return Buffer.compare(Buffer.from(a.id), Buffer.from(b.id))
  return a.author < b.author ? -1 : a.author > b.author ? 1 : 0
}
