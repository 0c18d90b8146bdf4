// Two machines that no direct way leads to each other, and relays between them, some of which are hostile.
import relay from 'blind-relay'
import c from 'compact-encoding'
import DHT from 'hyperdht'
import type { DhtConnectOptions } from 'hyperdht'
import type { SwarmConnection } from 'hyperswarm'
import Protomux from 'protomux'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { decodeKey, encodeKey } from '../../core/keys.ts'
import type { KeyPair } from '../../core/keys.ts'
import { RELAY_MS } from '../../core/relay/dial-patience.ts'
import { RelayChoice } from '../../core/relay/relay-choice.ts'
import { newKeyPair } from '../../store/new-keys.ts'
import { silentLog, until } from '../../testing/cloud-nodes.ts'
import { untouchedBytes } from '../codec.ts'
import { HintedDht } from '../hinted-dht.ts'
import { startTestnet } from '../testnet.ts'
import type { Testnet } from '../testnet.ts'
import { MAX_RELAY_BYTES, MAX_UNKNOWN } from './meetings.ts'
import { RelayService } from './relay-service.ts'

const HOST = '127.0.0.1'
/** It takes four seconds where nothing else runs. */
const PATIENCE_MS = 60_000

let testnet: Testnet
let closers: (() => Promise<unknown>)[]
beforeEach(async () => {
  testnet = await startTestnet()
  closers = []
})
afterEach(async () => {
  await Promise.all(closers.map((close) => close()))
  await testnet.close()
})

/** One that shows its connections with relays. */
class OpenDht extends HintedDht {
  readonly relays: SwarmConnection[] = []

  override connect(publicKey: Uint8Array, options?: DhtConnectOptions): SwarmConnection {
    const connection = super.connect(publicKey, options)
    if (options === undefined) this.relays.push(connection)
    return connection
  }
}

/** A machine of the cloud to which only a relay leads. */
class Machine {
  readonly keys = newKeyPair()
  readonly relays: string[]
  readonly choice = new RelayChoice()
  readonly served: string[] = []
  readonly failures: string[] = []
  readonly dht: OpenDht
  /** Those that it has heard. */
  readonly heard = new Set<string>()
  #dialled: SwarmConnection | null = null

  constructor(relays: readonly KeyPair[] = []) {
    this.relays = relays.map(({ publicKey }) => encodeKey(publicKey))
    const chosen = (machine: string) => {
      const offers = this.relays.map((key, latencyMs) => ({
        machine: key,
        key,
        host: null,
        latencyMs,
      }))
      return this.choice.choose(offers, machine, performance.now())
    }
    this.dht = new OpenDht(
      { keyPair: this.keys, bootstrap: testnet.bootstrap, host: HOST, quickFirewall: false },
      {
        through: (machine) => decodeKey(chosen(machine)?.key ?? ''),
        hasFresh: (machine) => {
          const key = chosen(machine)?.key
          return key !== undefined && !this.choice.hasFailed(key, machine, performance.now())
        },
        addressOf: () => null,
        isKnown: (relayKey) => this.relays.includes(encodeKey(relayKey)),
        isMember: () => true,
        served: (relayKey) => this.served.push(relayKey),
        failed: (relayKey, machine) => {
          this.failures.push(relayKey)
          this.choice.failed(relayKey, machine, performance.now())
        },
        dialAgain: (machine) => this.dial(machine),
      },
    )
    closers.push(() => this.dht.destroy({ force: true }))
  }

  get id(): string {
    return encodeKey(this.keys.publicKey)
  }

  async listen(): Promise<this> {
    const server = this.dht.createServer(
      {
        firewall: (key, by) => {
          this.dht.meetings.answer(encodeKey(key), by)
          return false
        },
        relayThrough: () => this.dht.meetings.answerThrough(),
        shareLocalAddress: false,
        holepunch: false,
      },
      (connection) => this.#meet(connection),
    )
    await server.listen(this.keys)
    return this
  }

  /** Dials until it has met the machine. */
  dial(machine: string): void {
    if (this.#dialled !== null || this.heard.has(machine)) return
    const connection = this.dht.connect(decodeKey(machine)!, {
      keyPair: this.keys,
      relayThrough: null,
      localConnection: false,
      holepunch: () => false,
    })
    this.#dialled = connection
    connection.on('open', () => connection.write('here'))
    connection.on('close', () => {
      this.#dialled = null
      setImmediate(() => this.dht.destroyed || this.dial(machine))
    })
    this.#meet(connection)
  }

  /** Whoever hears the other one has met it. */
  #meet(connection: SwarmConnection): void {
    connection.on('error', () => {
      // It is closed then; who is dialled anew decides what is tested here.
    })
    connection.once('data', () => {
      const machine = encodeKey(connection.remotePublicKey)
      this.dht.meetings.met(machine, connection)
      if (!connection.isInitiator) connection.write('here, too')
      this.heard.add(machine)
    })
  }
}

function node(): DHT {
  const dht = new DHT({ bootstrap: testnet.bootstrap, host: HOST })
  closers.push(() => dht.destroy({ force: true }))
  return dht
}

async function startRelay(): Promise<KeyPair> {
  const keyPair = newKeyPair()
  const service = new RelayService({ dht: node(), keyPair, isMember: () => true, log: silentLog })
  closers.push(() => service.close())
  await service.listen()
  return keyPair
}

/** One that does what it likes with who comes. */
async function startHostile(
  behave: (connection: SwarmConnection) => void,
  dht = node(),
): Promise<KeyPair> {
  const keyPair = newKeyPair()
  const server = dht.createServer({}, (connection) => {
    connection.on('error', () => {})
    behave(connection)
  })
  closers.push(() => server.close())
  await server.listen(keyPair)
  return keyPair
}

/** Says that it has paired who asks, so long after, and passes on nothing. */
function pairFalsely(connection: SwarmConnection, afterMs: number): void {
  const channel = new Protomux(connection).createChannel({
    protocol: 'blind-relay',
    id: connection.remotePublicKey,
  })
  const pair = channel!.addMessage({
    encoding: untouchedBytes,
    onmessage: (bytes) => {
      const { isInitiator, token } = c.decode(relay.messages.pair, bytes)
      const answer = c.encode(relay.messages.pair, { isInitiator, token, id: 77, seq: 0 })
      setTimeout(() => pair.send(answer), afterMs).unref()
    },
  })
  channel!.open()
}

describe('with a hostile relay', { timeout: 3 * PATIENCE_MS }, () => {
  it('that drops, delays or floods, two machines meet through another', async () => {
    const ben = await new Machine().listen()
    const good = await startRelay()
    const hostile = await Promise.all([
      startHostile(() => {}),
      startHostile((connection) => pairFalsely(connection, 0)),
      startHostile((connection) => pairFalsely(connection, 2 * RELAY_MS)),
      startHostile((connection) => {
        for (let at = 0; at < 10; at++) connection.write(Buffer.alloc(1_000_000))
      }),
    ])
    // All at once, so that the test need not wait for one after the other.
    const dialling = hostile.map((bad) => new Machine([bad, good]))
    for (const machine of dialling) machine.dial(ben.id)
    await until(() => dialling.every(({ heard }) => heard.has(ben.id)), PATIENCE_MS)
    for (const [at, { served, failures, dht }] of dialling.entries()) {
      expect(failures[0]).toEqual(encodeKey(hostile[at]!.publicKey))
      expect(served).toEqual([encodeKey(good.publicKey)])
      // What the others hold there is let go.
      await until(() => dht.meetings.relayCount === 1, PATIENCE_MS)
    }
    const [flooded] = dialling.at(-1)!.dht.relays
    expect(flooded!.rawStream.bytesReceived).toBeLessThan(2 * MAX_RELAY_BYTES)
  })
})

describe('who is dialled', { timeout: 3 * PATIENCE_MS }, () => {
  it('names a relay to who names none, and goes through the one that is named else', async () => {
    const [own, theirs] = [await startRelay(), await startRelay()]
    const ben = await new Machine([own]).listen()
    const [anna, cleo] = [new Machine(), new Machine([theirs])]
    anna.dial(ben.id)
    await until(() => anna.heard.has(ben.id), PATIENCE_MS)
    expect(ben.served).toEqual([encodeKey(own.publicKey)])
    cleo.dial(ben.id)
    await until(() => cleo.heard.has(ben.id), PATIENCE_MS)
    expect(ben.served).toEqual([own, theirs].map(({ publicKey }) => encodeKey(publicKey)))
  })

  it('asks only so many relays that it does not know, and at the same time those that it knows', async () => {
    const good = await startRelay()
    const ben = await new Machine([good]).listen()
    const silent = node()
    for (let at = 0; at < 2 * MAX_UNKNOWN; at++) {
      new Machine([await startHostile(() => {}, silent)]).dial(ben.id)
    }
    await until(() => ben.dht.meetings.relayCount === MAX_UNKNOWN, PATIENCE_MS)
    let most = 0
    const counting = setInterval(() => (most = Math.max(most, ben.dht.meetings.relayCount)), 10)
    const anna = new Machine([good])
    anna.dial(ben.id)
    await until(() => anna.heard.has(ben.id), PATIENCE_MS)
    clearInterval(counting)
    expect(most).toBeLessThanOrEqual(MAX_UNKNOWN + 1)
  })
})
