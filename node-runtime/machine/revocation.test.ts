// A person's machines: one is revoked while it runs. What it signs after that is hidden everywhere, what
// it signed before stays, and it gets no links.
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { CloudRecord } from '../contract/db.ts'
import { signRevocation } from '../core/forms/revocation.ts'
import { NOTES_KEY, TestCloud, until } from '../testing/cloud-nodes.ts'
import type { TestMachine } from '../testing/cloud-nodes.ts'
import { heldOnDisk } from '../testing/held-records.ts'
import type { Held } from '../testing/held-records.ts'

let cloud: TestCloud
beforeEach(async () => {
  cloud = await TestCloud.create()
})
afterEach(() => cloud.close())

const note = (id: string) => ({ system: NOTES_KEY, collection: 'notes', id })
const all = { ...note(''), limit: 1_000 }
const idsOn = async ({ node }: TestMachine): Promise<string[]> =>
  (await node.database.query(all)).records.map(({ id }) => id)
const put = ({ node }: TestMachine, id: string): Promise<CloudRecord> =>
  node.database.put(note(id), { text: id })
const isLinked = ({ node }: TestMachine, { identity }: TestMachine): boolean =>
  node.swarm.isOnline(identity.machine)

/** Another machine of the same person. */
async function startBeside({ identity }: TestMachine): Promise<TestMachine> {
  const machine = await cloud.start()
  await machine.identity.restore(identity.recoveryPhrase, { forgetPhrase: true })
  return machine
}

async function revoke(
  by: TestMachine,
  machine: string,
  validUntil: string | null,
  sequence = Date.now(),
): Promise<void> {
  const { person, secretKey } = by.identity.keysOf()
  const statement = { person, machine, cloud: cloud.cloud, sequence, validUntil }
  await by.node.revoke(signRevocation(statement, secretKey))
}

/** Brings records over by hand, as a machine would that has not heard of the revocation. */
async function carry(from: TestMachine, to: TestMachine, id: string): Promise<void> {
  const { records } = await from.node.database.query({ ...all, prefix: id, proof: true })
  expect(records).toHaveLength(1)
  await to.node.database.import(records)
}

const heldBy = ({ dataDir }: TestMachine): Promise<Held> =>
  heldOnDisk(join(cloud.folderIn(dataDir), 'records'), cloud.cloud)

it('a machine that is revoked while it runs has nothing to say after that, anywhere', async () => {
  const desk = await cloud.start()
  const phone = await startBeside(desk)
  const friend = await cloud.start()
  await until(() => isLinked(desk, phone) && isLinked(friend, phone) && isLinked(desk, friend))
  const before = await put(phone, 'before')
  await put(friend, 'friend')
  for (const machine of [desk, friend]) {
    await until(async () => (await idsOn(machine)).length === 2)
  }
  await revoke(desk, phone.identity.machine, before.version)
  await until(() => !isLinked(desk, phone) && !isLinked(friend, phone))
  expect(friend.node.membership.list().filter(({ revoked }) => revoked)).toMatchObject([
    { machine: phone.identity.machine, online: false },
  ])

  // Whoever gets it holds it, as machines do that have not heard; nobody shows it.
  await put(phone, 'after')
  const news = [desk, friend].map(({ node }) => {
    const heard: CloudRecord[] = []
    node.database.onChange((record) => heard.push(record))
    return heard
  })
  await carry(phone, friend, 'after')
  for (const heard of news) {
    await until(() => heard.some(({ id }) => id === 'after'))
    expect(heard.find(({ id }) => id === 'after')).toMatchObject({ deleted: true, value: null })
  }
  const late = await cloud.start()
  await until(() => late.node.database.completeness().complete)
  for (const machine of [desk, friend, late]) {
    expect(await idsOn(machine)).toEqual(['before', 'friend'])
    const author = desk.identity.person
    expect(await machine.node.database.get(note('after'), { author })).toBeNull()
    expect(await machine.node.database.get(note('before'), { author })).not.toBeNull()
  }
  await until(() => phone.node.swarm.linkCount === 0)

  // It stays so after a restart; and all hold the same, what they do not show included.
  const machines = [desk, friend, late]
  for (const machine of machines) await cloud.stop(machine)
  const held = await Promise.all(machines.map(heldBy))
  expect(held[0]?.envelopes).toHaveLength(4)
  expect(held.slice(1)).toEqual([held[0], held[0]])
  const again = await cloud.start({ dataDir: desk.dataDir })
  expect(await idsOn(again)).toEqual(['before', 'friend'])
})

it('a machine that was found again is attested anew, and what it signed meanwhile stays hidden', async () => {
  const desk = await cloud.start()
  const phone = await startBeside(desk)
  await until(() => isLinked(desk, phone) && isLinked(phone, desk))
  await revoke(desk, phone.identity.machine, null)
  await until(() => !isLinked(desk, phone))
  await put(phone, 'meanwhile')
  await phone.identity.restore(desk.identity.recoveryPhrase)
  await until(() => isLinked(desk, phone))
  await put(phone, 'again')
  await until(async () => (await idsOn(desk)).includes('again'))
  await until(() => desk.node.database.completeness().complete)
  expect(await idsOn(desk)).toEqual(['again'])
  expect(desk.node.membership.list().some(({ revoked }) => revoked)).toBe(false)
})

it('who watches hears of records that count no more, or count again, and of no others', async () => {
  const desk = await cloud.start()
  const phone = await startBeside(desk)
  const kept = await put(phone, 'kept')
  const lost = await put(phone, 'lost')
  await put(desk, 'own')
  await until(async () => (await idsOn(desk)).length === 3)
  const heard: CloudRecord[] = []
  desk.node.database.onChange((record) => heard.push(record))
  await revoke(desk, phone.identity.machine, kept.version)
  const notes = (): CloudRecord[] => heard.filter(({ system }) => system === NOTES_KEY)
  await until(() => notes().length > 0)
  expect(notes()).toMatchObject([{ id: 'lost', deleted: true, value: null }])
  expect(await idsOn(desk)).toEqual(['kept', 'own'])
  // The person says later that more of it is theirs.
  await revoke(desk, phone.identity.machine, lost.version, Date.now() + 60_000)
  await until(() => notes().length > 1)
  expect(notes()[1]).toMatchObject({ id: 'lost', value: { text: 'lost' } })
  expect(notes()[1]).not.toHaveProperty('deleted')
  expect(await idsOn(desk)).toEqual(['kept', 'lost', 'own'])
})
