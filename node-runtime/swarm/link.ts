// One connection to another machine, from the Noise handshake to its end. Nothing else is spoken on
// it until both sides have proved that they know the cloud's key.
import c from 'compact-encoding'
import type { SwarmConnection } from 'hyperswarm'
import Protomux from 'protomux'
import * as z from 'zod'
import { beginHistory, isSuspect, recordArrival } from '../core/membership/failure-detector.ts'
import type { ArrivalHistory } from '../core/membership/failure-detector.ts'
import { encodeKey, hash, toHex } from '../core/keys.ts'
import { isGenuineEntry, machineEntrySchema } from '../core/membership/machine-entry.ts'
import type { MachineEntry } from '../core/membership/machine-entry.ts'
import type { PeerInfo } from './network.ts'

const HELLO_PROTOCOL = 'dharma/hello/1'
/** One heartbeat a second: a dead machine is found in a few seconds, at 0.1 % of a core per link. */
const HEARTBEAT_MS = 1_000
/**
 * Who says nothing for so long is a stranger, or a connection that the other side gave up when both
 * dialled at once; a new one is made then. The greeting takes one round trip.
 */
const HELLO_TIMEOUT_MS = 3_000
/** Share of a new round trip in the shown latency, so that it does not jump. */
const LATENCY_GAIN = 0.3

const helloSchema = z.object({
  proof: z.string().regex(/^[0-9a-f]{64}$/),
  entry: machineEntrySchema,
})
const beatSchema = z.object({ kind: z.enum(['ping', 'pong']), number: z.number().int() })

export interface LinkOptions {
  connection: SwarmConnection
  cloud: string
  cloudKey: Uint8Array
  ownEntry: () => MachineEntry
  /** The other side is a machine of this cloud. Protocols may now be opened on `link.mux`. */
  onVerified: (link: Link) => void
  onHeartbeat: (link: Link) => void
  onClosed: (link: Link) => void
  onRefused: (reason: string) => void
}

export class Link {
  readonly mux: Protomux
  /** Resolves once the other side is verified; never rejects. */
  readonly verified: Promise<void>
  #resolveVerified: () => void = () => {}
  #entry: MachineEntry | null = null
  #latencyMs: number | null = null
  #beatTimer: NodeJS.Timeout | null = null
  readonly #connection: SwarmConnection

  constructor(options: LinkOptions) {
    const { connection, onClosed } = options
    this.#connection = connection
    this.mux = Protomux.from(connection)
    this.verified = new Promise((resolve) => (this.#resolveVerified = resolve))
    const helloTimer = setTimeout(() => this.close(), HELLO_TIMEOUT_MS)
    // The stack reports network faults here; the close that follows is what matters to us.
    connection.on('error', (error) => options.onRefused(error.message))
    connection.on('close', () => {
      clearTimeout(helloTimer)
      if (this.#beatTimer !== null) clearInterval(this.#beatTimer)
      if (this.#entry !== null) onClosed(this)
    })
    this.#sayHello(options, () => clearTimeout(helloTimer))
  }

  /** What the machine said of itself. Only after `verified`. */
  get entry(): MachineEntry {
    if (this.#entry === null) throw new Error('the link is not verified yet')
    return this.#entry
  }

  get peer(): PeerInfo {
    return { machine: this.entry.machine, person: this.entry.person }
  }

  get latencyMs(): number | null {
    return this.#latencyMs
  }

  close(): void {
    this.#connection.destroy()
  }

  /** Knowing the cloud's key, bound to this very connection and to who says it. */
  #proof(cloudKey: Uint8Array, publicKey: Uint8Array): string {
    const { handshakeHash } = this.#connection
    return toHex(hash(Buffer.concat([handshakeHash, publicKey]), cloudKey))
  }

  #sayHello(options: LinkOptions, onGood: () => void): void {
    const { connection, cloud, cloudKey, ownEntry, onVerified, onHeartbeat, onRefused } = options
    let history: ArrivalHistory = beginHistory(Date.now(), HEARTBEAT_MS)
    let pinged = { number: 0, atMs: 0 }
    const refuse = (reason: string): void => {
      onRefused(reason)
      this.close()
    }
    const channel = this.mux.createChannel({
      protocol: HELLO_PROTOCOL,
      handshake: c.json,
      onopen: (handshake) => {
        const hello = helloSchema.safeParse(handshake)
        if (!hello.success) return refuse('its greeting is not understood')
        const { entry, proof } = hello.data
        if (entry.machine !== encodeKey(connection.remotePublicKey)) {
          return refuse('it speaks for another machine')
        }
        if (proof !== this.#proof(cloudKey, connection.remotePublicKey)) {
          return refuse('it does not know the key of this cloud')
        }
        if (!isGenuineEntry(entry, cloud)) return refuse('its description of itself is forged')
        onGood()
        this.#entry = entry
        history = beginHistory(Date.now(), HEARTBEAT_MS)
        onVerified(this)
        this.#resolveVerified()
        this.#beatTimer = setInterval(beat, HEARTBEAT_MS)
        beat()
      },
    })
    if (channel === null) return this.close()
    const heartbeat = channel.addMessage({
      encoding: c.json,
      onmessage: (message) => {
        const parsed = beatSchema.safeParse(message)
        if (!parsed.success || this.#entry === null) return
        history = recordArrival(history, Date.now())
        const { kind, number } = parsed.data
        if (kind === 'ping') {
          heartbeat.send({ kind: 'pong', number })
        } else if (number === pinged.number) {
          const roundTripMs = performance.now() - pinged.atMs
          this.#latencyMs =
            this.#latencyMs === null
              ? roundTripMs
              : this.#latencyMs + LATENCY_GAIN * (roundTripMs - this.#latencyMs)
          onHeartbeat(this)
        }
      },
    })
    const beat = (): void => {
      if (isSuspect(history, Date.now())) return this.close()
      pinged = { number: pinged.number + 1, atMs: performance.now() }
      heartbeat.send({ kind: 'ping', number: pinged.number })
    }
    channel.open({ proof: this.#proof(cloudKey, connection.publicKey), entry: ownEntry() })
  }
}
