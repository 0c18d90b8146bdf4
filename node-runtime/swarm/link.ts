// One connection to another machine of the cloud, from its greeting to its end.
import type { SwarmConnection } from 'hyperswarm'
import * as z from 'zod'
import type { Pass } from '../core/admission/pass.ts'
import type { MachineAddress } from '../core/finding/dial-list.ts'
import type { MachineEntry } from '../core/forms/machine-form.ts'
import { LatencyHistory } from '../core/membership/latency-history.ts'
import { Liveness } from '../core/membership/liveness.ts'
import type { AskReason, LivenessDeed } from '../core/membership/liveness.ts'
import type { Stalls } from '../core/membership/stalls.ts'
import { decodeBeat, encodeBeat } from './beat-codec.ts'
import { jsonCodec, untouchedBytes } from './codec.ts'
import type { Agreement } from './greeting.ts'
import { GuardedMux } from './guarded-mux.ts'
import type { PeerInfo } from './network.ts'
import type { PortWord } from './port-probe.ts'

const BEAT_PROTOCOL = 'dharma/heartbeat/1'
const beatCodec = jsonCodec(
  z.object({ kind: z.enum(['ping', 'pong']), number: z.number().int().nonnegative() }),
  200,
)

/** After the first attempt, and half of the time that the link has gone by this way, it is seen again whether a port is open. */
const PROBE_AGAIN_MS = 4_000
/**
 * Anybody can forge the word that a port is closed. So who is there has the time for a word of its own: so long, or four
 * round trips. With the 0.4 s after which it is late, a machine that was killed is still gone within a second.
 */
const CLOSED_SILENCE_MS = 300
const CLOSED_ROUND_TRIPS = 4

/**
 * How a link ended, as far as this machine knows. `left`: this machine ended it, for another reason than silence. `silent`:
 * the other side was not heard any more. `cut`: the machine is gone through which it went, which says nothing of the other
 * side.
 */
export type LinkEnd = 'left' | 'silent' | 'cut'

/** A link that ends sooner was none. */
const SHORTEST_LINK_MS = 15_000

export interface LinkOptions {
  connection: SwarmConnection
  entry: MachineEntry
  agreement: Agreement
  /** What the machine showed at the door. */
  pass: Pass | null
  /** May the other side have frequent beats that only it wants? */
  obliges: () => boolean
  /** Of this process, on all of its links. */
  ownStalls: Stalls
  /** Does it go through another machine? */
  isRelayed: (link: Link) => boolean
  probePort: (address: MachineAddress) => Promise<PortWord>
  /** It is there: it was asked and has answered, or the latency is known anew. */
  onHeartbeat: (link: Link) => void
  /** It has not been heard for a while, and was asked. */
  onDoubted: (link: Link) => void
  onClosed: (link: Link) => void
  /** Something went wrong; the link is closed. An `error` is our own fault. */
  onFault: (link: Link, reason: string, error?: unknown) => void
}

export class Link {
  readonly mux: GuardedMux
  readonly entry: MachineEntry
  readonly agreement: Agreement
  readonly pass: Pass | null
  readonly connection: SwarmConnection
  /** Monotonic ms. */
  readonly openedMs = performance.now()
  readonly #options: LinkOptions
  readonly #liveness: Liveness
  readonly #latencies = new LatencyHistory(this.openedMs)
  /** Sends what asks over the stream; null if that can't be. */
  readonly #ping: ((number: number) => void) | null
  #timer: NodeJS.Timeout | null = null
  #timerMs = 0
  #end: LinkEnd | null = null
  #endsWay = false
  /** Where its packets went when that was looked at last: elsewhere is another port to ask. */
  #way: MachineAddress | null = null
  #wayMs = 0
  /** What was said of that port while the other side was heard. */
  #port: PortWord = 'nothing'
  #probeMs = 0
  /** Grows with each word of the other side. */
  #words = 0
  /** Has this side asked the other one to end it? */
  #isEndAsked = false
  #closed = false

  constructor(options: LinkOptions) {
    const { connection, entry, agreement, obliges, ownStalls, onClosed, onFault } = options
    this.#options = options
    this.connection = connection
    this.entry = entry
    this.agreement = agreement
    this.pass = options.pass
    this.mux = new GuardedMux(connection, {
      onFault: (reason, error) => onFault(this, reason, error),
    })
    this.#liveness = new Liveness(this.openedMs, { random: Math.random, obliges, ownStalls })
    this.#ping = this.#openHeartbeat()
    connection.on('message', (bytes) => this.#heard(bytes))
    connection.on('close', () => {
      this.#closed = true
      if (this.#timer !== null) clearTimeout(this.#timer)
      onClosed(this)
    })
    if (this.#ping !== null) this.#perform(this.#liveness.begin(performance.now()))
  }

  get peer(): PeerInfo {
    return { machine: this.entry.machine, person: this.entry.person }
  }

  get latencyMs(): number | null {
    return this.#liveness.latencyMs
  }

  /** Means of `STRETCH_MS` each, ms, the oldest first; null where nothing was heard. */
  get latencies(): (number | null)[] {
    return this.#latencies.at(performance.now())
  }

  /** Null while it is open, and if the other side ended it. */
  get end(): LinkEnd | null {
    return this.#end
  }

  /**
   * Once it has ended: may it be lost on its way? So it is without a word, and when it goes soon after it came, unless this
   * side wanted that.
   */
  get isLost(): boolean {
    if (this.#end !== null) return this.#end !== 'left'
    return !this.#isEndAsked && performance.now() - this.openedMs < SHORTEST_LINK_MS
  }

  /** The other side was asked to end it. */
  expectEnd(): void {
    this.#isEndAsked = true
  }

  /** Did it end because whoever its packets went to is gone? */
  get endsWay(): boolean {
    return this.#endsWay
  }

  /** Another link has ended: with its way, this one may have, too, if it goes to the same machine first. It is asked. */
  noteEnd(of: Link): void {
    if (of.endsWay && isSame(of.#way, this.#way)) this.check('cut')
  }

  /** Does the other side want frequent beats for a reason of its own? */
  get isOnlyWatched(): boolean {
    return this.#liveness.isOnlyWatched
  }

  /** Is watched closely from now on, or not any more: how soon it is known that the other side is gone. */
  watch(isWatched: boolean): void {
    this.#liveness.watch(isWatched, performance.now())
    this.#wait()
  }

  /** Asks the other side at once whether it is there. */
  check(reason: Exclude<AskReason, 'late'>): void {
    if (this.#ping !== null) this.#perform(this.#liveness.check(performance.now(), reason))
  }

  close(): void {
    this.#end ??= 'left'
    this.connection.destroy()
  }

  #look(): void {
    if (this.#closed) return
    this.#noteWay()
    this.#perform(this.#liveness.look(performance.now()))
  }

  #wait(): void {
    const { dueMs } = this.#liveness
    if (this.#closed || this.#ping === null) return
    if (this.#timer !== null) {
      if (this.#timerMs === dueMs) return
      clearTimeout(this.#timer)
    }
    this.#timerMs = dueMs
    this.#timer = setTimeout(
      () => {
        this.#timer = null
        // What waits in the socket is heard first.
        if (this.#liveness.isQuiet(performance.now())) setImmediate(() => this.#look())
        else this.#look()
      },
      Math.max(0, Math.ceil(dueMs - performance.now())),
    )
  }

  #perform(deeds: readonly LivenessDeed[]): void {
    for (const deed of deeds) {
      if (this.#closed) return
      switch (deed.type) {
        case 'beat':
          this.connection.trySend(encodeBeat(deed.beat))
          break
        case 'ping':
          this.#ping?.(deed.number)
          break
        case 'doubt':
          void this.#askPort()
          break
        case 'tell':
          // The first packet may have been lost.
          void this.#askPort()
          this.#options.onDoubted(this)
          break
        case 'gone':
          this.#giveUp(false)
      }
    }
    this.#wait()
  }

  /**
   * Who is late may be killed: then its port is closed, which its computer tells at once, to two sockets, and nothing is heard
   * of it meanwhile, though it is asked.
   */
  async #askPort(): Promise<void> {
    const way = this.#way
    if (way === null || this.#port !== 'open') return
    const words = this.#words
    const isSilent = (): boolean =>
      !this.#closed && this.#liveness.isDoubted && words === this.#words && way === this.#way
    const roundTripsMs = CLOSED_ROUND_TRIPS * (this.latencyMs ?? 0)
    const untilMs = performance.now() + Math.max(CLOSED_SILENCE_MS, roundTripsMs)
    if ((await this.#options.probePort(way)) !== 'closed') return
    await pause(untilMs - performance.now())
    if (!isSilent() || (await this.#options.probePort(way)) !== 'closed') return
    if (isSilent()) this.#giveUp(true)
  }

  /**
   * Whoever answers at that port while the other side is heard is the one that listens there, and lets in who comes unasked:
   * that the port is closed then counts. Many routers say that of all that comes unasked, and of machines that live; those
   * that begin with it later end the link of a machine that stands still just then, and no other one after that.
   */
  async #tryPort(way: MachineAddress): Promise<void> {
    const nowMs = performance.now()
    if (this.#port !== 'nothing' || nowMs < this.#probeMs) return
    this.#probeMs = nowMs + Math.max(PROBE_AGAIN_MS, (nowMs - this.#wayMs) / 2)
    const word = await this.#options.probePort(way)
    if (way === this.#way) this.#port = word
  }

  /** Whoever calls has just heard it, or looks after it. */
  #noteWay(): void {
    const { remoteHost: host, remotePort: port } = this.connection.rawStream
    if (host === null) return
    const way = { host, port }
    if (isSame(way, this.#way)) return
    this.#way = way
    this.#wayMs = performance.now()
    this.#port = 'nothing'
    this.#probeMs = 0
    this.#liveness.rerouted(this.#wayMs)
  }

  /** @param isClosed  is it because the port is closed? */
  #giveUp(isClosed: boolean): void {
    const isRelayed = this.#options.isRelayed(this)
    this.#endsWay = isClosed || !isRelayed
    this.#end = isRelayed && (isClosed || this.#liveness.isCut) ? 'cut' : 'silent'
    this.connection.destroy()
  }

  #heard(bytes: Uint8Array): void {
    const beat = decodeBeat(bytes)
    if (beat === null || this.#closed) return
    this.#noteWay()
    const wasDoubted = this.#liveness.isDoubted
    const nowMs = performance.now()
    const heard = this.#liveness.heard(beat, nowMs)
    if (heard === null) return
    this.#words += 1
    // What was due if it had not been heard is not due now: this machine need not wake for that.
    this.#perform([...heard.deeds, ...this.#liveness.look(nowMs)])
    if (this.#way !== null) void this.#tryPort(this.#way)
    if (heard.isMeasured || wasDoubted) this.#noteHeard(heard.isMeasured, nowMs)
  }

  /** It is there. @param isMeasured  the latency is known anew */
  #noteHeard(isMeasured: boolean, nowMs: number): void {
    if (isMeasured) this.#latencies.note(this.#liveness.latencyMs ?? 0, nowMs)
    this.#options.onHeartbeat(this)
  }

  #openHeartbeat(): ((number: number) => void) | null {
    const channel = this.mux.createChannel({ protocol: BEAT_PROTOCOL })
    if (channel === null) return null
    const heartbeat = channel.addMessage({
      encoding: untouchedBytes,
      onmessage: (bytes) => {
        const beat = beatCodec.decode(bytes)
        if (beat === null) {
          this.#options.onFault(this, 'its heartbeat is not understood')
          return this.close()
        }
        const { kind, number } = beat
        const nowMs = performance.now()
        this.#words += 1
        if (kind === 'pong') {
          this.#noteHeard(this.#liveness.ponged(number, nowMs), nowMs)
          return
        }
        this.#liveness.pinged(nowMs)
        // Who does not read the answers does not need more of them.
        if (channel.drained) heartbeat.send(beatCodec.encode({ kind: 'pong', number }))
      },
    })
    channel.open()
    return (number) => void heartbeat.send(beatCodec.encode({ kind: 'ping', number }))
  }
}

/** What waits in the sockets after that is heard first. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(() => setImmediate(resolve), Math.max(0, ms))
  })
}

function isSame(one: MachineAddress | null, other: MachineAddress | null): boolean {
  return one !== null && one.host === other?.host && one.port === other.port
}
