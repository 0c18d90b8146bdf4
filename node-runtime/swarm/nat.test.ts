// Machines behind routers of every kind, in a small internet of their own: who reaches whom, and by which way.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NatWorld, natWorldFault } from '../testing/nat-world.ts'
import type { NatMachine } from '../testing/nat-world.ts'

const fault = await natWorldFault()
if (fault !== null) console.warn(`Routers are not tested here: ${fault}.`)

/** On a busy computer; alone it takes a second or two. */
const LINK_MS = 120_000

describe.skipIf(fault !== null)('behind routers', { timeout: 4 * LINK_MS }, () => {
  let world: NatWorld
  const machines = new Map<string, NatMachine>()
  beforeAll(async () => {
    world = await NatWorld.create()
    for (const name of ['relay', 'other-relay']) await world.makeSite(name, 'open')
    for (const name of ['home-1', 'home-2']) await world.makeSite(name, 'home')
    for (const name of ['strict-1', 'strict-2']) await world.makeSite(name, 'symmetric')
    await world.makeSite('cut-off', 'blocked')
    machines.set('relay', await world.startRelay('relay'))
    for (const name of ['home-1', 'home-2', 'strict-1', 'strict-2', 'cut-off']) {
      machines.set(name, world.start(name, { punchEveryMs: 2_000 }))
    }
  }, 4 * LINK_MS)
  afterAll(() => world.close())

  const at = (name: string): NatMachine => machines.get(name)!
  const heard = (one: string, other: string): Promise<unknown> =>
    at(one).report(
      (report) => report.type === 'heard' && report.from === other,
      `${one} hears ${other}`,
      LINK_MS,
    )
  const goes = (one: string, other: string, way: 'direct' | 'relayed'): Promise<unknown> =>
    at(one).report(
      (report) =>
        report.type === 'route' && report.with === other && report.relayed === (way === 'relayed'),
      `the link of ${one} with ${other} is ${way}`,
      LINK_MS,
    )

  it('all hear each other; where both routers choose ports by chance, through a relay, and they say so', async () => {
    const linked = ['relay', 'home-1', 'home-2', 'strict-1', 'strict-2']
    const pairs = linked.flatMap((one) =>
      linked.filter((other) => other !== one).map((other) => heard(one, other)),
    )
    await Promise.all(pairs)
    await goes('home-1', 'home-2', 'direct')
    await goes('home-2', 'home-1', 'direct')
    expect(at('strict-1').routeTo('strict-2')).toBe('relayed')
    expect(at('strict-2').routeTo('strict-1')).toBe('relayed')
    for (const name of linked.slice(1)) expect(at(name).routeTo('relay')).toBe('direct')
    // Links that began relayed may have gone over to the direct way in the meantime.
    for (const machine of machines.values()) expect(machine.lost).toEqual([])
  })

  it('where no UDP comes through, it is said why nobody is found', async () => {
    const said = await at('cut-off').report(
      (report) => report.type === 'way' && report.step === 'UDP_BLOCKED',
      'the DHT is out of reach, and nothing but UDP is missing',
      LINK_MS,
    )
    // The DHT's own attempts alone take more than twelve seconds.
    const started = at('cut-off').reports.find(({ type }) => type === 'started')
    expect(said.atMs - (started?.atMs ?? 0)).toBeLessThan(11_000)
    expect(at('cut-off').reports.filter(({ type }) => type === 'linked')).toEqual([])
  })

  it('when the relay goes down, those that went through it meet through another', async () => {
    machines.set('other-relay', await world.startRelay('other-relay'))
    for (const name of ['strict-1', 'strict-2']) await heard(name, 'other-relay')
    const pairs = [
      ['strict-1', 'strict-2'],
      ['strict-2', 'strict-1'],
    ] as const
    const before = new Map([...machines].map(([name, { reports }]) => [name, reports.length]))
    await at('relay').kill()
    for (const [name, other] of pairs) {
      await at(name).report(
        (report) =>
          report.type === 'route' &&
          report.with === other &&
          report.relayed &&
          at(name).reports.indexOf(report) >= (before.get(name) ?? 0),
        'they are linked anew',
        2 * LINK_MS,
      )
    }
  })

  it('a link that was relayed goes over to the direct way when that comes, and loses nothing', async () => {
    const reportsBefore = new Map(
      [...machines].map(([name, { reports }]) => [name, reports.length]),
    )
    // As when a person sets the router otherwise.
    for (const name of ['strict-1', 'strict-2']) await world.changeRouter(name, 'home')
    await goes('strict-1', 'strict-2', 'direct')
    await goes('strict-2', 'strict-1', 'direct')
    for (const name of ['strict-1', 'strict-2']) {
      expect(at(name).lost).toEqual([])
      // It is the link that there was.
      const since = at(name).reports.slice(reportsBefore.get(name))
      expect(
        since.filter((report) => 'with' in report && report.with.startsWith('strict')),
      ).toMatchObject([{ type: 'route', relayed: false }])
    }
  })
})
