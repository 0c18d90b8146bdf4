// The Holepunch stack under the swarm: a node of the DHT, what dials and listens in it, and where this machine is.
import type { DhtAddress } from 'hyperdht'
import type { PeerDiscovery, SwarmConnection } from 'hyperswarm'
import type { MachineAddress } from '../core/finding/dial-list.ts'
import { decodeKey, domainBytes, encodeKey, hash, toHex } from '../core/keys.ts'
import type { KeyPair } from '../core/keys.ts'
import type { Log } from '../ports/log.ts'
import { HintedDht } from './hinted-dht.ts'
import type { RelayRoutes } from './relay/meetings.ts'
import { whyNoNode } from './no-node.ts'
import { TopicSwarm } from './topic-swarm.ts'

/**
 * Without a network, the stack's own end waits for name look-ups that time out after 10 s and more.
 * Nothing that is kept depends on them.
 */
const LONGEST_GOODBYE_MS = 1_500

/**
 * Links say more often that they are there. It is not 0, for then the stack would hand on the empty messages by which
 * machines of older versions say so.
 */
const KEEP_ALIVE_MS = 300_000

/** After these the DHT may know better how this machine is reached. */
const NETWORK_NEWS = [
  'network-change',
  'network-update',
  'nat-update',
  'persistent',
  'ready',
] as const

/**
 * Nodes answer in a fraction of that. Whether UDP comes through at all is asked then, and not after the DHT's own
 * attempts, which take a dozen seconds.
 */
const SILENT_MS = 2_000

/**
 * Machines that are dialled at the same time: to dial one that is gone takes eight seconds and more, and of those that are
 * remembered many may be. The stack's three would keep those who are there waiting behind them.
 */
export const MAX_DIALS = 16

/** Nodes of the DHT that are worth remembering. */
const KEPT_NODES = 32

export interface StackOptions {
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
  /** Is the DHT a way of finding machines? True if absent. */
  useDht?: boolean
  routes: RelayRoutes
  /** Is a machine, or stranger, that a look-up in the DHT found to be dialled now? */
  seeks: (machine: string) => boolean
  onConnection: (connection: SwarmConnection) => void
  /** Something about how this machine is reached may have changed. `isOther`: it is in another network. */
  onNews: (isOther: boolean) => void
  log: Log
}

export class Stack {
  readonly dht: HintedDht
  readonly #options: StackOptions
  readonly #hyperswarm: TopicSwarm
  /** Machines that are neither dialled nor answered. */
  readonly #leftAlone = new Set<string>()
  #discovery: PeerDiscovery | null = null
  /** Is told of those that look-ups find. */
  #named: (machine: string) => void = () => {}
  #closed = false

  constructor(options: StackOptions) {
    const { keyPair, bootstrap, host, port, nodes, useDht = true, routes, seeks, onNews } = options
    this.#options = options
    const known = useDht ? bootstrap : []
    this.dht = new HintedDht(
      {
        // Relays ask who comes; what says nothing of whose key it uses, uses this one.
        keyPair,
        connectionKeepAlive: KEEP_ALIVE_MS,
        ...(known === undefined ? {} : { bootstrap: [...known] }),
        ...(host === undefined ? {} : { host }),
        ...(port === undefined ? {} : { port }),
        ...(nodes === undefined || !useDht ? {} : { nodes: [...nodes] }),
      },
      routes,
    )
    for (const event of NETWORK_NEWS) {
      this.dht.on(event, () => {
        if (!this.#closed) onNews(event === 'network-change')
      })
    }
    this.#hyperswarm = new TopicSwarm(
      {
        dht: this.dht,
        keyPair,
        maxParallel: MAX_DIALS,
        // How many there are is decided by `core/finding`; the stack would dial nobody any more whom a look-up named.
        maxPeers: Number.POSITIVE_INFINITY,
        firewall: (key, by) => {
          const machine = encodeKey(key)
          if (by !== null) this.dht.meetings.answer(machine, by)
          return this.#leftAlone.has(machine)
        },
        // Whoever dials names a relay in `HintedDht.connect`. The first byte goes through it; a direct link may follow.
        relayThrough: (force) => (force === undefined ? this.dht.meetings.answerThrough() : null),
      },
      { seeks, named: (machine) => this.#named(machine) },
    )
    this.#hyperswarm.on('connection', options.onConnection)
  }

  /**
   * Where others may find this machine, as far as it knows: on its own network, and from outside.
   * @param mapped  a port that its router gave it; null if none
   */
  ownAddresses(mapped: MachineAddress | null): MachineAddress[] {
    const { host } = this.#options
    const local = this.dht.localAddress()
    const near = local === null || host === undefined ? local : { host, port: local.port }
    const addresses = [near, mapped, this.dht.remoteAddress()].filter((address) => address !== null)
    return addresses.filter(
      ({ host, port }, at) =>
        addresses.findIndex((one) => one.host === host && one.port === port) === at,
    )
  }

  /** Of this machine's socket; null before it is bound. */
  get port(): number | null {
    return this.dht.localAddress()?.port ?? null
  }

  /** The same, once it is bound. */
  async boundPort(): Promise<number> {
    await this.dht.bind()
    if (this.port === null) throw new Error('a socket without a port')
    return this.port
  }

  /** What to begin with the next time. */
  get dhtNodes(): DhtAddress[] {
    return this.dht.toArray({ limit: KEPT_NODES })
  }

  /** How the router treats what comes from outside; `home` also as long as nobody has tried. */
  get nat(): 'open' | 'home' | 'symmetric' {
    if (!this.dht.firewalled) return 'open'
    return this.dht.randomized ? 'symmetric' : 'home'
  }

  /** The nodes that it begins at. On this very computer, there is nothing to learn from how they are reached. */
  get #nodesElsewhere(): DhtAddress[] {
    return this.dht.bootstrapNodes
      .map(({ host, port }) => ({ host: host.split('@')[0] ?? host, port }))
      .filter(({ host }) => !host.startsWith('127.'))
  }

  /** This computer is in another network, which the DHT would see a few seconds later: `onNews` is called. */
  noteMoved(): void {
    this.dht.emit('network-change')
  }

  /** Begins to be found, and to find by the topic of the cloud if the DHT is a way. */
  start(): void {
    const { cloud, useDht = true, log } = this.#options
    if (useDht) {
      const topic = hash(domainBytes('dharma/topic/1', cloud))
      this.#discovery = this.#hyperswarm.join(topic, { server: true, client: true })
      return
    }
    this.#hyperswarm.listen().catch((error: unknown) => {
      if (!this.#closed) log.error('this machine can be reached by nobody', { error })
    })
  }

  dial(machine: string): void {
    const key = decodeKey(machine)
    if (key === null) return
    this.#answerAgain(machine, key)
    // The stack gives up on a machine after a few attempts; leaving makes it begin anew.
    this.#hyperswarm.leavePeer(key)
    this.#hyperswarm.joinPeer(key)
  }

  stopDialling(machine: string): void {
    const key = decodeKey(machine)
    if (key === null) return
    this.#answerAgain(machine, key)
    this.#hyperswarm.leavePeer(key)
  }

  /** Neither dials nor answers the machine, whoever names it, until it is dialled again. */
  leaveAlone(machine: string): void {
    const key = decodeKey(machine)
    if (key === null) return
    this.#leftAlone.add(machine)
    this.#hyperswarm.leavePeer(key)
  }

  /** The stack bans for good whom it may not answer. */
  #answerAgain(machine: string, key: Uint8Array): void {
    if (this.#leftAlone.delete(machine)) this.#hyperswarm.peers.get(toHex(key))?.ban(false)
  }

  /** Asks at all of the addresses at once, and dials at the first that answers. */
  async knock(
    machine: string,
    addresses: readonly MachineAddress[],
    onAnswer: () => void,
  ): Promise<void> {
    let answered = false
    await Promise.all(
      addresses.map(async (address) => {
        const answers = await this.dht.answers(address)
        if (!answers || answered || this.#closed) return
        answered = true
        this.dht.hint(machine, address)
        onAnswer()
      }),
    )
  }

  /**
   * Looks for the machines of the cloud in the DHT; whoever is there is dialled by the stack if it is sought, strangers
   * included.
   * @param isFirst  the first time it is under way since the start
   * @throws WayFailure if no node answers
   */
  async lookUp(isFirst: boolean, named: (machine: string) => void): Promise<void> {
    this.#named = named
    const looking =
      (isFirst
        ? this.#discovery?.flushed()
        : this.#discovery?.refresh({ client: true, server: true })) ?? Promise.resolve(false)
    const went = await this.#unlessSilent(looking)
    if (went && this.dht.nodes.length > 0) return
    throw await whyNoNode(this.#nodesElsewhere)
  }

  /**
   * What a look-up comes to.
   * @throws WayFailure as soon as it is clear that no node can answer; the look-up goes on then, and may come to more
   */
  async #unlessSilent(looking: Promise<boolean>): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined
    const silent = new Promise<never>((_, reject) => {
      const ask = async (): Promise<void> => {
        if (this.dht.nodes.length > 0 || this.#closed) return
        const fault = await whyNoNode(this.#nodesElsewhere)
        // Nodes that are only slow, or all gone, are given the time that the DHT gives them.
        if (fault.step !== 'NO_NODE' && this.dht.nodes.length === 0) reject(fault)
      }
      timer = setTimeout(() => void ask(), SILENT_MS)
    })
    try {
      return await Promise.race([looking, silent])
    } finally {
      clearTimeout(timer)
    }
  }

  /** Is there under another key, too, which is announced in the DHT. The returned function ends that. */
  async listenUnder(
    keyPair: KeyPair,
    onConnection: (connection: SwarmConnection) => void,
  ): Promise<() => Promise<void>> {
    const server = this.dht.createServer({}, onConnection)
    await server.listen(keyPair)
    return () => server.close()
  }

  /**
   * A connection with whoever listens under a key, or an error on it.
   * @param addresses  where it may be; each is tried without asking the DHT
   */
  async dialUnder(key: Uint8Array, addresses: readonly MachineAddress[]): Promise<SwarmConnection> {
    const tried = await Promise.all(addresses.map((address) => this.dht.answers(address)))
    const relayAddresses = addresses.filter((_, at) => tried[at])
    const { keyPair } = this.#options
    return this.dht.connect(key, { keyPair, relayAddresses })
  }

  /** @param before  ends before the DHT's node does */
  async close(before: Promise<void> | undefined): Promise<void> {
    this.#closed = true
    if (before !== undefined) this.dht.endAfter(before)
    let timer: NodeJS.Timeout | undefined
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LONGEST_GOODBYE_MS)
    })
    // The node goes with it.
    await Promise.race([this.#hyperswarm.destroy({ force: true }), patience])
    clearTimeout(timer)
  }
}
