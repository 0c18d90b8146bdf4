import { describe, expect, it } from 'vitest'
import type { CloudRecord } from '../../contract/db.ts'
import type { StoredRecord } from '../../ports/record-store.ts'
import type { IndexedRecords } from '../../store/indexed-records.ts'
import {
  SYSTEM,
  anna,
  ben,
  eachDatabase,
  manifestWith,
  noteAt,
  persons,
  text,
} from '../../testing/each-database.ts'

const setting = eachDatabase()
const proven = { proof: true } as const

describe('an address', () => {
  it('has its author in it: nobody can stand in another’s place, whatever the clock says', async () => {
    const mine = await setting.open(anna)
    setting.nowMs -= 3_600_000
    const theirs = await setting.open(ben)
    await theirs.put(noteAt('shared'), { text: 'ben was first, by a clock that is behind' })
    const taken = await theirs.get(noteAt('shared'), proven)
    setting.nowMs += 3_600_000
    await mine.import([taken as CloudRecord])
    await mine.put(noteAt('shared'), { text: 'anna' })
    expect((await mine.get(noteAt('shared')))?.value).toEqual({ text: 'anna' })
    expect((await mine.get(noteAt('shared'), { author: persons.ben }))?.author).toBe(persons.ben)
    const { records } = await mine.query({ ...noteAt(''), limit: 10 })
    expect(records.map(({ author }) => author).sort()).toEqual(Object.values(persons).sort())
    await mine.delete(noteAt('shared'))
    expect(await mine.get(noteAt('shared'))).toBeNull()
    expect((await mine.query({ ...noteAt(''), limit: 10 })).records).toHaveLength(1)
  })

  it('is answered by a put, whole', async () => {
    const db = await setting.open(anna)
    const written = await db.put(noteAt('a'), { text: 'a' })
    expect(written).toMatchObject({
      system: SYSTEM,
      collection: 'notes',
      author: persons.anna,
      id: 'a',
    })
    expect(await db.get({ ...noteAt('a'), system: SYSTEM })).toEqual(written)
  })
})

describe('content', () => {
  const stamp = { system: 'org.example.notes', collection: 'stamps' }

  it('is named by what it says and found without its author', async () => {
    const db = await setting.open(anna)
    const { id } = await db.put(stamp, { once: true })
    expect(id).toMatch(/^[0-9a-f]{64}$/)
    const other = await setting.open(ben)
    await other.import([(await db.get({ ...stamp, id }, proven)) as CloudRecord])
    expect((await other.get({ ...stamp, id }))?.author).toBe(persons.anna)
  })

  it('has no id of one’s own choice, and no deletion', async () => {
    const db = await setting.open(anna)
    await expect(db.put({ ...stamp, id: 'mine' }, 1)).rejects.toMatchObject({ code: 'BAD_INPUT' })
    await expect(db.put({ ...stamp, collection: 'notes' }, { text: '' })).rejects.toMatchObject({
      code: 'BAD_INPUT',
    })
    const { id } = await db.put(stamp, 1)
    await expect(db.delete({ ...stamp, id })).rejects.toMatchObject({ code: 'DB_FORBIDDEN' })
  })
})

describe('judging', () => {
  it('happens once for a record, not at each reading, and again for another schema', async () => {
    const other = await setting.open(ben)
    for (const id of ['a', 'b', 'c']) await other.put(noteAt(id), { text: id })
    const { records } = await other.query({ ...noteAt(''), limit: 10, proof: true })
    const db = await setting.open(anna)
    setting.judge.asked = 0
    await db.import(records)
    expect(setting.judge.asked).toBe(3)
    for (let round = 0; round < 3; round++) await db.query({ ...noteAt(''), limit: 10 })
    expect(setting.judge.asked).toBe(3)
    setting.manifest = manifestWith({ ...text, title: 'second' })
    await db.query({ ...noteAt(''), limit: 10 })
    expect(setting.judge.asked).toBe(6)
  })

  it('says how many records it hides because another version of the system wrote them', async () => {
    const db = await setting.open(anna)
    for (const id of 'abcd')
      await db.put(noteAt(id), { text: id, ...('ac'.includes(id) ? { title: '' } : {}) })
    const page = async (more: { limit?: number; cursor?: string; prefix?: string }) => {
      const { records, completeness, cursor } = await db.query({ ...noteAt(''), limit: 9, ...more })
      return { ids: records.map(({ id }) => id).join(''), hidden: completeness.hidden, cursor }
    }
    expect(await page({})).toEqual({ ids: 'abcd', hidden: 0 })
    setting.manifest = manifestWith({ ...text, required: ['text', 'title'] })
    expect(await page({})).toEqual({ ids: 'ac', hidden: 2 })
    expect(await page({ prefix: 'b' })).toEqual({ ids: '', hidden: 1 })
    // Each is told with one page, and no more than that.
    const first = await page({ limit: 1 })
    expect(first).toMatchObject({ ids: 'a', hidden: 0 })
    expect(await page({ limit: 1, cursor: first.cursor! })).toEqual({ ids: 'c', hidden: 2 })
    await db.delete(noteAt('d'))
    expect(await page({})).toEqual({ ids: 'ac', hidden: 1 })
  })

  it('refuses what the person writes, and names the field', async () => {
    const db = await setting.open(anna)
    await expect(db.put(noteAt('x'), { words: 1 })).rejects.toMatchObject({
      code: 'DB_SCHEMA',
      message: expect.stringContaining('#/text'),
    })
    await expect(db.put(noteAt('x'), { text: 'x'.repeat(2_000) })).rejects.toMatchObject({
      code: 'DB_TOO_LARGE',
    })
    const unknown = { ...noteAt('x'), collection: 'constructor' }
    await expect(db.put(unknown, {})).rejects.toMatchObject({ code: 'DB_COLLECTION_UNKNOWN' })
    await expect(db.get(unknown)).rejects.toMatchObject({ code: 'DB_COLLECTION_UNKNOWN' })
    await expect(db.put({ ...noteAt('x'), system: 'nowhere' }, {})).rejects.toMatchObject({
      code: 'SYSTEM_NOT_INSTALLED',
    })
    let deep: never = {} as never
    for (let level = 0; level < 100; level++) deep = { deep } as never
    await expect(db.put(noteAt('x'), { text: 'x', deep })).rejects.toMatchObject({
      code: 'BAD_INPUT',
    })
    expect((await db.query({ ...noteAt(''), limit: 10 })).records).toEqual([])
  })
})

describe('a clock that is off', () => {
  it('is said when a write would lose against what the person wrote before', async () => {
    const db = await setting.open(anna)
    setting.nowMs += 86_400_000
    await db.put(noteAt('a'), { text: 'written a day ahead' })
    setting.nowMs -= 86_400_000
    const again = await setting.open(anna, 'copy')
    await setting.stores[0]!.close()
    setting.stores.shift()
    const reopened = await setting.open(anna)
    await expect(reopened.put(noteAt('a'), { text: 'lost' })).rejects.toMatchObject({
      code: 'CLOCK_OFF',
    })
    await again.put(noteAt('a'), { text: 'elsewhere' })
    expect((await reopened.get(noteAt('a')))?.value).toEqual({ text: 'written a day ahead' })
    await reopened.put(noteAt('b'), { text: 'others can be written' })
  })
})

describe('a query', () => {
  it('goes through pages in the order of ids and authors, and none is left out', async () => {
    const db = await setting.open(anna)
    const other = await setting.open(ben)
    for (const id of ['b', 'a', 'aé', 'c']) {
      await db.put(noteAt(id), { text: id })
      await other.put(noteAt(id), { text: id })
    }
    await db.import((await other.query({ ...noteAt(''), limit: 10, proof: true })).records)
    const seen: string[] = []
    for (let cursor: string | undefined; ; ) {
      const page = await db.query({ ...noteAt(''), limit: 3, cursor })
      seen.push(...page.records.map(({ id, author }) => `${id} ${author}`))
      cursor = page.cursor
      if (cursor === undefined) break
    }
    expect(new Set(seen).size).toBe(8)
    expect(seen.map((each) => each.split(' ')[0])).toEqual([
      'a',
      'a',
      'aé',
      'aé',
      'b',
      'b',
      'c',
      'c',
    ])
    const byBen = await db.query({ ...noteAt(''), limit: 10, author: persons.ben, prefix: 'a' })
    expect(byBen.records.map(({ id }) => id)).toEqual(['a', 'aé'])
    const found = await db.query({ ...noteAt(''), limit: 10, where: { text: 'b' } })
    expect(found.records).toHaveLength(2)
    await expect(db.query({ ...noteAt(''), limit: 10, cursor: 'junk' })).rejects.toMatchObject({
      code: 'BAD_INPUT',
    })
  })
})

it('deletes all that the person wrote for a system, and nothing of others', async () => {
  const db = await setting.open(anna)
  const other = await setting.open(ben)
  await db.put(noteAt('a'), { text: 'a' })
  await other.put(noteAt('b'), { text: 'b' })
  await db.import((await other.query({ ...noteAt(''), limit: 10, proof: true })).records)
  await db.deleteOwnRecords('org.example.notes')
  const { records } = await db.query({ ...noteAt(''), limit: 10 })
  expect(records.map(({ id }) => id)).toEqual(['b'])
})

it('goes on deleting when another machine of the person deletes as well', async () => {
  const db = await setting.open(anna)
  const twin = await setting.open(anna, 'twin')
  for (const id of ['a', 'b', 'c']) await db.put(noteAt(id), { text: id })
  await twin.import((await db.query({ ...noteAt(''), limit: 10, proof: true })).records)
  setting.nowMs += 1
  await twin.delete(noteAt('b'))
  const [store, twinStore] = setting.stores as [IndexedRecords, IndexedRecords]
  const place = { system: SYSTEM, collection: 'notes', id: 'b', author: persons.anna }
  const tombstone = await twinStore.get(place)
  const reading = store.ofSystem.bind(store)
  store.ofSystem = async function* (system) {
    const ahead: StoredRecord[] = []
    for await (const each of reading(system)) ahead.push(each)
    await store.accept({ records: [tombstone!] })
    yield* ahead
  }
  await db.deleteOwnRecords('org.example.notes')
  expect((await db.query({ ...noteAt(''), limit: 10 })).records).toEqual([])
})

it('writes nothing of which the judge says nothing', async () => {
  const db = await setting.open(anna)
  setting.judge.judge = () => Promise.resolve([])
  await expect(db.put(noteAt('a'), { text: 'a' })).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  expect(await db.get(noteAt('a'))).toBeNull()
})
