import createTestnet from '@hyperswarm/testnet'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { cloudIdOf, genesisBody } from '../core/forms/genesis.ts'
import type { MachineEntry } from '../core/forms/machine-form.ts'
import { encodeKey } from '../core/keys.ts'
import { newKeyPair } from '../store/new-keys.ts'
import type { KeyPair } from '../core/keys.ts'
import { until } from '../testing/cloud-nodes.ts'
import { signTestEntry } from '../testing/entries.ts'
import { RawPeer } from '../testing/raw-peer.ts'
import type { RawPeerOptions } from '../testing/raw-peer.ts'
import { jsonCodec, untouchedBytes } from './codec.ts'
import { PeerFault } from './peer-fault.ts'
import { Swarm } from './swarm.ts'

const cloudA = encodeKey(newKeyPair().publicKey)
const cloudB = encodeKey(newKeyPair().publicKey)

function entryOf(keys: KeyPair, cloud: string, more: object = {}): MachineEntry {
  return signTestEntry({ keys, cloud, more })
}

let testnet: Awaited<ReturnType<typeof createTestnet>>
let closers: (() => Promise<void>)[]
beforeEach(async () => {
  testnet = await createTestnet(3, { host: '127.0.0.1' })
  closers = []
})
afterEach(async () => {
  await Promise.all(closers.map((close) => close()))
  await testnet.destroy()
})

function start(options: {
  cloud: string
  keys?: KeyPair
  entry?: MachineEntry
  refused?: string[]
  learned?: MachineEntry[]
  genesis?: string
  heard?: string[]
}): { swarm: Swarm; machine: string } {
  const keys = options.keys ?? newKeyPair()
  const swarm = new Swarm(
    {
      keyPair: keys,
      cloud: options.cloud,
      bootstrap: testnet.bootstrap,
      host: '127.0.0.1',
      ownEntry: () => options.entry ?? entryOf(keys, options.cloud),
      genesis: () => options.genesis ?? null,
      log: {
        info: (_, fields) => options.refused?.push(String(fields?.reason)),
        warn: () => {},
        error: () => {},
      },
    },
    {
      linkOpened: (entry) => options.learned?.push(entry),
      linkClosed: () => {},
      linkDoubted: () => {},
      heartbeat: () => {},
      waysChanged: () => {},
      genesisLearned: (body) => options.heard?.push(body),
    },
  )
  closers.push(() => swarm.close())
  swarm.start()
  return { swarm, machine: encodeKey(keys.publicKey) }
}

function raw(options: Omit<RawPeerOptions, 'bootstrap'>): RawPeer {
  const peer = new RawPeer({ bootstrap: testnet.bootstrap, ...options })
  closers.push(() => peer.close())
  return peer
}

const numbers = jsonCodec(z.object({ number: z.number() }), 100)

describe('the swarm', () => {
  it('carries messages of a protocol that both sides have, and tells who is at the other end', async () => {
    const got: [string, number][] = []
    const a = start({ cloud: cloudA })
    const b = start({ cloud: cloudA })
    const sender = a.swarm.openProtocol({ name: 'test/1', codec: numbers, received: () => {} })
    b.swarm.openProtocol({
      name: 'test/1',
      codec: numbers,
      received: (peer, { number }) => got.push([peer.machine, number]),
    })
    await until(() => sender.send(b.machine, { number: 1 }))
    await until(() => got.length > 0)
    expect(got[0]).toEqual([a.machine, 1])
    expect(sender.send(cloudB, { number: 2 })).toBe(false)
  })

  it('measures latency and notices a machine that has gone', async () => {
    const a = start({ cloud: cloudA })
    const b = start({ cloud: cloudA })
    await until(() => a.swarm.latencyOf(b.machine) !== null)
    await b.swarm.close()
    await until(() => !a.swarm.isOnline(b.machine))
    expect(a.swarm.latencyOf(b.machine)).toBeNull()
  })

  it('closes the link when a message does not fit the protocol', async () => {
    const a = start({ cloud: cloudA })
    const b = start({ cloud: cloudA })
    const loose = a.swarm.openProtocol({
      name: 'test/1',
      codec: jsonCodec(z.unknown(), 100),
      received: () => {},
    })
    let closed = false
    b.swarm.openProtocol({
      name: 'test/1',
      codec: numbers,
      received: () => expect.unreachable('a message that does not fit got through'),
      closed: () => (closed = true),
    })
    await until(() => loose.send(b.machine, { number: 'one' }))
    await until(() => closed)
  })

  it('closes the link, and nothing else, when a handler fails', async () => {
    const a = start({ cloud: cloudA })
    const b = start({ cloud: cloudA })
    const sender = a.swarm.openProtocol({ name: 'test/1', codec: numbers, received: () => {} })
    let failures = 0
    b.swarm.openProtocol({
      name: 'test/1',
      codec: numbers,
      received: () => {
        failures++
        throw new TypeError('a mistake of ours')
      },
      closed: () => {
        throw new RangeError('and another')
      },
    })
    await until(() => sender.send(b.machine, { number: 1 }))
    await until(() => failures === 1)
    await until(() => !sender.send(b.machine, { number: 2 }))
    await until(() => a.swarm.isOnline(b.machine))
  })

  it('ends, and nothing else, when something can’t be attached to it', async () => {
    const a = start({ cloud: cloudA })
    const b = start({ cloud: cloudA })
    let tries = 0
    const stop = b.swarm.onLink(() => {
      tries++
      throw new Error('a store that was closed meanwhile')
    })
    await until(() => tries === 1)
    stop()
    await until(() => a.swarm.isOnline(b.machine) && b.swarm.isOnline(a.machine))
  })

  it('tells who sends much when to wait and when to go on', async () => {
    const a = start({ cloud: cloudA })
    const b = start({ cloud: cloudA })
    const texts = jsonCodec(z.string(), 20_000)
    let drained = 0
    let received = 0
    const sender = a.swarm.openProtocol({
      name: 'test/1',
      codec: texts,
      received: () => {},
      drained: () => drained++,
    })
    b.swarm.openProtocol({ name: 'test/1', codec: texts, received: () => received++ })
    expect(sender.writable(b.machine)).toBe(false)
    await until(() => sender.writable(b.machine))
    let sent = 0
    for (; sender.writable(b.machine); sent++) sender.send(b.machine, 'x'.repeat(10_000))
    expect(drained).toBe(0)
    await until(() => drained === 1 && sender.writable(b.machine))
    await until(() => received === sent)
    expect(() => sender.send(b.machine, 'x'.repeat(20_000))).toThrow(RangeError)
  })

  it('does not link with who finds the place but does not know the key of the cloud', async () => {
    const refused: string[] = []
    const a = start({ cloud: cloudA, refused })
    const stranger = raw({ cloud: cloudB })
    const connection = await stranger.connect(a.machine)
    connection.write(stranger.greeting(connection, entryOf(stranger.keys, cloudA)))
    await until(() => refused.includes('it does not know the key of this cloud'))
    expect(a.swarm.linkCount).toBe(0)
  })

  it('does not link with a machine that shows another one’s description', async () => {
    const refused: string[] = []
    const a = start({ cloud: cloudA, refused })
    const stranger = raw({ cloud: cloudA, entry: entryOf(newKeyPair(), cloudA) })
    const connection = await stranger.connect(a.machine)
    connection.write(stranger.greeting(connection))
    await until(() => refused.includes('it speaks for another machine'))
    expect(a.swarm.linkCount).toBe(0)
  })

  it('links with a machine of a later version, and agrees on what both can do', async () => {
    const keys = newKeyPair()
    const later = {
      v: 2,
      region: 'north',
      protocol: { version: 3, capabilities: ['slots/1', 'machines/2'] },
    }
    const learned: MachineEntry[] = []
    const a = start({ cloud: cloudA, learned })
    start({ cloud: cloudA, keys, entry: entryOf(keys, cloudA, later) })
    await until(() => learned.length > 0)
    expect(learned[0]?.form.body).toContain('north')
    expect(a.swarm.agreementWith(encodeKey(keys.publicKey))).toEqual({
      version: 2,
      capabilities: ['machines/2'],
    })
  })

  it('tells a machine that joins how its cloud began', async () => {
    const genesis = genesisBody({
      name: 'Ours',
      admission: { kind: 'link' },
      keys: [cloudA],
      nonce: '',
    })
    const cloud = cloudIdOf(genesis)
    const heard: string[] = []
    start({ cloud, genesis })
    start({ cloud, heard })
    await until(() => heard.length > 0)
    expect(heard).toEqual([genesis])
  })
})

describe('a stranger', () => {
  it.each([
    ['no JSON', () => Buffer.from('not json')],
    ['nesting', () => Buffer.from('['.repeat(60_000))],
    ['another form', () => Buffer.from('{"kind":"dharma/greeting/3"}')],
    ['noise', () => Buffer.alloc(1_000, 0xff)],
    ['frames of the multiplexer', () => Buffer.from([0, 1, 1, 3, 97, 98, 99, 0])],
    ['a greeting of 1 MB', () => Buffer.alloc(1_000_000, 0x20)],
  ])('that greets with %s is shown the door, and the machine goes on', async (_, bytes) => {
    const refused: string[] = []
    const a = start({ cloud: cloudA, refused })
    const stranger = raw({ cloud: cloudB })
    const connection = await stranger.connect(a.machine)
    const closed = new Promise((resolve) => connection.once('close', resolve))
    connection.write(bytes())
    await closed
    expect(refused.length).toBeGreaterThan(0)
    const b = start({ cloud: cloudA })
    await until(() => a.swarm.isOnline(b.machine))
  })

  it('that finds a machine in the DHT is greeted, and learns neither the cloud’s id nor whose machine it is', async () => {
    const a = start({ cloud: cloudA })
    const stranger = raw({ cloud: cloudB })
    const connection = await stranger.connect(a.machine)
    const heard: Uint8Array[] = []
    connection.on('data', (bytes) => heard.push(bytes))
    await new Promise((resolve) => connection.once('close', resolve))
    const text = Buffer.concat(heard).toString('latin1')
    expect(text.length).toBeGreaterThan(1_000)
    for (const told of [cloudA, a.machine, 'person']) expect(text).not.toContain(told)
  })

  it('does not get a large greeting through to where it is kept', async () => {
    const refused: string[] = []
    const a = start({ cloud: cloudA, refused })
    const stranger = raw({ cloud: cloudB })
    const connection = await stranger.connect(a.machine)
    const closed = new Promise((resolve) => connection.once('close', resolve))
    connection.write(Buffer.alloc(16_000_000))
    await closed
    expect(refused[0]).toBe('its greeting is too long')
  })
})

describe('a member', () => {
  it('that sends what it likes on any protocol loses its link, and the machine goes on', async () => {
    const a = start({ cloud: cloudA })
    a.swarm.openProtocol({ name: 'test/1', codec: numbers, received: () => {} })
    for (const protocol of ['test/1', 'dharma/heartbeat/1']) {
      for (const bytes of ['not json', '['.repeat(90), '', '{"number":"x"}']) {
        const { connection, mux } = await raw({ cloud: cloudA }).join(a.machine)
        const closed = new Promise((resolve) => connection.once('close', resolve))
        const channel = mux.createChannel({ protocol })!
        const message = channel.addMessage({ encoding: untouchedBytes, onmessage: () => {} })
        channel.open()
        message.send(Buffer.from(bytes))
        await closed
      }
    }
    const b = start({ cloud: cloudA })
    await until(() => a.swarm.isOnline(b.machine))
  })

  it('that a protocol finds at fault loses its link, and has to wait for the next', async () => {
    const refused: string[] = []
    const a = start({ cloud: cloudA, refused })
    const b = start({ cloud: cloudA })
    a.swarm.openProtocol({
      name: 'test/1',
      codec: numbers,
      received: () => {
        throw new PeerFault('it sent what it must not')
      },
    })
    let isGood = false
    const sender = b.swarm.openProtocol({
      name: 'test/1',
      codec: numbers,
      // Each time the wait is twice as long, so that the slowest of dials comes too soon in the end.
      opened: ({ machine }) => {
        if (!isGood) sender.send(machine, { number: 1 })
      },
      received: () => {},
    })
    const waits = 'the machine broke the rules and has to wait'
    await until(() => refused.includes(waits) && !a.swarm.isOnline(b.machine), 90_000)
    isGood = true
    await until(() => a.swarm.isOnline(b.machine), 90_000)
  }, 200_000)

  it('that does not read is cut off, instead of filling the memory', async () => {
    const a = start({ cloud: cloudA })
    const texts = jsonCodec(z.string(), 2_000_000)
    const sender = a.swarm.openProtocol({ name: 'test/1', codec: texts, received: () => {} })
    const member = raw({ cloud: cloudA })
    const { connection, mux } = await member.join(a.machine)
    const channel = mux.createChannel({ protocol: 'test/1' })!
    channel.open()
    const machine = encodeKey(member.keys.publicKey)
    await until(() => sender.writable(machine))
    connection.pause()
    let sent = 0
    while (sender.send(machine, 'x'.repeat(1_000_000)) && a.swarm.isOnline(machine) && sent < 100) {
      sent++
      if (sent % 40 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    expect(sent).toBeLessThan(100)
    await until(() => !a.swarm.isOnline(machine))
  })
})
