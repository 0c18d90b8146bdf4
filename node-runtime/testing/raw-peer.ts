// Whoever can connect to a machine over the DHT: a stranger, or a member that does not play by the
// rules. It sends what a test gives it.
import DHT from 'hyperdht'
import type { DhtAddress } from 'hyperdht'
import type { SwarmConnection } from 'hyperswarm'
import Protomux from 'protomux'
import type { MachineEntry } from '../core/forms/machine-form.ts'
import { decodeKey } from '../core/keys.ts'
import { newKeyPair } from '../store/new-keys.ts'
import type { KeyPair } from '../core/keys.ts'
import { writeGreeting } from '../swarm/greeting.ts'
import { signTestEntry } from './entries.ts'

export interface RawPeerOptions {
  bootstrap: readonly DhtAddress[]
  cloud: string
  keys?: KeyPair
  /** What the peer says of itself; an honest description if absent. */
  entry?: MachineEntry
}

export class RawPeer {
  readonly keys: KeyPair
  readonly #options: RawPeerOptions
  readonly #dht: DHT

  constructor(options: RawPeerOptions) {
    this.#options = options
    this.keys = options.keys ?? newKeyPair()
    this.#dht = new DHT({ bootstrap: [...options.bootstrap], host: '127.0.0.1' })
  }

  /** A connection on which nothing has been said. Tries until the machine is found. */
  async connect(machine: string): Promise<SwarmConnection> {
    for (;;) {
      const connection = this.#dht.connect(decodeKey(machine)!, { keyPair: this.keys })
      connection.on('error', () => {})
      const opened = await new Promise<boolean>((resolve) => {
        connection.once('open', () => resolve(true))
        connection.once('close', () => resolve(false))
      })
      if (opened) return connection
    }
  }

  /** The greeting of a member of the cloud on this connection. */
  greeting(connection: SwarmConnection, entry = this.#options.entry): Uint8Array {
    const { cloud } = this.#options
    const { handshakeHash, publicKey } = connection
    const own = entry ?? signTestEntry({ keys: this.keys, cloud })
    return writeGreeting(
      { handshakeHash, publicKey, cloud, cloudKey: decodeKey(cloud)! },
      { entry: own, genesis: null, pass: null, timeMs: null },
    )
  }

  /** Greets as a member, and speaks Protomux from then on. */
  async join(machine: string): Promise<{ connection: SwarmConnection; mux: Protomux }> {
    const connection = await this.connect(machine)
    connection.write(this.greeting(connection))
    await new Promise((resolve) => {
      connection.once('data', resolve)
      connection.once('close', resolve)
    })
    return { connection, mux: new Protomux(connection) }
  }

  async close(): Promise<void> {
    await this.#dht.destroy({ force: true })
  }
}
