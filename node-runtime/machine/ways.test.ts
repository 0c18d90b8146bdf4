// By which ways machines find each other, with whatever else is gone.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { WayName, WayStatus } from '../core/finding/ways-core.ts'
import { TestCloud, until } from '../testing/cloud-nodes.ts'
import type { TestMachine } from '../testing/cloud-nodes.ts'

let cloud: TestCloud
beforeEach(async () => {
  cloud = await TestCloud.create()
})
afterEach(() => cloud.close())

const isLinked = ({ node }: TestMachine): boolean => node.swarm.linkCount > 0
const wayOf = ({ node }: TestMachine, name: WayName): WayStatus | undefined =>
  node.swarm.ways.find(({ way }) => way === name)

/** Two machines that have met in the DHT, and are off now; their folders. */
async function met(): Promise<string[]> {
  const machines = [await cloud.start(), await cloud.start()]
  await until(() => machines.every(isLinked))
  for (const machine of machines) await cloud.stop(machine)
  return machines.map(({ dataDir }) => dataDir)
}

it('machines that met find each other where they were, when the DHT is gone', async () => {
  const folders = await met()
  await cloud.endDht()
  const again = [
    await cloud.start({ dataDir: folders[0]! }),
    await cloud.start({ dataDir: folders[1]!, ways: ['memory'] }),
  ]
  await until(() => again.every(isLinked))
  expect(again.some((machine) => (wayOf(machine, 'memory')?.reached ?? 0) > 0)).toBe(true)
  expect(wayOf(again[1]!, 'dht')).toMatchObject({ state: 'off' })
})

it('a machine keeps its port, and takes another if that is taken', async () => {
  const [folder] = await met()
  const first = await cloud.start({ dataDir: folder! })
  await until(() => first.node.swarm.port !== null)
  const { port } = first.node.swarm
  await cloud.stop(first)
  const path = join(cloud.folderIn(folder!), 'addresses.json')
  expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ port })
  const second = await cloud.start({ dataDir: folder! })
  await until(() => second.node.swarm.port === port)
  const other = await cloud.makeFolder()
  const third = await cloud.start({ dataDir: other })
  await cloud.stop(third)
  await writeFile(
    join(cloud.folderIn(other), 'addresses.json'),
    JSON.stringify({ port, nodes: [], machines: [] }),
  )
  const fourth = await cloud.start({ dataDir: other })
  await until(() => fourth.node.swarm.port !== null)
  expect(fourth.node.swarm.port).not.toBe(port)
})

it('says that nobody was there', async () => {
  const [folder] = await met()
  const alone = await cloud.start({ dataDir: folder!, ways: ['memory'] })
  await until(() => wayOf(alone, 'memory')?.fault !== null)
  expect(wayOf(alone, 'memory')).toMatchObject({ state: 'failed', found: 1 })
  expect(wayOf(alone, 'memory')?.fault?.step).toBe('NOBODY_THERE')
})

it('a memory that is damaged is begun anew', async () => {
  const folder = await cloud.makeFolder()
  const path = join(cloud.folderIn(folder), 'addresses.json')
  await mkdir(cloud.folderIn(folder), { recursive: true })
  await writeFile(path, '{"port":"x"}')
  const anew = await cloud.start({ dataDir: folder, ways: ['memory'] })
  await until(() => wayOf(anew, 'memory')?.tookMs !== null)
  expect(wayOf(anew, 'memory')).toMatchObject({ state: 'answered', found: 0 })
  expect(await readFile(`${path}.damaged`, 'utf8')).toBe('{"port":"x"}')
})

it('what a machine says of itself has its addresses', async () => {
  const machines = [await cloud.start(), await cloud.start()]
  await until(() => machines.every(isLinked))
  const [one, other] = machines.map(({ node }) => node)
  const port = one!.swarm.port
  await until(() =>
    (one!.membership.ownEntry.addresses ?? []).some(
      (address) => address.host === '127.0.0.1' && address.port === port,
    ),
  )
  expect(other!.swarm.ownAddresses[0]?.host).toBe('127.0.0.1')
})
