// The index on disks that fill up, lose files, return garbage, and lose power.
import { spawn } from 'node:child_process'
import { appendFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MAX_DRIFT_MS } from '../core/db/hybrid-clock.ts'
import { addressKey } from '../core/db/signed-record.ts'
import type { OrderItem, StoreDamage } from '../ports/record-store.ts'
import { fullDiskError, holdNext, MANY_IDS, watchLevel } from '../testing/failing-level.ts'
import {
  TEST_CLOUD,
  TEST_NOW_MS,
  TEST_SYSTEM,
  recordWriter,
  testVersion,
} from '../testing/record-writer.ts'
import { silentLog } from '../testing/silent-log.ts'
import type { Level } from './index-mending.ts'
import { openClassicLevel } from './index-opening.ts'
import { recordKey } from './index-rows.ts'
import { IndexedRecords } from './indexed-records.ts'
import type { IndexedRecordsOptions } from './indexed-records.ts'

const anna = recordWriter(1)
let folder: string
let index: string
const stores = new Set<IndexedRecords>()

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dharma-index-'))
  index = join(folder, 'index')
})

afterEach(async () => {
  for (const store of stores) await close(store)
  await rm(folder, { recursive: true, force: true })
})

async function open(options: Partial<IndexedRecordsOptions> = {}) {
  const opened = await IndexedRecords.open({
    folder: index,
    cloud: TEST_CLOUD,
    log: silentLog,
    nowMs: () => TEST_NOW_MS,
    ...options,
  })
  stores.add(opened.store)
  return opened
}

async function close(store: IndexedRecords): Promise<void> {
  stores.delete(store)
  await store.close()
}

const put = (store: IndexedRecords, id: string, counter = 0, value = 'x'.repeat(200)) =>
  store.accept({
    records: [{ record: anna.record({ id, version: testVersion(counter), value }), verdict: '' }],
    attestations: [anna.attestation],
  })

async function putMany(store: IndexedRecords, count: number): Promise<void> {
  for (let number = 0; number < count; number++) await put(store, `id-${number}`, number)
}

async function idsOf(store: IndexedRecords): Promise<string[]> {
  const ids: string[] = []
  for await (const { record } of store.ofSystem(TEST_SYSTEM)) ids.push(record.header.id)
  return ids
}

/** The order names what is held, all of it and nothing else. */
async function expectConsistent(store: IndexedRecords): Promise<void> {
  const items: OrderItem[] = []
  for await (const chunk of store.order()) items.push(...chunk)
  const found = await store.byId32(items)
  expect(found.every((each) => each !== undefined)).toBe(true)
  const ids = found.map((each) => each?.record.header.id)
  expect(ids.sort()).toEqual((await idsOf(store)).sort())
  expect(store.count).toBe(items.length)
  await put(store, 'afterwards', 60_000)
  expect(store.count).toBe(items.length + 1)
}

async function filesOf(ending: string): Promise<string[]> {
  const names = (await readdir(index)).filter((name) => name.endsWith(ending)).sort()
  return names.map((name) => join(index, name))
}

/** Changes a byte of a record's row. */
async function damageRow(level: Level, id: string): Promise<void> {
  const key = recordKey(addressKey(anna.record({ id }).header))
  const row = Buffer.from((await level.get(key)) ?? [])
  row.writeUInt8(row.readUInt8(row.length - 1) ^ 1, row.length - 1)
  await level.put(key, row)
}

async function overwrite(path: string, from: number, length: number): Promise<void> {
  const bytes = await readFile(path)
  const begin = Math.floor(bytes.length * from)
  bytes.fill(0x5a, begin, Math.min(begin + length, bytes.length))
  await writeFile(path, bytes)
}

describe('a full disk', () => {
  it('is told, changes nothing, and is written again once there is room', async () => {
    const level = watchLevel()
    const { store } = await open({ openLevel: level.open })
    await put(store, 'before')
    level.beforeBatch = () => {
      throw fullDiskError()
    }
    const attempts = await Promise.allSettled([
      put(store, 'during', 1),
      put(store, 'before', 2),
      ...Array.from({ length: 20 }, (_, number) => put(store, `more-${number}`)),
    ])
    for (const attempt of attempts) {
      expect(attempt).toMatchObject({ status: 'rejected', reason: { code: 'DISK_FULL' } })
    }
    expect(await idsOf(store)).toEqual(['before'])
    await expect(put(store, 'still')).rejects.toMatchObject({ code: 'DISK_FULL' })
    level.beforeBatch = () => {}
    await put(store, 'after')
    await put(store, 'before', 3)
    expect(await idsOf(store)).toEqual(['after', 'before'])
    await expectConsistent(store)
  })

  it('at the end is no damage at the next start', async () => {
    const level = watchLevel()
    const { store } = await open({ openLevel: level.open })
    await putMany(store, 3)
    level.beforeBatch = () => {
      throw fullDiskError()
    }
    await expect(put(store, 'during', 9)).rejects.toMatchObject({ code: 'DISK_FULL' })
    const [journal = ''] = await filesOf('.log')
    // What a write leaves behind that found no room for all of it.
    await appendFile(journal, Buffer.alloc(300, 7))
    await close(store)
    const again = await open()
    expect(again.damage).toBeNull()
    expect(again.store.count).toBe(3)
    await expectConsistent(again.store)
  })

  it('takes with it what was decided in view of what it refused', async () => {
    const level = watchLevel()
    const { store } = await open({ openLevel: level.open })
    await put(store, 'one', 1)
    const writing = holdNext(level, 'beforeBatch')
    const first = put(store, 'one', 2)
    await writing.reached
    const header = anna.record({ id: 'one' }).header
    const seen: (string | undefined)[] = []
    const next = (): ReturnType<typeof put> =>
      store.write([header], ([held]) => {
        seen.push(held?.record.header.version)
        const record = anna.record({ id: 'one', version: testVersion(9) })
        return { records: [{ record, verdict: '' }] }
      })
    const second = next()
    // It is decided before the disk refuses.
    while (seen.length === 0) await store.get(header)
    writing.refuse()
    for (const each of [first, second]) {
      await expect(each).rejects.toMatchObject({ code: 'DISK_FULL' })
    }
    await next()
    expect(seen).toEqual([testVersion(2), testVersion(1)])
    await expectConsistent(store)
  })

  it('is forgotten by who was still reading when it refused', async () => {
    const level = watchLevel()
    const { store } = await open({ openLevel: level.open })
    await put(store, 'one', 1)
    const writing = holdNext(level, 'beforeBatch')
    const refused = put(store, 'one', 2)
    await writing.reached
    const reading = holdNext(level, 'beforeRead')
    const seen: (string | undefined)[] = []
    const ids = ['one', ...MANY_IDS]
    const headers = ids.map((id) => anna.record({ id }).header)
    const written = store.write(headers, ([held]) => {
      seen.push(held?.record.header.version)
      const record = anna.record({ id: 'one', version: testVersion(3) })
      return { records: [{ record, verdict: '' }] }
    })
    await reading.reached
    writing.refuse()
    await expect(refused).rejects.toMatchObject({ code: 'DISK_FULL' })
    reading.letGo()
    await written
    expect(seen).toEqual([testVersion(1)])
    await expectConsistent(store)
  })

  it('does not make those forgotten that are early', async () => {
    const level = watchLevel()
    let nowMs = TEST_NOW_MS
    const { store } = await open({ openLevel: level.open, nowMs: () => nowMs })
    const early = (ids: readonly string[], aheadMs: number) => {
      const version = testVersion(0, TEST_NOW_MS + MAX_DRIFT_MS + aheadMs)
      const records = ids.map((id) => ({ record: anna.record({ id, version }), verdict: '' }))
      return store.accept({ records, attestations: [anna.attestation] })
    }
    await early(['one'], 1)
    const writing = holdNext(level, 'beforeBatch')
    const refused = put(store, 'refused')
    await writing.reached
    const reading = holdNext(level, 'beforeRead')
    const second = early(MANY_IDS, 10_000)
    await reading.reached
    writing.refuse()
    await expect(refused).rejects.toMatchObject({ code: 'DISK_FULL' })
    reading.letGo()
    expect((await second).early).toBe(MANY_IDS.length)
    nowMs += 1
    expect((await store.releaseDue()).merged).toHaveLength(1)
    await expectConsistent(store)
  })

  it('leaves nothing dangling when what failed turns out to be on the disk after all', async () => {
    const level = watchLevel()
    const { store } = await open({ openLevel: level.open })
    await put(store, 'one', 1)
    level.afterBatch = () => {
      throw fullDiskError()
    }
    await expect(put(store, 'one', 2)).rejects.toMatchObject({ code: 'DISK_FULL' })
    level.afterBatch = () => {}
    await put(store, 'one', 3)
    expect(store.count).toBe(1)
    await expectConsistent(store)
  })
})

describe('a damaged index', () => {
  async function reopened(): Promise<{ store: IndexedRecords; damage: StoreDamage | null }> {
    const opened = await open()
    await expectConsistent(opened.store)
    return opened
  }

  it.each([
    ['in the middle of its journal', 0.5, 100],
    ['at the end of its journal', 0.98, 10_000],
    ['at the begin of its journal', 0, 100],
  ])('is told when it is closed and has garbage %s', async (_where, from, length) => {
    const { store } = await open()
    await putMany(store, 30)
    await close(store)
    const [journal = ''] = await filesOf('.log')
    await overwrite(journal, from, length)
    const { damage, store: again } = await reopened()
    expect(damage?.lost).toBe(31 - again.count)
    expect(again.count).toBeLessThan(31)
  })

  it('is told when the process ended and left garbage in the journal', async () => {
    const acknowledged = await putAndKill(30)
    const [journal = ''] = await filesOf('.log')
    await overwrite(journal, 0.5, 100)
    const { store, damage } = await open()
    expect(damage?.lost).toBeNull()
    expect(store.count).toBeLessThan(acknowledged.length)
    await expectConsistent(store)
  })

  it.each([
    ['journal', '.log'],
    ['CURRENT', 'CURRENT'],
    ['manifest', 'MANIFEST-000002'],
    ['folder', ''],
  ])('is told when its %s is gone', async (_what, ending) => {
    const { store } = await open()
    await putMany(store, 30)
    await close(store)
    for (const path of await filesOf(ending)) await rm(path)
    const { damage, store: again } = await reopened()
    // A new CURRENT is found, and everything with it.
    expect(damage?.lost ?? 0).toBe(31 - again.count)
  })

  it.each(['CURRENT', 'MANIFEST-000002'])('opens when its %s is garbage', async (name) => {
    const { store } = await open()
    await putMany(store, 30)
    await close(store)
    await writeFile(join(index, name), 'garbage\n')
    const again = await open()
    expect(again.store.count).toBe(30)
    expect(again.damage).toBeNull()
    await expectConsistent(again.store)
  })

  it('takes no row that was changed for a record', async () => {
    const { store } = await open()
    await putMany(store, 3)
    await close(store)
    const level = await openClassicLevel(index)
    await damageRow(level, 'id-1')
    await level.close()
    const again = await open()
    expect(again.damage).toBeNull()
    const told: StoreDamage[] = []
    again.store.onDamage((damage) => told.push(damage))
    expect(await again.store.get(anna.record({ id: 'id-1' }).header)).toBeUndefined()
    await expectConsistent(again.store)
    expect(told.map(({ lost }) => lost)).toEqual([1])
  })

  it('writes nothing that was decided by what is lost', async () => {
    let level: Level | undefined
    let [wasRead, isOpening] = [(): void => {}, (): void => {}]
    let mayOpen = Promise.resolve()
    const openLevel = async (path: string): Promise<Level> => {
      isOpening()
      await mayOpen
      const opened = await openClassicLevel(path)
      const read = opened.getSync.bind(opened) as (key: Buffer) => Buffer | undefined
      const getSync = (key: Buffer): Buffer | undefined => {
        const row = read(key)
        wasRead()
        return row
      }
      return (level = Object.assign(opened, { getSync }))
    }
    const { store } = await open({ openLevel })
    await putMany(store, 3)
    let [allow, openOn, decided] = [(): void => {}, (): void => {}, (): void => {}]
    const record = anna.record({ id: 'id-0', version: testVersion(10) })
    const reading = new Promise<void>((resolve) => (wasRead = resolve))
    const deciding = new Promise<void>((resolve) => (decided = resolve))
    const written = store.write(
      [record.header],
      (held) => {
        expect(held).toHaveLength(1)
        decided()
        return { records: [{ record, verdict: '' }] }
      },
      new Promise<void>((resolve) => (allow = resolve)),
    )
    await reading
    if (level === undefined) throw new Error('it is not open')
    for (const id of ['id-0', 'id-1']) await damageRow(level, id)
    const opening = new Promise<void>((resolve) => (isOpening = resolve))
    mayOpen = new Promise((resolve) => (openOn = resolve))
    const found = store.get(anna.record({ id: 'id-1' }).header)
    await opening
    allow()
    await deciding
    openOn()
    await expect(written).rejects.toMatchObject({ code: 'DISK_FAILED' })
    expect(await found).toBeUndefined()
    await expectConsistent(store)
  })

  it('opens anew when nothing of it can be read, and keeps what was there', async () => {
    const { store } = await open()
    await putMany(store, 5)
    await close(store)
    for (const path of await filesOf('')) await writeFile(path, 'garbage\n')
    const again = await open()
    expect(again.damage?.lost).toBe(5)
    await expectConsistent(again.store)
  })

  it('is mended while it is used, when garbage is read from its tables', async () => {
    const { store } = await open()
    for (let round = 0; round < 10; round++) await putBatch(store, round, 500)
    await close(store)
    const tables = await filesOf('.ldb')
    for (const table of tables) await overwrite(table, 0.3, 3_000)
    const told: StoreDamage[] = []
    const { store: again, damage } = await open()
    again.onDamage((each) => told.push(each))
    const left = await idsOf(again)
    await expectConsistent(again)
    const lost = (damage?.lost ?? 0) + (told[0]?.lost ?? 0)
    expect(lost).toBe(5_000 - left.length)
    expect(lost).toBeGreaterThan(0)
  })
})

describe('a process that is killed', () => {
  it.each([1, 8])('leaves all that it acknowledged, with %i writers', async (writers) => {
    const acknowledged = await putAndKill(150, writers)
    const { store, damage } = await open()
    expect(damage).toBeNull()
    const ids = new Set(await idsOf(store))
    expect(acknowledged.filter(({ id }) => !ids.has(id))).toEqual([])
    await expectConsistent(store)
  })

  it('leaves it also when everything is gone that came after the last sync', async () => {
    const acknowledged = await putAndKill(150)
    const { journal = '', sizeBytes = 0 } = acknowledged.at(-1) ?? {}
    await truncate(join(index, journal), sizeBytes)
    const { store, damage } = await open()
    expect(damage).toBeNull()
    const ids = new Set(await idsOf(store))
    expect(acknowledged.filter(({ id }) => !ids.has(id))).toEqual([])
    await expectConsistent(store)
  })
})

interface Acknowledged {
  id: string
  journal: string
  sizeBytes: number
}

/** Puts records in a process of its own, which is killed once so many were acknowledged. */
async function putAndKill(count: number, writers = 1): Promise<Acknowledged[]> {
  const script = join(import.meta.dirname, '../testing/putting-process.ts')
  const child = spawn(process.execPath, ['--import', 'tsx', script, index, String(writers)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise((resolve) => child.on('exit', resolve))
  const acknowledged: Acknowledged[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    const [id = '', journal = '', size = ''] = line.split(' ')
    acknowledged.push({ id, journal, sizeBytes: Number(size) })
    if (acknowledged.length === count) child.kill('SIGKILL')
  }
  await ended
  return acknowledged
}

async function putBatch(store: IndexedRecords, round: number, count: number): Promise<void> {
  const records = Array.from({ length: count }, (_, number) => ({
    record: anna.record({
      id: `id-${round}-${number}`,
      version: testVersion(round * count + number),
      value: String(Math.sin(number)).repeat(40),
    }),
    verdict: '',
  }))
  await store.accept({ records, attestations: [anna.attestation] })
}
