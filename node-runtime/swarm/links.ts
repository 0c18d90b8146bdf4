// All links of this machine, one with each machine at most, and the services' protocols over them.
import { Stalls } from '../core/membership/stalls.ts'
import { Tally } from '../flow/tally.ts'
import type { Log } from '../ports/log.ts'
import { Link } from './link.ts'
import type { LinkOptions } from './link.ts'
import type { LinkMux, Network, PeerInfo, Protocol, ProtocolDefinition } from './network.ts'
import { ProtocolChannels } from './protocol-channels.ts'
import type { LinkProtocol } from './protocol-channels.ts'

/** Of those that others want to watch, so many may; who wants it of all would have frequent beats of all. */
const MAX_OBLIGED = 4

export interface LinksEvents {
  onHeartbeat: (link: Link) => void
  /** The other side has not been heard for a while. */
  onDoubted: (link: Link) => void
  /** Not called for one that another with the same machine has replaced. */
  onClosed: (link: Link) => void
  /** The machine broke the rules, and lost its link for it. */
  onMisbehaved: (machine: string) => void
}

/** What is known of the ways by which links go. */
type LinkWays = Pick<LinkOptions, 'isRelayed' | 'probePort'>

export class Links implements Pick<Network, 'openProtocol' | 'onLink'> {
  readonly #events: LinksEvents
  readonly #ways: LinkWays
  readonly #log: Log
  readonly #links = new Map<string, Link>()
  readonly #protocols = new Map<string, LinkProtocol>()
  readonly #attachers = new Set<(mux: LinkMux, peer: PeerInfo) => void>()
  readonly #tally = new Tally()
  readonly #ownStalls = new Stalls()
  /** Whom this machine watches closely; all, before it is told. */
  #watched: ReadonlySet<string> | null = null

  constructor(events: LinksEvents, ways: LinkWays, log: Log) {
    this.#events = events
    this.#ways = ways
    this.#log = log
  }

  get size(): number {
    return this.#links.size
  }

  has(machine: string): boolean {
    return this.#links.has(machine)
  }

  get(machine: string): Link | undefined {
    return this.#links.get(machine)
  }

  values(): Iterable<Link> {
    return this.#links.values()
  }

  /**
   * A connection becomes the link with a machine, in place of the one before.
   * @param first  is called before anything else may come over it
   */
  add(
    options: Pick<LinkOptions, 'connection' | 'entry' | 'agreement' | 'pass'>,
    first: (link: Link) => void,
  ): Link {
    const { machine } = options.entry
    const earlier = this.#links.get(machine)
    const link = new Link({
      ...options,
      obliges: () => this.#obliges(link),
      ownStalls: this.#ownStalls,
      ...this.#ways,
      onHeartbeat: (beating) => this.#events.onHeartbeat(beating),
      onDoubted: (doubted) => this.#events.onDoubted(doubted),
      onClosed: (closed) => this.#dismiss(closed),
      onFault: (_, reason, error) => this.#noteFault(machine, reason, error),
    })
    this.#links.set(machine, link)
    link.watch(this.#watched?.has(machine) ?? true)
    first(link)
    for (const attach of this.#attachers) this.#attach(link, attach)
    for (const protocol of this.#protocols.values()) protocol.open(link)
    earlier?.close()
    return link
  }

  /** Ends the link with a machine that does what it must not. */
  drop(machine: string, reason: string): void {
    const link = this.#links.get(machine)
    if (link === undefined) return
    this.#noteFault(machine, reason)
    link.close()
  }

  /** These are watched closely from now on, and no others: it is known within a second that they are gone. */
  watch(machines: readonly string[]): void {
    this.#watched = new Set(machines)
    for (const [machine, link] of this.#links) link.watch(this.#watched.has(machine))
  }

  /** This computer is in another network: asks all at once whether they are there. */
  moved(): void {
    for (const link of this.#links.values()) link.check('moved')
  }

  /** Ends all, without blame. */
  close(): void {
    for (const link of this.#links.values()) link.close()
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

  /** Is it one of the first of those that only the other side watches? */
  #obliges(link: Link): boolean {
    let count = 0
    for (const other of this.#links.values()) {
      if (!other.isOnlyWatched) continue
      count += 1
      if (other === link || count === MAX_OBLIGED) return other === link
    }
    return false
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
    this.#events.onClosed(link)
    for (const other of this.#links.values()) other.noteEnd(link)
  }

  /** A machine broke the rules. An `error` is our own fault, and no machine's. */
  #noteFault(machine: string, reason: string, error?: unknown): void {
    if (error === undefined) this.#events.onMisbehaved(machine)
    const times = this.#tally.note(reason)
    if (times === null) return
    if (error === undefined) this.#log.warn('a link was closed', { machine, reason, times })
    else
      this.#log.error('a link was closed through our own fault', { machine, reason, times, error })
  }
}
