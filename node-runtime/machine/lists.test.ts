// Machines that find each other by a list alone, whatever lies beside it.
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { TestCloud, until } from '../testing/cloud-nodes.ts'
import type { TestMachine } from '../testing/cloud-nodes.ts'
import { genesis, ownerKey } from '../testing/list-places.ts'

// A real repository, on a machine that may have other work.
vi.setConfig({ testTimeout: 60_000 })

const DAY_MS = 86_400_000

let cloud: TestCloud
let server: Server
beforeEach(async () => {
  cloud = await TestCloud.create({ genesis })
  server = createServer(() => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterEach(async () => {
  await cloud.close()
  server.closeAllConnections()
  server.close()
})

const isLinked = ({ node }: TestMachine): boolean => node.swarm.linkCount > 0

it('a list leads a newcomer to the others, beside one that is garbage and one whose host hangs', async () => {
  const url = pathToFileURL(join(await cloud.makeFolder(), 'list')).href
  const first = await cloud.start({ ways: ['list'], ownerKey })
  await until(() => (first.node.membership.ownEntry.addresses ?? []).length > 0)
  expect(await first.node.lists.create(url, {})).toMatchObject({ entries: 1 })

  const garbage = await cloud.makeFolder()
  await writeFile(join(garbage, 'dharma-list'), 'garbage')
  const { port } = server.address() as AddressInfo
  const lists = [pathToFileURL(garbage).href, `http://127.0.0.1:${port}/list.git`, url]
  const newcomer = await cloud.start({ ways: ['list'], lists })
  await until(() => [first, newcomer].every(isLinked))
  const [memory, , list] = newcomer.node.swarm.ways
  expect(memory).toMatchObject({ state: 'off' })
  expect(list).toMatchObject({ way: 'list', reached: 1 })
  expect(newcomer.node.lists.reports.map(({ state }) => state)).toEqual([
    'failed',
    'reading',
    'read',
  ])

  // A third is told of it while it runs, and looks there at once.
  const third = await cloud.start({ ways: ['list'] })
  await third.node.lists.add(url)
  await until(() => isLinked(third))
  // Who is linked is listed with who writes.
  await until(async () => (await first.node.lists.push(url)).entries === 3)
})

it('a list that hangs holds up no other way', async () => {
  const machines = [await cloud.start(), await cloud.start()]
  await until(() => machines.every(isLinked))
  for (const machine of machines) await cloud.stop(machine)
  await cloud.endDht()
  const { port } = server.address() as AddressInfo
  const lists = [`http://127.0.0.1:${port}/list.git`]
  const [one, other] = machines.map(({ dataDir }) => dataDir)
  const again = [
    await cloud.start({ dataDir: one!, lists }),
    await cloud.start({ dataDir: other!, ways: ['memory', 'list'], lists }),
  ]
  await until(() => again.every(isLinked))
})

it('a clock that is a day off hinders nobody from joining, and its person is told', async () => {
  const url = pathToFileURL(join(await cloud.makeFolder(), 'list')).href
  const right = await cloud.start({ ownerKey })
  await until(() => (right.node.membership.ownEntry.addresses ?? []).length > 0)
  await right.node.lists.create(url, {})
  const other = await cloud.start()
  let offMs = -DAY_MS
  const behind = await cloud.start({ now: () => Date.now() + offMs, ways: ['list'], lists: [url] })
  const ahead = await cloud.start({
    now: () => Date.now() + DAY_MS,
    ways: ['list'],
    lists: [url],
  })
  const stateOf = ({ node }: TestMachine): string => node.clock.state
  await until(() => stateOf(behind) === 'behind' && stateOf(ahead) === 'ahead')
  expect(Math.abs(behind.node.clock.skewMs!)).toBeGreaterThan(DAY_MS - 5_000)
  for (const { node } of [behind, ahead]) {
    expect(node.notices.map(({ code }) => code)).toContain('CLOCK_OFF')
  }
  // Two that are off in opposite ways do not outvote those that are right.
  await until(() => [right, other].every((machine) => stateOf(machine) === 'right'))
  expect(right.node.notices).toEqual([])
  offMs = 0
  await until(() => stateOf(behind) !== 'behind')
})
