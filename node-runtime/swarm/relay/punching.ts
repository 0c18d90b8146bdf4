// A link that goes through a relay is tried directly again, when `core/relay/punch-plan.ts` says so. Whoever dialled it
// dials once more, without a relay and under a key for this one time; where that comes through, both ends move the
// link to the hole that it left, and nothing that is under way is lost.
import { randomBytes } from 'node:crypto'
import type DHT from 'hyperdht'
import type { SwarmConnection } from 'hyperswarm'
import * as z from 'zod'
import { keySchema, signatureSchema } from '../../contract/values.ts'
import { Budget } from '../../core/budget.ts'
import { decodeKey, encodeKey, keyPair } from '../../core/keys.ts'
import { isPunchOf, provePunch } from '../../core/relay/key-proofs.ts'
import { PunchPlan } from '../../core/relay/punch-plan.ts'
import { jsonCodec } from '../codec.ts'
import type { Link } from '../link.ts'
import type { Links } from '../links.ts'
import { PeerFault } from '../peer-fault.ts'
import type { Protocol } from '../network.ts'
import type { Routes } from './routes.ts'

const SEED_BYTES = 32
/** Behind routers that choose ports by chance the stack tries for half a minute. */
const OPEN_WITHIN_MS = 45_000
/** A linked machine answers in a round trip. */
const READY_WITHIN_MS = 10_000
/** Until the link has moved over. */
const LINGER_MS = 5_000
/** Guesses at keys are of no use: each is 32 bytes by chance. One a link is enough, and this bounds them. */
const MAX_EXPECTED = 64
/** Of one machine, which asks every twenty seconds at most: each is a signature to check. */
const ASKS = { burst: 10, perSecond: 1 }
const MAX_MESSAGE_BYTES = 300

/** `ask`: a connection under this key comes, which the sender has made, and is no new link. `ready`: let it come. */
const messageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ask'), key: keySchema, proof: signatureSchema }),
  z.object({ kind: z.literal('ready'), key: keySchema }),
])
type Message = z.infer<typeof messageSchema>

export interface PunchingOptions {
  machine: string
  links: Pick<Links, 'openProtocol' | 'values' | 'get'>
  routes: Pick<Routes, 'isThroughRelay'>
  dht: Pick<DHT, 'connect'>
  /** How often at most; see `PUNCH_EVERY_MS`. */
  everyMs?: number
}

export class Punching {
  readonly #options: PunchingOptions
  readonly #plan: PunchPlan
  readonly #protocol: Protocol<Message>
  /** By key: the machine from which a connection under it is to come. */
  readonly #expected = new Map<string, string>()
  readonly #asks = new Map<string, Budget>()
  /** What this machine tries now. */
  #attempt: { machine: string; seed: Buffer; key: string; timer: NodeJS.Timeout } | null = null
  readonly #holes = new Set<SwarmConnection>()
  #closed = false

  constructor(options: PunchingOptions) {
    this.#options = options
    this.#plan = new PunchPlan(options.everyMs)
    this.#protocol = options.links.openProtocol<Message>({
      name: 'dharma/punch/1',
      codec: jsonCodec(messageSchema, MAX_MESSAGE_BYTES),
      opened: ({ machine }) => void this.#asks.set(machine, new Budget(ASKS, performance.now())),
      received: ({ machine }, message) => {
        if (message.kind === 'ask') this.#asked(machine, message)
        else this.#ready(machine, message.key)
      },
      closed: ({ machine }) => {
        this.#asks.delete(machine)
        this.#forget(machine)
      },
    })
  }

  /** Tries a link, if it is time. */
  look(nowMs: number): void {
    const { links, routes } = this.#options
    const relayed: string[] = []
    for (const link of links.values()) {
      if (link.connection.isInitiator && routes.isThroughRelay(link))
        relayed.push(link.entry.machine)
    }
    const machine = this.#plan.take(relayed, nowMs)
    if (machine === null || this.#closed) return
    const seed = randomBytes(SEED_BYTES)
    const proved = provePunch(keyPair(seed), this.#options.machine, machine)
    const timer = setTimeout(() => this.#forget(machine), READY_WITHIN_MS)
    this.#attempt = { machine, seed, key: proved.key, timer }
    this.#protocol.send(machine, { kind: 'ask', ...proved })
  }

  networkChanged(): void {
    this.#plan.beginAnew()
  }

  /** Does somebody dial under this key only to make way for a link? */
  expects(key: string): boolean {
    return this.#expected.has(key)
  }

  /** Is this connection one that is to make way for a link? Then it is dealt with here. */
  takes(connection: SwarmConnection): boolean {
    const key = encodeKey(connection.remotePublicKey)
    const machine = this.#expected.get(key)
    if (machine === undefined) return false
    this.#expected.delete(key)
    this.#use(machine, connection)
    return true
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#attempt?.timer)
    for (const hole of this.#holes) hole.destroy()
  }

  #asked(machine: string, { key, proof }: Extract<Message, { kind: 'ask' }>): void {
    if (this.#asks.get(machine)?.tryUse(1, performance.now()) !== true) {
      throw new PeerFault('it wants to punch too often')
    }
    if (!isPunchOf({ key, proof }, machine, this.#options.machine)) {
      throw new PeerFault('it names a key that is not its own')
    }
    this.#forgetExpected(machine)
    if (this.#expected.size >= MAX_EXPECTED) return
    this.#expected.set(key, machine)
    this.#protocol.send(machine, { kind: 'ready', key })
  }

  #ready(machine: string, key: string): void {
    const attempt = this.#attempt
    const publicKey = decodeKey(machine)
    if (attempt?.machine !== machine || attempt.key !== key || publicKey === null) return
    this.#attempt = null
    clearTimeout(attempt.timer)
    const hole = this.#options.dht.connect(publicKey, { keyPair: keyPair(attempt.seed) })
    hole.once('close', () => this.#plan.ended(performance.now()))
    this.#use(machine, hole)
  }

  /** Moves the link to where this connection comes from, once it is open; it is ended then. */
  #use(machine: string, hole: SwarmConnection): void {
    this.#holes.add(hole)
    let timer = setTimeout(() => hole.destroy(), OPEN_WITHIN_MS)
    hole.on('error', () => {
      // There was no way through, or it has served; it is closed then.
    })
    hole.once('close', () => {
      clearTimeout(timer)
      this.#holes.delete(hole)
    })
    hole.once('open', () => {
      clearTimeout(timer)
      timer = setTimeout(() => hole.destroy(), LINGER_MS)
      const link = this.#options.links.get(machine)
      if (link !== undefined && this.#options.routes.isThroughRelay(link)) moveTo(link, hole)
    })
  }

  #forget(machine: string): void {
    this.#forgetExpected(machine)
    if (this.#attempt?.machine !== machine) return
    clearTimeout(this.#attempt.timer)
    this.#attempt = null
    this.#plan.ended(performance.now())
  }

  #forgetExpected(machine: string): void {
    for (const [key, expected] of this.#expected) {
      if (expected === machine) this.#expected.delete(key)
    }
  }
}

/** As if a packet of the link had come from there: the stack then goes over to that way, as after its own punch. */
function moveTo({ connection }: Link, hole: SwarmConnection): void {
  const { socket, remoteHost, remotePort } = hole.rawStream
  if (socket !== null && remoteHost !== null) {
    connection.rawStream._firewall(socket, remotePort, remoteHost)
  }
}
