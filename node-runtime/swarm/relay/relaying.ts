// Machines of one cloud help each other across routers: who can be reached from outside tells those it is linked
// with that it relays, and they go through it where a direct link may not come at once, or not at all.
import * as z from 'zod'
import type DHT from 'hyperdht'
import type { DhtAddress } from 'hyperdht'
import { keySchema, signatureSchema } from '../../contract/values.ts'
import { Budget } from '../../core/budget.ts'
import { MAX_REMEMBERED, RelayChoice } from '../../core/relay/relay-choice.ts'
import type { RelayOffer } from '../../core/relay/relay-choice.ts'
import { isRelayOf, proveRelay } from '../../core/relay/key-proofs.ts'
import { decodeKey, domainBytes, encodeKey, hash, keyPair } from '../../core/keys.ts'
import type { KeyPair } from '../../core/keys.ts'
import type { Log } from '../../ports/log.ts'
import { jsonCodec } from '../codec.ts'
import type { Network, Protocol } from '../network.ts'
import { PeerFault } from '../peer-fault.ts'
import { RelayService } from './relay-service.ts'

const SEED_BYTES = 32

/** Each is a signature to check; an honest machine says it when the link opens, and when its router changes. */
const OFFERS = { burst: 20, perSecond: 0.1 }
const MAX_OFFER_BYTES = 300

/** `key`: under which the machine relays, and that it is this machine's; null if it does not relay, or no more. */
const offerSchema = z.union([
  z.object({ key: keySchema, proof: signatureSchema }),
  z.object({ key: z.null() }),
])
type Offer = z.infer<typeof offerSchema>

export interface RelayingOptions {
  network: Pick<Network, 'openProtocol'>
  dht: DHT
  machineKeys: KeyPair
  cloud: string
  /** May others of the cloud go through this machine? It must be one that all can reach. */
  isOpen: () => boolean
  /** Is it a machine of this cloud? */
  isMember: (machine: string) => boolean
  /** Where a linked machine is; null if it is on this computer, or not known. */
  addressOf: (machine: string) => DhtAddress | null
  latencyOf: (machine: string) => number | null
  /** This machine relays, or does no more. */
  changed: () => void
  /** Another machine does. */
  offered: () => void
  log: Log
}

export class Relaying {
  readonly #options: RelayingOptions
  readonly #keyPair: KeyPair
  /** By machine: under which key those that are linked relay. */
  readonly #offers = new Map<string, string>()
  /** By machine: the key that it has proved to be its own, linked or not. That stays so. */
  readonly #proved = new Map<string, string>()
  readonly #budgets = new Map<string, Budget>()
  readonly #choice = new RelayChoice()
  readonly #protocol: Protocol<Offer>
  #service: RelayService | null = null
  /** Of those that were closed: the stack lets nobody listen under a key until the one before has ended. */
  #ended: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(options: RelayingOptions) {
    this.#options = options
    const { network, machineKeys, cloud } = options
    const seed = hash(
      domainBytes('dharma/relay/1', cloud),
      machineKeys.secretKey.subarray(0, SEED_BYTES),
    )
    this.#keyPair = keyPair(seed)
    this.#protocol = network.openProtocol<Offer>({
      name: 'dharma/relay/1',
      codec: jsonCodec(offerSchema, MAX_OFFER_BYTES),
      opened: ({ machine }) => {
        this.#budgets.set(machine, new Budget(OFFERS, performance.now()))
        if (this.#service !== null) this.#protocol.send(machine, this.#offer())
      },
      received: ({ machine }, offer) => this.#offered(machine, offer),
      closed: ({ machine }) => {
        this.#offers.delete(machine)
        this.#budgets.delete(machine)
      },
    })
  }

  /** Does this machine relay for others now? */
  get serves(): boolean {
    return this.#service !== null
  }

  /** Links that go through this machine now. */
  get circuitCount(): number {
    return this.#service?.circuitCount ?? 0
  }

  /** Whether this machine is open may have changed. */
  update(): void {
    if (this.#closed || this.#options.isOpen() === this.serves) return
    const { dht, isMember, log } = this.#options
    const before = this.#service
    if (before === null) {
      this.#service = new RelayService({ dht, keyPair: this.#keyPair, isMember, log })
      void this.#listen(this.#service)
    } else {
      this.#endService(before)
    }
    this.#tell()
  }

  /** The key of the relay to go through to a machine now; null if none is needed, or there is none. */
  through(target: string): Uint8Array | null {
    const chosen = this.#choose(target)
    return chosen === null ? null : decodeKey(chosen.key)
  }

  /** Is there one that has not failed with it? */
  hasFresh(target: string): boolean {
    const chosen = this.#choose(target)
    return chosen !== null && !this.#choice.hasFailed(chosen.key, target, performance.now())
  }

  /** Two machines met through a relay, so long after this one asked. */
  served(relayKey: string, tookMs: number): void {
    this.#choice.served(relayKey, tookMs)
  }

  /** A relay did not bring this machine together with that one, or lost what they said. */
  failed(relayKey: string, machine: string): void {
    // Strangers could have any relay blamed.
    if (this.#options.isMember(machine)) this.#choice.failed(relayKey, machine, performance.now())
  }

  networkChanged(): void {
    this.#choice.forget()
  }

  /** The linked machine that relays under a key; null if none does. */
  ownerOf(relayKey: Uint8Array): string | null {
    const name = encodeKey(relayKey)
    for (const [machine, key] of this.#offers) if (key === name) return machine
    return null
  }

  /** Has that machine proved that the relay's key is its own, by this link or an earlier one? */
  isOf(relayKey: Uint8Array, machine: string): boolean {
    const name = encodeKey(relayKey)
    return this.#offers.get(machine) === name || this.#proved.get(machine) === name
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#service !== null) this.#endService(this.#service)
    await this.#ended
  }

  #offered(machine: string, offer: Offer): void {
    if (this.#budgets.get(machine)?.tryUse(1, performance.now()) !== true) {
      throw new PeerFault('it says too often under which key it relays')
    }
    if (offer.key === null) return void this.#offers.delete(machine)
    if (!isRelayOf(offer, machine, this.#options.cloud)) {
      throw new PeerFault('it names a relay that is not its own')
    }
    this.#offers.set(machine, offer.key)
    this.#proved.delete(machine)
    this.#proved.set(machine, offer.key)
    const [oldest] = this.#proved.keys()
    if (this.#proved.size > MAX_REMEMBERED && oldest !== undefined) this.#proved.delete(oldest)
    this.#options.offered()
  }

  #choose(target: string): RelayOffer | null {
    const { isOpen, addressOf, latencyOf } = this.#options
    if (isOpen() || this.#offers.has(target)) return null
    const offers = [...this.#offers].map(([machine, key]) => ({
      machine,
      key,
      host: addressOf(machine)?.host ?? null,
      latencyMs: latencyOf(machine),
    }))
    return this.#choice.choose(offers, target, performance.now())
  }

  #offer(): Offer {
    if (this.#service === null) return { key: null }
    const { machineKeys, cloud } = this.#options
    return proveRelay(this.#keyPair, encodeKey(machineKeys.publicKey), cloud)
  }

  /** Others hear whether this machine relays. */
  #tell(): void {
    this.#protocol.broadcast(this.#offer())
    this.#options.changed()
  }

  async #listen(service: RelayService): Promise<void> {
    await this.#ended
    // It was ended meanwhile.
    if (service !== this.#service) return
    try {
      await service.listen()
    } catch (error) {
      if (service !== this.#service) return
      this.#options.log.error('this machine can relay for nobody', { error })
      this.#endService(service)
      this.#tell()
    }
  }

  #endService(service: RelayService): void {
    this.#service = null
    const closing = service.close().catch((error: unknown) => {
      this.#options.log.error('a relay could not be closed', { error })
    })
    this.#ended = Promise.all([this.#ended, closing])
  }
}
