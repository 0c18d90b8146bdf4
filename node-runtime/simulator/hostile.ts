// A stranger among the machines: it greets, and then says whatever it likes.
import { formatVersion } from '../core/db/hybrid-clock.ts'
import { encodeFrame, encodeMessage, frameRecords } from '../core/sync/messages.ts'
import { authorOf } from './author.ts'
import type { SimulatedNetwork, Station } from './network.ts'
import type { Random } from './random.ts'
import type { World } from './world.ts'

/** Its person is nobody else's. */
const STRANGER = 1_000_000
const EVERY_MS = 400

export class HostileMachine implements Station {
  readonly key = 'z'
  isUp = true
  readonly #world: World
  readonly #network: SimulatedNetwork
  readonly #random: Random
  readonly #startMs: number
  readonly #linked = new Set<string>()
  readonly #heard: Uint8Array[] = []

  constructor(world: World, network: SimulatedNetwork, random: Random, startMs: number) {
    this.#world = world
    this.#network = network
    this.#random = random
    this.#startMs = startMs
  }

  begin(): void {
    if (!this.isUp) return
    for (const peer of this.#linked) this.#speak(peer)
    this.#world.after(EVERY_MS, () => this.begin())
  }

  end(): void {
    this.isUp = false
    this.#network.down(this.key)
  }

  opened(peer: string): void {
    this.#linked.add(peer)
    const hello = encodeMessage({
      kind: 'hello',
      capabilities: ['segments'],
      count: this.#random.whole(0, 1e6),
      window: this.#random.whole(0, 1e9),
      newest: 'ffffffffffff-ffff',
      greeted: this.#random.chance(0.5),
    })
    this.#network.send(this.key, peer, hello)
  }

  closed(peer: string): void {
    this.#linked.delete(peer)
  }

  received(_peer: string, bytes: Uint8Array): void {
    this.#heard.push(bytes)
    if (this.#heard.length > 50) this.#heard.shift()
  }

  #speak(peer: string): void {
    this.#network.send(this.key, peer, this.#say())
  }

  #say(): Uint8Array {
    const random = this.#random
    const kind = random.whole(0, 4)
    if (kind === 0)
      return Uint8Array.from({ length: random.whole(1, 200) }, () => random.whole(0, 255))
    if (kind === 1 && this.#heard.length > 0) {
      // What it heard, with a bit turned over.
      const bytes = random.pick(this.#heard).slice()
      const at = random.whole(0, bytes.length - 1)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.whole(0, 7))
      return bytes
    }
    if (kind === 2 && this.#heard.length > 0) return random.pick(this.#heard)
    return this.#frame(kind === 3)
  }

  /** A record with a wrong signature, or a good one from the future. */
  #frame(isForged: boolean): Uint8Array {
    const random = this.#random
    const author = authorOf(STRANGER, STRANGER)
    const aheadMs = isForged ? 0 : random.between(6, 60) * 60_000
    const timeMs = Math.floor(this.#startMs + this.#world.nowMs + aheadMs)
    const version = formatVersion({ timeMs, counter: 0 })
    const bytes = author.sign({ id: `stranger ${random.whole(0, 99)}`, version, value: 'boo' })
    // A byte of the signature, behind the attestation's hash.
    if (isForged) bytes[40] = (bytes[40] ?? 0) ^ 1
    const item = { version, id: '' }
    const [frame] = frameRecords([{ item, bytes, attestations: [author.attestation.form] }])
    const number = random.whole(0, 1000)
    return encodeFrame(random.chance(0.5) ? 'pushed' : 'healed', number, frame?.body ?? bytes)
  }
}
