import createTestnet from '@hyperswarm/testnet'
import c from 'compact-encoding'
import DHT from 'hyperdht'
import Hyperswarm from 'hyperswarm'
import Protomux from 'protomux'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { domainBytes, encodeKey, hash, keyPair } from '../core/keys.ts'
import type { KeyPair } from '../core/keys.ts'
import { attestMachine, signEntry } from '../core/membership/machine-entry.ts'
import type { MachineEntry } from '../core/membership/machine-entry.ts'
import { until } from '../testing/cloud-nodes.ts'
import { jsonCodec } from './codec.ts'
import { Swarm } from './swarm.ts'

const cloudA = encodeKey(keyPair().publicKey)
const cloudB = encodeKey(keyPair().publicKey)

function entryOf(keys: KeyPair, cloud: string): MachineEntry {
  const person = keyPair()
  const machine = encodeKey(keys.publicKey)
  return signEntry(
    {
      cloud,
      machine,
      person: encodeKey(person.publicKey),
      attestation: attestMachine(machine, person.secretKey),
      name: 'Test',
      kind: 'headless',
      appVersion: '0.0.0',
      dbLog: machine,
      sequence: 1,
    },
    keys.secretKey,
  )
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
}): { swarm: Swarm; machine: string } {
  const keys = options.keys ?? keyPair()
  const swarm = new Swarm(
    {
      keyPair: keys,
      cloud: options.cloud,
      bootstrap: testnet.bootstrap,
      host: '127.0.0.1',
      ownEntry: () => options.entry ?? entryOf(keys, options.cloud),
      log: {
        info: (_, fields) => options.refused?.push(String(fields?.reason)),
        warn: () => {},
        error: () => {},
      },
    },
    { linkOpened: () => {}, linkClosed: () => {}, heartbeat: () => {}, dhtChanged: () => {} },
  )
  closers.push(() => swarm.close())
  swarm.start()
  return { swarm, machine: encodeKey(keys.publicKey) }
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
    // A stranger who saw the topic in the DHT, and speaks for another cloud.
    const keys = keyPair()
    const dht = new DHT({ bootstrap: testnet.bootstrap, host: '127.0.0.1' })
    const stranger = new Hyperswarm({ dht, keyPair: keys })
    closers.push(async () => {
      await stranger.destroy({ force: true })
      await dht.destroy({ force: true })
    })
    stranger.on('connection', (connection) => {
      connection.on('error', () => {})
      Protomux.from(connection)
        .createChannel({ protocol: 'dharma/hello/1', handshake: c.json })
        ?.open({ proof: '0'.repeat(64), entry: entryOf(keys, cloudA) })
    })
    const topic = hash(domainBytes('dharma/topic/1', cloudA))
    const discovery = stranger.join(topic, { client: true, server: false })
    await until(async () => {
      await discovery.refresh()
      return refused.includes('it does not know the key of this cloud')
    })
    expect(a.swarm.linkCount).toBe(0)
  })

  it('does not link with a machine that shows another one’s description', async () => {
    const refused: string[] = []
    const a = start({ cloud: cloudA, refused })
    start({ cloud: cloudA, entry: entryOf(keyPair(), cloudA) })
    await until(() => refused.includes('it speaks for another machine'))
    expect(a.swarm.linkCount).toBe(0)
  })
})
