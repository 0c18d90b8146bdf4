import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { giverFault, NatWorld, natWorldFault } from '../../testing/nat-world.ts'
import type { NatMachine, NatReport } from '../../testing/nat-world.ts'

const fault = (await natWorldFault()) ?? giverFault()
if (fault !== null) console.warn(`Ports are asked of no real router here: ${fault}.`)

/** On a busy computer; alone it takes a second or two. */
const WITHIN_MS = 60_000

describe.skipIf(fault !== null)('a router that gives ports', { timeout: 2 * WITHIN_MS }, () => {
  let world: NatWorld
  beforeAll(async () => {
    world = await NatWorld.create()
    for (const [name, kind, protocols] of [
      ['home', 'home', 'small'],
      ['strict', 'symmetric', 'upnp'],
    ] as const) {
      await world.makeSite(name, kind)
      await world.givePorts(name, kind, protocols)
    }
    await world.makeSite('other', 'symmetric')
  }, 2 * WITHIN_MS)
  afterAll(() => world.close())

  const mapped = async (machine: NatMachine): Promise<NatReport & { type: 'port' }> =>
    (await machine.report(
      (report) => report.type === 'port' && report.state === 'mapped',
      'it has a port',
      WITHIN_MS,
    )) as NatReport & { type: 'port' }

  it('makes a machine at home one that others reach by themselves, and that relays; by PCP', async () => {
    const machine = world.start('home', { asks: true })
    const { by, address } = await mapped(machine)
    expect(by).toBe('pcp')
    expect(address).toMatch(/^11\.\d+\.0\.1:\d+$/)
    await machine.report(
      (report) => report.type === 'router' && report.nat === 'open' && report.relays,
      'it is open, and relays',
      WITHIN_MS,
    )
    expect(await world.givenPorts('home')).toBe(1)
    await machine.stop()
    expect(await world.givenPorts('home')).toBe(0)
  })

  it('makes a link direct between two routers that choose ports by chance; by UPnP', async () => {
    const machine = world.start('strict', { asks: true })
    const { by, address } = await mapped(machine)
    expect(by).toBe('upnp')
    expect(await world.givenPorts('strict')).toBe(1)
    const other = world.start('other', { knows: { name: 'strict', at: address ?? '' } })
    await other.report(
      (report) => report.type === 'heard' && report.from === 'strict',
      'they are linked',
      WITHIN_MS,
    )
    expect(other.routeTo('strict')).toBe('direct')
    await machine.stop()
    expect(await world.givenPorts('strict')).toBe(0)
  })
})
