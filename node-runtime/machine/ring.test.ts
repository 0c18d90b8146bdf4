import { afterEach, describe, expect, it } from 'vitest'
import { genesisBody } from '../core/forms/genesis.ts'
import { placeOf } from '../core/rings/place.ts'
import { encodeKey } from '../core/keys.ts'
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

  it('is this machine alone as long as there is no other', async () => {
    cloud = await TestCloud.create()
    const { node, identity } = await cloud.start({ alone: true })
    expect(node.ring.report).toEqual({ machines: [identity.machine], lap: null, tick: null })
  })
})
