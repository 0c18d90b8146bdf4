import relay from 'blind-relay'
import c from 'compact-encoding'
import DHT from 'hyperdht'
import type { RawStream } from 'hyperdht'
import type { SwarmConnection } from 'hyperswarm'
import Protomux from 'protomux'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encodeKey } from '../../core/keys.ts'
import type { KeyPair } from '../../core/keys.ts'
import { MAX_CIRCUITS_PER_MACHINE } from '../../core/relay/relay-desk.ts'
import { newKeyPair } from '../../store/new-keys.ts'
import { silentLog, until } from '../../testing/cloud-nodes.ts'
import { startTestnet } from '../testnet.ts'
import type { Testnet } from '../testnet.ts'
import { untouchedBytes } from '../codec.ts'
import { RelayService } from './relay-service.ts'

const HOST = '127.0.0.1'

let testnet: Testnet
let closers: (() => Promise<void>)[]
let members: Set<string>
/** Of whom the relay has asked whether they are members. */
let asked: Set<string>
let service: RelayService
let relayKeys: KeyPair
beforeEach(async () => {
  testnet = await startTestnet()
  closers = []
  members = new Set()
  asked = new Set()
  relayKeys = newKeyPair()
  service = new RelayService({
    dht: dht(),
    keyPair: relayKeys,
    isMember: (machine) => members.has(machine) || asked.add(machine).size === 0,
    log: silentLog,
  })
  await service.listen()
})
afterEach(async () => {
  await service.close()
  await Promise.all(closers.map((close) => close()))
  await testnet.close()
})

function dht(): DHT {
  const node = new DHT({ bootstrap: testnet.bootstrap, host: HOST })
  closers.push(() => node.destroy({ force: true }))
  return node
}

/** A machine that comes to the relay, and is one of the cloud unless told otherwise. */
class Guest {
  readonly keys = newKeyPair()
  readonly dht = dht()

  constructor(isMember = true) {
    if (isMember) members.add(encodeKey(this.keys.publicKey))
  }

  /** A connection with the relay; null if it lets nobody in. */
  async connect(): Promise<SwarmConnection | null> {
    const connection = this.dht.connect(relayKeys.publicKey, { keyPair: this.keys })
    connection.on('error', () => {})
    const isOpen = await new Promise<boolean>((resolve) => {
      connection.once('open', () => resolve(true))
      connection.once('close', () => resolve(false))
    })
    return isOpen ? connection : null
  }

  /** A raw stream of its own that the relay is to bring together with the one that names the same token. */
  async ask(token: Uint8Array, isInitiator: boolean) {
    const connection = await this.connect()
    if (connection === null) throw new Error('not let in')
    const stream = this.dht.createRawStream({ framed: true, firewall: () => false })
    stream.on('error', () => {})
    let closed = false
    connection.once('close', () => (closed = true))
    const paired = new Promise<boolean>((resolve) => {
      relay.Client.from(connection, { id: this.keys.publicKey })
        .pair(isInitiator, token, stream)
        .on('error', () => resolve(false))
        .on('data', (remoteId: number) => {
          const { socket, remotePort, remoteHost } = connection.rawStream
          stream.connect(socket!, remoteId, remotePort, remoteHost!)
          resolve(true)
        })
    })
    return { connection, stream, paired, isClosed: () => closed }
  }
}

/** All that comes, once it is as long as this. */
function received(stream: RawStream, length: number): Promise<Buffer> {
  return new Promise((resolve) => {
    const parts: Buffer[] = []
    stream.on('data', (part: Buffer) => {
      parts.push(part)
      const whole = Buffer.concat(parts)
      if (whole.length >= length) resolve(whole)
    })
  })
}
/** As the encryption above frames it: three bytes of length before each message. */
function framed(message: string): Buffer {
  const length = Buffer.alloc(3)
  length.writeUIntLE(message.length, 0, 3)
  return Buffer.concat([length, Buffer.from(message)])
}
const write = (stream: RawStream, bytes: Buffer): void =>
  void (stream as unknown as NodeJS.WritableStream).write(bytes)

async function pairOf(anna: Guest, ben: Guest) {
  const token = relay.token()
  const ends = [await anna.ask(token, true), await ben.ask(token, false)] as const
  expect(await Promise.all(ends.map(({ paired }) => paired))).toEqual([true, true])
  return ends
}

describe('a relay', () => {
  it('passes on what two machines of the cloud send each other, both ways', async () => {
    const [atAnna, atBen] = await pairOf(new Guest(), new Guest())
    const [toBen, toAnna] = [framed('hello'.repeat(2_000)), framed('and back')]
    const heard = [received(atBen.stream, toBen.length), received(atAnna.stream, toAnna.length)]
    write(atAnna.stream, toBen)
    write(atBen.stream, toAnna)
    expect(await Promise.all(heard)).toEqual([toBen, toAnna])
    expect(service.circuitCount).toBe(1)
  })

  it('ends a circuit when both ends have left, and is empty then', async () => {
    const ends = await pairOf(new Guest(), new Guest())
    for (const { connection } of ends) connection.destroy()
    await until(() => service.guestCount === 0 && service.circuitCount === 0)
  })

  it('lets in no stranger', async () => {
    const eve = new Guest(false)
    // It is refused without a word, and would wait for long.
    void eve.connect()
    await until(() => asked.has(encodeKey(eve.keys.publicKey)))
    await pairOf(new Guest(), new Guest())
    expect(service.guestCount).toBe(2)
  })

  it('gives one machine so many circuits, and harms no other by that', async () => {
    const eve = new Guest()
    const ends = []
    for (let at = 0; at <= MAX_CIRCUITS_PER_MACHINE; at++) {
      ends.push(await eve.ask(relay.token(), true))
    }
    expect(await ends.at(-1)?.paired).toBe(false)
    await pairOf(new Guest(), new Guest())
    expect(ends.slice(0, -1).every(({ isClosed }) => !isClosed())).toBe(true)
  })

  it('ends the connection of who asks twice, says nonsense, or floods; a circuit goes on', async () => {
    const ends = await pairOf(new Guest(), new Guest())
    const question = (): Uint8Array =>
      c.encode(relay.messages.pair, { isInitiator: true, token: relay.token(), id: 1, seq: 0 })
    const attacks: Uint8Array[][] = [
      [question(), question()],
      [Buffer.from([1, 2, 3])],
      [Buffer.alloc(1_000_000)],
      Array.from({ length: 20_000 }, () => question()),
    ]
    for (const messages of attacks) {
      const eve = new Guest()
      const connection = await eve.connect()
      if (connection === null) throw new Error('not let in')
      const closed = new Promise((resolve) => connection.once('close', resolve))
      const mux = new Protomux(connection)
      const channel = mux.createChannel({ protocol: 'blind-relay', id: eve.keys.publicKey })
      const pair = channel!.addMessage({ encoding: untouchedBytes, onmessage: () => {} })
      channel!.open()
      for (const message of messages) pair.send(message)
      await closed
    }
    await until(() => service.guestCount === 2)
    const bytes = framed('still here')
    const heard = received(ends[1].stream, bytes.length)
    write(ends[0].stream, bytes)
    expect(await heard).toEqual(bytes)
  })
})
