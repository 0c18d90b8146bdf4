// A node of the DHT that can also reach a machine at a known address, without asking anybody, and go through
// relays of the cloud.
import DHT from 'hyperdht'
import type { DhtAddress, DhtConnectOptions, DhtOptions, DhtServer } from 'hyperdht'
import type { SwarmConnection } from 'hyperswarm'
import { encodeKey } from '../core/keys.ts'
import { calmAnnouncer } from './calm-announcer.ts'
import { Meetings } from './relay/meetings.ts'
import type { RelayRoutes } from './relay/meetings.ts'

/**
 * Somebody has just answered there; if it is somebody else, only one attempt is lost. It is kept until an
 * attempt that is under way without it has failed.
 */
const HINT_MS = 30_000
const MAX_HINTS = 256

export class HintedDht extends DHT {
  readonly #hints = new Map<string, { address: DhtAddress; untilMs: number }>()
  readonly #routes: RelayRoutes
  /** Attempts to meet machines, and the relays that serve them. */
  readonly meetings: Meetings

  /** It is open because of a port at its router. */
  #isOpened = false
  #before: Promise<void> | undefined

  constructor(options: DhtOptions, routes: RelayRoutes) {
    super(options)
    this.#routes = routes
    this.meetings = new Meetings(routes)
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
      return this.meetings.dialAlone(() => super.connect(publicKey, { ...options, relayAddresses }))
    }
    return this.meetings.dial(machine, (relayThrough) =>
      super.connect(publicKey, { ...options, relayAddresses, relayThrough }),
    )
  }

  /** `destroy` ends this node once that has come to an end. */
  endAfter(before: Promise<void>): void {
    this.#before = before
  }

  override async destroy(options?: { force?: boolean }): Promise<void> {
    this.meetings.close()
    await this.#before
    await super.destroy(options)
  }

  #connectToRelay(relayKey: Uint8Array): SwarmConnection {
    const address = this.#routes.addressOf(relayKey)
    const relayAddresses = address === null ? null : [address]
    return this.meetings.askRelay(relayKey, () => super.connect(relayKey, { relayAddresses }))
  }
}
