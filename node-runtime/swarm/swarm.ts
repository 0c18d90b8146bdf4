// The machine's place in the network: finds other machines of the cloud through the DHT, keeps links
// to them, and carries the services' protocols over these links.
import DHT from 'hyperdht'
import type { DhtAddress } from 'hyperdht'
import Hyperswarm from 'hyperswarm'
import type { PeerDiscovery, SwarmConnection } from 'hyperswarm'
import type { Channel, MessageType } from 'protomux'
import { decodeKey, domainBytes, encodeKey, hash } from '../core/keys.ts'
import type { KeyPair } from '../core/keys.ts'
import type { Log } from '../ports/log.ts'
import type { MachineEntry } from '../core/membership/machine-entry.ts'
import { untouchedBytes } from './codec.ts'
import { Link } from './link.ts'
import type { LinkMux, Network, PeerInfo, Protocol, ProtocolDefinition } from './network.ts'

/**
 * Two machines that join at the same moment both look before either has announced itself. Looking
 * again after a second finds the other; then ever more rarely, while nobody is there.
 */
const FIRST_LOOK_AGAIN_MS = 1_000
const LONGEST_LOOK_AGAIN_MS = 30_000
/** How often a known machine that is away is tried again. */
const REACH_AGAIN_MS = 5_000
/**
 * Without a network, the stack's own end waits for name look-ups that time out after 10 s and more.
 * Nothing that is kept depends on them.
 */
const LONGEST_GOODBYE_MS = 1_500

export interface SwarmOptions {
  keyPair: KeyPair
  cloud: string
  /** DHT nodes to begin with; the public ones if absent. */
  bootstrap?: readonly DhtAddress[]
  /** Address to bind to; tests stay on 127.0.0.1. */
  host?: string
  ownEntry: () => MachineEntry
  log: Log
}

export interface SwarmEvents {
  linkOpened: (entry: MachineEntry) => void
  linkClosed: (entry: MachineEntry) => void
  heartbeat: (machine: string, latencyMs: number) => void
  /** The DHT answered for the first time, or did not. */
  dhtChanged: (online: boolean) => void
}

interface OpenChannel {
  peer: PeerInfo
  channel: Channel
  message: MessageType<Uint8Array>
}

interface OpenProtocol {
  definition: ProtocolDefinition<unknown>
  channels: Map<string, OpenChannel>
}

export class Swarm implements Network {
  readonly #options: SwarmOptions
  readonly #events: SwarmEvents
  readonly #cloudKey: Uint8Array
  readonly #dht: DHT
  readonly #hyperswarm: Hyperswarm
  readonly #links = new Map<string, Link>()
  readonly #protocols = new Map<string, OpenProtocol>()
  readonly #attachers = new Set<(mux: LinkMux, peer: PeerInfo) => void>()
  readonly #wanted = new Set<string>()
  #discovery: PeerDiscovery | null = null
  #lookTimer: NodeJS.Timeout | null = null
  #reachTimer: NodeJS.Timeout | null = null
  #dhtOnline: boolean | null = null
  #closed = false

  constructor(options: SwarmOptions, events: SwarmEvents) {
    const { keyPair, cloud, bootstrap, host } = options
    const cloudKey = decodeKey(cloud)
    if (cloudKey === null) throw new TypeError('not a cloud key')
    this.#options = options
    this.#events = events
    this.#cloudKey = cloudKey
    this.#dht = new DHT({
      ...(bootstrap === undefined ? {} : { bootstrap: [...bootstrap] }),
      ...(host === undefined ? {} : { host }),
    })
    this.#hyperswarm = new Hyperswarm({ dht: this.#dht, keyPair })
    this.#hyperswarm.on('connection', (connection) => this.#greet(connection))
  }

  /** Null until the first attempt to reach the DHT has ended. */
  get dhtOnline(): boolean | null {
    return this.#dhtOnline
  }

  get linkCount(): number {
    return this.#links.size
  }

  latencyOf(machine: string): number | null {
    return this.#links.get(machine)?.latencyMs ?? null
  }

  /** Starts looking for the cloud and being found. Returns at once; finding goes on. */
  start(): void {
    const topic = hash(domainBytes('dharma/topic/1', this.#options.cloud))
    this.#discovery = this.#hyperswarm.join(topic, { server: true, client: true })
    this.#noteDht(this.#discovery.flushed())
    this.#lookAgain(FIRST_LOOK_AGAIN_MS)
    this.#reachTimer = setInterval(() => this.#reachAgain(), REACH_AGAIN_MS)
  }

  isOnline(machine: string): boolean {
    return this.#links.has(machine)
  }

  reach(machine: string): void {
    const key = decodeKey(machine)
    if (key === null || this.#wanted.has(machine)) return
    this.#wanted.add(machine)
    // When both sides dial at once, the stack may keep a different one of the two connections on each
    // side and lose both. The side with the greater key dials at once, the other if that was in vain.
    if (encodeKey(this.#options.keyPair.publicKey) > machine) this.#hyperswarm.joinPeer(key)
  }

  onLink(attach: (mux: LinkMux, peer: PeerInfo) => void): () => void {
    this.#attachers.add(attach)
    for (const link of this.#links.values()) attach(link.mux, link.peer)
    return () => this.#attachers.delete(attach)
  }

  openProtocol<M>(definition: ProtocolDefinition<M>): Protocol<M> {
    const { name } = definition
    if (this.#protocols.has(name)) throw new Error(`protocol ${name} is open already`)
    const open: OpenProtocol = {
      definition: definition as unknown as ProtocolDefinition<unknown>,
      channels: new Map(),
    }
    this.#protocols.set(name, open)
    for (const link of this.#links.values()) this.#openChannel(link, open)
    return {
      send: (machine, message) => {
        const entry = open.channels.get(machine)
        if (entry === undefined) return false
        entry.message.send(definition.codec.encode(message))
        return true
      },
      writable: (machine) => open.channels.get(machine)?.channel.drained ?? false,
      broadcast: (message) => {
        if (open.channels.size === 0) return
        const bytes = definition.codec.encode(message)
        for (const entry of open.channels.values()) entry.message.send(bytes)
      },
      peers: () => [...open.channels.values()].map(({ peer }) => peer),
      close: () => {
        this.#protocols.delete(name)
        for (const { channel } of open.channels.values()) channel.close()
      },
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#lookTimer !== null) clearTimeout(this.#lookTimer)
    if (this.#reachTimer !== null) clearInterval(this.#reachTimer)
    for (const link of this.#links.values()) link.close()
    let timer: NodeJS.Timeout | undefined
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LONGEST_GOODBYE_MS)
    })
    const goodbye = this.#hyperswarm.destroy({ force: true }).then(() => this.#dht.destroy())
    await Promise.race([goodbye, patience])
    clearTimeout(timer)
  }

  #greet(connection: SwarmConnection): void {
    const { cloud, ownEntry, log } = this.#options
    const link: Link = new Link({
      connection,
      cloud,
      cloudKey: this.#cloudKey,
      ownEntry,
      onVerified: () => this.#admit(link),
      onHeartbeat: () =>
        this.#events.heartbeat(link.entry.machine, link.latencyMs ?? Number.POSITIVE_INFINITY),
      onClosed: () => this.#dismiss(link),
      onRefused: (reason) => log.info('a connection was closed', { reason }),
    })
    // The other side may finish its checks first and open protocols; they wait for ours.
    for (const name of this.#protocols.keys()) {
      link.mux.pair({ protocol: name }, () => link.verified)
    }
    link.mux.pair({ protocol: 'hypercore/alpha' }, () => link.verified)
  }

  #admit(link: Link): void {
    const { machine } = link.entry
    const earlier = this.#links.get(machine)
    this.#links.set(machine, link)
    earlier?.close()
    for (const open of this.#protocols.values()) this.#openChannel(link, open)
    for (const attach of this.#attachers) attach(link.mux, link.peer)
    this.#events.linkOpened(link.entry)
  }

  #dismiss(link: Link): void {
    const { machine } = link.entry
    if (this.#links.get(machine) !== link) return
    this.#links.delete(machine)
    if (this.#closed) return
    this.#events.linkClosed(link.entry)
    if (this.#links.size === 0) this.#lookAgain(FIRST_LOOK_AGAIN_MS)
  }

  #openChannel(link: Link, open: OpenProtocol): void {
    const { definition, channels } = open
    const { peer } = link
    const { machine } = peer
    const { log } = this.#options
    const fail = (doing: string, error: unknown): void => {
      log.error('a protocol failed through our own fault; its link was closed', {
        protocol: definition.name,
        doing,
        machine,
        error,
      })
      link.close()
    }
    /** What a handler throws must not reach the stack below, which would end the process. */
    const guarded = (doing: string, handle: () => void): void => {
      try {
        handle()
      } catch (error) {
        fail(doing, error)
      }
    }
    const channel = link.mux.createChannel({
      protocol: definition.name,
      onopen: () => guarded('opening', () => definition.opened?.(peer)),
      ondrain: () => guarded('going on', () => definition.drained?.(peer)),
      onclose: () => {
        if (channels.get(machine)?.channel !== channel) return
        channels.delete(machine)
        guarded('closing', () => definition.closed?.(peer))
      },
    })
    if (channel === null) return
    const message = channel.addMessage({
      encoding: untouchedBytes,
      onmessage: (bytes) => {
        const decoded = definition.codec.decode(bytes)
        if (decoded !== null) {
          return guarded('receiving', () => definition.received(peer, decoded))
        }
        log.warn('a machine sent a message that does not fit; link closed', {
          machine,
          protocol: definition.name,
        })
        link.close()
      },
    })
    channels.set(machine, { peer, channel, message })
    channel.open()
  }

  /** Repeats the look-up, at growing intervals, while this machine has no link. */
  #lookAgain(afterMs: number): void {
    if (this.#lookTimer !== null) clearTimeout(this.#lookTimer)
    this.#lookTimer = setTimeout(() => {
      if (this.#closed || this.#discovery === null) return
      this.#noteDht(this.#discovery.refresh({ client: true, server: true }))
      const alone = this.#links.size === 0
      this.#lookAgain(alone ? Math.min(afterMs * 2, LONGEST_LOOK_AGAIN_MS) : LONGEST_LOOK_AGAIN_MS)
    }, afterMs)
  }

  /** The stack gives up on a peer after a few attempts; asking anew keeps trying. */
  #reachAgain(): void {
    for (const machine of this.#wanted) {
      const key = decodeKey(machine)
      if (key === null || this.#links.has(machine)) continue
      this.#hyperswarm.leavePeer(key)
      this.#hyperswarm.joinPeer(key)
    }
  }

  /** The stack's look-ups say at their end whether they went well. */
  #noteDht(lookUp: Promise<boolean>): void {
    lookUp.then(
      (went) => this.#setDhtOnline(went && this.#dht.nodes.length > 0),
      (error: Error) => {
        if (this.#closed) return
        this.#options.log.info('a look-up in the DHT failed', { reason: error.message })
        this.#setDhtOnline(false)
      },
    )
  }

  #setDhtOnline(online: boolean): void {
    if (this.#closed || this.#dhtOnline === online) return
    this.#dhtOnline = online
    this.#events.dhtChanged(online)
  }
}
