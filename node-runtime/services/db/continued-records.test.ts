import { beforeEach, describe, expect, it } from 'vitest'
import type { CloudRecord } from '../../contract/db.ts'
import { encodeKey, hash } from '../../core/keys.ts'
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
const BEFORE = encodeKey(hash(Buffer.from('the system before')))
const FIRST = encodeKey(hash(Buffer.from('the system at first')))

describe('a system that had other keys before', () => {
  const all = { ...noteAt(''), limit: 100 }
  const textsIn = (records: CloudRecord[]): unknown[] =>
    records.map(({ value }) => (value as { text: string }).text)
  const under = async (key: string, write: () => Promise<unknown>): Promise<void> => {
    const now = setting.keys
    setting.keys = [key]
    await write()
    setting.keys = now
  }
  beforeEach(() => {
    setting.keys = [SYSTEM, FIRST, BEFORE]
  })

  it('reads what was written under any of them, and writes under the present one', async () => {
    const db = await setting.open(anna)
    await under(FIRST, () => db.put(noteAt('a'), { text: 'at first' }))
    await under(BEFORE, () => db.put(noteAt('b'), { text: 'before' }))
    expect(await db.get(noteAt('a'))).toMatchObject({ system: FIRST, value: { text: 'at first' } })
    expect(await db.put(noteAt('a'), { text: 'now' })).toMatchObject({ system: SYSTEM })
    expect(await db.get(noteAt('a'))).toMatchObject({ system: SYSTEM, value: { text: 'now' } })
    const { records } = await db.query({ ...all, proof: true })
    expect(records.map(({ id, system }) => [id, system])).toEqual([
      ['a', SYSTEM],
      ['b', BEFORE],
    ])
    expect(records.map((record) => db.verify(record).author)).toEqual([persons.anna, persons.anna])
    await under(BEFORE, async () =>
      expect(textsIn((await db.query(all)).records)).toEqual(['before']),
    )
  })

  it('shows what was written last, also when that was under a former key', async () => {
    const db = await setting.open(anna)
    await db.put(noteAt('a'), { text: 'now' })
    await under(BEFORE, () =>
      db.put(noteAt('a'), { text: 'later, by a machine that is not up to date' }),
    )
    const texts = ['later, by a machine that is not up to date']
    expect(textsIn((await db.query(all)).records)).toEqual(texts)
    expect((await db.get(noteAt('a')))?.system).toBe(BEFORE)
    await db.put(noteAt('a'), { text: 'last' })
    expect(textsIn((await db.query(all)).records)).toEqual(['last'])
  })

  it('keeps authors apart, and holds old records against the present schema', async () => {
    const db = await setting.open(anna)
    const other = await setting.open(ben)
    await under(BEFORE, async () => {
      await other.put(noteAt('a'), { text: 'ben' })
      setting.manifest = manifestWith({})
      await other.put(noteAt('b'), { words: 'ben' })
      setting.manifest = manifestWith(text)
      await db.import((await other.query({ ...all, proof: true })).records)
    })
    await other.put({ ...noteAt('c'), id: 'c' }, { text: 'ben' })
    await db.put(noteAt('a'), { text: 'anna' })
    const { records } = await db.query(all)
    expect(records.map(({ id, author }) => [id, author]).sort()).toEqual(
      [
        ['a', persons.anna],
        ['a', persons.ben],
      ].sort(),
    )
    expect((await db.get(noteAt('a'), { author: persons.ben }))?.value).toEqual({ text: 'ben' })
  })

  it('goes through pages in one order, over all keys, and none is left out or comes twice', async () => {
    const db = await setting.open(anna)
    const ids = Array.from({ length: 120 }, (_, at) => `é${String(at).padStart(3, '0')}`)
    const odd = (_: string, at: number): boolean => at % 2 === 1
    await under(FIRST, async () => {
      for (const id of ids.slice(0, 70)) await db.put(noteAt(id), { text: 'first' })
    })
    await under(BEFORE, async () => {
      for (const id of ids.filter(odd)) await db.put(noteAt(id), { text: 'before' })
    })
    for (const id of ids.slice(50)) await db.put(noteAt(id), { text: 'now' })
    // In UTF-16 it would come before, in UTF-8 it comes last.
    await under(FIRST, () => db.put(noteAt('\u{1f600}'), { text: 'last' }))
    await db.put(noteAt('\uffee'), { text: 'but one' })
    const seen: CloudRecord[] = []
    for (let cursor: string | undefined; ; ) {
      const page = await db.query({ ...all, limit: 7, cursor })
      seen.push(...page.records)
      cursor = page.cursor
      if (cursor === undefined) break
    }
    expect(seen.map(({ id }) => id)).toEqual([...ids, '\uffee', '\u{1f600}'])
    const wanted = ids.map((id, at) => (at >= 50 ? 'now' : odd(id, at) ? 'before' : 'first'))
    expect(textsIn(seen)).toEqual([...wanted, 'but one', 'last'])
  })

  it('finds content by its id, whichever key it was written under', async () => {
    const db = await setting.open(anna)
    const stamp = { system: 'org.example.notes', collection: 'stamps' }
    let id = ''
    await under(BEFORE, async () => {
      ;({ id } = await db.put(stamp, { once: true }))
    })
    expect(await db.get({ ...stamp, id })).toMatchObject({ system: BEFORE, value: { once: true } })
  })

  it('deletes under every key that has it, so that nobody keeps what it said', async () => {
    const db = await setting.open(anna)
    await under(FIRST, () => db.put(noteAt('a'), { text: 'first' }))
    await under(BEFORE, () => db.put(noteAt('a'), { text: 'before' }))
    await db.delete(noteAt('a'))
    expect(await db.get(noteAt('a'))).toBeNull()
    expect((await db.query(all)).records).toEqual([])
    for (const key of [SYSTEM, FIRST, BEFORE]) {
      await under(key, async () => expect(await db.get(noteAt('a'))).toBeNull())
    }
    await expect(db.delete(noteAt('a'))).rejects.toMatchObject({ code: 'DB_NOT_FOUND' })
    await db.put(noteAt('a'), { text: 'again' })
    expect((await db.get(noteAt('a')))?.system).toBe(SYSTEM)
  })

  it('can be deleted whole', async () => {
    const db = await setting.open(anna)
    await under(FIRST, () => db.put(noteAt('a'), { text: 'first' }))
    await db.put(noteAt('a'), { text: 'now' })
    await db.deleteOwnRecords('org.example.notes')
    for (const key of [SYSTEM, FIRST]) {
      await under(key, async () => expect((await db.query(all)).records).toEqual([]))
    }
  })

  it('says when the clock is behind what was written under a former key', async () => {
    const db = await setting.open(anna)
    setting.nowMs += 3_600_000
    await under(BEFORE, () => db.put(noteAt('a'), { text: 'ahead' }))
    await setting.stores[0]!.close()
    setting.stores.shift()
    setting.nowMs -= 86_400_000
    const reopened = await setting.open(anna)
    await expect(reopened.put(noteAt('a'), { text: 'lost' })).rejects.toMatchObject({
      code: 'CLOCK_OFF',
    })
  })
})
