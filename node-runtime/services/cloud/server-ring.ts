// The ring of servers: ring 0 of the machines that are linked here, around which a token goes. What becomes of the token
// decides `core/ring-token`; here are its protocol, and who stands next.
import { EventEmitter } from 'node:events'
import * as z from 'zod'
import type { RingReport } from '../../contract/machines.ts'
import { Budget } from '../../core/budget.ts'
import type { MachineEntry } from '../../core/forms/machine-form.ts'
import { placeOf, positionsOf } from '../../core/rings/place.ts'
import { clockwise } from '../../core/rings/rings.ts'
import { TICK_MS, TokenCore } from '../../core/ring-token/token-core.ts'
import type { TokenEffect, TokenEvent } from '../../core/ring-token/token-core.ts'
import { markSchema, tokenSchema } from '../../core/ring-token/token.ts'
import { Driver } from '../../flow/driver.ts'
import type { Log } from '../../ports/log.ts'
import { jsonCodec } from '../../swarm/codec.ts'
import type { Network, PeerInfo, Protocol } from '../../swarm/network.ts'

/** A token with all the deltas that there is room for, each of characters that JSON writes as six. */
const MAX_MESSAGE_BYTES = 32_000
/** Ten times what a ring of two says. */
const MESSAGES = { burst: 100, perSecond: 20 }

const messageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('token'), token: tokenSchema }),
  z.object({ kind: z.literal('taken'), mark: markSchema }),
])
type Message = z.infer<typeof messageSchema>

export interface ServerRingOptions {
  machine: string
  network: Network & { latencyOf: (machine: string) => number | null }
  /** What is known of a machine, this one included. */
  entryOf: (machine: string) => MachineEntry | undefined
  /** What a cloud that is open to all asks for; null in others. */
  workBits: () => number | null
  /** How many machines the cloud has; those that are linked are counted if absent. */
  machines?: () => number
  log: Log
  random: () => number
}

export interface ServerRingEvents {
  /** What `report` says. */
  changed: []
}

export class ServerRing extends EventEmitter<ServerRingEvents> {
  readonly #options: ServerRingOptions
  readonly #core: TokenCore
  readonly #driver: Driver<TokenEvent, TokenEffect>
  readonly #protocol: Protocol<Message>
  /** Of each machine that speaks this protocol. */
  readonly #budgets = new Map<string, Budget>()
  /** Linked machines that have a place, as they stand after this one. */
  #order: readonly string[] = []

  constructor(options: ServerRingOptions) {
    super()
    this.setMaxListeners(0)
    const { machine, network, log, random } = options
    this.#options = options
    this.#core = new TokenCore({ own: machine, random })
    this.#driver = new Driver<TokenEvent, TokenEffect>({
      core: this.#core,
      perform: (effect) => this.#perform(effect),
      onFault: (error) => log.error('the ring failed through our own fault', { error }),
      mustKeep: ({ type }) => type === 'ring' || type === 'started',
    })
    this.#protocol = network.openProtocol<Message>({
      name: 'dharma/ring/1',
      codec: jsonCodec(messageSchema, MAX_MESSAGE_BYTES),
      opened: ({ machine: peer }) => {
        this.#budgets.set(peer, new Budget(MESSAGES, performance.now()))
        this.look()
      },
      received: (peer, message) => this.#received(peer, message),
      closed: ({ machine: peer }) => {
        this.#budgets.delete(peer)
        this.look()
      },
    })
    this.#driver.post({ type: 'started' })
  }

  get report(): RingReport {
    const { measured } = this.#core
    const timeMs = this.#core.timeAt(performance.now())
    return {
      machines: [this.#options.machine, ...this.#order],
      lap: this.#order.length === 0 ? null : measured,
      tick: timeMs === null ? null : Math.floor(timeMs / TICK_MS),
    }
  }

  /** Looks who stands where: links, entries, or what the cloud asks for may have changed. */
  look(): void {
    const { machine } = this.#options
    const own = this.#positionOf(machine)
    const others = [...this.#budgets.keys()].flatMap((peer) => {
      const position = this.#positionOf(peer)
      return own === null || position === null
        ? []
        : [{ machine: peer, gap: clockwise(own, position) }]
    })
    others.sort((a, b) => a.gap - b.gap || (a.machine < b.machine ? -1 : 1))
    const order = others.map((other) => other.machine)
    if (order.join(' ') === this.#order.join(' ')) return
    this.#order = order
    const successor = order[0] ?? null
    const machines = Math.max(order.length + 1, this.#options.machines?.() ?? 0)
    this.#driver.post({ type: 'ring', successor, machines })
    this.emit('changed')
  }

  close(): void {
    this.#driver.close()
    this.#protocol.close()
  }

  #positionOf(machine: string): number | null {
    const entry = this.#options.entryOf(machine)
    const place = entry === undefined ? null : placeOf(entry, this.#options.workBits())
    return place === null ? null : positionsOf(place)[0]!
  }

  #received({ machine: from }: PeerInfo, message: Message): void {
    if (this.#budgets.get(from)?.tryUse(1, performance.now()) !== true) return
    // Who has no place on the ring has no part in it.
    if (!this.#order.includes(from)) return
    if (message.kind === 'taken') {
      this.#driver.post({ type: 'taken', from, mark: message.mark })
      return
    }
    const hopMs = (this.#options.network.latencyOf(from) ?? 0) / 2
    this.#driver.post({ type: 'received', from, token: message.token, hopMs })
  }

  #perform(effect: TokenEffect): void {
    switch (effect.type) {
      case 'pass':
        this.#protocol.send(effect.to, { kind: 'token', token: effect.token })
        return
      case 'take':
        this.#protocol.send(effect.to, { kind: 'taken', mark: effect.mark })
        return
      case 'lap':
        this.emit('changed')
        return
      case 'delta':
      case 'setTimer':
    }
  }
}
