// One connection to another machine of the cloud, from its greeting to its end.
import type { SwarmConnection } from 'hyperswarm'
import * as z from 'zod'
import type { Pass } from '../core/admission/pass.ts'
import type { MachineEntry } from '../core/forms/machine-form.ts'
import { LatencyHistory } from '../core/membership/latency-history.ts'
import { HEARTBEAT_MS, Liveness } from '../core/membership/liveness.ts'
import { jsonCodec, untouchedBytes } from './codec.ts'
import type { Agreement } from './greeting.ts'
import { GuardedMux } from './guarded-mux.ts'
import type { PeerInfo } from './network.ts'

const BEAT_PROTOCOL = 'dharma/heartbeat/1'
const beatCodec = jsonCodec(
  z.object({ kind: z.enum(['ping', 'pong']), number: z.number().int().nonnegative() }),
  200,
)

export interface LinkOptions {
  connection: SwarmConnection
  entry: MachineEntry
  agreement: Agreement
  /** What the machine showed at the door. */
  pass: Pass | null
  onHeartbeat: (link: Link) => void
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
  readonly #liveness = new Liveness(this.openedMs)
  readonly #latencies = new LatencyHistory(this.openedMs)
  readonly #beat: (() => void) | null
  #fellSilent = false

  constructor(options: LinkOptions) {
    const { connection, entry, agreement, onClosed, onFault } = options
    this.connection = connection
    this.entry = entry
    this.agreement = agreement
    this.pass = options.pass
    this.mux = new GuardedMux(connection, {
      onFault: (reason, error) => onFault(this, reason, error),
    })
    this.#beat = this.#openHeartbeat(options)
    this.#beat?.()
    const beatTimer = this.#beat === null ? null : setInterval(this.#beat, HEARTBEAT_MS)
    connection.on('close', () => {
      if (beatTimer !== null) clearInterval(beatTimer)
      onClosed(this)
    })
  }

  get peer(): PeerInfo {
    return { machine: this.entry.machine, person: this.entry.person }
  }

  get latencyMs(): number | null {
    return this.#liveness.latencyMs
  }

  /** Means of five seconds each, ms, the oldest first; null where nothing was heard. */
  get latencies(): (number | null)[] {
    return this.#latencies.at(performance.now())
  }

  /** Did it end because the other side was not heard any more? */
  get fellSilent(): boolean {
    return this.#fellSilent
  }

  /** Asks the other side at once whether it is there; it has the usual time to answer. */
  check(): void {
    this.#beat?.()
  }

  close(): void {
    this.connection.destroy()
  }

  /** What asks the other side whether it is there; null if that can't be. */
  #openHeartbeat({ onHeartbeat, onFault }: LinkOptions): (() => void) | null {
    const channel = this.mux.createChannel({ protocol: BEAT_PROTOCOL })
    if (channel === null) return null
    const heartbeat = channel.addMessage({
      encoding: untouchedBytes,
      onmessage: (bytes) => {
        const beat = beatCodec.decode(bytes)
        if (beat === null) {
          onFault(this, 'its heartbeat is not understood')
          return this.close()
        }
        const { kind, number } = beat
        const nowMs = performance.now()
        if (kind === 'pong') {
          if (!this.#liveness.ponged(number, nowMs)) return
          this.#latencies.note(this.#liveness.latencyMs ?? 0, nowMs)
          onHeartbeat(this)
          return
        }
        this.#liveness.pinged(nowMs)
        // Who does not read the answers does not need more of them.
        if (channel.drained) heartbeat.send(beatCodec.encode({ kind: 'pong', number }))
      },
    })
    channel.open()
    return () => {
      const number = this.#liveness.beat(performance.now())
      if (number === null) {
        this.#fellSilent = true
        return this.close()
      }
      heartbeat.send(beatCodec.encode({ kind: 'ping', number }))
    }
  }
}
