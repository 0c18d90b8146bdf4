// What goes to all machines of the cloud, over the links that there are: each has it about once, and asks for what did
// not come. How that goes decides `core/broadcast`; here are its protocol, and who takes in what. Nothing is passed on
// that this machine would not take in itself.
import * as z from 'zod'
import { hashSchema, keySchema } from '../../contract/values.ts'
import { BroadcastCore, MAX_HEADS, MAX_HOPS } from '../../core/broadcast/broadcast-core.ts'
import type {
  BroadcastEffect,
  BroadcastEvent,
  BroadcastMessage,
} from '../../core/broadcast/broadcast-core.ts'
import { Budget } from '../../core/budget.ts'
import { domainBytes, hash, toHex } from '../../core/keys.ts'
import { Driver } from '../../flow/driver.ts'
import type { Log } from '../../ports/log.ts'
import { jsonCodec } from '../../swarm/codec.ts'
import type { Network, PeerInfo, Protocol } from '../../swarm/network.ts'
import { PeerFault } from '../../swarm/peer-fault.ts'

const MAX_PAYLOAD_CHARS = 8_192
/** The longest payload, of characters that JSON writes as six. */
const MAX_MESSAGE_BYTES = 64_000
/** An honest machine gathers what it says, and pushes what is new. */
const MESSAGES = { burst: 512, perSecond: 64 }

const hopsSchema = z.number().int().min(0).max(MAX_HOPS)
const itemSchema = z.object({
  id: hashSchema,
  author: keySchema,
  payload: z.string().max(MAX_PAYLOAD_CHARS),
})
const messageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('push'), item: itemSchema, hops: hopsSchema }),
  z.object({
    kind: z.literal('have'),
    heads: z.array(z.object({ id: hashSchema, hops: hopsSchema })).max(MAX_HEADS),
  }),
  z.object({ kind: z.literal('want'), ids: z.array(hashSchema).max(MAX_HEADS) }),
  z.object({ kind: z.literal('graft'), author: keySchema }),
  z.object({ kind: z.literal('prune'), author: keySchema }),
])
const payloadSchema = z.object({
  topic: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/),
  body: z.string(),
})

/**
 * Takes in what came, and says whether it holds; what does not is passed on to nobody. Of one thing to tell only one
 * body may hold: each other one goes to all, too.
 */
export type TakesIn = (body: string) => boolean

export interface BroadcastsOptions {
  machine: string
  network: Network
  log: Log
}

export class Broadcasts {
  readonly #options: BroadcastsOptions
  readonly #core = new BroadcastCore()
  readonly #driver: Driver<BroadcastEvent, BroadcastEffect>
  readonly #protocol: Protocol<BroadcastMessage>
  readonly #topics = new Map<string, TakesIn>()
  readonly #peers = new Map<string, Budget>()

  constructor(options: BroadcastsOptions) {
    this.#options = options
    const { network, log } = options
    this.#driver = new Driver<BroadcastEvent, BroadcastEffect>({
      core: this.#core,
      perform: (effect) => {
        // What is delivered was taken in before.
        if (effect.type === 'send') this.#protocol.send(effect.to, effect.message)
      },
      onFault: (error) => log.error('telling all failed through our own fault', { error }),
      mustKeep: ({ type }) => type !== 'received',
    })
    this.#protocol = network.openProtocol<BroadcastMessage>({
      name: 'dharma/broadcast/1',
      codec: jsonCodec(messageSchema, MAX_MESSAGE_BYTES),
      opened: ({ machine }) => {
        this.#peers.set(machine, new Budget(MESSAGES, performance.now()))
        this.#driver.post({ type: 'linkOpened', machine })
      },
      received: (peer, message) => this.#received(peer, message),
      closed: ({ machine }) => {
        this.#peers.delete(machine)
        this.#driver.post({ type: 'linkClosed', machine })
      },
    })
  }

  /** Hears that machine what all are told? Those of before 0.4 do not. */
  reaches(machine: string): boolean {
    return this.#peers.has(machine)
  }

  /**
   * From now on news of that topic is taken in and passed on.
   * @returns tells all; nobody is told twice of the same
   */
  open(topic: string, takesIn: TakesIn): (body: string) => void {
    this.#topics.set(topic, takesIn)
    return (body) => {
      const payload = writePayload(topic, body)
      if (payload.length > MAX_PAYLOAD_CHARS) throw new RangeError('too long to be told to all')
      const item = { id: idOf(payload), author: this.#options.machine, payload }
      this.#driver.post({ type: 'publish', item })
    }
  }

  close(): void {
    this.#driver.close()
    this.#protocol.close()
  }

  #received({ machine: from }: PeerInfo, message: BroadcastMessage): void {
    if (this.#peers.get(from)?.tryUse(1, performance.now()) !== true) return
    if (message.kind === 'push' && !this.#core.hasSeen(message.item.id)) {
      const { id, payload } = message.item
      if (id !== idOf(payload)) throw new PeerFault('what it tells all has another hash')
      if (!this.#takesIn(payload)) return
    }
    this.#driver.post({ type: 'received', from, message })
  }

  #takesIn(text: string): boolean {
    let json: unknown
    try {
      json = JSON.parse(text)
    } catch {
      throw new PeerFault('what it tells all can’t be read')
    }
    const payload = payloadSchema.safeParse(json)
    if (!payload.success) throw new PeerFault('what it tells all can’t be read')
    const { topic, body } = payload.data
    // Written otherwise it has another id, and would go to all once more.
    if (writePayload(topic, body) !== text) return false
    return this.#topics.get(topic)?.(body) ?? false
  }
}

function writePayload(topic: string, body: string): string {
  return JSON.stringify({ topic, body })
}

function idOf(payload: string): string {
  return toHex(hash(domainBytes('dharma/broadcast/1', payload)))
}
