import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MAX_DRIFT_MS } from '../core/db/hybrid-clock.ts'
import { addressKey, encodeRecord, replaces } from '../core/db/signed-record.ts'
import type { HeldRecord } from '../core/db/signed-record.ts'
import type { Acceptance, OrderItem, RecordBatch } from '../ports/record-store.ts'
import {
  TEST_CLOUD,
  TEST_NOW_MS,
  TEST_SYSTEM,
  recordWriter,
  testVersion,
} from '../testing/record-writer.ts'
import { holdNext, MANY_IDS, watchLevel } from '../testing/failing-level.ts'
import { silentLog } from '../testing/silent-log.ts'
import { IndexedRecords } from './indexed-records.ts'
import type { IndexedRecordsOptions } from './indexed-records.ts'

const anna = recordWriter(1)
const ben = recordWriter(2)
const BOTH = [anna.attestation, ben.attestation]

let folder: string
let nowMs: number
let stores: IndexedRecords[] = []

beforeEach(async () => {
  nowMs = TEST_NOW_MS
  folder = await mkdtemp(join(tmpdir(), 'dharma-records-'))
})

afterEach(async () => {
  for (const store of stores.splice(0)) await store.close()
  await rm(folder, { recursive: true, force: true })
})

async function openStore(options: Partial<IndexedRecordsOptions> = {}): Promise<IndexedRecords> {
  const { store, damage } = await IndexedRecords.open({
    folder: join(folder, 'index'),
    cloud: TEST_CLOUD,
    log: silentLog,
    nowMs: () => nowMs,
    ...options,
  })
  expect(damage).toBeNull()
  stores.push(store)
  return store
}

async function reopen(store: IndexedRecords): Promise<IndexedRecords> {
  await store.close()
  stores = stores.filter((each) => each !== store)
  return openStore()
}

function batch(...records: HeldRecord[]): RecordBatch {
  return { records: records.map((record) => ({ record, verdict: 'good' })), attestations: BOTH }
}

async function allOf<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const each of source) all.push(each)
  return all
}

const LAST_AUTHOR = '\u{10ffff}'
const idsOf = async (
  store: IndexedRecords,
  { prefix, after }: { prefix?: string; after?: string } = {},
): Promise<string[]> => {
  const chunks = await allOf(
    store.scan({
      system: TEST_SYSTEM,
      collection: 'notes',
      ...(prefix === undefined ? {} : { prefix }),
      ...(after === undefined ? {} : { after: { id: after, author: LAST_AUTHOR } }),
    }),
  )
  return [...new Set(chunks.flat().map(({ record }) => record.header.id))]
}
const orderOf = async (store: IndexedRecords): Promise<OrderItem[]> =>
  (await allOf(store.order())).flat()
const itemOf = ({ header, id32 }: HeldRecord): OrderItem => ({ version: header.version, id32 })
const NOTHING_ELSE = { known: 0, outdated: 0, early: 0, refused: 0 }
const countsOf = ({ merged, ...rest }: Acceptance) => ({ merged: merged.length, ...rest })

describe('records that come in', () => {
  it('are held as they came, also after a restart', async () => {
    const store = await openStore()
    const record = anna.record({ value: { text: 'ä', deep: [1, [2]] } })
    await store.accept(batch(record))
    const again = await reopen(store)
    expect(await again.get(record.header)).toEqual({ record, verdict: 'good' })
    expect(again.count).toBe(1)
    expect(again.newestVersion).toBe(record.header.version)
    expect(await again.attestation(anna.attestation.hash)).toEqual(anna.attestation.form)
  })

  it('replace older ones of their author, and nobody else’s', async () => {
    const store = await openStore()
    const old = anna.record({ version: testVersion(1) })
    const fresh = anna.record({ version: testVersion(2), value: 2 })
    const other = ben.record({ version: testVersion(9) })
    await store.accept(batch(old, other))
    const { merged } = await store.accept(batch(fresh))
    expect(merged).toEqual([{ record: fresh, verdict: 'good', superseded: itemOf(old) }])
    expect(countsOf(await store.accept(batch(old, fresh)))).toEqual({
      merged: 0,
      known: 1,
      outdated: 1,
      early: 0,
      refused: 0,
    })
    const held = await store.ofId(TEST_SYSTEM, 'notes', 'one')
    expect(held.map(({ record }) => record.header.author).sort()).toEqual(
      [anna.person, ben.person].sort(),
    )
    expect(await orderOf(store)).toEqual([itemOf(fresh), itemOf(other)])
    expect(store.count).toBe(2)
  })

  it('end up the same in any order, in any number of batches', async () => {
    const versions = fc.integer({ min: 0, max: 3 })
    const change = fc.record({
      who: fc.boolean(),
      id: fc.constantFrom('a', 'b'),
      counter: versions,
    })
    let run = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(change, { maxLength: 4 }), { maxLength: 6 }),
        async (all) => {
          const store = await openStore({ folder: join(folder, `index-${run++}`) })
          const model = new Map<string, HeldRecord>()
          const batches = all.map((changes) =>
            changes.map(({ who, id, counter }, at) => {
              const version = testVersion(counter)
              const record = (who ? anna : ben).record({ id, version, value: at })
              const place = addressKey(record.header)
              const before = model.get(place)
              if (before === undefined || replaces(record, before)) model.set(place, record)
              return record
            }),
          )
          await Promise.all(batches.map((records) => store.accept(batch(...records))))
          const held = await allOf(store.ofSystem(TEST_SYSTEM))
          const expected = [...model]
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([, record]) => record)
          expect(held.map(({ record }) => record)).toEqual(expected)
          const items = expected.map(itemOf).sort(compareItems)
          expect(await orderOf(store)).toEqual(items)
          expect(store.count).toBe(expected.length)
        },
      ),
      { numRuns: 40 },
    )
  })

  it('are told to listeners in order, and a listener that throws harms nobody', async () => {
    const store = await openStore()
    const seen: string[] = []
    store.onMerged(() => {
      throw new Error('no')
    })
    const end = store.onMerged((records) =>
      seen.push(...records.map(({ record }) => record.header.id)),
    )
    const ids = Array.from({ length: 50 }, (_, number) => `id-${number}`)
    await Promise.all(ids.map((id) => store.accept(batch(anna.record({ id })))))
    expect(seen).toEqual(ids)
    end()
    await store.accept(batch(anna.record({ id: 'later' })))
    expect(seen).toEqual(ids)
  })

  it('take at most two and a half times their size on the disk', async () => {
    const store = await openStore()
    let bytes = 0
    for (let round = 0; round < 40; round++) {
      const records = Array.from({ length: 100 }, (_, number) =>
        anna.record({ id: `note-${round}-${number}`, version: testVersion(round * 100 + number) }),
      )
      for (const record of records) bytes += encodeRecord(record).length
      await store.accept(batch(...records))
    }
    await reopen(store)
    expect((await sizeOf(join(folder, 'index'))) / bytes).toBeLessThan(2.5)
  })
})

describe('a write', () => {
  const counter = (store: IndexedRecords) =>
    store.write([{ ...anna.record().header }], ([held]) => {
      const count = held === undefined ? 0 : versionCounter(held.record)
      return batch(anna.record({ version: testVersion(count + 1), value: count + 1 }))
    })

  it('sees what earlier writes put, on the disk or on their way', async () => {
    const store = await openStore()
    await Promise.all(Array.from({ length: 200 }, () => counter(store)))
    const held = await store.get(anna.record().header)
    expect(held?.record.header.version).toBe(testVersion(200))
    expect(await orderOf(store)).toHaveLength(1)
  })

  it('says what its preparation throws, and changes nothing then', async () => {
    const store = await openStore()
    const failed = store.write([anna.record().header], () => {
      throw new RangeError('not so')
    })
    await expect(failed).rejects.toThrow('not so')
    await expect(
      store.write([anna.record().header], () => batch(anna.record({ id: 'other' }))),
    ).rejects.toThrow(TypeError)
    expect(store.count).toBe(0)
  })

  it('waits for what allows it, and does not happen when that fails', async () => {
    const store = await openStore()
    let allow = (): void => undefined
    const allowed = new Promise<void>((resolve) => (allow = resolve))
    let prepared = false
    const prepare = () => {
      prepared = true
      return batch(anna.record())
    }
    const refused = store.write([anna.record().header], prepare, Promise.reject(new Error('no')))
    await expect(refused).rejects.toThrow('no')
    const written = store.write([anna.record().header], prepare, allowed)
    await store.accept(batch(anna.record({ id: 'other' })))
    expect(prepared).toBe(false)
    allow()
    await written
    expect(store.count).toBe(2)
  })

  it('shares its sync with all who wait, and every sync is one', async () => {
    const level = watchLevel()
    const store = await openStore({ openLevel: level.open })
    const ids = Array.from({ length: 1000 }, (_, number) => `id-${number}`)
    await Promise.all(ids.map((id) => store.accept(batch(anna.record({ id })))))
    expect(level.syncs.length).toBeLessThan(50)
    expect(level.syncs.every((sync) => sync)).toBe(true)
    expect(store.count).toBe(1000)
  })

  it('that finds its record known waits for the sync of who wrote it', async () => {
    const level = watchLevel()
    const store = await openStore({ openLevel: level.open })
    const writing = holdNext(level, 'beforeBatch')
    const ended: string[] = []
    const first = store.accept(batch(anna.record())).then(() => ended.push('first'))
    await writing.reached
    const { records } = batch(anna.record())
    const second = store.accept({ records }).then(() => ended.push('second'))
    // What is asked for afterwards is decided afterwards.
    await store.write([anna.record().header], () => ({ records: [] }))
    expect(ended).toEqual([])
    writing.letGo()
    await Promise.all([first, second])
    expect(ended).toEqual(['first', 'second'])
  })
})

describe('records from the future', () => {
  const far = (id: string, aheadMs = 1) =>
    anna.record({ id, version: testVersion(0, TEST_NOW_MS + MAX_DRIFT_MS + aheadMs) })

  it('wait one by one, outlive a restart and are merged when their time comes', async () => {
    const store = await openStore()
    const answer = await store.accept(
      batch(anna.record(), far('ahead'), anna.record({ id: 'two' })),
    )
    expect(countsOf(answer)).toEqual({ merged: 2, ...NOTHING_ELSE, early: 1 })
    expect(await idsOf(store)).toEqual(['one', 'two'])
    expect(await orderOf(store)).toHaveLength(2)
    expect(store.newestVersion).toBe(testVersion(0))
    const again = await reopen(store)
    expect(countsOf(await again.releaseDue()).merged).toBe(0)
    nowMs += 1
    expect(countsOf(await again.releaseDue()).merged).toBe(1)
    expect(await idsOf(again)).toEqual(['ahead', 'one', 'two'])
    expect(countsOf(await again.releaseDue()).merged).toBe(0)
  })

  it('have room for so many only, and those due first have it', async () => {
    const store = await openStore()
    const records = Array.from({ length: 1000 }, (_, number) =>
      far(`far-${number}`, 10_000 + number),
    )
    expect(countsOf(await store.accept(batch(...records))).early).toBe(1000)
    const next = await store.accept(batch(far('farther', 90_000), far('nearer', 5_000)))
    expect(countsOf(next)).toEqual({ merged: 0, ...NOTHING_ELSE, early: 1, refused: 1 })
    nowMs += 5_000
    expect((await store.releaseDue()).merged.map(({ record }) => record.header.id)).toEqual([
      'nearer',
    ])
  })

  it('are not said to wait when others of the same batch took their place', async () => {
    const store = await openStore()
    const records = Array.from({ length: 1001 }, (_, number) =>
      far(`far-${number}`, 9_000 - number),
    )
    const answer = await store.accept(batch(...records))
    expect(countsOf(answer)).toEqual({ merged: 0, ...NOTHING_ELSE, early: 1000, refused: 1 })
  })
})

describe('a clock that is set back', () => {
  it('while records are released leaves each of them somewhere', async () => {
    const level = watchLevel()
    const store = await openStore({ openLevel: level.open })
    const version = testVersion(0, TEST_NOW_MS + MAX_DRIFT_MS + 1)
    await store.accept(batch(...MANY_IDS.map((id) => anna.record({ id, version }))))
    nowMs += 1
    level.beforeRead = () => void (nowMs = TEST_NOW_MS)
    await store.releaseDue()
    nowMs = TEST_NOW_MS + 1
    await store.releaseDue()
    expect(await idsOf(store)).toEqual(MANY_IDS)
    expect(await orderOf(store)).toHaveLength(MANY_IDS.length)
  })
})

describe('reading', () => {
  it('gives groups in the order of ids, from a prefix or after an id on', async () => {
    const store = await openStore()
    const ids = ['a', 'a b', 'aa', 'ab', 'b', 'z', 'ä', '😀']
    await store.accept(batch(...ids.map((id) => anna.record({ id }))))
    await store.accept(
      batch(ben.record({ id: 'aa' }), ben.record({ id: 'a', collection: 'other' })),
    )
    expect(await idsOf(store)).toEqual(ids)
    expect(await idsOf(store, { prefix: 'a' })).toEqual(['a', 'a b', 'aa', 'ab'])
    expect(await idsOf(store, { prefix: 'a', after: 'aa' })).toEqual(['ab'])
    expect(await idsOf(store, { prefix: 'b', after: 'aa' })).toEqual(['b'])
    expect(await idsOf(store, { prefix: 'a', after: 'z' })).toEqual([])
    expect(await idsOf(store, { after: 'a' })).toEqual(ids.slice(1))
    const all = (await allOf(store.scan({ system: TEST_SYSTEM, collection: 'notes' }))).flat()
    const authors = all.filter(({ record }) => record.header.id === 'aa')
    expect(authors.map(({ record }) => record.header.author)).toEqual(
      [anna.attestation.person, ben.attestation.person].sort(),
    )
    const [first] = authors
    const { id = '', author = '' } = first?.record.header ?? {}
    const rest = store.scan({ system: TEST_SYSTEM, collection: 'notes', after: { id, author } })
    expect((await allOf(rest)).flat()[0]?.record).toEqual(authors[1]?.record)
    expect(await store.ofId(TEST_SYSTEM, 'notes', 'a')).toHaveLength(1)
    expect(await allOf(store.ofSystem(TEST_SYSTEM))).toHaveLength(10)
  })

  it('ends early without reading on, and goes on over many chunks', async () => {
    const store = await openStore()
    const ids = Array.from({ length: 2500 }, (_, number) => String(number).padStart(5, '0'))
    await store.accept(batch(...ids.map((id) => anna.record({ id }))))
    expect(await idsOf(store)).toEqual(ids)
    for await (const chunk of store.scan({ system: TEST_SYSTEM, collection: 'notes' })) {
      if (chunk.length > 0) break
    }
    expect(await orderOf(store)).toHaveLength(2500)
  })

  it('finds records by their places in the order, and says which are gone', async () => {
    const store = await openStore()
    const old = anna.record({ version: testVersion(1) })
    const fresh = anna.record({ version: testVersion(2) })
    const other = ben.record({ version: testVersion(3) })
    await store.accept(batch(old))
    await store.accept(batch(fresh, other))
    const found = await store.byId32([other, old, fresh].map(itemOf))
    expect(found.map((each) => each?.record)).toEqual([other, undefined, fresh])
    const from = (await allOf(store.order(itemOf(other)))).flat()
    expect(from).toEqual([itemOf(other)])
  })

  it('tells the verdict, which can be changed while the record is still the same', async () => {
    const store = await openStore()
    const record = anna.record({ version: testVersion(1) })
    const other = ben.record()
    await store.accept(batch(record, other))
    const newer = anna.record({ version: testVersion(2) })
    await store.accept(batch(newer))
    const judged = [record, other].map((each) => ({ record: each, verdict: 'schema' }))
    expect(await store.setVerdicts(judged)).toBe(1)
    expect((await store.get(newer.header))?.verdict).toBe('good')
    expect((await store.get(other.header))?.verdict).toBe('schema')
    expect(await orderOf(store)).toHaveLength(2)
  })
})

function versionCounter({ header }: HeldRecord): number {
  return Number.parseInt(header.version.slice(-4), 16)
}

function compareItems(a: OrderItem, b: OrderItem): number {
  if (a.version !== b.version) return a.version < b.version ? -1 : 1
  return Buffer.compare(a.id32, b.id32)
}

async function sizeOf(path: string): Promise<number> {
  const sizes = (await readdir(path)).map(async (name) => (await stat(join(path, name))).size)
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}
