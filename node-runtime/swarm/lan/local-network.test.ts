// The way by the local network, over multicast on 127.0.0.1.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { MAX_SIGHTINGS } from '../../core/finding/local-sightings.ts'
import { lanKeyOf, sealSighting } from '../../core/forms/lan-form.ts'
import { until } from '../../testing/cloud-nodes.ts'
import { keyOf } from '../../testing/entries.ts'
import { freePort, LOOPBACK, multicastFault } from '../../testing/local-network.ts'
import { silentLog } from '../../testing/silent-log.ts'
import { WayFailure } from '../ways.ts'
import { LanSocket } from './lan-socket.ts'
import { LocalNetwork } from './local-network.ts'
import type { LocalNetworkOptions } from './local-network.ts'
import { encodeAnnouncement, encodeQuestion, readPacket } from './mdns-packet.ts'

const fault = await multicastFault()
if (fault !== null) console.warn(`The local network is not tested: no multicast here (${fault}).`)

const CLOUD = keyOf('cloud')

interface Machine {
  local: LocalNetwork
  /** Sightings that it told of. */
  told: string[]
  ask: () => Promise<void>
}

let port: number
let closers: (() => Promise<void>)[]
beforeEach(async () => {
  port = await freePort()
  closers = []
})
afterEach(async () => {
  vi.restoreAllMocks()
  for (const close of closers) await close()
})

function machine(name: string, options: Partial<LocalNetworkOptions> = {}): Machine {
  const local = new LocalNetwork({
    cloud: CLOUD,
    machine: keyOf(name),
    ownPort: () => 4_000,
    isLinked: () => false,
    interfaces: () => [LOOPBACK],
    port,
    listenMs: 250,
    log: silentLog,
    ...options,
  })
  closers.push(() => local.close())
  const told: string[] = []
  const heard = {
    sighted: (key: string, addresses: readonly { host: string; port: number }[]) => {
      const [address] = addresses
      told.push(`${key} ${address?.host}:${address?.port}`)
    },
    named: () => {},
  }
  return { local, told, ask: () => local.ask(heard, new AbortController().signal) }
}

/** Somebody who hears everything, and says what he likes. */
async function stranger(onPacket: (bytes: Uint8Array) => void = () => {}): Promise<LanSocket> {
  const socket = new LanSocket({ network: LOOPBACK, port, onPacket, onFault: () => {} })
  closers.push(() => socket.close())
  await socket.open()
  return socket
}

function announcementOf(name: string, { cloud = CLOUD, number = 0, isLeaving = false } = {}) {
  const nonce = Buffer.alloc(24)
  nonce.writeUInt32BE(number)
  const sealed = sealSighting({ machine: keyOf(name), port: 4_000 }, nonce, lanKeyOf(cloud))
  const host = LOOPBACK.host
  return encodeAnnouncement({ instance: 'x', host, port: 4_000, sealed, isLeaving })
}

const failure = async (asked: Promise<void>): Promise<WayFailure> => {
  const error = await asked.then(
    () => null,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(WayFailure)
  return error as WayFailure
}

describe.skipIf(fault !== null)('on the local network', () => {
  it('who asks hears who is there, and is heard by them, at the address that it speaks from', async () => {
    const [anna, ben] = [machine('anna'), machine('ben')]
    await anna.ask()
    expect(anna.told).toEqual([])
    await ben.ask()
    // What comes later is told, too.
    await until(() => ben.told.includes(`${keyOf('anna')} 127.0.0.1:4000`))
    expect(anna.told).toContain(`${keyOf('ben')} 127.0.0.1:4000`)
    expect(anna.told.some((told) => told.startsWith(keyOf('anna')))).toBe(false)
  })

  it('machines of another cloud hear nothing of each other', async () => {
    const [anna, other] = [machine('anna'), machine('other', { cloud: keyOf('another cloud') })]
    await Promise.all([anna.ask(), other.ask()])
    expect([...anna.told, ...other.told]).toEqual([])
  })

  it('who has no port yet says nothing', async () => {
    const [anna, mute] = [machine('anna'), machine('mute', { ownPort: () => null })]
    await Promise.all([anna.ask(), mute.ask()])
    expect(anna.told).toEqual([])
    expect(mute.told).not.toEqual([])
  })

  it('a machine that leaves says so, and is not told of again', async () => {
    const [anna, ben] = [machine('anna'), machine('ben')]
    await Promise.all([anna.ask(), ben.ask()])
    let goodbyes = 0
    await stranger((bytes) => {
      if (readPacket(bytes)?.named[0]?.isLeaving === true) goodbyes++
    })
    await ben.local.close()
    await until(() => goodbyes > 0)
    anna.told.length = 0
    await anna.ask()
    expect(anna.told).toEqual([])
  })

  it('who is linked does not ask when it has just heard the answers to others', async () => {
    const anna = machine('anna', { isLinked: () => true })
    const ben = machine('ben')
    await Promise.all([anna.ask(), ben.ask()])
    let questions = 0
    await stranger((bytes) => {
      if (readPacket(bytes)?.isQuestion === true) questions++
    })
    await anna.ask()
    await ben.ask()
    expect(questions).toBe(1)
    expect(anna.told.at(-1)).toBe(`${keyOf('ben')} 127.0.0.1:4000`)
  })

  it('however often it is asked, a machine answers once a second', async () => {
    const anna = machine('anna')
    await anna.ask()
    let answers = 0
    const asker = await stranger((bytes) => {
      answers += readPacket(bytes)?.named.length ?? 0
    })
    const fromMs = performance.now()
    while (performance.now() - fromMs < 1_500) {
      await asker.send(encodeQuestion())
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    expect(answers).toBeGreaterThan(0)
    expect(answers).toBeLessThanOrEqual(2)
  })

  it('nothing that a stranger sends is believed, ends it, or keeps others from being heard', async () => {
    const [anna, ben] = [machine('anna'), machine('ben')]
    const hostile = await stranger()
    await anna.ask()
    const genuine = announcementOf('carla')
    for (let n = 0; n < 100; n++) {
      const changed = Uint8Array.from(genuine)
      changed[(n * 7) % changed.length]! ^= 0xff
      await hostile.send(changed)
      await hostile.send(genuine.subarray(0, n * 3))
      await hostile.send(announcementOf('dora', { cloud: keyOf('another cloud'), number: n }))
    }
    await hostile.send(Buffer.alloc(9_000, 0xc0))
    expect(anna.told.filter((told) => told.startsWith(keyOf('dora')))).toEqual([])
    // What is left of what is heard comes back in seconds.
    await until(async () => {
      await ben.ask()
      return anna.told.some((told) => told.startsWith(keyOf('ben')))
    })
  })

  it('ten thousand answers, by who knows the cloud, take little time and little memory', async () => {
    const anna = machine('anna')
    const hostile = await stranger()
    await anna.ask()
    for (let n = 0; n < 10_000; n++) {
      await hostile.send(announcementOf(`invented ${n}`, { number: n }))
      // So that they are heard, and not dropped by the system.
      if (n % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    // Two hundred at once, fifty a second.
    await until(() => anna.told.length > 100)
    expect(anna.told.length).toBeLessThan(2_000)
    anna.told.length = 0
    await anna.ask()
    expect(anna.told.length).toBeLessThanOrEqual(2 * MAX_SIGHTINGS)
  })
})

describe.skipIf(fault !== null)('what fails is said', () => {
  it('no network', async () => {
    expect((await failure(machine('anna', { interfaces: () => [] }).ask())).step).toBe('NO_NETWORK')
  })

  it('a port that another program keeps for itself', async () => {
    const greedy = createSocket('udp4')
    closers.push(async () => {
      greedy.close()
      await once(greedy, 'close')
    })
    greedy.bind({ port, exclusive: true })
    await once(greedy, 'listening')
    expect((await failure(machine('anna').ask())).step).toBe('PORT_TAKEN')
  })

  it('no multicast', async () => {
    // An address that no interface has any more.
    const interfaces = () => [{ host: '203.0.113.77', netmask: '255.255.255.0' }]
    expect((await failure(machine('anna', { interfaces }).ask())).step).toBe('NO_MULTICAST')
  })

  it('that nothing may be sent', async () => {
    const forbidden = Object.assign(new Error('send EPERM'), { code: 'EPERM' })
    vi.spyOn(LanSocket.prototype, 'send').mockRejectedValue(forbidden)
    const { step, message } = await failure(machine('anna').ask())
    expect([step, message]).toEqual(['NO_MULTICAST', expect.stringContaining('EPERM')])
  })

  it('that nothing comes back, as behind a firewall', async () => {
    // Nothing is taken for a packet of this network.
    const interfaces = () => [{ ...LOOPBACK, netmask: '' }]
    expect((await failure(machine('anna', { interfaces }).ask())).step).toBe('NOT_HEARD')
  })

  it('and who hears nothing is heard by others all the same', async () => {
    const deaf = machine('deaf', { interfaces: () => [{ ...LOOPBACK, netmask: '' }] })
    const ben = machine('ben')
    await Promise.all([failure(deaf.ask()), ben.ask()])
    expect(ben.told).toContain(`${keyOf('deaf')} 127.0.0.1:4000`)
  })

  it('and one network that fails does not keep it from another', async () => {
    const networks = [{ host: '203.0.113.77', netmask: '255.255.255.0' }, LOOPBACK]
    const [anna, ben] = [machine('anna', { interfaces: () => networks }), machine('ben')]
    await Promise.all([anna.ask(), ben.ask()])
    expect(anna.told).toContain(`${keyOf('ben')} 127.0.0.1:4000`)
  })

  it('and that a network came later is noticed', async () => {
    const networks: (typeof LOOPBACK)[] = []
    const [anna, ben] = [machine('anna', { interfaces: () => networks }), machine('ben')]
    await failure(anna.ask())
    networks.push(LOOPBACK)
    await Promise.all([anna.ask(), ben.ask()])
    expect(anna.told).toContain(`${keyOf('ben')} 127.0.0.1:4000`)
    networks.length = 0
    anna.told.length = 0
    await failure(anna.ask())
    await ben.ask()
    expect(anna.told).toEqual([])
  })
})
