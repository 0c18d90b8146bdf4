// By which way each link goes: directly, or through another machine of the cloud.
import type { SwarmConnection } from 'hyperswarm'
import type { MachineAddress } from '../../core/finding/dial-list.ts'
import { encodeKey } from '../../core/keys.ts'
import type { Link } from '../link.ts'
import type { Links } from '../links.ts'
import type { Meetings } from './meetings.ts'
import type { Relaying } from './relaying.ts'

export interface RoutesOptions {
  links: Pick<Links, 'get' | 'values'>
  dht: { readonly meetings: Pick<Meetings, 'relaysAt'> }
  /** Null if machines do not relay for each other here. */
  relaying: Pick<Relaying, 'isOf' | 'ownerOf'> | null
  /** A link goes by another way than was told before. */
  changed: () => void
}

export class Routes {
  readonly #options: RoutesOptions
  /** Machines whose links go through a relay, as was told last. */
  readonly #relayed = new Set<string>()

  constructor(options: RoutesOptions) {
    this.#options = options
  }

  /** Links that go through another machine of the cloud, because no direct one has come yet, or can't. */
  get relayedCount(): number {
    let count = 0
    for (const link of this.#options.links.values()) if (this.isThroughRelay(link)) count++
    return count
  }

  isThroughRelay({ entry: { machine }, connection }: Pick<Link, 'entry' | 'connection'>): boolean {
    const { dht, relaying } = this.#options
    const address = addressOf(connection)
    if (address === null) return false
    const relays = dht.meetings.relaysAt(address.host, address.port)
    // A link with the relay itself is direct, also before it has said again that it is one.
    return relays.some((relayKey) => relaying?.isOf(relayKey, machine) !== true)
  }

  /** The machine through which a link goes; null if it is direct, or that is not known. */
  relayOf({ connection }: Pick<Link, 'connection'>): string | null {
    const { dht, relaying } = this.#options
    const address = addressOf(connection)
    if (address === null) return null
    for (const relayKey of dht.meetings.relaysAt(address.host, address.port)) {
      const machine = relaying?.ownerOf(relayKey) ?? null
      if (machine !== null) return machine
    }
    return null
  }

  /** Where the other side is; null through a relay, whose address says nothing of it. */
  addressOf(link: Pick<Link, 'entry' | 'connection'>): MachineAddress | null {
    return this.isThroughRelay(link) ? null : addressOf(link.connection)
  }

  /** Where a linked machine is; null if that is not known. */
  addressOfMachine(machine: string): MachineAddress | null {
    const link = this.#options.links.get(machine)
    return link === undefined ? null : this.addressOf(link)
  }

  /** The key of the relay through which a link goes; null if it is direct. */
  relayKeyOf(link: Pick<Link, 'entry' | 'connection'>): string | null {
    const address = addressOf(link.connection)
    if (address === null || !this.isThroughRelay(link)) return null
    const [relayKey] = this.#options.dht.meetings.relaysAt(address.host, address.port)
    return relayKey === undefined ? null : encodeKey(relayKey)
  }

  /** Where a linked machine is that relays under a key; null if that is not known. */
  addressOfRelay(relayKey: Uint8Array): MachineAddress | null {
    const machine = this.#options.relaying?.ownerOf(relayKey) ?? null
    return machine === null ? null : this.addressOfMachine(machine)
  }

  /** Tells when a link has gone over to another way, as one does that began relayed. */
  note(link: Link): void {
    const { machine } = link.entry
    const isRelayed = this.isThroughRelay(link)
    if (isRelayed === this.#relayed.has(machine)) return
    if (isRelayed) this.#relayed.add(machine)
    else this.#relayed.delete(machine)
    this.#options.changed()
  }

  forget(machine: string): void {
    this.#relayed.delete(machine)
  }
}

/** Where the other side is, or the relay; null before it is connected. */
function addressOf({ rawStream }: SwarmConnection): MachineAddress | null {
  const { remoteHost: host, remotePort: port } = rawStream
  return host === null ? null : { host, port }
}
