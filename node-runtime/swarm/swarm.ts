// The machine's place in the network: connections that come of the stack, the links that come of them, and
// the services' protocols over these. Whom to look for and to keep decides `core/finding`.
import type { DhtAddress } from 'hyperdht'
import type { SwarmConnection } from 'hyperswarm'
import type { Pass } from '../core/admission/pass.ts'
import { FindingCore } from '../core/finding/finding-core.ts'
import type { Admission, FindingEffect, FindingEvent } from '../core/finding/finding-core.ts'
import type { MachineAddress } from '../core/finding/dial-list.ts'
import type { MappingStatus } from '../core/port-mapping/mapping-core.ts'
import { Sought } from '../core/finding/sought.ts'
import type { WayName, WayStatus } from '../core/finding/ways-core.ts'
import type { MachineEntry } from '../core/forms/machine-form.ts'
import { OtherClocks } from '../core/membership/other-clocks.ts'
import type { ClockSkew } from '../core/membership/other-clocks.ts'
import { decodeKey, encodeKey } from '../core/keys.ts'
import type { KeyPair } from '../core/keys.ts'
import { Driver } from '../flow/driver.ts'
import { Tally } from '../flow/tally.ts'
import { ADMIT_ALL, Doorkeeper } from './doorkeeper.ts'
import type { Admissions } from './doorkeeper.ts'
import { agree } from './greeting.ts'
import type { Agreement, Greeted } from './greeting.ts'
import type { Link } from './link.ts'
import { Links } from './links.ts'
import type { LinkMux, Network, PeerInfo, Protocol, ProtocolDefinition } from './network.ts'
import { probePort } from './port-probe.ts'
import { PortMapper } from './port-mapping/port-mapper.ts'
import type { PortMapperOptions } from './port-mapping/port-mapper.ts'
import { Punching } from './relay/punching.ts'
import { Relaying } from './relay/relaying.ts'
import { Routes } from './relay/routes.ts'
import { watchNetwork } from './network-watch.ts'
import { watchSleep } from './sleep-watch.ts'
import { Stack } from './stack.ts'
import type { StackOptions } from './stack.ts'
import { Ways } from './ways.ts'
import type { Ask } from './ways.ts'

const LOOPBACK = '127.'
/** What needs a machine for longer says so again, or is asked (`RingLinksOptions.needs`). */
const NEEDED_MS = 10 * 60_000
const MAX_NEEDED = 256
/** Beats come more often than links that go through relays have to be looked at. */
const LOOK_AT_RELAYED_MS = 1_000

/** Why a machine of the cloud gets no link, for the log. */
const REFUSALS: Record<Admission, string> = {
  admit: 'this machine is closing',
  replace: 'this machine is closing',
  duplicate: 'both sides dialled, and the other connection stays',
  full: 'this machine has all the links that it can keep',
  'too soon': 'the machine broke the rules and has to wait',
}

export interface SwarmOptions extends Omit<
  StackOptions,
  'routes' | 'seeks' | 'onConnection' | 'onNews'
> {
  /** The ways of finding machines that this one has, beside the DHT. */
  ways?: Partial<Record<Exclude<WayName, 'dht'>, Ask>>
  /** Do machines relay for each other? On one computer there is no need: they do elsewhere, if absent. */
  relaying?: boolean
  /** How often at most a relayed link is tried directly again, ms; see `core/relay/punch-plan.ts` if absent. */
  punchEveryMs?: number
  /** How the router is asked for a port, once that is switched on; it is not asked if absent. */
  ports?: Pick<PortMapperOptions, 'gateway' | 'controlPort' | 'ssdp'>
  /** Has it been heard of as a machine of this cloud, linked or not? None has if absent. */
  isMember?: (machine: string) => boolean
  /** Is it known on the rings, so that these see to the links with it? None is if absent. */
  isThere?: (machine: string) => boolean
  /** Where a machine says that it is; nowhere if absent. */
  addressesOf?: (machine: string) => readonly MachineAddress[]
  ownEntry: () => MachineEntry
  /** The text whose hash is the cloud's id, if this machine has it. */
  genesis?: () => string | null
  /** The time of day; the computer's if absent. */
  now?: () => number
  /** Who may come in; whoever knows the cloud's id if absent. */
  admissions?: Admissions
}

export interface SwarmEvents {
  /** @param address  where the other side is */
  linkOpened: (entry: MachineEntry, address: MachineAddress | null) => void
  /** @param silent  the other side was not heard any more; else it ended the link, or this one did */
  linkClosed: (entry: MachineEntry, silent: boolean) => void
  heartbeat: (machine: string, latencyMs: number) => void
  /** A linked machine has not been heard for a while, and was asked whether it is there. */
  linkDoubted: (machine: string) => void
  /** What `ways` or `ownAddresses` say has changed. */
  waysChanged: () => void
  /** A machine has the cloud's genesis, which this one had not. */
  genesisLearned?: (body: string) => void
}

export interface LinkDescription {
  /** Did this machine ask for it? */
  dialled: boolean
  /** Where the other side is; null through a relay. */
  address: MachineAddress | null
  /** The machine through which it goes; null if it is direct, or that is not known. */
  through: string | null
  /** For how long it has been open. */
  openMs: number
  /** Means of `STRETCH_MS` each, ms, the oldest first; null where nothing was heard. */
  latencies: (number | null)[]
}

export class Swarm implements Network {
  readonly #options: SwarmOptions
  readonly #events: SwarmEvents
  readonly #stack: Stack
  readonly #doorkeeper: Doorkeeper
  readonly #finding: FindingCore
  readonly #driver: Driver<FindingEvent, FindingEffect>
  readonly #links: Links
  readonly #sought = new Sought(Math.random)
  readonly #ways: Ways
  readonly #relaying: Relaying | null
  readonly #routes: Routes
  readonly #ports: PortMapper | null
  readonly #punching: Punching | null
  /** Why connections were refused. */
  readonly #tally = new Tally()
  readonly #clocks = new OtherClocks()
  /** Until when links with them are needed, monotonic ms. */
  readonly #needed = new Map<string, number>()
  readonly #stopWatching: (() => void)[] = []
  #relayedMs = 0
  #closed = false

  constructor(options: SwarmOptions, events: SwarmEvents) {
    const { keyPair, cloud, host, ownEntry, ways, log } = options
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
      now: options.now ?? Date.now,
      admissions: options.admissions ?? ADMIT_ALL,
      onGreeted: (connection, greeted) => this.#admit(connection, greeted),
      onRefused: (reason) => this.#refuse(reason),
      onTurnedAway: (machine) => this.#driver.post({ type: 'turnedAway', machine }),
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
    this.#links = new Links(
      {
        onHeartbeat: (link) => {
          const { entry, latencyMs } = link
          this.#events.heartbeat(entry.machine, latencyMs ?? Number.POSITIVE_INFINITY)
          this.#routes.note(link)
          this.#lookAtRelayed(performance.now())
        },
        onDoubted: (link) => this.#events.linkDoubted(link.entry.machine),
        onClosed: (link) => this.#linkClosed(link),
        onMisbehaved: (machine) => this.#driver.post({ type: 'misbehaved', machine }),
      },
      { isRelayed: (link) => this.#routes.isThroughRelay(link), probePort },
      log,
    )
    this.#ways = new Ways({
      ask: { ...ways, ...(useDht ? { dht: (heard) => this.#lookUp(heard.named) } : {}) },
      sighted: (way, machine, addresses) => {
        if (this.#isSought(way, machine)) this.#sighted(machine, addresses)
      },
      changed: () => this.#events.waysChanged(),
      random: Math.random,
      log,
    })
    this.#stack = new Stack({
      ...options,
      routes: {
        through: (machine) =>
          this.#punching?.expects(machine) === true
            ? null
            : (this.#relaying?.through(machine) ?? null),
        hasFresh: (machine) => this.#relaying?.hasFresh(machine) === true,
        addressOf: (relayKey) => this.#routes.addressOfRelay(relayKey),
        isKnown: (relayKey) => this.#relaying?.ownerOf(relayKey) != null,
        isMember: (machine) => this.#isMember(machine),
        served: (relayKey, tookMs) => this.#relaying?.served(relayKey, tookMs),
        failed: (relayKey, machine) => this.#relaying?.failed(relayKey, machine),
        dialAgain: (machine) => {
          if (!this.#closed) this.#driver.post({ type: 'redialled', machine })
        },
      },
      seeks: (machine) => this.#isSought('dht', machine),
      onConnection: (connection) => {
        if (this.#punching?.takes(connection) !== true) this.#doorkeeper.receive(connection)
      },
      onNews: (isOther) => this.#networkNews(isOther),
    })
    const { dht } = this.#stack
    this.#relaying = relaying
      ? new Relaying({
          network: this,
          dht,
          machineKeys: keyPair,
          cloud,
          isOpen: () => dht.remoteAddress() !== null,
          isMember: (machine) => this.#isMember(machine),
          addressOf: (machine) => this.#routes.addressOfMachine(machine),
          latencyOf: (machine) => this.latencyOf(machine),
          changed: () => this.#events.waysChanged(),
          offered: () => dht.meetings.look(),
          log,
        })
      : null
    this.#routes = new Routes({
      links: this.#links,
      dht,
      relaying: this.#relaying,
      changed: () => this.#events.waysChanged(),
    })
    const { ports, punchEveryMs: everyMs } = options
    this.#punching = relaying
      ? new Punching({
          machine: encodeKey(keyPair.publicKey),
          links: this.#links,
          routes: this.#routes,
          dht,
          ...(everyMs === undefined ? {} : { everyMs }),
        })
      : null
    this.#ports =
      ports === undefined
        ? null
        : new PortMapper({
            ...ports,
            internalPort: () => this.#stack.boundPort(),
            changed: () => this.#portsChanged(),
            log,
          })
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
    return this.#stack.ownAddresses(this.#ports?.address ?? null)
  }

  /** What came of asking the router for a port; null where it is not asked. */
  get ports(): MappingStatus | null {
    return this.#ports?.status ?? null
  }

  /** The router is asked for a port from now on, or it is given back. */
  mapPorts(on: boolean): void {
    this.#ports?.switch(on)
  }

  /** Of this machine's socket; null before it is bound. */
  get port(): number | null {
    return this.#stack.port
  }

  /** Nodes of the DHT to begin with the next time. */
  get dhtNodes(): DhtAddress[] {
    return this.#stack.dhtNodes
  }

  /** How the router of this computer treats what comes from outside. */
  get nat(): 'open' | 'home' | 'symmetric' | 'unknown' {
    const { nat } = this.#stack
    return nat === 'home' && this.dhtOnline !== true ? 'unknown' : nat
  }

  get linkCount(): number {
    return this.#links.size
  }

  /** Links that go through another machine of the cloud, because no direct one has come yet, or can't. */
  get relayedCount(): number {
    return this.#routes.relayedCount
  }

  /** Does the link with that machine go through another? Null without a link. */
  isRelayed(machine: string): boolean | null {
    const link = this.#links.get(machine)
    return link === undefined ? null : this.#routes.isThroughRelay(link)
  }

  /** Does this machine relay for others, and how many links now? Null if it does not. */
  get relaysFor(): number | null {
    return this.#relaying?.serves === true ? this.#relaying.circuitCount : null
  }

  latencyOf(machine: string): number | null {
    return this.#links.get(machine)?.latencyMs ?? null
  }

  /** How the clock of this computer stands to those of machines that it was linked with. */
  get clockSkew(): ClockSkew {
    const { now = Date.now } = this.#options
    return this.#clocks.skew(now(), performance.now())
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
    this.#stack.start()
    this.#ways.start()
    this.#stopWatching.push(
      watchSleep((sleptMs) => {
        const seconds = Math.round(sleptMs / 1_000)
        this.#options.log.info('this computer was asleep', { seconds })
        this.awake()
      }),
    )
    // On this computer alone, there is no other network to come into.
    if (this.#options.host?.startsWith(LOOPBACK) === true) return
    this.#stopWatching.push(watchNetwork(() => this.#stack.noteMoved()))
  }

  /** This computer was asleep, which its monotonic clock did not notice. */
  awake(): void {
    this.#clocks.forget()
    this.networkChanged()
  }

  /**
   * This computer has other addresses than before, or was asleep: machines are looked for as at the start, and
   * those that are linked have to show that they still are.
   */
  networkChanged(): void {
    if (this.#closed) return
    this.#ways.networkChanged()
    this.#driver.post({ type: 'networkChanged' })
    this.#links.moved()
    this.#ports?.networkChanged()
    this.#punching?.networkChanged()
    this.#relaying?.networkChanged()
  }

  /** This machine has something else to show: who turned it away is dialled at once. */
  passChanged(): void {
    this.#driver.post({ type: 'passChanged' })
  }

  /** Asks a way now: there is something new to ask. */
  askNow(way: WayName): void {
    this.#ways.askNow(way)
  }

  isOnline(machine: string): boolean {
    return this.#links.has(machine)
  }

  /** Something needs a link with it, for the next minutes at least. */
  reach(machine: string, addresses?: readonly MachineAddress[]): void {
    this.#needed.delete(machine)
    this.#needed.set(machine, performance.now() + NEEDED_MS)
    const [first] = this.#needed.keys()
    if (this.#needed.size > MAX_NEEDED && first !== undefined) this.#needed.delete(first)
    this.seek(machine, addresses)
  }

  /** Was it asked for lately, by `reach`? */
  isNeeded(machine: string): boolean {
    return (this.#needed.get(machine) ?? 0) > performance.now()
  }

  /** Tries to have a link, which may end when there are others enough. */
  seek(machine: string, addresses = this.#options.addressesOf?.(machine) ?? []): void {
    // Where a machine said that it is, is memory, too.
    this.#sighted(machine, this.#options.ways?.memory === undefined ? [] : addresses)
  }

  /** Ends the link with a machine that does what it must not. */
  drop(machine: string, reason: string): void {
    this.#links.drop(machine, reason)
  }

  /** Tries no more to have a link. */
  forgo(machine: string): void {
    this.#driver.post({ type: 'released', machine })
  }

  /** Ends a link without blame, and tries no more to have it. */
  release(machine: string): void {
    this.forgo(machine)
    this.#links.get(machine)?.close()
  }

  /** A linked machine was asked to end the link: that it does says nothing of the way. */
  expectEnd(machine: string): void {
    this.#links.get(machine)?.expectEnd()
  }

  /** Asks a linked machine whether it is there; a heartbeat is the answer. */
  check(machine: string): void {
    this.#links.get(machine)?.check('told')
  }

  /** These are watched closely from now on, and no others: it is known within a second that they are gone. */
  watch(machines: readonly string[]): void {
    this.#links.watch(machines)
  }

  /** Who dialled, and where the other side is; null without a link. */
  linkOf(machine: string): { dialled: boolean; address: MachineAddress | null } | null {
    const link = this.#links.get(machine)
    if (link === undefined) return null
    return { dialled: link.connection.isInitiator, address: this.#routes.addressOf(link) }
  }

  /** More of a link, for a person to read; null without one. */
  describeLink(machine: string): LinkDescription | null {
    const link = this.#links.get(machine)
    if (link === undefined) return null
    const isRelayed = this.#routes.isThroughRelay(link)
    return {
      dialled: link.connection.isInitiator,
      address: this.#routes.addressOf(link),
      through: isRelayed ? this.#routes.relayOf(link) : null,
      openMs: performance.now() - link.openedMs,
      latencies: link.latencies,
    }
  }

  /** Ends all links without blame: who may come in has changed, and each is asked again. */
  askAllAgain(): void {
    this.#links.close()
  }

  /** The same of those that `isOut` says must go. */
  closeThose(isOut: (entry: MachineEntry, pass: Pass | null) => boolean): void {
    for (const link of this.#links.values()) if (isOut(link.entry, link.pass)) link.close()
  }

  /**
   * Is there under another key, too, which is announced in the DHT, for those who are no members yet. What they
   * send is nobody's: measure it. The returned function ends that.
   */
  listenUnder(
    keyPair: KeyPair,
    onConnection: (connection: SwarmConnection) => void,
  ): Promise<() => Promise<void>> {
    return this.#stack.listenUnder(keyPair, onConnection)
  }

  /**
   * A connection with whoever listens under a key, or an error on it.
   * @param addresses  where it may be; each is tried without asking the DHT
   */
  dialUnder(key: Uint8Array, addresses: readonly MachineAddress[]): Promise<SwarmConnection> {
    return this.#stack.dialUnder(key, addresses)
  }

  onLink(attach: (mux: LinkMux, peer: PeerInfo) => void): () => void {
    return this.#links.onLink(attach)
  }

  openProtocol<M>(definition: ProtocolDefinition<M>): Protocol<M> {
    return this.#links.openProtocol(definition)
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const stop of this.#stopWatching.splice(0)) stop()
    this.#ways.close()
    this.#driver.close()
    this.#doorkeeper.close()
    this.#punching?.close()
    this.#links.close()
    await Promise.all([this.#ports?.close(), this.#stack.close(this.#relaying?.close())])
  }

  #admit(connection: SwarmConnection, { entry, genesis, pass, timeMs }: Greeted): void {
    const { machine } = entry
    this.#stack.dht.meetings.met(machine, connection)
    const address = this.#routes.addressOf({ entry, connection })
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
    const agreement = agree(this.#options.ownEntry().protocol, entry.protocol)
    const link = this.#links.add({ connection, entry, agreement, pass }, () =>
      this.#driver.post({ type: 'linkOpened', machine, link: traits }),
    )
    if (genesis !== null && this.#options.genesis?.() === null) {
      this.#events.genesisLearned?.(genesis)
    }
    if (timeMs !== null) this.#clocks.note(machine, timeMs, performance.now())
    this.#ways.linkOpened(machine)
    this.#events.linkOpened(entry, address)
    this.#routes.note(link)
  }

  #linkClosed(link: Link): void {
    const { entry, end } = link
    const { machine } = entry
    this.#routes.forget(machine)
    if (this.#closed) return
    const relayKey = this.#routes.relayKeyOf(link)
    // What goes so soon, or without a word, the relay may have lost.
    if (relayKey !== null && link.isLost) this.#relaying?.failed(relayKey, machine)
    this.#driver.post({ type: 'linkClosed', machine, silent: end === 'silent' })
    this.#ways.linkClosed(machine)
    this.#events.linkClosed(entry, end === 'silent')
  }

  /** Now and then, while beats come. */
  #lookAtRelayed(nowMs: number): void {
    if (nowMs - this.#relayedMs < LOOK_AT_RELAYED_MS) return
    this.#relayedMs = nowMs
    this.#punching?.look(nowMs)
  }

  /** Has it been heard of as a machine of this cloud? */
  #isMember(machine: string): boolean {
    return this.#links.has(machine) || this.#options.isMember?.(machine) === true
  }

  /** A way has named it: is it to be dialled? */
  #isSought(way: WayName, machine: string): boolean {
    if (this.#links.has(machine)) return false
    const isThere = this.#options.isThere?.(machine) === true
    const named = { machine, way, isThere, isMember: this.#isMember(machine) }
    return this.#sought.take(named, this.#links.size, performance.now())
  }

  #refuse(reason: string): void {
    const times = this.#tally.note(reason)
    if (times !== null) this.#options.log.info('a connection was closed', { reason, times })
  }

  #perform(effect: FindingEffect): void {
    switch (effect.type) {
      case 'dial':
        return this.#stack.dial(effect.machine)
      case 'stopDialling':
        return this.#stack.stopDialling(effect.machine)
      case 'leaveAlone':
        return this.#stack.leaveAlone(effect.machine)
      case 'knock': {
        const { machine, addresses } = effect
        void this.#stack.knock(machine, addresses, () =>
          this.#driver.post({ type: 'knockAnswered', machine }),
        )
        return
      }
      case 'setTimer':
    }
  }

  #sighted(machine: string, addresses: readonly MachineAddress[]): void {
    if (decodeKey(machine) === null) return
    if (addresses.length > 0) this.#driver.post({ type: 'sighted', machine, addresses })
    else this.#driver.post({ type: 'wanted', machine })
  }

  #networkNews(isOther: boolean): void {
    if (isOther) this.networkChanged()
    this.#relaying?.update()
    this.#events.waysChanged()
  }

  #portsChanged(): void {
    if (this.#closed) return
    const { dht } = this.#stack
    if (this.#ports?.address == null) {
      dht.noteClosed()
      this.#networkNews(false)
      return
    }
    this.#networkNews(false)
    dht
      .tryOpen()
      .then((isOpen) => {
        if (isOpen && !this.#closed) this.#networkNews(false)
      })
      .catch((error: unknown) => {
        if (!this.#closed)
          this.#options.log.warn('whether others reach this machine is not known', { error })
      })
  }

  #lookUp(named: (machine: string) => void): Promise<void> {
    // The first one is under way since the topic was joined.
    return this.#stack.lookUp(this.dhtOnline === null, named)
  }
}
