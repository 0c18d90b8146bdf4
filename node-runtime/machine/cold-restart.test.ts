// All machines of a cloud are off. Whichever of them come back, in whatever order, at other ports and by whichever way is
// left, are one cloud again, and have what it had.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import type { WayName } from '../core/finding/ways-core.ts'
import { NOTES_KEY, TestCloud, until } from '../testing/cloud-nodes.ts'
import type { TestMachine, TestMachineOptions } from '../testing/cloud-nodes.ts'
import { genesis, ownerKey } from '../testing/list-places.ts'
import { freePort, multicastFault } from '../testing/local-network.ts'

// Real machines, on a computer that may have other work.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const noMulticast = await multicastFault()
if (noMulticast !== null)
  console.warn(`No multicast here (${noMulticast}): not by the local network.`)

let cloud: TestCloud
/** Of three machines that have met, wrote a note each, and are off. The first one began the cloud. */
let folders: string[]
let url: string
let lanPort: number
let written: string[]
const on = new Set<TestMachine>()

beforeAll(async () => {
  cloud = await TestCloud.create({ genesis })
  lanPort = await freePort()
  url = pathToFileURL(join(await cloud.makeFolder(), 'list')).href
  const machines = [await cloud.start({ ownerKey }), await cloud.start(), await cloud.start()]
  folders = machines.map(({ dataDir }) => dataDir)
  await until(() => machines.every(({ node }) => node.swarm.linkCount === 2))
  for (const machine of machines) await put(machine, machine.identity.machine)
  written = machines.map(({ identity }) => identity.machine)
  for (const machine of machines) await until(() => hasAll(machine))
  await machines[0]!.node.lists.create(url, {})
  for (const machine of machines) await machine.node.lists.add(url)
  for (const machine of machines) await cloud.stop(machine)
})
afterEach(async () => {
  for (const machine of on) await cloud.stop(machine)
  on.clear()
})
afterAll(() => cloud.close())

let isDhtOver = false
async function endDht(): Promise<void> {
  if (isDhtOver) return
  isDhtOver = true
  await cloud.endDht()
}

async function put({ node }: TestMachine, id: string): Promise<void> {
  await node.database.put({ system: NOTES_KEY, collection: 'notes', id }, { text: id })
}

async function hasAll({ node }: TestMachine): Promise<boolean> {
  const notes = { system: NOTES_KEY, collection: 'notes', limit: 100 }
  const { records } = await node.database.query(notes)
  const ids = new Set(records.map(({ id }) => id))
  return written.every((id) => ids.has(id))
}

/** Its computer gives it another port than the last time. */
async function move(dataDir: string): Promise<void> {
  const path = join(cloud.folderIn(dataDir), 'addresses.json')
  const file = JSON.parse(await readFile(path, 'utf8')) as object
  await writeFile(path, JSON.stringify({ ...file, port: null }))
}

async function comeBack(at: number, options: TestMachineOptions): Promise<TestMachine> {
  const machine = await cloud.start({
    dataDir: folders[at]!,
    ...(at === 0 ? { ownerKey } : {}),
    ...options,
  })
  on.add(machine)
  return machine
}

/** Those that came back are one cloud: they have what was written before, and each what another writes now. */
async function areOne(machines: readonly TestMachine[]): Promise<void> {
  await until(
    () => machines.every(({ node }) => node.swarm.linkCount === machines.length - 1),
    40_000,
  )
  for (const machine of machines) await until(() => hasAll(machine))
  const id = `note ${written.length}`
  await put(machines.at(-1)!, id)
  written = [...written, id]
  for (const machine of machines) await until(() => hasAll(machine))
}

/** Each is one case. */
const ORDERS: readonly [readonly number[]][] = [[[0, 1]], [[2, 1]], [[2, 0, 1]]]

it.each(ORDERS)('by the DHT, at other ports: %j', async (order) => {
  const back: TestMachine[] = []
  for (const at of order) {
    await move(folders[at]!)
    back.push(await comeBack(at, { ways: ['dht'] }))
  }
  await areOne(back)
})

// From here on there is no DHT.
it.each(ORDERS)('by a list alone, at other ports: %j', async (order) => {
  await endDht()
  const back: TestMachine[] = []
  for (const at of order) {
    await move(folders[at]!)
    const machine = await comeBack(at, { ways: ['list'] })
    back.push(machine)
    const { node } = machine
    await until(() =>
      (node.membership.ownEntry.addresses ?? []).some(({ port }) => port === node.swarm.port),
    )
    // As it does by itself with the next look at the list.
    await node.lists.push(url)
  }
  await areOne(back)
})

it.skipIf(noMulticast !== null).each(ORDERS)(
  'by the local network alone, at other ports: %j',
  async (order) => {
    const back: TestMachine[] = []
    for (const at of order) {
      await move(folders[at]!)
      back.push(await comeBack(at, { ways: ['lan'], lanPort }))
    }
    await areOne(back)
  },
)

it.each(ORDERS.slice(0, 2))('by memory alone, where one is where it was: %j', async (order) => {
  const ways: WayName[] = ['memory']
  const [first, ...others] = order
  // Where they are now each says to those that it meets; all start where the others know them from.
  const back = [await comeBack(first!, { ways })]
  for (const at of others) {
    await move(folders[at]!)
    back.push(await comeBack(at, { ways }))
  }
  await areOne(back)
})

it('one that comes back alone goes on, and has all that it had', async () => {
  const machine = await comeBack(1, {})
  expect(await hasAll(machine)).toBe(true)
  await put(machine, 'alone')
  written = [...written, 'alone']
  const other = await comeBack(2, { ways: ['list', 'memory'] })
  await areOne([machine, other])
})
