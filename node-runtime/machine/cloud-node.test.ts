import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cosignBytes } from '../core/db/record.ts'
import type { TestMachine } from '../testing/cloud-nodes.ts'
import { TestCloud, until } from '../testing/cloud-nodes.ts'

const note = (id: string) => ({ system: 'org.example.notes', collection: 'notes', id })
const has = async ({ node }: TestMachine, id: string): Promise<boolean> =>
  (await node.database.get(note(id))) !== null

let cloud: TestCloud
beforeEach(async () => {
  cloud = await TestCloud.create()
})
afterEach(async () => {
  await cloud.close()
})

describe('machines of one cloud', () => {
  it('find each other, even when they join at the same moment', async () => {
    const machines = await Promise.all([cloud.start(), cloud.start(), cloud.start()])
    await until(() => machines.every(({ node }) => node.swarm.linkCount === 2))
    const [first] = machines
    await until(() => first!.node.membership.list().every((m) => m.self || m.latencyMs !== null))
    expect(first?.node.membership.list().map(({ online }) => online)).toEqual([true, true, true])
  })

  it('have what each of them wrote, alone or together', async () => {
    const a = await cloud.start()
    await a.node.database.put(note('alone'), { text: 'before anyone came' })
    const b = await cloud.start()
    await until(() => has(b, 'alone'))
    await b.node.database.put(note('together'), { text: 'hello' })
    await until(() => has(a, 'together'))
    expect((await a.node.database.get(note('together')))?.author).toBe(b.identity.person)
  })

  it('keep the records of machines that have gone, for machines that come later', async () => {
    const writer = await cloud.start()
    const holder = await cloud.start()
    await writer.node.database.put(note('legacy'), { text: 'still here' })
    await until(() => has(holder, 'legacy'))
    await cloud.stop(writer)
    await until(() => holder.node.swarm.linkCount === 0)
    const late = await cloud.start()
    await until(() => has(late, 'legacy'))
    const known = late.node.membership
      .list()
      .find(({ machine }) => machine === writer.identity.machine)
    expect(known?.online).toBe(false)
  })

  it('merge what was written while apart, newest wins', async () => {
    const a = await cloud.start()
    const b = await cloud.start()
    await a.node.database.put(note('shared'), { text: 'first' })
    await until(() => has(b, 'shared'))
    await cloud.stop(b)
    await a.node.database.put(note('shared'), { text: 'second' })
    const again = await cloud.start({ dataDir: b.dataDir })
    expect((await again.node.database.get(note('shared')))?.value).toEqual({ text: 'first' })
    await until(async () => {
      const record = await again.node.database.get(note('shared'))
      return JSON.stringify(record?.value) === JSON.stringify({ text: 'second' })
    })
  })

  it('do not let one person change or delete what another wrote', async () => {
    const a = await cloud.start()
    const b = await cloud.start()
    await a.node.database.put(note('mine'), { text: 'a' })
    await until(() => has(b, 'mine'))
    await expect(b.node.database.put(note('mine'), { text: 'b' })).rejects.toMatchObject({
      code: 'DB_FORBIDDEN',
    })
    await expect(b.node.database.delete(note('mine'))).rejects.toMatchObject({
      code: 'DB_FORBIDDEN',
    })
    expect((await b.node.database.get(note('mine')))?.value).toEqual({ text: 'a' })
  })

  it('delete everywhere what its author deletes', async () => {
    const a = await cloud.start()
    const b = await cloud.start()
    await a.node.database.put(note('gone'), { text: 'a' })
    await until(() => has(b, 'gone'))
    await a.node.database.delete(note('gone'))
    await until(async () => !(await has(b, 'gone')))
    await expect(a.node.database.delete(note('gone'))).rejects.toMatchObject({
      code: 'DB_NOT_FOUND',
    })
  })
})

describe('a machine', () => {
  it('refuses values that the manifest does not allow, and changes nothing', async () => {
    const { node } = await cloud.start()
    const { database } = node
    const refusals = [
      [note('x'), { words: 1 }, 'DB_SCHEMA'],
      [note('x'), { text: 'x'.repeat(2_000) }, 'DB_TOO_LARGE'],
      [{ ...note('x'), collection: 'nothing' }, {}, 'DB_COLLECTION_UNKNOWN'],
      [{ ...note('x'), system: 'unknown' }, {}, 'SYSTEM_NOT_INSTALLED'],
      [{ ...note('x'), collection: 'deals' }, {}, 'DB_FORBIDDEN'],
    ] as const
    for (const [address, value, code] of refusals) {
      await expect(database.put(address, value)).rejects.toMatchObject({ code })
      expect(await database.get(address)).toBeNull()
    }
    const stamp = { ...note('once'), collection: 'stamps' }
    await database.put(stamp, 1)
    await expect(database.put(stamp, 2)).rejects.toMatchObject({ code: 'DB_FORBIDDEN' })
    expect((await database.get(stamp))?.value).toBe(1)
  })

  it('refuses forged records from elsewhere: all or nothing', async () => {
    const a = await cloud.start()
    const b = await cloud.start()
    const good = await a.node.database.put(note('good'), { text: 'good' })
    const forged = { ...good, id: 'forged' }
    await expect(b.node.database.import([good, forged])).rejects.toMatchObject({
      code: 'DB_RECORD_FORGED',
    })
    expect(await b.node.database.query({ ...note(''), limit: 10 })).toEqual({ records: [] })
    expect(await b.node.database.import([good])).toEqual({ accepted: 1, known: 0 })
    expect(await b.node.database.import([good])).toEqual({ accepted: 0, known: 1 })
  })

  it('keeps its records, its name and its cloud over a restart', async () => {
    const a = await cloud.start()
    await a.node.database.put(note('kept'), { text: 'kept' })
    await cloud.stop(a)
    const again = await cloud.start({ dataDir: a.dataDir })
    expect(again.identity.machine).toBe(a.identity.machine)
    expect((await again.node.database.get(note('kept')))?.value).toEqual({ text: 'kept' })
  })

  it('pages through a query in the order of the ids, by prefix and by field', async () => {
    const { node } = await cloud.start()
    const { database } = node
    for (const id of ['b1', 'a1', 'a3', 'a2', 'aé']) await database.put(note(id), { text: id })
    const page = { system: 'org.example.notes', collection: 'notes', prefix: 'a', limit: 2 }
    const first = await database.query(page)
    expect(first.records.map(({ id }) => id)).toEqual(['a1', 'a2'])
    const second = await database.query({ ...page, cursor: first.cursor })
    expect(second.records.map(({ id }) => id)).toEqual(['a3', 'aé'])
    expect(second.cursor).toBeUndefined()
    const found = await database.query({ ...page, prefix: '', where: { text: 'b1' } })
    expect(found.records.map(({ id }) => id)).toEqual(['b1'])
  })

  it('lets nobody take an id of the runtime’s own collections before another', async () => {
    const squatter = await cloud.start()
    const owner = await cloud.start()
    await squatter.node.database.putBuiltIn('seats', 'session.0', { by: 'squatter' })
    await until(async () => {
      const { records } = await owner.node.database.query({
        system: 'dharma',
        collection: 'seats',
        limit: 10,
      })
      return records.length === 1
    })
    await owner.node.database.putBuiltIn('seats', 'session.0', { by: 'owner' })
    const { records } = await owner.node.database.query({
      system: 'dharma',
      collection: 'seats',
      limit: 10,
    })
    expect(records.map(({ author }) => author).toSorted()).toEqual(
      [squatter.identity.person, owner.identity.person].toSorted(),
    )
  })

  it('holds one co-signed record, whichever signer stores it', async () => {
    const a = await cloud.start()
    const b = await cloud.start()
    const address = { ...note('deal'), collection: 'deals' }
    const value = { price: 3 }
    const cosignatures = [a, b].map(({ identity }) => ({
      person: identity.person,
      signature: identity.signAsPerson(cosignBytes({ ...address, value })),
    }))
    await a.node.database.putCosigned(address, value, cosignatures)
    await b.node.database.putCosigned(address, value, cosignatures)
    await until(async () => (await b.node.database.get(address)) !== null)
    const { records } = await b.node.database.query({ ...address, limit: 10 })
    expect(records).toHaveLength(1)
    expect(records[0]?.cosignatures).toHaveLength(2)
  })
})
