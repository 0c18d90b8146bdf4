// The machine's place in the network: the DHT and its connections, the links that come of them, and
// the services' protocols over these. Whom to look for and to keep decides `core/finding`.
import DHT from 'hyperdht'
import type { DhtAddress } from 'hyperdht'
import Hyperswarm from 'hyperswarm'
import type { PeerDiscovery, SwarmConnection } from 'hyperswarm'
import { FindingCore } from '../core/finding/finding-core.ts'
import type { Admission, FindingEffect, FindingEvent } from '../core/finding/finding-core.ts'
import type { MachineEntry } from '../core/forms/machine-form.ts'
import { decodeKey, domainBytes, encodeKey, hash } from '../core/keys.ts'
import type { KeyPair } from '../core/keys.ts'
import { Driver } from '../flow/driver.ts'
import { Tally } from '../flow/tally.ts'
import type { Log } from '../ports/log.ts'
import { Doorkeeper } from './doorkeeper.ts'
import { agree } from './greeting.ts'
import type { Agreement, Greeted } from './greeting.ts'
import { Link } from './link.ts'
import type { LinkMux, Network, PeerInfo, Protocol, ProtocolDefinition } from './network.ts'
import { ProtocolChannels } from './protocol-channels.ts'
import type { LinkProtocol } from './protocol-channels.ts'

/**
 * Without a network, the stack's own end waits for name look-ups that time out after 10 s and more.
 * Nothing that is kept depends on them.
 */
const LONGEST_GOODBYE_MS = 1_500

const LOOPBACK = '127.'

/** Why a machine of the cloud gets no link, for the log. */
const REFUSALS: Record<Admission, string> = {
  admit: 'this machine is closing',
  replace: 'this machine is closing',
  duplicate: 'both sides dialled, and the other connection stays',
  full: 'this machine has all the links that it can keep',
  'too soon': 'the machine broke the rules and has to wait',
}

export interface SwarmOptions {
  keyPair: KeyPair
  cloud: string
  /** DHT nodes to begin with; the public ones if absent. */
  bootstrap?: readonly DhtAddress[]
  /** Address to bind to; tests stay on 127.0.0.1. */
  host?: string
  ownEntry: () => MachineEntry
  /** The text whose hash is the cloud's id, if this machine has it. */
  genesis?: () => string | null
  log: Log
}

export interface SwarmEvents {
  linkOpened: (entry: MachineEntry) => void
  linkClosed: (entry: MachineEntry) => void
  heartbeat: (machine: string, latencyMs: number) => void
  /** The DHT answered for the first time, or did not. */
  dhtChanged: (online: boolean) => void
  /** A machine has the cloud's genesis, which this one had not. */
  genesisLearned?: (body: string) => void
}

export class Swarm implements Network {
  readonly #options: SwarmOptions
  readonly #events: SwarmEvents
  readonly #dht: DHT
  readonly #hyperswarm: Hyperswarm
  readonly #doorkeeper: Doorkeeper
  readonly #finding: FindingCore
  readonly #driver: Driver<FindingEvent, FindingEffect>
  readonly #links = new Map<string, Link>()
  readonly #protocols = new Map<string, LinkProtocol>()
  readonly #attachers = new Set<(mux: LinkMux, peer: PeerInfo) => void>()
  #discovery: PeerDiscovery | null = null
  #dhtOnline: boolean | null = null
  readonly #tally = new Tally()
  #closed = false

  constructor(options: SwarmOptions, events: SwarmEvents) {
    const { keyPair, cloud, bootstrap, host, ownEntry, log } = options
    const cloudKey = decodeKey(cloud)
    if (cloudKey === null) throw new TypeError('not a cloud key')
    this.#options = options
    this.#events = events
    this.#doorkeeper = new Doorkeeper({
      cloud,
      cloudKey,
      ownEntry,
      genesis: () => options.genesis?.() ?? null,
      onGreeted: (connection, greeted) => this.#admit(connection, greeted),
      onRefused: (reason) => this.#refuse(reason),
    })
    this.#finding = new FindingCore({
      ownMachine: encodeKey(keyPair.publicKey),
      random: Math.random,
    })
    this.#driver = new Driver<FindingEvent, FindingEffect>({
      core: this.#finding,
      perform: (effect) => this.#perform(effect),
      onFault: (error) => log.error('looking for machines failed through our own fault', { error }),
      mustKeep: ({ type }) => type !== 'wanted',
    })
    this.#dht = new DHT({
      ...(bootstrap === undefined ? {} : { bootstrap: [...bootstrap] }),
      ...(host === undefined ? {} : { host }),
    })
    this.#hyperswarm = new Hyperswarm({ dht: this.#dht, keyPair })
    this.#hyperswarm.on('connection', (connection) => this.#doorkeeper.receive(connection))
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

  /**
   * What this machine and another can both do; null without a link. So far each protocol says what it
   * can in a greeting of its own; what a later version changes for all of them is to be asked here.
   */
  agreementWith(machine: string): Agreement | null {
    return this.#links.get(machine)?.agreement ?? null
  }

  /** Starts looking for the cloud and being found. Returns at once; finding goes on. */
  start(): void {
    const topic = hash(domainBytes('dharma/topic/1', this.#options.cloud))
    this.#discovery = this.#hyperswarm.join(topic, { server: true, client: true })
    this.#driver.post({ type: 'started' })
  }

  isOnline(machine: string): boolean {
    return this.#links.has(machine)
  }

  reach(machine: string): void {
    if (decodeKey(machine) !== null) this.#driver.post({ type: 'wanted', machine })
  }

  /** Ends the link with a machine that does what it must not. */
  drop(machine: string, reason: string): void {
    const link = this.#links.get(machine)
    if (link === undefined) return
    this.#noteFault(machine, reason)
    link.close()
  }

  onLink(attach: (mux: LinkMux, peer: PeerInfo) => void): () => void {
    this.#attachers.add(attach)
    for (const link of this.#links.values()) attach(link.mux, link.peer)
    return () => this.#attachers.delete(attach)
  }

  openProtocol<M>(definition: ProtocolDefinition<M>): Protocol<M> {
    const { name } = definition
    if (this.#protocols.has(name)) throw new Error(`protocol ${name} is open already`)
    const channels = new ProtocolChannels(definition, {
      onFault: (link, reason, error) => {
        this.#noteFault(link.peer.machine, `${reason} (${name})`, error)
        link.close()
      },
      onClose: () => this.#protocols.delete(name),
    })
    this.#protocols.set(name, channels)
    for (const link of this.#links.values()) channels.open(link)
    return channels
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#driver.close()
    this.#doorkeeper.close()
    for (const link of this.#links.values()) link.close()
    let timer: NodeJS.Timeout | undefined
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LONGEST_GOODBYE_MS)
    })
    const goodbye = this.#hyperswarm.destroy({ force: true }).then(() => this.#dht.destroy())
    await Promise.race([goodbye, patience])
    clearTimeout(timer)
  }

  #admit(connection: SwarmConnection, { entry, genesis }: Greeted): void {
    const { machine } = entry
    const host = connection.rawStream.remoteHost
    const traits = {
      dialled: connection.isInitiator,
      openedMs: performance.now(),
      address: host === null || host.startsWith(LOOPBACK) ? null : host,
    }
    const admission = this.#finding.admission(machine, traits)
    if ((admission !== 'admit' && admission !== 'replace') || this.#closed) {
      this.#refuse(REFUSALS[admission])
      connection.destroy()
      return
    }
    const earlier = this.#links.get(machine)
    const link = new Link({
      connection,
      entry,
      agreement: agree(this.#options.ownEntry().protocol, entry.protocol),
      onHeartbeat: ({ latencyMs }) =>
        this.#events.heartbeat(machine, latencyMs ?? Number.POSITIVE_INFINITY),
      onClosed: (closed) => this.#dismiss(closed),
      onFault: (_, reason, error) => this.#noteFault(machine, reason, error),
    })
    this.#links.set(machine, link)
    this.#driver.post({ type: 'linkOpened', machine, link: traits })
    for (const attach of this.#attachers) this.#attach(link, attach)
    for (const protocol of this.#protocols.values()) protocol.open(link)
    earlier?.close()
    if (genesis !== null && this.#options.genesis?.() === null) {
      this.#events.genesisLearned?.(genesis)
    }
    this.#events.linkOpened(entry)
  }

  /** What replicates over links may fail; then this link ends, and nothing else. */
  #attach(link: Link, attach: (mux: LinkMux, peer: PeerInfo) => void): void {
    try {
      attach(link.mux, link.peer)
    } catch (error) {
      this.#noteFault(link.entry.machine, 'something could not be attached to it', error)
      link.close()
    }
  }

  #dismiss(link: Link): void {
    const { machine } = link.entry
    if (this.#links.get(machine) !== link) return
    this.#links.delete(machine)
    if (this.#closed) return
    this.#driver.post({ type: 'linkClosed', machine })
    this.#events.linkClosed(link.entry)
  }

  #refuse(reason: string): void {
    const times = this.#tally.note(reason)
    if (times !== null) this.#options.log.info('a connection was closed', { reason, times })
  }

  /** A machine broke the rules. An `error` is our own fault, and no machine's. */
  #noteFault(machine: string, reason: string, error?: unknown): void {
    const { log } = this.#options
    if (error === undefined) this.#driver.post({ type: 'misbehaved', machine })
    const times = this.#tally.note(reason)
    if (times === null) return
    if (error === undefined) log.warn('a link was closed', { machine, reason, times })
    else log.error('a link was closed through our own fault', { machine, reason, times, error })
  }

  #perform(effect: FindingEffect): void {
    switch (effect.type) {
      case 'lookUp':
        return this.#lookUp()
      case 'dial': {
        const key = decodeKey(effect.machine)
        if (key === null) return
        // The stack gives up on a machine after a few attempts; leaving makes it begin anew.
        this.#hyperswarm.leavePeer(key)
        this.#hyperswarm.joinPeer(key)
        return
      }
      case 'stopDialling': {
        const key = decodeKey(effect.machine)
        if (key !== null) this.#hyperswarm.leavePeer(key)
        return
      }
      case 'dhtChanged':
        this.#dhtOnline = effect.online
        this.#events.dhtChanged(effect.online)
        return
      case 'setTimer':
    }
  }

  #lookUp(): void {
    if (this.#discovery === null) return
    // The first one is under way since the topic was joined.
    const lookUp =
      this.#dhtOnline === null
        ? this.#discovery.flushed()
        : this.#discovery.refresh({ client: true, server: true })
    lookUp.then(
      (went) => this.#driver.post({ type: 'lookUpEnded', ok: went && this.#dht.nodes.length > 0 }),
      (error: Error) => {
        if (this.#closed) return
        this.#options.log.info('a look-up in the DHT failed', { reason: error.message })
        this.#driver.post({ type: 'lookUpEnded', ok: false })
      },
    )
  }
}
