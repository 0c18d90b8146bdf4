// A simulated machine on the rings: the production cores of rings, broadcast and token, on a clock of its own.
import { BroadcastCore } from '../core/broadcast/broadcast-core.ts'
import type { BroadcastEvent, BroadcastMessage } from '../core/broadcast/broadcast-core.ts'
import { hash, toHex } from '../core/keys.ts'
import { positionsOf } from '../core/rings/place.ts'
import { RingCore } from '../core/rings/ring-core.ts'
import type { Member, RingEvent, RingMessage } from '../core/rings/ring-events.ts'
import { TokenCore } from '../core/ring-token/token-core.ts'
import type { TokenEvent } from '../core/ring-token/token-core.ts'
import type { Token, TokenMark } from '../core/ring-token/token.ts'
import type { Caller, DialNetwork } from './dial-network.ts'
import type { Random } from './random.ts'
import type { World } from './world.ts'

export type Said =
  | { of: 'rings'; message: RingMessage }
  | { of: 'broadcast'; message: BroadcastMessage }
  | { of: 'token'; token: Token }
  | { of: 'taken'; mark: TokenMark }

/** Bugs planted on purpose. */
export interface RingPlant {
  /** Who is asked of a machine, and lies, is believed at once, whether that machine is linked or not. */
  believesAnyone?: boolean
  /** Nobody looks into a link that ends. */
  keepsDead?: boolean
  /** A token is passed on whatever was seen before. */
  keepsTokens?: boolean
  /** What did not come is not asked for. */
  neverAsks?: boolean
}

export interface RingParts {
  world: World
  network: DialNetwork<Said>
  random: Random
  machines: ReadonlyMap<string, RingMachine>
  plant: RingPlant
  gone: (by: RingMachine, machine: string) => void
  delivered: (by: RingMachine, payload: string, hops: number) => void
}

export class RingMachine implements Caller<Said> {
  readonly key: string
  readonly network: string
  readonly #parts: RingParts
  readonly #at: readonly number[]
  /** Its clock is off by this, and by this part of what passes. */
  readonly #offMs: number
  readonly #drift: number
  rings: RingCore | null = null
  token: TokenCore | null = null
  #broadcast: BroadcastCore | null = null
  #life = 0
  #timer = 0
  readonly #timers = new Map<string, number>()
  #incarnation = 1
  #published = 0
  /** It says that machines do not answer which do, and vouches for those that are gone. */
  isLiar = false
  /** Since when it is up, or down; virtual ms. */
  changedMs = 0
  stalledUntilMs = 0
  readonly #stalled: (() => void)[] = []

  constructor(number: number, parts: RingParts) {
    this.#parts = parts
    this.key = `machine-${number}`
    this.network = `10.${parts.random.whole(0, 63)}`
    this.#at = positionsOf(toHex(hash(Buffer.from(`${this.key} ${parts.random.next()}`))))
    this.#offMs = parts.random.between(0, 1e6)
    this.#drift = parts.random.between(-1e-4, 1e-4)
  }

  get isUp(): boolean {
    return this.rings !== null
  }

  get isStalled(): boolean {
    return this.stalledUntilMs > this.#parts.world.nowMs
  }

  get member(): Member {
    const { key, network } = this
    return { machine: key, at: this.#at, incarnation: this.#incarnation, network }
  }

  /** Its own monotonic clock. */
  get nowMs(): number {
    return this.#offMs + this.#parts.world.nowMs * (1 + this.#drift)
  }

  start(known: readonly RingMachine[]): void {
    const { random, world } = this.#parts
    this.changedMs = world.nowMs
    this.#incarnation += 1
    this.rings = new RingCore({
      own: this.member,
      random: random.next,
      needs: () => false,
    })
    this.#broadcast = new BroadcastCore()
    this.token = new TokenCore({ own: this.key, random: random.next })
    this.#onRings({ type: 'remembered', members: known.map(({ member }) => member) })
    this.#onRings({ type: 'started' })
    this.#onToken({ type: 'started' })
  }

  /** Stops without a word. */
  crash(): void {
    this.rings = null
    this.#broadcast = null
    this.token = null
    this.#life += 1
    this.#timers.clear()
    this.#stalled.length = 0
    this.stalledUntilMs = 0
    this.changedMs = this.#parts.world.nowMs
    this.#parts.network.crashed(this.key)
  }

  /** Stands still: what comes meanwhile comes at the end. */
  stall(forMs: number): void {
    const { world } = this.#parts
    this.stalledUntilMs = world.nowMs + forMs
    const life = this.#life
    world.after(forMs, () => {
      if (this.#life !== life) return
      for (const happens of this.#stalled.splice(0)) happens()
    })
  }

  publish(payload: string): void {
    this.#published += 1
    const id = `${this.key} ${this.#incarnation} ${this.#published}`
    this.#onBroadcast({ type: 'publish', item: { id, author: this.key, payload } })
  }

  /** Tells all that are linked the contrary of what is true: who lives does not answer, who is gone was there. */
  lie(about: RingMachine): void {
    const { machine } = about.member
    for (const peer of this.rings?.plan.links.keys() ?? []) {
      const told = [{ member: about.member, ageMs: 0 }]
      const messages: RingMessage[] = about.isUp
        ? [
            { kind: 'probe', machine },
            { kind: 'probed', machine, answers: false },
          ]
        : [
            { kind: 'probed', machine, answers: true },
            { kind: 'near', members: told },
          ]
      for (const message of messages) {
        this.#parts.network.send(this.key, peer, { of: 'rings', message })
      }
    }
  }

  opened(peer: string, dialled: boolean, network: string): void {
    this.#when(() => {
      const member = this.#parts.machines.get(peer)?.member
      if (member === undefined) return
      this.#onBroadcast({ type: 'linkOpened', machine: peer })
      this.#onRings({ type: 'linkOpened', member, dialled, network })
    })
  }

  closed(peer: string, silent: boolean): void {
    this.#when(() => {
      if (this.#parts.plant.keepsDead === true) return
      this.#onBroadcast({ type: 'linkClosed', machine: peer })
      this.#onRings({ type: 'linkClosed', machine: peer, silent })
    })
  }

  doubted(peer: string): void {
    this.#when(() => this.#onRings({ type: 'doubted', machine: peer }))
  }

  received(peer: string, said: Said): void {
    this.#when(() => {
      const { plant, network } = this.#parts
      switch (said.of) {
        case 'rings':
          if (plant.believesAnyone === true && said.message.kind === 'probed') {
            this.rings?.view.miss(said.message.machine, this.nowMs)
            if (!said.message.answers) this.#parts.gone(this, said.message.machine)
          }
          return this.#onRings({ type: 'received', from: peer, message: said.message })
        case 'broadcast':
          if (plant.neverAsks === true && said.message.kind === 'have') return
          return this.#onBroadcast({ type: 'received', from: peer, message: said.message })
        case 'token': {
          if (plant.keepsTokens === true) return this.#passOn(peer, said.token)
          // As heartbeats measure it: half of a mean round trip.
          const hopMs = network.delayOf(this.key, peer) + network.faults.jitterMs / 2
          return this.#onToken({ type: 'received', from: peer, token: said.token, hopMs })
        }
        case 'taken':
          return this.#onToken({ type: 'taken', from: peer, mark: said.mark })
      }
    })
  }

  /** Planted: one that does not ask which token counts. */
  #passOn(peer: string, token: Token): void {
    const { network, world } = this.#parts
    network.send(this.key, peer, { of: 'taken', mark: token })
    const next = this.rings?.beside(0, 1)?.machine
    if (next === undefined) return
    world.after(20, () => {
      network.send(this.key, next, { of: 'token', token: { ...token, step: token.step + 1 } })
    })
  }

  #when(happens: () => void): void {
    if (!this.isUp) return
    if (this.isStalled) this.#stalled.push(happens)
    else happens()
  }

  #onRings(event: RingEvent): void {
    const { rings } = this
    if (rings === null) return
    const { world, network, machines, gone } = this.#parts
    const effects = rings.step(event, this.nowMs)
    world.note(event.type.length, Math.round(world.nowMs * 1000), effects.length)
    for (const effect of effects) {
      if (this.rings !== rings) return
      switch (effect.type) {
        case 'send':
          network.send(this.key, effect.to, { of: 'rings', message: effect.message })
          break
        case 'reach': {
          const other = machines.get(effect.member.machine)
          if (other !== undefined) network.dial(this, other)
          break
        }
        case 'forgo':
          break
        case 'release':
          network.hangUp(this.key, effect.machine)
          break
        case 'check': {
          const { machine } = effect
          network.ping(this.key, machine, () =>
            this.#when(() => this.#onRings({ type: 'answered', machine })),
          )
          break
        }
        case 'watch':
          network.watch(this.key, effect.machines)
          break
        case 'gone':
          gone(this, effect.machine)
          break
        case 'ring':
          this.#onToken({ type: 'ring', successor: effect.successor, machines: effect.machines })
          break
        case 'setTimer':
          this.#setTimer(`rings ${effect.id}`, effect.afterMs, () =>
            this.#onRings({ type: 'timer', id: effect.id }),
          )
      }
    }
  }

  #onBroadcast(event: BroadcastEvent): void {
    const broadcast = this.#broadcast
    if (broadcast === null) return
    const { world, network, delivered } = this.#parts
    for (const effect of broadcast.step(event, this.nowMs)) {
      switch (effect.type) {
        case 'send':
          network.send(this.key, effect.to, { of: 'broadcast', message: effect.message })
          break
        case 'deliver':
          delivered(this, effect.item.payload, effect.hops)
          break
        case 'setTimer':
          this.#setTimer(`broadcast ${effect.id}`, effect.afterMs, () =>
            this.#onBroadcast({ type: 'timer', id: effect.id }),
          )
      }
    }
    world.note(event.type.length)
  }

  #onToken(event: TokenEvent): void {
    const { token } = this
    if (token === null) return
    const { network } = this.#parts
    for (const effect of token.step(event, this.nowMs)) {
      switch (effect.type) {
        case 'pass':
          network.send(this.key, effect.to, { of: 'token', token: effect.token })
          break
        case 'take':
          network.send(this.key, effect.to, { of: 'taken', mark: effect.mark })
          break
        case 'setTimer':
          this.#setTimer(`token ${effect.id}`, effect.afterMs, () =>
            this.#onToken({ type: 'timer', id: effect.id }),
          )
          break
        case 'lap':
        case 'delta':
          break
      }
    }
  }

  #setTimer(id: string, afterMs: number, rings: () => void): void {
    const number = (this.#timer += 1)
    const life = this.#life
    this.#timers.set(id, number)
    this.#parts.world.after(afterMs, () => {
      if (this.#timers.get(id) !== number || this.#life !== life) return
      this.#timers.delete(id)
      this.#when(rings)
    })
  }
}
