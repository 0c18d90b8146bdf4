// A node of the DHT that can also reach a machine at a known address, without asking anybody.
import DHT from 'hyperdht'
import type { DhtAddress, DhtConnectOptions } from 'hyperdht'
import type { SwarmConnection } from 'hyperswarm'
import { encodeKey } from '../core/keys.ts'

/**
 * Somebody has just answered there; if it is somebody else, only one attempt is lost. It is kept until an
 * attempt that is under way without it has failed.
 */
const HINT_MS = 30_000
const MAX_HINTS = 256

export class HintedDht extends DHT {
  readonly #hints = new Map<string, { address: DhtAddress; untilMs: number }>()

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

  override connect(publicKey: Uint8Array, options: DhtConnectOptions = {}): SwarmConnection {
    const machine = encodeKey(publicKey)
    const hint = this.#hints.get(machine)
    if (hint === undefined) return super.connect(publicKey, options)
    this.#hints.delete(machine)
    if (hint.untilMs < performance.now()) return super.connect(publicKey, options)
    const relayAddresses = [hint.address, ...(options.relayAddresses ?? [])]
    return super.connect(publicKey, { ...options, relayAddresses })
  }
}
