// The way by the local network: machines of the cloud ask who is here, and whoever is answers to all. It needs
// neither the internet nor any node of the DHT.
import { setTimeout as wait } from 'node:timers/promises'
import { lanKeyOf, openSighting, sealSighting } from '../../core/forms/lan-form.ts'
import { LocalSightings } from '../../core/finding/local-sightings.ts'
import { SEAL_NONCE_BYTES } from '../../core/keys.ts'
import { Tally } from '../../flow/tally.ts'
import type { Log } from '../../ports/log.ts'
import { WayFailure } from '../ways.ts'
import type { Heard } from '../ways.ts'
import { localInterfaces } from './interfaces.ts'
import type { LocalInterface } from './interfaces.ts'
import { LanSocket } from './lan-socket.ts'
import {
  concernsUs,
  encodeAnnouncement,
  encodeQuestion,
  MDNS_PORT,
  readPacket,
} from './mdns-packet.ts'

/** Who is here answers within a seventh of that. */
const LISTEN_MS = 1_000
/** Answers of many are spread over this time (RFC 6762, section 6). */
const FIRST_ANSWER_MS = 20
const ANSWER_SPREAD_MS = 100
/** However often it is asked, a machine says no more than once so long that it is here (the same section). */
const LEAST_BETWEEN_ANSWERS_MS = 1_000
/** Who is linked need not ask when the question of another was answered so lately: all heard the answers. */
const FRESH_MS = 45_000

export interface LocalNetworkOptions {
  cloud: string
  /** Key of this machine. */
  machine: string
  /** Of its node of the DHT; null before it has one. */
  ownPort: () => number | null
  isLinked: () => boolean
  /** Only the network in which this computer has this address; all if absent. */
  host?: string
  /** UDP port of multicast DNS; the standard's if absent. */
  port?: number
  /** The networks of this computer now; the system's if absent. */
  interfaces?: () => LocalInterface[]
  /** How long answers are waited for; a second if absent. */
  listenMs?: number
  log: Log
}

/** A local network, and what is said there. */
interface Place {
  socket: LanSocket
  /** What this machine is called here: another name in each network, so that nobody knows it again by that. */
  instance: string
  /** When this machine last heard itself; then it hears others, too. */
  echoMs: number
  answeredMs: number
  answer: NodeJS.Timeout | null
}

export class LocalNetwork {
  readonly #options: LocalNetworkOptions
  readonly #lanKey: Uint8Array
  readonly #places = new Map<string, Place>()
  readonly #sightings = new LocalSightings(performance.now())
  readonly #faults = new Tally()
  #heard: Heard | null = null
  #seenMs = Number.NEGATIVE_INFINITY
  #closed = false

  constructor(options: LocalNetworkOptions) {
    this.#options = options
    this.#lanKey = lanKeyOf(options.cloud)
  }

  /**
   * See `Ask`. What is said later, when another machine comes or asks, is told as well.
   * @throws WayFailure NO_NETWORK, PORT_TAKEN, NO_MULTICAST, NOT_HEARD
   */
  async ask(heard: Heard, signal: AbortSignal): Promise<void> {
    this.#heard = heard
    await this.#settle()
    const askedMs = performance.now()
    for (const { machine, address } of this.#sightings.live(askedMs)) {
      heard.sighted(machine, [address])
    }
    if (this.#options.isLinked() && askedMs - this.#seenMs < FRESH_MS) return
    const places = [...this.#places.values()]
    const sent = await Promise.allSettled(places.map(({ socket }) => socket.send(encodeQuestion())))
    const failed = sent.filter((one) => one.status === 'rejected')
    if (failed.length === sent.length && failed[0] !== undefined) throw failureOf(failed[0].reason)
    for (const place of places) this.#answerSoon(place)
    await listen(this.#options.listenMs ?? LISTEN_MS, signal)
    if (this.#closed || signal.aborted || places.some(({ echoMs }) => echoMs >= askedMs)) return
    // A network that was left and entered again has forgotten that this socket listens.
    await this.#leave(places)
    throw new WayFailure(
      'NOT_HEARD',
      'What this machine says on the local network does not even come back to it. Does a firewall on this ' +
        'computer keep out mDNS (UDP port 5353)? Allow it for Dharma.',
    )
  }

  /** Says goodbye. */
  async close(): Promise<void> {
    this.#closed = true
    this.#heard = null
    const places = [...this.#places.values()]
    for (const { answer } of places) if (answer !== null) clearTimeout(answer)
    await Promise.all(places.map((place) => this.#announce(place, true)))
    await this.#leave(places)
  }

  /** Listens in the networks that this computer is in now, and only there. */
  async #settle(): Promise<void> {
    const { host, interfaces = () => localInterfaces(host) } = this.#options
    const networks = new Map(interfaces().map((network) => [nameOf(network), network]))
    await this.#leave(
      [...this.#places.values()].filter(({ socket }) => !networks.has(nameOf(socket.network))),
    )
    const faults: unknown[] = []
    for (const [name, network] of networks) {
      if (this.#places.has(name) || this.#closed) continue
      try {
        await this.#enter(network)
      } catch (error) {
        faults.push(error)
        this.#noteFault(error)
      }
    }
    if (this.#places.size > 0 || this.#closed) return
    if (faults.length > 0) throw failureOf(faults[0])
    throw new WayFailure(
      'NO_NETWORK',
      'This computer is in no local network. Join one (Wi-Fi or cable); it is tried again.',
    )
  }

  async #enter(network: LocalInterface): Promise<void> {
    const place: Place = {
      socket: new LanSocket({
        network,
        port: this.#options.port ?? MDNS_PORT,
        onPacket: (bytes, host) => this.#received(place, bytes, host),
        onFault: (error) => {
          this.#noteFault(error)
          void this.#leave([place])
        },
      }),
      instance: Buffer.from(randomBytes(8)).toString('hex'),
      echoMs: Number.NEGATIVE_INFINITY,
      answeredMs: Number.NEGATIVE_INFINITY,
      answer: null,
    }
    this.#places.set(nameOf(network), place)
    try {
      await place.socket.open()
    } catch (error) {
      await this.#leave([place])
      throw error
    }
  }

  async #leave(places: readonly Place[]): Promise<void> {
    for (const { socket, answer } of places) {
      if (answer !== null) clearTimeout(answer)
      this.#places.delete(nameOf(socket.network))
    }
    await Promise.all(places.map(({ socket }) => socket.close()))
  }

  #received(place: Place, bytes: Uint8Array, host: string): void {
    const nowMs = performance.now()
    if (host === place.socket.network.host) place.echoMs = nowMs
    if (this.#closed || !concernsUs(bytes) || !this.#sightings.admits(host, nowMs)) return
    const packet = readPacket(bytes)
    if (packet === null) return
    if (packet.isQuestion) this.#answerSoon(place)
    for (const { sealed, isLeaving } of packet.named) {
      const sighting = openSighting(sealed, this.#lanKey)
      if (sighting === null || sighting.machine === this.#options.machine) continue
      if (isLeaving) {
        this.#sightings.forget(sighting, host)
        continue
      }
      this.#seenMs = nowMs
      this.#sightings.note(sighting, host, nowMs)
      this.#heard?.sighted(sighting.machine, [{ host, port: sighting.port }])
    }
  }

  /** One answer for all questions that come in the meantime. */
  #answerSoon(place: Place): void {
    if (place.answer !== null || this.#closed) return
    const politeMs = FIRST_ANSWER_MS + ANSWER_SPREAD_MS * Math.random()
    const restMs = place.answeredMs + LEAST_BETWEEN_ANSWERS_MS - performance.now()
    place.answer = setTimeout(
      () => {
        place.answer = null
        place.answeredMs = performance.now()
        void this.#announce(place, false)
      },
      Math.max(politeMs, restMs),
    )
  }

  async #announce({ socket, instance }: Place, isLeaving: boolean): Promise<void> {
    const { machine, ownPort } = this.#options
    const port = ownPort()
    if (port === null) return
    const sealed = sealSighting({ machine, port }, randomBytes(SEAL_NONCE_BYTES), this.#lanKey)
    const { host } = socket.network
    const announcement = { instance, host, port, sealed, isLeaving }
    try {
      await socket.send(encodeAnnouncement(announcement))
    } catch (error) {
      // The network may have gone; a question says so to the person.
      this.#noteFault(error)
    }
  }

  #noteFault(error: unknown): void {
    const reason = codeOf(error)
    const times = this.#faults.note(reason)
    if (times === null) return
    this.#options.log.info('a local network can not be used', { reason, times, error })
  }
}

/** In the words of the person, and what can be done. */
function failureOf(error: unknown): WayFailure {
  const code = codeOf(error)
  if (code === 'EADDRINUSE' || (code === 'EACCES' && isBind(error))) {
    return new WayFailure(
      'PORT_TAKEN',
      'Another program keeps UDP port 5353 for itself. Close it, or let it share the port, as programs that ' +
        'speak mDNS do.',
    )
  }
  return new WayFailure(
    'NO_MULTICAST',
    `This computer’s network or firewall lets no multicast through (${code}). Allow Dharma to use the local ` +
      'network; on a Mac: System Settings, Privacy & Security, Local Network.',
  )
}

function codeOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  return typeof code === 'string' ? code : String(error)
}

function isBind(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).syscall === 'bind'
}

/** Another address in the same network is another place, too. */
function nameOf({ host, netmask }: LocalInterface): string {
  return `${host}/${netmask}`
}

function randomBytes(count: number): Uint8Array {
  return globalThis.crypto.getRandomValues(new Uint8Array(count))
}

async function listen(forMs: number, signal: AbortSignal): Promise<void> {
  try {
    await wait(forMs, undefined, { signal })
  } catch {
    // It was given up: nobody waits for it.
  }
}
