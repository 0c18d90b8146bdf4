// A node of the DHT that can also reach a machine at a known address, without asking anybody, and go through
// relays of the cloud.
import DHT from 'hyperdht'
import type { DhtAddress, DhtConnectOptions, DhtOptions, DhtServer } from 'hyperdht'
import type { SwarmConnection } from 'hyperswarm'
import { encodeKey } from '../core/keys.ts'
import { calmAnnouncer } from './calm-announcer.ts'

/**
 * Somebody has just answered there; if it is somebody else, only one attempt is lost. It is kept until an
 * attempt that is under way without it has failed.
 */
const HINT_MS = 30_000
const MAX_HINTS = 256
/** Where routers let a direct link through at all, it is there by then, mostly. */
const DIRECT_MS = 1_000

/** The relays that this machine knows. */
export interface RelayRoutes {
  /** The keys of relays to offer to a machine, or to whoever dials (null); null for none. */
  through: (machine: string | null) => Uint8Array[] | null
  /** Where a relay is; null if that is not known. */
  addressOf: (relayKey: Uint8Array) => DhtAddress | null
}

export class HintedDht extends DHT {
  readonly #hints = new Map<string, { address: DhtAddress; untilMs: number }>()
  readonly #routes: RelayRoutes
  /** Connections with relays, of which each belongs to a link that goes, or may go, through it. */
  readonly #relays = new Set<SwarmConnection>()
  /** By machine: dials that are under way without a relay, because none was known, and since when. */
  readonly #dials = new Map<string, { connection: SwarmConnection; sinceMs: number }>()

  /** It is open because of a port at its router. */
  #isOpened = false

  constructor(options: DhtOptions, routes: RelayRoutes) {
    super(options)
    this.#routes = routes
  }

  /**
   * The router sends on what comes for this machine's port: nodes try at once whether that is so. By itself the DHT
   * tries at its start, and then after twenty minutes.
   * @returns whether others reach it
   */
  async tryOpen(): Promise<boolean> {
    await this.fullyBootstrapped()
    if (this.destroyed || !this.firewalled) return !this.firewalled
    await this._updateNetworkState(true)
    this.#isOpened = !this.firewalled
    return this.#isOpened
  }

  /** The router does that no more. */
  noteClosed(): void {
    if (!this.#isOpened) return
    this.#isOpened = false
    this.firewalled = this.io.firewalled = true
    this.ephemeral = this.io.ephemeral = true
  }

  /** Somebody, perhaps this machine, answers at this address: it is tried there first for a while. */
  hint(machine: string, address: DhtAddress): void {
    this.#hints.delete(machine)
    this.#hints.set(machine, { address, untilMs: performance.now() + HINT_MS })
    if (this.#hints.size <= MAX_HINTS) return
    for (const oldest of this.#hints.keys()) {
      this.#hints.delete(oldest)
      break
    }
  }

  /** Does a node of the DHT answer at this address? Any machine is one. */
  async answers(address: DhtAddress): Promise<boolean> {
    try {
      await this.ping(address, { retry: false })
      return true
    } catch {
      // It timed out, or there is no way there: both are a no.
      return false
    }
  }

  /** The keys of the relays at an address through which links may go now. */
  relaysAt(host: string, port: number): Uint8Array[] {
    const keys: Uint8Array[] = []
    for (const { rawStream, remotePublicKey } of this.#relays) {
      if (rawStream?.remoteHost === host && rawStream.remotePort === port)
        keys.push(remotePublicKey)
    }
    return keys
  }

  override createServer(...args: Parameters<DHT['createServer']>): DhtServer {
    const server = super.createServer(...args)
    server.on('listening', () => calmAnnouncer(server))
    return server
  }

  override connect(publicKey: Uint8Array, options?: DhtConnectOptions): SwarmConnection {
    // The stack itself, on the way to a relay: all others say whose key they use.
    if (options === undefined) return this.#connectToRelay(publicKey)
    const machine = encodeKey(publicKey)
    const hint = this.#hints.get(machine)
    this.#hints.delete(machine)
    const hints = hint === undefined || hint.untilMs < performance.now() ? [] : [hint.address]
    const relayAddresses = [...hints, ...(options.relayAddresses ?? [])]
    // Whoever takes no relay, such as a stranger with an invitation, leaves the option out.
    if (options.relayThrough === undefined) {
      return super.connect(publicKey, { ...options, relayAddresses })
    }
    const relayThrough = this.#routes.through(machine)
    const connection = super.connect(publicKey, { ...options, relayAddresses, relayThrough })
    if (relayThrough === null) this.#noteDial(machine, connection)
    return connection
  }

  /**
   * Gives up dials that began before a relay was known to go through, and take longer than direct ones do.
   * @returns the machines that are to be dialled anew
   */
  giveUpSlowDials(nowMs: number): string[] {
    const machines: string[] = []
    for (const [machine, { connection, sinceMs }] of this.#dials) {
      if (nowMs - sinceMs < DIRECT_MS || this.#routes.through(machine) === null) continue
      this.#dials.delete(machine)
      connection.destroy()
      machines.push(machine)
    }
    return machines
  }

  #noteDial(machine: string, connection: SwarmConnection): void {
    this.#dials.set(machine, { connection, sinceMs: performance.now() })
    const forget = (): void => {
      if (this.#dials.get(machine)?.connection === connection) this.#dials.delete(machine)
    }
    connection.once('open', forget)
    connection.once('close', forget)
  }

  #connectToRelay(relayKey: Uint8Array): SwarmConnection {
    const address = this.#routes.addressOf(relayKey)
    const connection = super.connect(relayKey, {
      relayAddresses: address === null ? null : [address],
    })
    this.#relays.add(connection)
    connection.on('close', () => this.#relays.delete(connection))
    return connection
  }
}
