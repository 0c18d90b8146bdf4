import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { TestMachine } from '../testing/cloud-nodes.ts'
import { TestCloud, until } from '../testing/cloud-nodes.ts'

const note = (id: string) => ({ system: 'org.example.notes', collection: 'notes', id })
/** Has the machine that person's record? Its own person's, if none is named. */
const has = async ({ node }: TestMachine, id: string, by?: TestMachine): Promise<boolean> =>
  (await node.database.get(note(id), { author: by?.identity.person })) !== null

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
    await until(() => has(b, 'alone', a))
    await b.node.database.put(note('together'), { text: 'hello' })
    await until(() => has(a, 'together', b))
    const { records } = await a.node.database.query({ ...note(''), limit: 10 })
    expect(records).toHaveLength(2)
  })

  it('keep the records of machines that have gone, for machines that come later', async () => {
    const writer = await cloud.start()
    const holder = await cloud.start()
    await writer.node.database.put(note('legacy'), { text: 'still here' })
    await until(() => has(holder, 'legacy', writer))
    await cloud.stop(writer)
    await until(() => holder.node.swarm.linkCount === 0)
    const late = await cloud.start()
    await until(() => has(late, 'legacy', writer))
    const known = late.node.membership
      .list()
      .find(({ machine }) => machine === writer.identity.machine)
    expect(known?.online).toBe(false)
  })

  it('merge what each of them wrote while apart, newest wins', async () => {
    const a = await cloud.start()
    const b = await cloud.start()
    await a.node.database.put(note('shared'), { text: 'first' })
    await until(() => has(b, 'shared', a))
    await cloud.stop(b)
    await until(() => a.node.swarm.linkCount === 0)
    await a.node.database.put(note('shared'), { text: 'second' })
    // With nobody to be found: what it writes now, no other machine has.
    const apart = await cloud.start({ dataDir: b.dataDir, alone: true })
    await apart.node.database.put(note('apart'), { text: 'written alone' })
    const of = async ({ node }: TestMachine) =>
      (await node.database.get(note('shared'), { author: a.identity.person }))?.value
    expect(await of(apart)).toEqual({ text: 'first' })
    await cloud.stop(apart)
    const again = await cloud.start({ dataDir: b.dataDir })
    await until(async () => JSON.stringify(await of(again)) === JSON.stringify({ text: 'second' }))
    await until(() => has(a, 'apart', again))
    await until(() => a.node.database.completeness().complete)
  })

  it('give each person a record of their own under an id, whoever came first', async () => {
    const a = await cloud.start()
    const b = await cloud.start()
    await a.node.database.put(note('mine'), { text: 'a' })
    await until(() => has(b, 'mine', a))
    await b.node.database.put(note('mine'), { text: 'b' })
    await until(() => has(a, 'mine', b))
    await expect(b.node.database.delete(note('other'))).rejects.toMatchObject({
      code: 'DB_NOT_FOUND',
    })
    await b.node.database.delete(note('mine'))
    await until(async () => !(await has(a, 'mine', b)))
    expect((await a.node.database.get(note('mine')))?.value).toEqual({ text: 'a' })
  })

  it('delete everywhere what its author deletes', async () => {
    const a = await cloud.start()
    const b = await cloud.start()
    await a.node.database.put(note('gone'), { text: 'a' })
    await until(() => has(b, 'gone', a))
    await a.node.database.delete(note('gone'))
    await until(async () => !(await has(b, 'gone', a)))
    await expect(a.node.database.delete(note('gone'))).rejects.toMatchObject({
      code: 'DB_NOT_FOUND',
    })
  })
})

describe('a machine', () => {
  it('keeps its records, its name and its cloud over a restart', async () => {
    const a = await cloud.start()
    await a.node.database.put(note('kept'), { text: 'kept' })
    await cloud.stop(a)
    const again = await cloud.start({ dataDir: a.dataDir })
    expect(again.identity.machine).toBe(a.identity.machine)
    expect((await again.node.database.get(note('kept')))?.value).toEqual({ text: 'kept' })
  })
})
