// The multiplexer of a link, made safe against the other side. Protomux rethrows what its handlers
// throw as uncaught exceptions, takes any number of channels, and reads as fast as the wire gives. Here
// a fault of either side ends the link and nothing else, and all that the other side uses has a budget.
import Protomux from 'protomux'
import type { Channel, ChannelOptions, DecodingState } from 'protomux'
import { Budget } from '../core/budget.ts'
import type { CoreLimits, LinkMux } from '../ports/link-mux.ts'
import { guardHypercore, HYPERCORE_PROTOCOLS } from './hypercore-guard.ts'
import { PeerFault } from './peer-fault.ts'

/** Faster than two ordinary machines can take each other's records, slower than what would choke one. */
const BYTES = { perSecond: 64 * 1024 * 1024, burst: 64 * 1024 * 1024 }
const MESSAGES = { perSecond: 20_000, burst: 40_000 }
/** Channels that the other side opens: all its logs at once when a link begins, then now and then. */
const OPENINGS = { perSecond: 50, burst: 2_000 }
/** Who is slowed down by its messages for so long in one go does nothing but flood. */
const LONGEST_DEBT_MS = 20_000
/** Channels of one link, open or waiting. */
const MAX_CHANNELS = 4_096
/** Answers and news that the other side does not read. */
const MAX_UNREAD_BYTES = 32 * 1024 * 1024
/** Violations of Hypercore's protocol: a few may be a race, more are an attempt. */
const MAX_VIOLATIONS = 8

export interface GuardedMuxOptions {
  /** The link was closed, for this reason. Called once. */
  onFault: (reason: string, error?: unknown) => void
  /** Monotonic ms. */
  now?: () => number
}

function nameOf(discoveryKey: Uint8Array): string {
  return Buffer.from(discoveryKey).toString('hex')
}

export class GuardedMux extends Protomux implements LinkMux {
  readonly #options: GuardedMuxOptions
  readonly #now: () => number
  readonly #cores = new Map<string, CoreLimits>()
  readonly #bytes: Budget
  readonly #messages: Budget
  readonly #openings: Budget
  #violations = 0
  #slowTimer: NodeJS.Timeout | null = null
  #inDebtSinceMs: number | null = null

  /** Takes over a stream of encrypted frames, of which the first belongs to it. */
  constructor(stream: unknown, options: GuardedMuxOptions) {
    super(stream)
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    const nowMs = this.#now()
    this.#bytes = new Budget(BYTES, nowMs)
    this.#messages = new Budget(MESSAGES, nowMs)
    this.#openings = new Budget(OPENINGS, nowMs)
  }

  allowCore(discoveryKey: Uint8Array, limits: CoreLimits): void {
    this.#cores.set(nameOf(discoveryKey), limits)
  }

  forgetCore(discoveryKey: Uint8Array): void {
    this.#cores.delete(nameOf(discoveryKey))
  }

  onClosed(listener: () => void): void {
    this.stream.once('close', listener)
  }

  /** Ends the link if the other side does not read what is sent. To be asked before sending. */
  checkUnread(): void {
    const { _writableState: state } = this.stream as unknown as {
      _writableState: { buffered: number }
    }
    if (state.buffered > MAX_UNREAD_BYTES) {
      this._safeDestroy(new PeerFault('it does not read what is sent'))
    }
  }

  override createChannel(options: ChannelOptions): Channel | null {
    if (!HYPERCORE_PROTOCOLS.has(options.protocol)) return super.createChannel(options)
    const limits = this.#cores.get(nameOf(options.id ?? new Uint8Array(0)))
    if (limits === undefined) return null
    const onViolation = (reason: string): void => {
      if (++this.#violations >= MAX_VIOLATIONS) this._safeDestroy(new PeerFault(reason))
    }
    return super.createChannel(guardHypercore(options, { limits, onViolation, nowMs: this.#now }))
  }

  override _ondata(buffer: Uint8Array): void {
    // Frames that were on their way when the link was given up.
    if (this._destroying) return
    const waitMs = this.#bytes.use(buffer.byteLength, this.#now())
    if (waitMs > 0) this.#slowDown(waitMs)
    // What this throws, it hands to `_safeDestroy` itself.
    super._ondata(buffer)
  }

  override _decode(remoteId: number, state: DecodingState): unknown {
    if (this._destroying) return null
    const nowMs = this.#now()
    const waitMs = this.#messages.use(1, nowMs)
    if (waitMs === 0) {
      this.#inDebtSinceMs = null
    } else {
      this.#inDebtSinceMs ??= nowMs
      if (nowMs - this.#inDebtSinceMs > LONGEST_DEBT_MS) throw new PeerFault('it floods the link')
      this.#slowDown(waitMs)
    }
    return super._decode(remoteId, state)
  }

  override _onopensession(state: DecodingState): Promise<void> | null {
    if (!this.#openings.tryUse(1, this.#now()) || this._remote.length > MAX_CHANNELS) {
      throw new PeerFault('it opens too many channels')
    }
    return super._onopensession(state)
  }

  /** Nobody is asked for a log that is not allowed on this link; the other side hears a no. */
  override _requestSession(protocol: string, id: Uint8Array | null, info: unknown): Promise<void> {
    const isCore = HYPERCORE_PROTOCOLS.has(protocol)
    const allowed = !isCore || (id !== null && this.#cores.has(nameOf(id)))
    return super._requestSession(allowed ? protocol : '', allowed ? id : null, info)
  }

  override _resumeMaybe(): void {
    if (this.#slowTimer === null) super._resumeMaybe()
  }

  override _ondrain(): void {
    try {
      super._ondrain()
    } catch (error) {
      this._safeDestroy(error)
    }
  }

  /** Protomux throws programming errors as uncaught exceptions here: a message could end the process. */
  override _safeDestroy(error: unknown): void {
    if (this._destroying) return
    this._destroying = true
    const reason = error instanceof Error ? error.message : String(error)
    if (error instanceof PeerFault) this.#options.onFault(reason)
    else this.#options.onFault(reason, error)
    this.stream.destroy()
  }

  override _warn(error: unknown): void {
    this.#options.onFault('a closed channel failed', error)
  }

  override _shutdown(): void {
    this._destroying = true
    if (this.#slowTimer !== null) clearTimeout(this.#slowTimer)
    for (const channel of [...this._local]) {
      try {
        channel?._close(true)
      } catch (error) {
        this.#options.onFault('closing a channel failed', error)
      }
    }
  }

  /** Stops reading for a while; the other side's own buffers fill and it has to wait. */
  #slowDown(waitMs: number): void {
    if (this.#slowTimer !== null) return
    this.stream.pause()
    this.#slowTimer = setTimeout(() => {
      this.#slowTimer = null
      if (!this._paused) this.stream.resume()
      else this._resumeMaybe()
    }, waitMs)
  }
}
