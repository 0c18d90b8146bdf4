import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CloudRecord } from '../../contract/db.ts'
import { manifestSchema } from '../../contract/manifest.ts'
import type { Manifest } from '../../contract/manifest.ts'
import { HybridClock, MAX_DRIFT_MS } from '../../core/db/hybrid-clock.ts'
import { assembleRecord, cosign, cosignedBody } from '../../core/db/signed-record.ts'
import type { RecordSigner } from '../../core/db/signed-record.ts'
import { signAttestation } from '../../core/forms/attestation.ts'
import { encodeKey, hash, keyPair } from '../../core/keys.ts'
import type { StoredRecord } from '../../ports/record-store.ts'
import { IndexedRecords } from '../../store/indexed-records.ts'
import { silentLog } from '../../testing/silent-log.ts'
import { Revocations } from '../cloud/revocations.ts'
import { Database } from './database.ts'
import type { NamedSystem } from './database.ts'
import { Judgement, declaredCollection } from './judgement.ts'
import type { JudgesValues } from './judgement.ts'
import { proveRecord, viewRecord } from './record-view.ts'

const CLOUD = encodeKey(hash(Buffer.from('a cloud')))
const SYSTEM = encodeKey(hash(Buffer.from('a system')))
const BEFORE = encodeKey(hash(Buffer.from('the system before')))
const FIRST = encodeKey(hash(Buffer.from('the system at first')))

const text = { type: 'object', required: ['text'], properties: { text: { type: 'string' } } }

function manifestWith(schema: object): Manifest {
  return manifestSchema.parse({
    manifestVersion: 1,
    id: 'org.example.notes',
    name: 'Notes',
    version: '1.0.0',
    ui: 'ui/index.html',
    permissions: ['db'],
    collections: {
      notes: { schema, maxBytes: 1_000 },
      stamps: { schema: {}, write: 'content' },
      deals: { schema: {}, write: 'co-signed' },
    },
  })
}

/** Knows one schema well enough for these tests, and counts what it is asked. */
class CountingJudge implements JudgesValues {
  asked = 0
  judge(_hash: string, schema: unknown, values: readonly string[]) {
    this.asked += values.length
    const { required = [] } = schema as { required?: string[] }
    return Promise.resolve(
      values.map((value) => {
        const parsed = JSON.parse(value) as Record<string, unknown>
        const missing = required.find((field) => !(field in Object(parsed)))
        return missing === undefined
          ? { ok: true as const }
          : { ok: false as const, errors: [{ at: `#/${missing}`, error: 'is required' }] }
      }),
    )
  }
}

function signerOf(seed: number): RecordSigner {
  const person = keyPair(new Uint8Array(32).fill(seed))
  const machine = keyPair(new Uint8Array(32).fill(seed + 50))
  const attestation = signAttestation(
    {
      person: encodeKey(person.publicKey),
      machine: encodeKey(machine.publicKey),
      cloud: CLOUD,
      sequence: 1,
      expiresMs: 4_000_000_000_000,
    },
    person.secretKey,
  )
  return { cloud: CLOUD, attestation, machineSecretKey: machine.secretKey }
}

const anna = signerOf(1)
const ben = signerOf(2)
const persons = { anna: anna.attestation.person, ben: ben.attestation.person }

let folder: string
let nowMs: number
let manifest: Manifest
let judge: CountingJudge
/** Of the system as it is installed now: the key, and those that it had before. */
let keys: [present: string, ...former: string[]]
const stores: IndexedRecords[] = []

async function open(author: RecordSigner, name = author.attestation.person): Promise<Database> {
  const { store } = await IndexedRecords.open({
    folder: join(folder, name),
    cloud: CLOUD,
    log: silentLog,
    nowMs: () => nowMs,
  })
  stores.push(store)
  const clock = new HybridClock(() => nowMs)
  if (store.newestVersion !== undefined) clock.see(store.newestVersion)
  return new Database({
    cloud: CLOUD,
    store,
    clock,
    judgement: new Judgement(judge, (system, collection) =>
      keys.includes(system) ? declaredCollection(manifest, collection) : undefined,
    ),
    author: () => author,
    revocations: await Revocations.open(CLOUD, store),
    resolveSystem: (reference): NamedSystem =>
      reference === manifest.id || keys.includes(reference)
        ? { key: keys[0], formerKeys: keys.slice(1), manifest }
        : { key: encodeKey(hash(Buffer.from(reference))), formerKeys: [], manifest: undefined },
    completeness: () => {
      throw new Error('not asked here')
    },
    log: silentLog,
  })
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dharma-db-'))
  nowMs = 1_790_000_000_000
  manifest = manifestWith(text)
  judge = new CountingJudge()
  keys = [SYSTEM]
})
afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()))
  await rm(folder, { recursive: true, force: true })
})

const note = (id: string) => ({ system: 'org.example.notes', collection: 'notes', id })
const proven = { proof: true } as const
/** What came of no record. */
const NONE = { accepted: 0, known: 0, outdated: 0, early: 0, refused: 0 }

describe('an address', () => {
  it('has its author in it: nobody can stand in another’s place, whatever the clock says', async () => {
    const mine = await open(anna)
    nowMs -= 3_600_000
    const theirs = await open(ben)
    await theirs.put(note('shared'), { text: 'ben was first, by a clock that is behind' })
    const taken = await theirs.get(note('shared'), proven)
    nowMs += 3_600_000
    await mine.import([taken as CloudRecord])
    await mine.put(note('shared'), { text: 'anna' })
    expect((await mine.get(note('shared')))?.value).toEqual({ text: 'anna' })
    expect((await mine.get(note('shared'), { author: persons.ben }))?.author).toBe(persons.ben)
    const { records } = await mine.query({ ...note(''), limit: 10 })
    expect(records.map(({ author }) => author).sort()).toEqual(Object.values(persons).sort())
    await mine.delete(note('shared'))
    expect(await mine.get(note('shared'))).toBeNull()
    expect((await mine.query({ ...note(''), limit: 10 })).records).toHaveLength(1)
  })

  it('is answered by a put, whole', async () => {
    const db = await open(anna)
    const written = await db.put(note('a'), { text: 'a' })
    expect(written).toMatchObject({
      system: SYSTEM,
      collection: 'notes',
      author: persons.anna,
      id: 'a',
    })
    expect(await db.get({ ...note('a'), system: SYSTEM })).toEqual(written)
  })
})

describe('content', () => {
  const stamp = { system: 'org.example.notes', collection: 'stamps' }

  it('is named by what it says and found without its author', async () => {
    const db = await open(anna)
    const { id } = await db.put(stamp, { once: true })
    expect(id).toMatch(/^[0-9a-f]{64}$/)
    const other = await open(ben)
    await other.import([(await db.get({ ...stamp, id }, proven)) as CloudRecord])
    expect((await other.get({ ...stamp, id }))?.author).toBe(persons.anna)
  })

  it('has no id of one’s own choice, and no deletion', async () => {
    const db = await open(anna)
    await expect(db.put({ ...stamp, id: 'mine' }, 1)).rejects.toMatchObject({ code: 'BAD_INPUT' })
    await expect(db.put({ ...stamp, collection: 'notes' }, { text: '' })).rejects.toMatchObject({
      code: 'BAD_INPUT',
    })
    const { id } = await db.put(stamp, 1)
    await expect(db.delete({ ...stamp, id })).rejects.toMatchObject({ code: 'DB_FORBIDDEN' })
  })
})

describe('a co-signed record', () => {
  const unsigned = {
    system: SYSTEM,
    collection: 'deals',
    id: 'deal',
    version: '01a0b2c3d4e5-0000',
    scope: 'set' as const,
    partition: null,
    schema: null,
    value: { price: 3 },
  }
  const body = cosignedBody(unsigned, Object.values(persons))
  const dealBy = (signers: RecordSigner[]): CloudRecord => {
    const record = assembleRecord(
      body,
      signers.map((signer) => cosign(body, signer)),
    )
    if (record === null) throw new Error('no record')
    const forms = signers.map(({ attestation }) => attestation.form)
    return { ...viewRecord(record), proof: proveRecord(record, forms) }
  }

  it('comes in with the signatures of all, and names them', async () => {
    const db = await open(anna)
    const deal = dealBy([anna, ben])
    expect(db.verify(deal).cosigners).toEqual(Object.values(persons).sort())
    expect(await db.import([deal])).toEqual({ ...NONE, accepted: 1 })
    expect(await db.import([deal])).toEqual({ ...NONE, known: 1 })
    const { records } = await db.query({ ...note(''), collection: 'deals', limit: 10 })
    expect(records[0]?.parties).toEqual(Object.values(persons).sort())
  })

  it('does not count with one of them', async () => {
    const db = await open(anna)
    await expect(db.import([dealBy([anna])])).rejects.toMatchObject({ code: 'DB_RECORD_FORGED' })
    await expect(db.put({ ...note('deal'), collection: 'deals' }, {})).rejects.toMatchObject({
      code: 'DB_FORBIDDEN',
    })
  })
})

describe('what comes from elsewhere', () => {
  it('is taken whole or not at all', async () => {
    const db = await open(anna)
    const other = await open(ben)
    await db.put(note('a'), { text: 'a' })
    const good = (await db.get(note('a'), proven)) as CloudRecord
    const bad = [
      { ...good, value: { text: 'b' } },
      { ...good, author: persons.ben },
      { ...good, proof: { ...good.proof!, attestations: [ben.attestation.form] } },
      { ...good, proof: { ...good.proof!, body: good.proof!.body.replace('"a"}', '"b"}') } },
      { ...good, proof: undefined },
    ] as CloudRecord[]
    for (const record of bad) {
      expect(() => db.verify(record)).toThrowError(
        expect.objectContaining({ code: 'DB_RECORD_FORGED' }),
      )
      await expect(other.import([good, record])).rejects.toMatchObject({ code: 'DB_RECORD_FORGED' })
    }
    expect((await other.query({ ...note(''), limit: 10 })).records).toEqual([])
    expect(db.verify(good)).toEqual({ author: persons.anna, cosigners: [] })
  })

  it('is counted by what came of it', async () => {
    const db = await open(anna)
    const other = await open(ben)
    const put = async (id: string, value: string): Promise<CloudRecord> => {
      await db.put(note(id), { text: value })
      return (await db.get(note(id), proven)) as CloudRecord
    }
    const old = await put('a', 'old')
    const fresh = await put('a', 'fresh')
    nowMs += 2 * MAX_DRIFT_MS
    const early = await put('b', 'early')
    nowMs -= 2 * MAX_DRIFT_MS
    expect(await other.import([fresh, old, early, fresh])).toEqual({
      ...NONE,
      accepted: 1,
      known: 1,
      outdated: 1,
      early: 1,
    })
  })

  it('and does not fit the schema is held, and not shown', async () => {
    const loose = manifestWith({})
    manifest = loose
    const other = await open(ben)
    await other.put(note('odd'), { words: 1 })
    await other.put(note('even'), { text: 'fits' })
    const records = (await other.query({ ...note(''), limit: 10, proof: true })).records
    manifest = manifestWith(text)
    const db = await open(anna)
    await db.import(records)
    const shown = await db.query({ ...note(''), limit: 10 })
    expect(shown.records.map(({ id }) => id)).toEqual(['even'])
    manifest = loose
    expect((await db.query({ ...note(''), limit: 10 })).records).toHaveLength(2)
  })
})

describe('judging', () => {
  it('happens once for a record, not at each reading, and again for another schema', async () => {
    const other = await open(ben)
    for (const id of ['a', 'b', 'c']) await other.put(note(id), { text: id })
    const { records } = await other.query({ ...note(''), limit: 10, proof: true })
    const db = await open(anna)
    judge.asked = 0
    await db.import(records)
    expect(judge.asked).toBe(3)
    for (let round = 0; round < 3; round++) await db.query({ ...note(''), limit: 10 })
    expect(judge.asked).toBe(3)
    manifest = manifestWith({ ...text, title: 'second' })
    await db.query({ ...note(''), limit: 10 })
    expect(judge.asked).toBe(6)
  })

  it('refuses what the person writes, and names the field', async () => {
    const db = await open(anna)
    await expect(db.put(note('x'), { words: 1 })).rejects.toMatchObject({
      code: 'DB_SCHEMA',
      message: expect.stringContaining('#/text'),
    })
    await expect(db.put(note('x'), { text: 'x'.repeat(2_000) })).rejects.toMatchObject({
      code: 'DB_TOO_LARGE',
    })
    const unknown = { ...note('x'), collection: 'constructor' }
    await expect(db.put(unknown, {})).rejects.toMatchObject({ code: 'DB_COLLECTION_UNKNOWN' })
    await expect(db.get(unknown)).rejects.toMatchObject({ code: 'DB_COLLECTION_UNKNOWN' })
    await expect(db.put({ ...note('x'), system: 'nowhere' }, {})).rejects.toMatchObject({
      code: 'SYSTEM_NOT_INSTALLED',
    })
    let deep: never = {} as never
    for (let level = 0; level < 100; level++) deep = { deep } as never
    await expect(db.put(note('x'), { text: 'x', deep })).rejects.toMatchObject({
      code: 'BAD_INPUT',
    })
    expect((await db.query({ ...note(''), limit: 10 })).records).toEqual([])
  })
})

describe('a clock that is off', () => {
  it('is said when a write would lose against what the person wrote before', async () => {
    const db = await open(anna)
    nowMs += 86_400_000
    await db.put(note('a'), { text: 'written a day ahead' })
    nowMs -= 86_400_000
    const again = await open(anna, 'copy')
    await stores[0]!.close()
    stores.shift()
    const reopened = await open(anna)
    await expect(reopened.put(note('a'), { text: 'lost' })).rejects.toMatchObject({
      code: 'CLOCK_OFF',
    })
    await again.put(note('a'), { text: 'elsewhere' })
    expect((await reopened.get(note('a')))?.value).toEqual({ text: 'written a day ahead' })
    await reopened.put(note('b'), { text: 'others can be written' })
  })
})

describe('a query', () => {
  it('goes through pages in the order of ids and authors, and none is left out', async () => {
    const db = await open(anna)
    const other = await open(ben)
    for (const id of ['b', 'a', 'aé', 'c']) {
      await db.put(note(id), { text: id })
      await other.put(note(id), { text: id })
    }
    await db.import((await other.query({ ...note(''), limit: 10, proof: true })).records)
    const seen: string[] = []
    for (let cursor: string | undefined; ; ) {
      const page = await db.query({ ...note(''), limit: 3, cursor })
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
    const byBen = await db.query({ ...note(''), limit: 10, author: persons.ben, prefix: 'a' })
    expect(byBen.records.map(({ id }) => id)).toEqual(['a', 'aé'])
    const found = await db.query({ ...note(''), limit: 10, where: { text: 'b' } })
    expect(found.records).toHaveLength(2)
    await expect(db.query({ ...note(''), limit: 10, cursor: 'junk' })).rejects.toMatchObject({
      code: 'BAD_INPUT',
    })
  })
})

it('deletes all that the person wrote for a system, and nothing of others', async () => {
  const db = await open(anna)
  const other = await open(ben)
  await db.put(note('a'), { text: 'a' })
  await other.put(note('b'), { text: 'b' })
  await db.import((await other.query({ ...note(''), limit: 10, proof: true })).records)
  await db.deleteOwnRecords('org.example.notes')
  const { records } = await db.query({ ...note(''), limit: 10 })
  expect(records.map(({ id }) => id)).toEqual(['b'])
})

it('goes on deleting when another machine of the person deletes as well', async () => {
  const db = await open(anna)
  const twin = await open(anna, 'twin')
  for (const id of ['a', 'b', 'c']) await db.put(note(id), { text: id })
  await twin.import((await db.query({ ...note(''), limit: 10, proof: true })).records)
  nowMs += 1
  await twin.delete(note('b'))
  const [store, twinStore] = stores as [IndexedRecords, IndexedRecords]
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
  expect((await db.query({ ...note(''), limit: 10 })).records).toEqual([])
})

it('writes nothing of which the judge says nothing', async () => {
  const db = await open(anna)
  judge.judge = () => Promise.resolve([])
  await expect(db.put(note('a'), { text: 'a' })).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  expect(await db.get(note('a'))).toBeNull()
})

describe('a system that had other keys before', () => {
  const all = { ...note(''), limit: 100 }
  const textsIn = (records: CloudRecord[]): unknown[] =>
    records.map(({ value }) => (value as { text: string }).text)
  const under = async (key: string, write: () => Promise<unknown>): Promise<void> => {
    const now = keys
    keys = [key]
    await write()
    keys = now
  }
  beforeEach(() => {
    keys = [SYSTEM, FIRST, BEFORE]
  })

  it('reads what was written under any of them, and writes under the present one', async () => {
    const db = await open(anna)
    await under(FIRST, () => db.put(note('a'), { text: 'at first' }))
    await under(BEFORE, () => db.put(note('b'), { text: 'before' }))
    expect(await db.get(note('a'))).toMatchObject({ system: FIRST, value: { text: 'at first' } })
    expect(await db.put(note('a'), { text: 'now' })).toMatchObject({ system: SYSTEM })
    expect(await db.get(note('a'))).toMatchObject({ system: SYSTEM, value: { text: 'now' } })
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
    const db = await open(anna)
    await db.put(note('a'), { text: 'now' })
    await under(BEFORE, () =>
      db.put(note('a'), { text: 'later, by a machine that is not up to date' }),
    )
    const texts = ['later, by a machine that is not up to date']
    expect(textsIn((await db.query(all)).records)).toEqual(texts)
    expect((await db.get(note('a')))?.system).toBe(BEFORE)
    await db.put(note('a'), { text: 'last' })
    expect(textsIn((await db.query(all)).records)).toEqual(['last'])
  })

  it('keeps authors apart, and holds old records against the present schema', async () => {
    const db = await open(anna)
    const other = await open(ben)
    await under(BEFORE, async () => {
      await other.put(note('a'), { text: 'ben' })
      manifest = manifestWith({})
      await other.put(note('b'), { words: 'ben' })
      manifest = manifestWith(text)
      await db.import((await other.query({ ...all, proof: true })).records)
    })
    await other.put({ ...note('c'), id: 'c' }, { text: 'ben' })
    await db.put(note('a'), { text: 'anna' })
    const { records } = await db.query(all)
    expect(records.map(({ id, author }) => [id, author]).sort()).toEqual(
      [
        ['a', persons.anna],
        ['a', persons.ben],
      ].sort(),
    )
    expect((await db.get(note('a'), { author: persons.ben }))?.value).toEqual({ text: 'ben' })
  })

  it('goes through pages in one order, over all keys, and none is left out or comes twice', async () => {
    const db = await open(anna)
    const ids = Array.from({ length: 120 }, (_, at) => `é${String(at).padStart(3, '0')}`)
    const odd = (_: string, at: number): boolean => at % 2 === 1
    await under(FIRST, async () => {
      for (const id of ids.slice(0, 70)) await db.put(note(id), { text: 'first' })
    })
    await under(BEFORE, async () => {
      for (const id of ids.filter(odd)) await db.put(note(id), { text: 'before' })
    })
    for (const id of ids.slice(50)) await db.put(note(id), { text: 'now' })
    // In UTF-16 it would come before, in UTF-8 it comes last.
    await under(FIRST, () => db.put(note('\u{1f600}'), { text: 'last' }))
    await db.put(note('\uffee'), { text: 'but one' })
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
    const db = await open(anna)
    const stamp = { system: 'org.example.notes', collection: 'stamps' }
    let id = ''
    await under(BEFORE, async () => {
      ;({ id } = await db.put(stamp, { once: true }))
    })
    expect(await db.get({ ...stamp, id })).toMatchObject({ system: BEFORE, value: { once: true } })
  })

  it('deletes under every key that has it, so that nobody keeps what it said', async () => {
    const db = await open(anna)
    await under(FIRST, () => db.put(note('a'), { text: 'first' }))
    await under(BEFORE, () => db.put(note('a'), { text: 'before' }))
    await db.delete(note('a'))
    expect(await db.get(note('a'))).toBeNull()
    expect((await db.query(all)).records).toEqual([])
    for (const key of [SYSTEM, FIRST, BEFORE]) {
      await under(key, async () => expect(await db.get(note('a'))).toBeNull())
    }
    await expect(db.delete(note('a'))).rejects.toMatchObject({ code: 'DB_NOT_FOUND' })
    await db.put(note('a'), { text: 'again' })
    expect((await db.get(note('a')))?.system).toBe(SYSTEM)
  })

  it('can be deleted whole', async () => {
    const db = await open(anna)
    await under(FIRST, () => db.put(note('a'), { text: 'first' }))
    await db.put(note('a'), { text: 'now' })
    await db.deleteOwnRecords('org.example.notes')
    for (const key of [SYSTEM, FIRST]) {
      await under(key, async () => expect((await db.query(all)).records).toEqual([]))
    }
  })

  it('says when the clock is behind what was written under a former key', async () => {
    const db = await open(anna)
    nowMs += 3_600_000
    await under(BEFORE, () => db.put(note('a'), { text: 'ahead' }))
    await stores[0]!.close()
    stores.shift()
    nowMs -= 86_400_000
    const reopened = await open(anna)
    await expect(reopened.put(note('a'), { text: 'lost' })).rejects.toMatchObject({
      code: 'CLOCK_OFF',
    })
  })
})
