// Which relays a machine believes to be there, by what others say over their links.
import DHT from 'hyperdht'
import type { DhtServer } from 'hyperdht'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { MockInstance } from 'vitest'
import { encodeKey, hash, keyPair } from '../../core/keys.ts'
import type { KeyPair } from '../../core/keys.ts'
import { MAX_REMEMBERED } from '../../core/relay/relay-choice.ts'
import { proveRelay } from '../../core/relay/key-proofs.ts'
import type { ProvedKey } from '../../core/relay/key-proofs.ts'
import { silentLog, until } from '../../testing/cloud-nodes.ts'
import { FakeNetwork } from '../../testing/fake-network.ts'
import { PeerFault } from '../peer-fault.ts'
import { startTestnet } from '../testnet.ts'
import type { Testnet } from '../testnet.ts'
import { Relaying } from './relaying.ts'

const keysOf = (name: string): KeyPair => keyPair(hash(Buffer.from(name)))
const keyOf = (name: string): string => encodeKey(keysOf(name).publicKey)
/** It takes a second where nothing else runs. */
const PATIENCE_MS = 30_000

const CLOUD = keyOf('a cloud')

let testnet: Testnet
/** They have a link. */
let ada: Machine
let ben: Machine
beforeEach(async () => {
  testnet = await startTestnet()
  ada = new Machine('ada')
  ben = new Machine('ben')
  ada.network.link(ben.network)
})
afterEach(async () => {
  await Promise.all([ada.close(), ben.close()])
  await testnet.close()
})

/** A machine that may relay. */
class Machine {
  readonly id: string
  readonly network: FakeNetwork
  readonly relaying: Relaying
  readonly dht: DHT
  readonly errors: unknown[] = []
  isOpen = false

  /** @param dht  its own if absent */
  constructor(name: string, dht = new DHT({ bootstrap: testnet.bootstrap, host: '127.0.0.1' })) {
    this.id = keyOf(name)
    this.network = new FakeNetwork(this.id)
    this.dht = dht
    this.relaying = new Relaying({
      network: this.network,
      dht: this.dht,
      machineKeys: keysOf(name),
      cloud: CLOUD,
      isOpen: () => this.isOpen,
      isMember: () => true,
      addressOf: () => null,
      latencyOf: () => null,
      changed: () => {},
      offered: () => {},
      log: { ...silentLog, error: (_, fields) => this.errors.push(fields?.['error']) },
    })
  }

  says(by: FakeNetwork, offer: ProvedKey | { key: null }): boolean {
    const bytes = Buffer.from(JSON.stringify(offer))
    return this.network.receive('dharma/relay/1', by, bytes)
  }

  async close(): Promise<void> {
    await this.relaying.close()
    await this.dht.destroy()
  }
}

describe('relays that others say they are', () => {
  const relay = keysOf('relay')
  const itsOwn = (): ProvedKey => proveRelay(relay, ben.id, CLOUD)

  it('one that opens is gone through, until it does no more', () => {
    expect(ada.relaying.through(keyOf('cleo'))).toBeNull()
    ben.isOpen = true
    ben.relaying.update()
    ada.network.deliver()
    const key = ada.relaying.through(keyOf('cleo'))
    expect(key).not.toBeNull()
    expect(ada.relaying.ownerOf(key!)).toBe(ben.id)
    ben.isOpen = false
    ben.relaying.update()
    ada.network.deliver()
    expect(ada.relaying.through(keyOf('cleo'))).toBeNull()
  })

  it('one that is another’s is believed of nobody else', () => {
    const others = proveRelay(relay, keyOf('dora'), CLOUD)
    const elsewhere = proveRelay(relay, ben.id, keyOf('another cloud'))
    for (const offer of [others, elsewhere, { ...itsOwn(), key: keyOf('dora') }]) {
      expect(() => ada.says(ben.network, offer)).toThrow(PeerFault)
    }
    expect(ada.says(ben.network, { key: keyOf('relay') } as ProvedKey)).toBe(false)
    expect(ada.relaying.ownerOf(relay.publicKey)).toBeNull()
    expect(ada.says(ben.network, itsOwn())).toBe(true)
    expect(ada.relaying.ownerOf(relay.publicKey)).toBe(ben.id)
  })

  it('whose key it is stays known when it relays no more, and when the link is gone', () => {
    const isItsOwn = (): boolean => ada.relaying.isOf(relay.publicKey, ben.id)
    expect(isItsOwn()).toBe(false)
    ada.says(ben.network, itsOwn())
    expect(isItsOwn()).toBe(true)
    expect(ada.relaying.isOf(relay.publicKey, keyOf('dora'))).toBe(false)
    ada.says(ben.network, { key: null })
    expect(isItsOwn()).toBe(true)
    ada.network.endProtocol('dharma/relay/1', ben.network)
    expect(isItsOwn()).toBe(true)
    expect(ada.relaying.ownerOf(relay.publicKey)).toBeNull()
    // Of so many it is not.
    for (let at = 0; at < MAX_REMEMBERED; at++) {
      const other = new FakeNetwork(keyOf(`other ${at}`))
      ada.network.link(other)
      ada.says(other, proveRelay(keysOf(`relay ${at}`), other.machine, CLOUD))
    }
    expect(isItsOwn()).toBe(false)
    expect(ada.relaying.isOf(keysOf('relay 0').publicKey, keyOf('other 0'))).toBe(true)
  })

  it('who says so again and again makes no work without an end', () => {
    let said = 0
    expect(() => {
      while (said < 1_000) {
        ada.says(ben.network, said % 2 === 0 ? itsOwn() : { key: null })
        said += 1
      }
    }).toThrow(PeerFault)
    expect(said).toBeLessThan(30)
  })
})

describe('a machine that relays', { timeout: 3 * PATIENCE_MS }, () => {
  const set = (machine: Machine, isOpen: boolean): void => {
    machine.isOpen = isOpen
    machine.relaying.update()
  }

  /** Resolves once it listens with the server that its node made last. */
  async function listening(made: MockInstance<DHT['createServer']>): Promise<void> {
    let isListening = false
    const server: DhtServer = made.mock.results.at(-1)!.value
    server.on('listening', () => (isListening = true))
    await until(() => isListening, PATIENCE_MS)
  }

  it('can be reached however often it has opened and closed while it began to listen', async () => {
    await ben.dht.bind()
    const made = vi.spyOn(ben.dht, 'createServer')
    set(ben, true)
    // Its key is taken by now.
    await new Promise((resolve) => setImmediate(resolve))
    for (const isOpen of [false, true, false, true]) set(ben, isOpen)
    await listening(made)
    expect(ben.errors).toEqual([])
    expect(ben.relaying.serves).toBe(true)
  })

  it('says so no more if it cannot listen, and tries again when it is asked to', async () => {
    // Somebody listens under its key already.
    const twin = new Machine('ben', ben.dht)
    const made = vi.spyOn(ben.dht, 'createServer')
    set(twin, true)
    await listening(made)
    set(ben, true)
    ada.network.deliver()
    const key = ada.relaying.through(keyOf('cleo'))
    expect(key).not.toBeNull()
    await until(() => !ben.relaying.serves, PATIENCE_MS)
    expect(ben.errors).toHaveLength(1)
    ada.network.deliver()
    expect(ada.relaying.through(keyOf('cleo'))).toBeNull()
    await twin.relaying.close()
    ben.relaying.update()
    expect(ben.relaying.serves).toBe(true)
    ada.network.deliver()
    expect(ada.relaying.through(keyOf('cleo'))).toEqual(key)
  })
})
