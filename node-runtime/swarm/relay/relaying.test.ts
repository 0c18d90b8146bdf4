// Which relays a machine believes to be there, by what others say over their links.
import DHT from 'hyperdht'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encodeKey, hash, keyPair } from '../../core/keys.ts'
import type { KeyPair } from '../../core/keys.ts'
import { proveRelay } from '../../core/relay/key-proofs.ts'
import type { ProvedKey } from '../../core/relay/key-proofs.ts'
import { silentLog } from '../../testing/cloud-nodes.ts'
import { FakeNetwork } from '../../testing/fake-network.ts'
import { PeerFault } from '../peer-fault.ts'
import { startTestnet } from '../testnet.ts'
import type { Testnet } from '../testnet.ts'
import { Relaying } from './relaying.ts'

const keysOf = (name: string): KeyPair => keyPair(hash(Buffer.from(name)))
const keyOf = (name: string): string => encodeKey(keysOf(name).publicKey)
const CLOUD = keyOf('a cloud')

let testnet: Testnet
beforeEach(async () => {
  testnet = await startTestnet()
})
afterEach(() => testnet.close())

/** A machine that may relay. */
class Machine {
  readonly id: string
  readonly network: FakeNetwork
  readonly relaying: Relaying
  readonly dht: DHT
  isOpen = false

  constructor(name: string) {
    this.id = keyOf(name)
    this.network = new FakeNetwork(this.id)
    this.dht = new DHT({ bootstrap: testnet.bootstrap, host: '127.0.0.1' })
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
      log: silentLog,
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
  let ada: Machine
  let ben: Machine
  beforeEach(() => {
    ada = new Machine('ada')
    ben = new Machine('ben')
    ada.network.link(ben.network)
  })
  afterEach(() => Promise.all([ada.close(), ben.close()]))

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
