// Records that come in by hand: with the signatures of all, and with what certifies them.
import { describe, expect, it } from 'vitest'
import type { CloudRecord } from '../../contract/db.ts'
import { MAX_DRIFT_MS } from '../../core/db/hybrid-clock.ts'
import { assembleRecord, cosign, cosignedBody } from '../../core/db/signed-record.ts'
import type { RecordSigner } from '../../core/db/signed-record.ts'
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
import { proveRecord, viewRecord } from './record-view.ts'

const setting = eachDatabase()
const proven = { proof: true } as const
/** What came of no record. */
const NONE = { accepted: 0, known: 0, outdated: 0, early: 0, refused: 0 }

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
    const db = await setting.open(anna)
    const deal = dealBy([anna, ben])
    expect(db.verify(deal).cosigners).toEqual(Object.values(persons).sort())
    expect(await db.import([deal])).toEqual({ ...NONE, accepted: 1 })
    expect(await db.import([deal])).toEqual({ ...NONE, known: 1 })
    const { records } = await db.query({ ...noteAt(''), collection: 'deals', limit: 10 })
    expect(records[0]?.parties).toEqual(Object.values(persons).sort())
  })

  it('does not count with one of them', async () => {
    const db = await setting.open(anna)
    await expect(db.import([dealBy([anna])])).rejects.toMatchObject({ code: 'DB_RECORD_FORGED' })
    await expect(db.put({ ...noteAt('deal'), collection: 'deals' }, {})).rejects.toMatchObject({
      code: 'DB_FORBIDDEN',
    })
  })
})

describe('what comes from elsewhere', () => {
  it('is taken whole or not at all', async () => {
    const db = await setting.open(anna)
    const other = await setting.open(ben)
    await db.put(noteAt('a'), { text: 'a' })
    const good = (await db.get(noteAt('a'), proven)) as CloudRecord
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
    expect((await other.query({ ...noteAt(''), limit: 10 })).records).toEqual([])
    expect(db.verify(good)).toEqual({ author: persons.anna, cosigners: [] })
  })

  it('is counted by what came of it', async () => {
    const db = await setting.open(anna)
    const other = await setting.open(ben)
    const put = async (id: string, value: string): Promise<CloudRecord> => {
      await db.put(noteAt(id), { text: value })
      return (await db.get(noteAt(id), proven)) as CloudRecord
    }
    const old = await put('a', 'old')
    const fresh = await put('a', 'fresh')
    setting.nowMs += 2 * MAX_DRIFT_MS
    const early = await put('b', 'early')
    setting.nowMs -= 2 * MAX_DRIFT_MS
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
    setting.manifest = loose
    const other = await setting.open(ben)
    await other.put(noteAt('odd'), { words: 1 })
    await other.put(noteAt('even'), { text: 'fits' })
    const records = (await other.query({ ...noteAt(''), limit: 10, proof: true })).records
    setting.manifest = manifestWith(text)
    const db = await setting.open(anna)
    await db.import(records)
    const shown = await db.query({ ...noteAt(''), limit: 10 })
    expect(shown.records.map(({ id }) => id)).toEqual(['even'])
    setting.manifest = loose
    expect((await db.query({ ...noteAt(''), limit: 10 })).records).toHaveLength(2)
  })
})
