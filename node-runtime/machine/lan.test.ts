// Machines of one cloud find each other on the local network, without the internet and any node of the DHT.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { WayStatus } from '../core/finding/ways-core.ts'
import { lanKeyOf, sealSighting } from '../core/forms/lan-form.ts'
import { LanSocket } from '../swarm/lan/lan-socket.ts'
import { encodeAnnouncement } from '../swarm/lan/mdns-packet.ts'
import { NOTES_KEY, TestCloud, until } from '../testing/cloud-nodes.ts'
import type { TestMachine } from '../testing/cloud-nodes.ts'
import { freePort, LOOPBACK, multicastFault } from '../testing/local-network.ts'

const fault = await multicastFault()
if (fault !== null) console.warn(`The local network is not tested: no multicast here (${fault}).`)

let cloud: TestCloud
let lanPort: number
beforeEach(async () => {
  lanPort = await freePort()
  cloud = await TestCloud.create()
  await cloud.endDht()
})
afterEach(() => cloud.close())

const startAt = (port: number, dataDir?: string): Promise<TestMachine> =>
  cloud.start({ ways: ['lan'], lanPort: port, ...(dataDir === undefined ? {} : { dataDir }) })
const linksOf = ({ node }: TestMachine): number => node.swarm.linkCount
const wayOf = ({ node }: TestMachine): WayStatus | undefined =>
  node.swarm.ways.find(({ way }) => way === 'lan')
const isLinkedWith = (one: TestMachine, other: TestMachine): boolean =>
  one.node.swarm.isOnline(other.identity.machine)

async function notesOf({ node }: TestMachine): Promise<string[]> {
  const notes = { system: NOTES_KEY, collection: 'notes', limit: 100 }
  const { records } = await node.database.query(notes)
  return records.map(({ id }) => id).toSorted()
}

async function putNote({ node }: TestMachine, id: string): Promise<void> {
  await node.database.put({ system: NOTES_KEY, collection: 'notes', id }, { text: id })
}

describe.skipIf(fault !== null)('by the local network alone', () => {
  it('two machines find each other, whoever came first', async () => {
    const first = await startAt(lanPort)
    await until(() => wayOf(first)?.state === 'answered')
    expect(wayOf(first)).toMatchObject({ found: 0, fault: null })
    const second = await startAt(lanPort)
    await until(() => [first, second].every((machine) => linksOf(machine) === 1))
    await until(() => wayOf(second)?.found === 1)
    expect([first, second].some((machine) => wayOf(machine)?.reached === 1)).toBe(true)
  })

  it('two that start at the same moment do, too', async () => {
    const both = await Promise.all([startAt(lanPort), startAt(lanPort)])
    await until(() => both.every((machine) => linksOf(machine) === 1))
  })

  it('two halves that began apart become one when they meet: machines and records', async () => {
    const elsewhere = await freePort()
    const here = await Promise.all([startAt(lanPort), startAt(lanPort)])
    const there = await Promise.all([startAt(elsewhere), startAt(elsewhere)])
    const all = [...here, ...there]
    await until(() => all.every((machine) => linksOf(machine) === 1))
    for (const [at, machine] of all.entries()) await putNote(machine, `note ${at}`)
    await until(async () => (await notesOf(here[0])).join() === 'note 0,note 1')
    await until(async () => (await notesOf(there[0])).join() === 'note 2,note 3')
    expect(here[0].node.membership.list()).toHaveLength(2)

    // One of the others is carried over; the one that stays behind is known by what it says.
    const [guest, absent] = there
    await cloud.stop(absent)
    await cloud.stop(guest)
    const back = await startAt(lanPort, guest.dataDir)
    const together = [...here, back]
    await until(() => together.every((machine) => linksOf(machine) === 2))
    for (const machine of together) {
      await until(async () => (await notesOf(machine)).length === 4)
      await until(() => machine.node.membership.list().length === 4)
    }
    const known = here[0].node.membership
      .list()
      .find(({ machine }) => machine === absent.identity.machine)
    expect(known).toMatchObject({ online: false })
  })

  it('who announces the key of another gets no link, and does not keep it from getting one', async () => {
    const first = await startAt(lanPort)
    const absent = await startAt(lanPort)
    await until(() => linksOf(first) === 1)
    await cloud.stop(absent)
    await until(() => linksOf(first) === 0)
    const { machine } = absent.identity

    // A member says that the absent one is where itself is: something that answers there.
    const liar = await cloud.start({ ways: [] })
    await until(() => liar.node.swarm.port !== null)
    const port = liar.node.swarm.port as number
    const socket = new LanSocket({
      network: LOOPBACK,
      port: lanPort,
      onPacket: () => {},
      onFault: () => {},
    })
    await socket.open()
    const lie = async (): Promise<void> => {
      const nonce = globalThis.crypto.getRandomValues(new Uint8Array(24))
      const sealed = sealSighting({ machine, port }, nonce, lanKeyOf(cloud.cloud))
      const { host } = LOOPBACK
      await socket.send(encodeAnnouncement({ instance: 'x', host, port, sealed, isLeaving: false }))
    }
    try {
      await lie()
      await until(() => (wayOf(first)?.found ?? 0) > 0)
      expect(linksOf(first)).toBe(0)
      const back = await startAt(lanPort, absent.dataDir)
      await until(async () => {
        await lie()
        return isLinkedWith(first, back)
      })
      expect(linksOf(liar)).toBe(0)
    } finally {
      await socket.close()
    }
  })
})
