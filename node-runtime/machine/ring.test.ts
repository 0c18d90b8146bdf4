import { afterEach, describe, expect, it } from 'vitest'
import { genesisBody } from '../core/forms/genesis.ts'
import { placeOf } from '../core/rings/place.ts'
import { encodeKey } from '../core/keys.ts'
import { describeMachine } from '../services/cloud/machine-details.ts'
import { newKeyPair } from '../store/new-keys.ts'
import { TestCloud, until } from '../testing/cloud-nodes.ts'

const WORK_BITS = 8

let cloud: TestCloud | null = null
afterEach(async () => cloud?.close())

describe('the ring of servers', () => {
  it('has one order, by places that the work shows, and a token that goes around all', async () => {
    cloud = await TestCloud.create({
      genesis: genesisBody({
        name: 'Ours',
        admission: { kind: 'open', work: WORK_BITS },
        keys: [encodeKey(newKeyPair().publicKey)],
        nonce: '0'.repeat(32),
      }),
    })
    const machines = await Promise.all([cloud.start(), cloud.start(), cloud.start()])
    const reports = () => machines.map(({ node }) => node.ring.report)
    await until(() => reports().every(({ lap }) => lap?.hops === machines.length))
    // Each begins with itself, and all go on alike.
    const [first] = reports()
    for (const { machines: order } of reports()) {
      const at = order.indexOf(first!.machines[0]!)
      expect([...order.slice(at), ...order.slice(0, at)]).toEqual(first!.machines)
    }
    const ticks = reports().map(({ tick }) => tick!)
    expect(Math.max(...ticks) - Math.min(...ticks)).toBeLessThanOrEqual(1)
    for (const { node } of machines) {
      expect(node.clock.tickSkewMs).toBe(node.ring.report.lap?.skewMs)
      for (const { machine } of machines.map(({ identity }) => identity)) {
        const entry = node.membership.entryOf(machine)!
        expect(entry.place?.kind).toBe('work')
        expect(placeOf(entry, WORK_BITS)).not.toBeNull()
      }
    }
  })

  it('says of each machine what it says of itself, how it is linked, and since when', async () => {
    cloud = await TestCloud.create()
    const [ann, ben] = await Promise.all([cloud.start(), cloud.start()])
    const { membership, swarm, ringLinks } = ann.node
    const look = (machine: string) =>
      describeMachine(machine, { membership, swarm, ringLinks, now: () => 1_000_000_000 })
    const bens = ben.identity.machine
    await until(
      () =>
        membership.entryOf(bens) !== undefined &&
        look(bens).besideOn.length > 0 &&
        look(bens).link?.latencies.meansMs.some((meanMs) => meanMs !== null) === true,
    )
    const { machine, protocol, resources, link, besideOn } = look(bens)
    expect(machine).toMatchObject({ machine: bens, linked: true, suspected: false, self: false })
    expect(protocol.capabilities).toContain('machines/2')
    expect(resources?.cores).toBeGreaterThan(0)
    // Of two machines each stands next to the other on all rings.
    expect(besideOn).toEqual([0, 1, 2, 3])
    expect(link).toMatchObject({ through: null, address: expect.stringContaining('127.0.0.1:') })
    expect(link?.dialled).toBe(!ben.node.swarm.describeLink(ann.identity.machine)!.dialled)
    expect(link?.openedMs).toBeLessThan(1_000_000_000)
    expect(look(ann.identity.machine)).toMatchObject({ machine: { self: true }, link: null })
    expect(() => look('y'.repeat(51) + 'o')).toThrow(
      expect.objectContaining({ code: 'MACHINE_UNKNOWN' }),
    )
  })

  it('is this machine alone as long as there is no other', async () => {
    cloud = await TestCloud.create()
    const { node, identity } = await cloud.start({ alone: true })
    expect(node.ring.report).toEqual({ machines: [identity.machine], lap: null, tick: null })
  })
})
