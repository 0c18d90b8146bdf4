// The machine's place in the network: the DHT and its connections, the links that come of them, and
// the services' protocols over these. Whom to look for and to keep decides `core/finding`.
import type { DhtAddress } from 'hyperdht'
import Hyperswarm from 'hyperswarm'
import type { PeerDiscovery, SwarmConnection } from 'hyperswarm'
import { FindingCore } from '../core/finding/finding-core.ts'
import type { Admission, FindingEffect, FindingEvent } from '../core/finding/finding-core.ts'
import type { MachineAddress } from '../core/finding/dial-list.ts'
import type { WayName, WayStatus } from '../core/finding/ways-core.ts'
import type { MachineEntry } from '../core/forms/machine-form.ts'
import { decodeKey, domainBytes, encodeKey, hash } from '../core/keys.ts'
import type { KeyPair } from '../core/keys.ts'
import { Driver } from '../flow/driver.ts'
import { Tally } from '../flow/tally.ts'
import type { Log } from '../ports/log.ts'
import { ADMIT_ALL, Doorkeeper } from './doorkeeper.ts'
import type { Admissions } from './doorkeeper.ts'
import { agree } from './greeting.ts'
import type { Agreement, Greeted } from './greeting.ts'
import { HintedDht } from './hinted-dht.ts'
import { Link } from './link.ts'
import type { LinkMux, Network, PeerInfo, Protocol, ProtocolDefinition } from './network.ts'
import { ProtocolChannels } from './protocol-channels.ts'
import type { LinkProtocol } from './protocol-channels.ts'
import { Relaying } from './relay/relaying.ts'
import { watchSleep } from './sleep-watch.ts'
import { WayFailure, Ways } from './ways.ts'
import type { Ask, Heard } from './ways.ts'

/**
 * Without a network, the stack's own end waits for name look-ups that time out after 10 s and more.
 * Nothing that is kept depends on them.
 */
const LONGEST_GOODBYE_MS = 1_500

/** After these the DHT may know better how this machine is reached. */
const NETWORK_NEWS = [
  'network-change',
  'network-update',
  'nat-update',
  'persistent',
  'ready',
] as const

const LOOPBACK = '127.'
/** Nodes of the DHT that are worth remembering. */
const KEPT_NODES = 32

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
  /** The port of the last time, so that others find this machine where it was; any if it is taken. */
  port?: number
  /** Nodes of the DHT that were known the last time: they help if none of `bootstrap` is there. */
  nodes?: readonly DhtAddress[]
  /** The ways of finding machines that this one has, beside the DHT. */
  ways?: Partial<Record<Exclude<WayName, 'dht'>, Ask>>
  /** Is the DHT a way? True if absent. */
  useDht?: boolean
  /** Do machines relay for each other? On one computer there is no need: they do elsewhere, if absent. */
  relaying?: boolean
  /** Has it been heard of as a machine of this cloud, linked or not? None has if absent. */
  isMember?: (machine: string) => boolean
  ownEntry: () => MachineEntry
  /** The text whose hash is the cloud's id, if this machine has it. */
  genesis?: () => string | null
  /** Who may come in; whoever knows the cloud's id if absent. */
  admissions?: Admissions
  /** Why a machine of the cloud gets no link, in words; null if it does. All do if absent. */
  refuses?: (entry: MachineEntry) => string | null
  log: Log
}

export interface SwarmEvents {
  /** @param address  where the other side is */
  linkOpened: (entry: MachineEntry, address: MachineAddress | null) => void
  linkClosed: (entry: MachineEntry) => void
  heartbeat: (machine: string, latencyMs: number) => void
  /** What `ways` or `ownAddresses` say has changed. */
  waysChanged: () => void
  /** A machine has the cloud's genesis, which this one had not. */
  genesisLearned?: (body: string) => void
}

export class Swarm implements Network {
  readonly #options: SwarmOptions
  readonly #events: SwarmEvents
  readonly #dht: HintedDht
  readonly #hyperswarm: Hyperswarm
  readonly #doorkeeper: Doorkeeper
  readonly #finding: FindingCore
  readonly #driver: Driver<FindingEvent, FindingEffect>
  readonly #links = new Map<string, Link>()
  readonly #protocols = new Map<string, LinkProtocol>()
  readonly #attachers = new Set<(mux: LinkMux, peer: PeerInfo) => void>()
  readonly #ways: Ways
  readonly #relaying: Relaying | null
  /** Machines whose links go through a relay, as was told last. */
  readonly #relayed = new Set<string>()
  #discovery: PeerDiscovery | null = null
  readonly #tally = new Tally()
  #stopWatching: (() => void) | null = null
  #closed = false

  constructor(options: SwarmOptions, events: SwarmEvents) {
    const { keyPair, cloud, bootstrap, host, port, nodes, ownEntry, ways, log } = options
    const isLoopback = host?.startsWith(LOOPBACK) === true
    const { useDht = true, relaying = !isLoopback } = options
    const cloudKey = decodeKey(cloud)
    if (cloudKey === null) throw new TypeError('not a cloud key')
    this.#options = options
    this.#events = events
    this.#doorkeeper = new Doorkeeper({
      cloud,
      cloudKey,
      ownEntry,
      genesis: () => options.genesis?.() ?? null,
      admissions: options.admissions ?? ADMIT_ALL,
      onGreeted: (connection, greeted) => this.#admit(connection, greeted),
      onRefused: (reason) => this.#refuse(reason),
    })
    this.#finding = new FindingCore({
      ownMachine: encodeKey(keyPair.publicKey),
      loopback: isLoopback,
      random: Math.random,
    })
    this.#driver = new Driver<FindingEvent, FindingEffect>({
      core: this.#finding,
      perform: (effect) => this.#perform(effect),
      onFault: (error) => log.error('looking for machines failed through our own fault', { error }),
      mustKeep: ({ type }) => type !== 'wanted' && type !== 'sighted',
    })
    this.#ways = new Ways({
      ask: { ...ways, ...(useDht ? { dht: (heard) => this.#lookUp(heard) } : {}) },
      sighted: (machine, addresses) => this.#sighted(machine, addresses),
      changed: () => this.#events.waysChanged(),
      random: Math.random,
      log,
    })
    const known = useDht ? bootstrap : []
    this.#dht = new HintedDht(
      {
        // Relays ask who comes; what says nothing of whose key it uses, uses this one.
        keyPair,
        ...(known === undefined ? {} : { bootstrap: [...known] }),
        ...(host === undefined ? {} : { host }),
        ...(port === undefined ? {} : { port }),
        ...(nodes === undefined || !useDht ? {} : { nodes: [...nodes] }),
      },
      {
        through: (machine) => this.#relaying?.through(machine) ?? null,
        addressOf: (relayKey) => this.#addressOfRelay(relayKey),
      },
    )
    for (const event of NETWORK_NEWS) {
      this.#dht.on(event, () => this.#networkNews(event === 'network-change'))
    }
    this.#hyperswarm = new Hyperswarm({
      dht: this.#dht,
      keyPair,
      // Whoever dials offers its relays for this very machine (`hinted-dht.ts`). Who is dialled does not know by
      // whom, and offers its own only where hardly anybody reaches it without.
      relayThrough: (force) =>
        force === undefined && this.#dht.randomized
          ? (this.#relaying?.through(null) ?? null)
          : null,
    })
    this.#relaying = relaying
      ? new Relaying({
          network: this,
          dht: this.#dht,
          machineKeys: keyPair,
          cloud,
          isOpen: () => this.#dht.remoteAddress() !== null,
          isMember: (machine) => this.#links.has(machine) || options.isMember?.(machine) === true,
          addressOf: (machine) => this.#addressOf(machine),
          latencyOf: (machine) => this.latencyOf(machine),
          changed: () => this.#events.waysChanged(),
          log,
        })
      : null
    this.#hyperswarm.on('connection', (connection) => this.#doorkeeper.receive(connection))
  }

  /** What each way of finding machines has come to. */
  get ways(): WayStatus[] {
    return this.#ways.status
  }

  /** Null until the first attempt to reach the DHT has ended. */
  get dhtOnline(): boolean | null {
    const dht = this.ways.find(({ way }) => way === 'dht')
    if (dht?.state === 'off') return false
    return dht === undefined || dht.tookMs === null ? null : dht.fault === null
  }

  /** Where others may find this machine, as far as it knows: on its own network, and from outside. */
  get ownAddresses(): MachineAddress[] {
    const { host } = this.#options
    const local = this.#dht.localAddress()
    const near = local === null || host === undefined ? local : { host, port: local.port }
    const addresses = [near, this.#dht.remoteAddress()].filter((address) => address !== null)
    return addresses.filter(
      ({ host, port }, at) =>
        addresses.findIndex((one) => one.host === host && one.port === port) === at,
    )
  }

  /** Of this machine's socket; null before it is bound. */
  get port(): number | null {
    return this.#dht.localAddress()?.port ?? null
  }

  /** What to begin with the next time. */
  get dhtNodes(): DhtAddress[] {
    return this.#dht.toArray({ limit: KEPT_NODES })
  }

  /** How the router of this computer treats what comes from outside. */
  get nat(): 'open' | 'home' | 'symmetric' | 'unknown' {
    if (!this.#dht.firewalled) return 'open'
    if (this.#dht.randomized) return 'symmetric'
    return this.dhtOnline === true ? 'home' : 'unknown'
  }

  get linkCount(): number {
    return this.#links.size
  }

  /** Links that go through another machine of the cloud, because no direct one has come yet, or can't. */
  get relayedCount(): number {
    let count = 0
    for (const link of this.#links.values()) if (this.#isThroughRelay(link)) count++
    return count
  }

  /** Does the link with that machine go through another? Null without a link. */
  isRelayed(machine: string): boolean | null {
    const link = this.#links.get(machine)
    return link === undefined ? null : this.#isThroughRelay(link)
  }

  /** Does this machine relay for others, and how many links now? Null if it does not. */
  get relaysFor(): number | null {
    return this.#relaying?.serves === true ? this.#relaying.circuitCount : null
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
    const { cloud, useDht = true, log } = this.#options
    if (useDht) {
      const topic = hash(domainBytes('dharma/topic/1', cloud))
      this.#discovery = this.#hyperswarm.join(topic, { server: true, client: true })
    } else {
      this.#hyperswarm.listen().catch((error: unknown) => {
        if (!this.#closed) log.error('this machine can be reached by nobody', { error })
      })
    }
    this.#ways.start()
    this.#stopWatching = watchSleep((sleptMs) => {
      log.info('this computer was asleep', { seconds: Math.round(sleptMs / 1_000) })
      this.networkChanged()
    })
  }

  /**
   * This computer has other addresses than before, or was asleep: machines are looked for as at the start, and
   * those that are linked have to show that they still are.
   */
  networkChanged(): void {
    if (this.#closed) return
    this.#ways.networkChanged()
    this.#driver.post({ type: 'networkChanged' })
    for (const link of this.#links.values()) link.check()
  }

  /** Asks a way now: there is something new to ask. */
  askNow(way: WayName): void {
    this.#ways.askNow(way)
  }

  isOnline(machine: string): boolean {
    return this.#links.has(machine)
  }

  reach(machine: string, addresses: readonly MachineAddress[] = []): void {
    // Where a machine said that it is, is memory, too.
    this.#sighted(machine, this.#options.ways?.memory === undefined ? [] : addresses)
  }

  /** Ends the link with a machine that does what it must not. */
  drop(machine: string, reason: string): void {
    const link = this.#links.get(machine)
    if (link === undefined) return
    this.#noteFault(machine, reason)
    link.close()
  }

  /** Ends all links without blame: who may come in has changed, and each is asked again. */
  askAllAgain(): void {
    for (const link of this.#links.values()) link.close()
  }

  /**
   * Is there under another key, too, which is announced in the DHT, for those who are no members yet. What they
   * send is nobody's: measure it. The returned function ends that.
   */
  async listenUnder(
    keyPair: KeyPair,
    onConnection: (connection: SwarmConnection) => void,
  ): Promise<() => Promise<void>> {
    const server = this.#dht.createServer({}, onConnection)
    await server.listen(keyPair)
    return () => server.close()
  }

  /**
   * A connection with whoever listens under a key, or an error on it.
   * @param addresses  where it may be; each is tried without asking the DHT
   */
  async dialUnder(key: Uint8Array, addresses: readonly MachineAddress[]): Promise<SwarmConnection> {
    const tried = await Promise.all(addresses.map((address) => this.#dht.answers(address)))
    const relayAddresses = addresses.filter((_, at) => tried[at])
    const { keyPair } = this.#options
    return this.#dht.connect(key, { keyPair, relayAddresses })
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
    this.#stopWatching?.()
    this.#ways.close()
    this.#driver.close()
    this.#doorkeeper.close()
    for (const link of this.#links.values()) link.close()
    const relaying = this.#relaying?.close()
    let timer: NodeJS.Timeout | undefined
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LONGEST_GOODBYE_MS)
    })
    const goodbye = this.#hyperswarm
      .destroy({ force: true })
      .then(() => relaying)
      .then(() => this.#dht.destroy())
    await Promise.race([goodbye, patience])
    clearTimeout(timer)
  }

  #admit(connection: SwarmConnection, { entry, genesis }: Greeted): void {
    const { machine } = entry
    const refusal = this.#options.refuses?.(entry) ?? null
    if (refusal !== null) {
      // It waits longer each time, as if it had broken the rules.
      this.#driver.post({ type: 'misbehaved', machine })
      this.#refuse(refusal)
      connection.destroy()
      return
    }
    // Of one that comes through a relay, only the relay's address is known, which says nothing of it.
    const address = this.#isThroughRelay({ entry, connection }) ? null : addressOf(connection)
    const traits = {
      dialled: connection.isInitiator,
      openedMs: performance.now(),
      address: address === null || address.host.startsWith(LOOPBACK) ? null : address.host,
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
      onHeartbeat: (beating) => {
        this.#events.heartbeat(machine, beating.latencyMs ?? Number.POSITIVE_INFINITY)
        this.#noteRoute(beating)
        this.#dialThroughRelays()
      },
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
    this.#ways.linkOpened(machine)
    this.#events.linkOpened(entry, address)
    this.#noteRoute(link)
  }

  /** Tells when a link has gone over to another way, as one does that began relayed. */
  #noteRoute(link: Link): void {
    const { machine } = link.entry
    const isRelayed = this.#isThroughRelay(link)
    if (isRelayed === this.#relayed.has(machine)) return
    if (isRelayed) this.#relayed.add(machine)
    else this.#relayed.delete(machine)
    this.#events.waysChanged()
  }

  /** Dials that began when no relay was known begin anew, once one is. */
  #dialThroughRelays(): void {
    for (const machine of this.#dht.giveUpSlowDials(performance.now())) {
      // The stack has to see first that its earlier attempt is over.
      setImmediate(() => {
        if (!this.#closed && !this.#links.has(machine)) this.#perform({ type: 'dial', machine })
      })
    }
  }

  #isThroughRelay({ entry: { machine }, connection }: Pick<Link, 'entry' | 'connection'>): boolean {
    const address = addressOf(connection)
    if (address === null) return false
    const relays = this.#dht.relaysAt(address.host, address.port)
    // A link with the relay itself is direct.
    return relays.some((relayKey) => this.#relaying?.ownerOf(relayKey) !== machine)
  }

  #addressOf(machine: string): MachineAddress | null {
    const link = this.#links.get(machine)
    return link === undefined || this.#isThroughRelay(link) ? null : addressOf(link.connection)
  }

  #addressOfRelay(relayKey: Uint8Array): MachineAddress | null {
    const machine = this.#relaying?.ownerOf(relayKey) ?? null
    return machine === null ? null : this.#addressOf(machine)
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
    this.#relayed.delete(machine)
    if (this.#closed) return
    this.#driver.post({ type: 'linkClosed', machine })
    this.#ways.linkClosed(machine)
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
      case 'knock':
        void this.#knock(effect.machine, effect.addresses)
        return
      case 'setTimer':
    }
  }

  #sighted(machine: string, addresses: readonly MachineAddress[]): void {
    if (decodeKey(machine) === null) return
    if (addresses.length > 0) this.#driver.post({ type: 'sighted', machine, addresses })
    else this.#driver.post({ type: 'wanted', machine })
  }

  /** All at once; the first that answers is dialled. */
  async #knock(machine: string, addresses: readonly MachineAddress[]): Promise<void> {
    let answered = false
    await Promise.all(
      addresses.map(async (address) => {
        const answers = await this.#dht.answers(address)
        if (!answers || answered || this.#closed) return
        answered = true
        this.#dht.hint(machine, address)
        this.#driver.post({ type: 'knockAnswered', machine })
      }),
    )
  }

  #networkNews(isOther: boolean): void {
    if (this.#closed) return
    if (isOther) this.networkChanged()
    this.#relaying?.update()
    this.#events.waysChanged()
  }

  async #lookUp({ named }: Heard): Promise<void> {
    // The first one is under way since the topic was joined.
    const isFirst = this.dhtOnline === null
    const went = isFirst
      ? await this.#discovery?.flushed()
      : await this.#discovery?.refresh({ client: true, server: true })
    // Whoever is there is dialled by the stack below; among them may be strangers.
    for (const { publicKey } of this.#hyperswarm.peers.values()) named(encodeKey(publicKey))
    if (went === true && this.#dht.nodes.length > 0) return
    throw new WayFailure(
      'NO_NODE',
      'No node of the DHT answered. Is this computer on the internet, and does its network let UDP through?',
    )
  }
}

/** Where the other side is, or the relay; null before it is connected. */
function addressOf({ rawStream }: SwarmConnection): MachineAddress | null {
  const { remoteHost: host, remotePort: port } = rawStream
  return host === null ? null : { host, port }
}
