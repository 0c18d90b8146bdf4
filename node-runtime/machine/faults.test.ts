// Whole machines among members that cheat, on clocks that are off, with copies of themselves: what was
// acknowledged is kept, and nobody else pays.
import { cp, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { signRecord } from '../core/db/signed-record.ts'
import type { UnsignedRecord } from '../core/db/signed-record.ts'
import { formatVersion, versionTimeMs } from '../core/db/hybrid-clock.ts'
import { NOTES_KEY, notesManifest, TestCloud, until } from '../testing/cloud-nodes.ts'
import type { TestMachine } from '../testing/cloud-nodes.ts'
import { heldIn } from '../testing/held-records.ts'
import { LaterMachine } from '../testing/later-version.ts'

const DAY_MS = 86_400_000

let cloud: TestCloud
const cheats = new Set<LaterMachine>()
beforeEach(async () => {
  cloud = await TestCloud.create()
})
afterEach(async () => {
  await Promise.all([...cheats].map((cheat) => cheat.close()))
  cheats.clear()
  await cloud.close()
})

const note = (id: string) => ({ system: NOTES_KEY, collection: 'notes', id })
const textOf = async ({ node }: TestMachine, id: string, by: TestMachine) =>
  (await node.database.get(note(id), { author: by.identity.person }))?.value
const idsOn = async ({ node }: TestMachine) =>
  (await node.database.query({ ...note(''), limit: 1_000 })).records.map(({ id }) => id)

/** A member that signs what it likes. */
async function startCheat(): Promise<LaterMachine> {
  const cheat = await LaterMachine.start({
    folder: await cloud.makeFolder(),
    cloud: cloud.cloud,
    genesis: null,
    bootstrap: cloud.bootstrap,
  })
  cheats.add(cheat)
  return cheat
}

describe('a record of another person', () => {
  it('can not be taken over, however far back a claim is dated', async () => {
    const owner = await cloud.start()
    const holder = await cloud.start()
    await owner.node.database.put(note('event'), { text: 'mine' })
    const cheat = await startCheat()
    await until(async () => (await heldIn(cheat.store)).envelopes.length === 1)
    const claim = { ...note('event'), rule: 'author', value: { text: 'taken over' } }
    await cheat.put(claim, { version: formatVersion({ timeMs: 0, counter: 0 }), created: 0 })
    for (const machine of [owner, holder]) {
      await until(async () => (await idsOn(machine)).length === 2)
      expect(await textOf(machine, 'event', owner)).toEqual({ text: 'mine' })
    }
    await owner.node.database.put(note('event'), { text: 'changed' })
    await until(async () =>
      JSON.stringify(await textOf(holder, 'event', owner)).includes('changed'),
    )
    await owner.node.database.deleteOwnRecords(notesManifest.id)
    await until(async () => (await idsOn(holder)).length === 1)
  })

  it('is held by nobody when another signed it, and machines go on', async () => {
    const owner = await cloud.start()
    const honest = await cloud.start()
    const cheat = await startCheat()
    await until(() => cheat.linkCount === 2)
    const fields: UnsignedRecord = {
      ...note('forged'),
      rule: 'author',
      value: { text: 'never said' },
      author: owner.identity.person,
      version: formatVersion({ timeMs: Date.now(), counter: 0 }),
      scope: 'set',
      partition: null,
      schema: null,
    }
    const { attestation, keys } = cheat
    const signer = { cloud: cloud.cloud, attestation, machineSecretKey: keys.secretKey }
    // Signed by the cheat's machine, and as if by the owner's.
    const stolen = { ...signer, attestation: owner.identity.attestationFor(cloud.cloud) }
    for (const [at, by] of [signer, stolen].entries()) {
      const record = signRecord({ ...fields, id: `forged ${at}` }, by)
      const attestations = [attestation, stolen.attestation]
      await cheat.store.accept({ records: [{ record, verdict: '' }], attestations })
    }
    await cheat.put({ ...note('true'), rule: 'author', value: { text: 'said' } })
    await owner.node.database.put(note('own'), { text: 'said' })
    for (const machine of [owner, honest]) {
      await until(async () => (await idsOn(machine)).length >= 2)
      expect(await idsOn(machine)).toEqual(['own', 'true'])
    }
  })
})

describe('a clock', () => {
  it('that was a day ahead for a while hides nothing that is written afterwards', async () => {
    let aheadMs = DAY_MS
    const now = () => Date.now() + aheadMs
    const writer = await cloud.start({ now })
    const reader = await cloud.start()
    await writer.node.database.put(note('ahead'), { text: 'a day ahead' })
    await writer.node.database.put(note('other'), { text: 'a day ahead' })
    aheadMs = 0
    await expect(writer.node.database.put(note('ahead'), { text: 'lost' })).rejects.toMatchObject({
      code: 'CLOCK_OFF',
    })
    await cloud.stop(writer)
    const again = await cloud.start({ dataDir: writer.dataDir, now })
    await again.node.database.put(note('afterwards'), { text: 'seen at once' })
    await until(async () => (await idsOn(reader)).includes('afterwards'))
    expect(await idsOn(reader)).toEqual(['afterwards'])
    expect(await textOf(again, 'ahead', again)).toEqual({ text: 'a day ahead' })
  })

  it('that is behind says so in words when it would lose, and what it writes arrives', async () => {
    const dataDir = await cloud.makeFolder()
    const right = await cloud.start({ dataDir })
    await right.node.database.put(note('kept'), { text: 'at the right time' })
    await cloud.stop(right)
    const behind = await cloud.start({ dataDir, now: () => Date.now() - DAY_MS })
    await expect(behind.node.database.put(note('kept'), { text: 'lost' })).rejects.toMatchObject({
      code: 'CLOCK_OFF',
      message: expect.stringContaining('Set the clock right'),
    })
    expect(await textOf(behind, 'kept', behind)).toEqual({ text: 'at the right time' })
    const reader = await cloud.start()
    await behind.node.database.put(note('fresh'), { text: 'dated yesterday' })
    // What it dates right is passed on at once; the rest when its own time has come to that.
    await until(async () => (await idsOn(reader)).includes('fresh'))
  })

  it('of a member just within what is allowed delays nobody’s records', async () => {
    const honest = await cloud.start()
    const slow = await cloud.start({ now: () => Date.now() - 3_000 })
    const cheat = await startCheat()
    await cheat.put(
      { ...note('rush'), rule: 'author', value: { text: 'ahead' } },
      { version: formatVersion({ timeMs: Date.now() + 299_900, counter: 0 }) },
    )
    await until(async () => (await idsOn(honest)).includes('rush'))
    await cloud.stop(honest)
    const again = await cloud.start({ dataDir: honest.dataDir })
    await until(() => again.node.swarm.linkCount === 2)
    const { version } = await again.node.database.put(note('honest'), { text: 'on time' })
    expect(versionTimeMs(version)).toBeLessThanOrEqual(Date.now())
    await until(async () => (await idsOn(slow)).includes('honest'))
  })
})

describe('two copies of one machine', () => {
  it('both say so, and nothing that either acknowledged is lost', async () => {
    const errors: string[] = []
    const log = { info: () => {}, warn: () => {}, error: (message: string) => errors.push(message) }
    const holder = await cloud.start()
    const first = await cloud.start({ log })
    await until(() => first.node.swarm.linkCount === 1)
    // As a copied disk image has it: the same key, and nothing that tells of the copying.
    const dataDir = await cloud.makeFolder()
    await cp(join(first.dataDir, 'identity.json'), join(dataDir, 'identity.json'))
    const second = await cloud.start({ dataDir, log })
    const copies = [first, second]
    for (let number = 0; number < 10; number++) {
      for (const [at, { node }] of copies.entries()) {
        await node.database.put(note(`${at} ${number}`), { text: 'acknowledged' })
      }
    }
    await until(async () => (await idsOn(holder)).length === 20, 60_000)
    await until(
      () => copies.every(({ node }) => node.notices.some(({ code }) => code === 'MACHINE_TWICE')),
      60_000,
    )
    expect(errors.filter((message) => message.includes('A copy of this machine'))).toHaveLength(2)
  }, 120_000)
})

describe('a machine whose disk has lost what it wrote', () => {
  it('says so, claims nothing, and gets its own records back from the others', async () => {
    const holder = await cloud.start()
    const writer = await cloud.start()
    const ids = Array.from({ length: 20 }, (_, number) => `note ${number + 10}`)
    for (const id of ids) await writer.node.database.put(note(id), { text: id })
    await until(async () => (await idsOn(holder)).length === 20)
    await cloud.stop(writer)
    await rm(join(cloud.folderIn(writer.dataDir), 'records'), { recursive: true })
    const again = await cloud.start({ dataDir: writer.dataDir, alone: true })
    expect(again.node.notices.map(({ code }) => code)).toEqual(['RECORDS_DAMAGED'])
    expect(again.node.database.completeness().complete).toBe(false)
    // Written before it has heard of what it had: neither is lost.
    await again.node.database.put(note('note 10'), { text: 'newer' })
    await cloud.stop(again)
    const back = await cloud.start({ dataDir: writer.dataDir })
    await until(async () => (await idsOn(back)).length === 20)
    expect(await idsOn(back)).toEqual(ids)
    expect(await textOf(back, 'note 10', back)).toEqual({ text: 'newer' })
    await until(async () => JSON.stringify(await textOf(holder, 'note 10', back)).includes('newer'))
    await until(() => back.node.database.completeness().complete)
  })
})

describe('a machine that does not open', () => {
  it('leaves nothing open, and opens when what was broken is mended', async () => {
    const dataDir = await cloud.makeFolder()
    // A folder where the list of machines has to be: the records are open by then.
    const broken = join(cloud.folderIn(dataDir), 'machines.json')
    await mkdir(broken, { recursive: true })
    await expect(cloud.start({ dataDir })).rejects.toMatchObject({ code: 'EISDIR' })
    await expect(cloud.start({ dataDir })).rejects.toMatchObject({ code: 'EISDIR' })
    await rm(broken, { recursive: true })
    const machine = await cloud.start({ dataDir })
    await machine.node.database.put(note('works'), { text: 'again' })
  })
})
