// Keeps this machine's place on the rings: who stands beside it, whom it links with, and who is gone. What it knows
// is a part of the cloud at any size of it. Each link that falls silent is looked into (`suspicion.ts`). Nobody tells
// that others are gone: each believes its own links, and what nobody vouches for is forgotten.
import { Budget } from '../budget.ts'
import { Penalties } from '../finding/penalties.ts'
import type { Core } from '../step.ts'
import { Bystanders } from './bystanders.ts'
import { LinkPlan, MAX_LINKS } from './link-plan.ts'
import type { HeldLink } from './link-plan.ts'
import { RINGS } from './place.ts'
import type { Member, RingEffect, RingEvent, RingMessage, Told } from './ring-events.ts'
import { clockwise } from './rings.ts'
import { Suspicion } from './suspicion.ts'
import { View } from './view.ts'

const TICK_MS = 2_000
/**
 * Every so often one linked machine is asked who is near, and ever more rarely while links and neighbours stay as they
 * are and nobody is missed, who is tried again when somebody else vouches for it. Where all have links with all, nobody
 * knows what another does not.
 */
const EXCHANGE_MS = 10_000
const RARE_EXCHANGE_MS = 30_000
const WHOLE_EXCHANGE_MS = 120_000
/** In a cloud of up to so many, an answer tells of nearly all. */
const FEW_MACHINES = 2 * MAX_LINKS
const FEW_EXCHANGE_MS = 60_000
/** Each so manyth one that is asked is any that is linked: so that news of others comes, too. */
const OTHER_ASKED = 3
/** News that is told unasked; of a machine that comes, as many hear as stand beside it. */
const PUSHES = { burst: 64, perSecond: 4 }
/** What one answer tells beside those near, so that views mix. */
const OTHERS_TOLD = 4
/** Twice what an honest machine tells. */
export const MAX_TOLD = 48
/** Who comes before us dials us; after so long we dial it. */
const FIRST_WAIT_MS = 5_000
const AGAIN_MS = 5_000
/** A neighbour that can't be reached for so long is passed over; that it is gone, only who had a link can say. */
const UNREACHED_MS = 20_000
/** Machines that were lost may be behind a network that was cut: one is tried now and then, while all is calm more rarely. */
const OLD_FRIENDS_MS = 30_000
const RARE_FRIENDS_MS = 240_000
const LONELY_MS = 4_000
/**
 * Where hardly anybody has room for a link by chance, one is tried ever more rarely, also when one was found now and
 * then; and each machine, whether it was out of reach or had no room, waits ever longer for its next turn.
 */
const LAST_CHOICE_MS = 240_000
const CHOSEN_WAITS = { firstMs: 60_000, longestMs: 60 * 60_000 }
const MAX_REMEMBERED = 64
/** What one link may say; an honest one says less than one message a second. */
const MESSAGES = { burst: 60, perSecond: 10 }
/** Of these, so many may have a machine looked at: one that loses all of its links at once asks twice of each. */
const PROBES = { burst: 4 * MAX_LINKS, perSecond: 0.5 }
/** The ring is told again when there are so many more or fewer machines. */
const TELL_CHANGE = 0.1

/** Who was asked to let a link go, and says nothing, has let it go. */
const RELEASED_MS = 3_000
/** A link that one side needs is left for so long, then it is asked again. */
const KEPT_MS = 60_000
/** Links beyond the plan that are left because the other side says that it needs them, which it may always say. */
export const MAX_KEPT = MAX_LINKS

interface Want {
  sinceMs: number
  nextMs: number
}

export interface RingOptions {
  own: Member
  /** 0 to 1. */
  random: () => number
  /** Does something here need a link with that machine, wherever it stands? */
  needs: (machine: string) => boolean
  /** Is it one that this machine links with more easily than with others? None is if absent. */
  prefers?: (machine: string) => boolean
}

export class RingCore implements Core<RingEvent, RingEffect> {
  readonly view: View
  readonly plan = new LinkPlan()
  readonly #random: () => number
  readonly #suspicion = new Suspicion(this.plan.links)
  readonly #wants = new Map<string, Want>()
  readonly #budgets = new Map<string, { messages: Budget; probes: Budget }>()
  readonly #needs: RingOptions['needs']
  readonly #prefers: NonNullable<RingOptions['prefers']>
  /** Links beyond the plan that one of both sides needs, and until when they are left. */
  readonly #kept = new Map<string, { link: HeldLink; untilMs: number }>()
  /** Those that were asked to let the link go, and until when they may say that they need it. */
  readonly #ending = new Map<string, { link: HeldLink; untilMs: number }>()
  readonly #bystanders = new Bystanders()
  readonly #remembered = new Map<string, Member>()
  #effects: RingEffect[] = []
  #nowMs = 0
  #exchangeMs = 0
  #exchangeWaitMs = EXCHANGE_MS
  #asked = 0
  #turn = 0
  readonly #pushes = new Budget(PUSHES, 0)
  #friendsMs = 0
  #friendsWaitMs = OLD_FRIENDS_MS
  /** When the next link by chance is tried, and how long it is waited after that. */
  #choiceMs = 0
  #choiceWaitMs = TICK_MS
  readonly #chosen = new Penalties(CHOSEN_WAITS)
  /**
   * Those that asked for the end of a link that this machine did not need. They know another one beside them, and dial when
   * it is gone: of two, who asked last dials first; both may where both asked.
   */
  readonly #contented = new Penalties(CHOSEN_WAITS)
  /** Is the next one that is chosen to be one of those that are preferred? */
  #preferring = true
  #watched: readonly string[] = []
  #told: { successor: string | null; machines: number } = { successor: null, machines: 1 }

  constructor({ own, random, needs, prefers = () => false }: RingOptions) {
    this.view = new View(own)
    this.#random = random
    this.#needs = needs
    this.#prefers = prefers
  }

  /** Did this machine lose so many links at once that it is likelier to be cut off itself? */
  get isCutOff(): boolean {
    return this.#suspicion.isCutOff(this.#nowMs)
  }

  /** Was it lost, and are others asked now whether it answers them? */
  isSuspected(machine: string): boolean {
    return this.#suspicion.has(machine)
  }

  /** Do others wait to hear whether it answers this machine? */
  isAskedOf(machine: string): boolean {
    return this.#suspicion.isAskedOf(machine)
  }

  /** The rings, from 0, on which that machine stands next to this one. */
  ringsBeside(machine: string): number[] {
    return Array.from({ length: RINGS }, (_, ring) => ring).filter((ring) =>
      ([1, -1] as const).some((step) => this.beside(ring, step)?.machine === machine),
    )
  }

  /** Who comes next on a ring, of all who are known, and who came before. */
  beside(ring: number, step: 1 | -1): Member | undefined {
    return this.view.rings.beside(this.view.own, ring, step, 1)[0]
  }

  step(event: RingEvent, nowMs: number): RingEffect[] {
    this.#nowMs = nowMs
    this.#effects = []
    this.#handle(event)
    return this.#effects
  }

  #handle(event: RingEvent): void {
    switch (event.type) {
      case 'started':
        return this.#timer(TICK_MS * this.#random())
      case 'remembered':
        for (const member of event.members) {
          if (this.#remembered.size < MAX_REMEMBERED) this.#remembered.set(member.machine, member)
        }
        return
      case 'linkSeen':
        return this.#bystanders.opened(event.machine, this.#nowMs)
      case 'linkOpened':
        return this.#opened(event.member, event.dialled, event.network)
      case 'linkClosed':
        return this.#closed(event.machine, event.silent)
      case 'doubted':
        return this.#emit(...this.#suspicion.probe(event.machine))
      case 'received':
        return this.#received(event.from, event.message)
      case 'told':
        return this.#near(event.members)
      case 'answered':
        return this.#emit(...this.#suspicion.answer(event.machine, true))
      case 'timer':
        return this.#tick()
    }
  }

  #opened(member: Member, dialled: boolean, network: string | null): void {
    const { machine } = member
    if (machine === this.view.own.machine) return
    this.#bystanders.left(machine)
    this.#kept.delete(machine)
    this.#ending.delete(machine)
    const link = { dialled, sinceMs: this.#nowMs, network }
    this.#budgets.set(machine, {
      messages: new Budget(MESSAGES, this.#nowMs),
      probes: new Budget(PROBES, this.#nowMs),
    })
    const isNew = !this.view.rings.has(machine)
    this.view.meet(member, this.#nowMs)
    this.#suspicion.clear(machine)
    // It may stand beside this machine, which had lost it: then there is room for it.
    this.#look()
    if (isNew) this.#tellBeside([member])
    if (!this.plan.hasRoom(machine, dialled, network)) return this.#release(machine, link)
    this.#wants.delete(machine)
    this.#open(machine, link)
    if (!this.plan.links.has(machine)) return
    this.#send(machine, { kind: 'who' })
    this.#tellRing()
  }

  #closed(machine: string, silent: boolean): void {
    this.#budgets.delete(machine)
    this.#bystanders.left(machine)
    this.#kept.delete(machine)
    this.#ending.delete(machine)
    if (!this.plan.links.delete(machine)) return
    this.#exchangeWaitMs = EXCHANGE_MS
    const member = this.view.get(machine)
    if (member !== undefined) {
      this.view.miss(machine, this.#nowMs)
      if (silent) {
        this.#emit(...this.#suspicion.lost(member, this.#nowMs))
      } else {
        this.#emit({ type: 'reach', member })
      }
    }
    this.#look()
    this.#tellRing()
  }

  #received(from: string, message: RingMessage): void {
    const member = this.view.get(from)
    if (member === undefined) return
    const budgets = this.#budgets.get(from)
    if (budgets?.messages.tryUse(1, this.#nowMs) !== true) return
    switch (message.kind) {
      case 'who': {
        const members = this.view.tell(member, OTHERS_TOLD, this.#random, this.#nowMs)
        return this.#send(from, { kind: 'near', members })
      }
      case 'near':
        return this.#near(message.members)
      case 'probe':
        if (!budgets.probes.tryUse(1, this.#nowMs)) return
        return this.#emit(...this.#suspicion.askedOf(message.machine, from, this.#nowMs))
      case 'probed':
        return this.#probed(message.machine, { by: from, answers: message.answers })
      case 'release':
        return this.#releaseAsked(from)
      case 'keep': {
        const ending = this.#ending.get(from)
        if (ending === undefined) return
        this.#ending.delete(from)
        this.#kept.set(from, { link: ending.link, untilMs: this.#nowMs + KEPT_MS })
        this.#endHoarded()
      }
    }
  }

  /** Only so many links are kept because others say so; the one that has been there longest makes room. */
  #endHoarded(): void {
    const theirs = [...this.#kept].filter(([machine]) => !this.#needs(machine))
    if (theirs.length <= MAX_KEPT) return
    const [oldest] = theirs.reduce((one, other) =>
      other[1].link.sinceMs < one[1].link.sinceMs ? other : one,
    )
    this.#kept.delete(oldest)
    this.#emit({ type: 'release', machine: oldest })
  }

  #releaseAsked(by: string): void {
    if (this.#needs(by)) return this.#send(by, { kind: 'keep' })
    if (!this.#ending.has(by)) this.#contented.note(by, this.#nowMs)
    this.plan.links.delete(by)
    this.#kept.delete(by)
    this.#ending.delete(by)
    this.#emit({ type: 'release', machine: by })
    this.#look()
    this.#tellRing()
  }

  #near(members: readonly Told[]): void {
    const told = members.slice(0, MAX_TOLD)
    const news = told.filter(({ member }) => !this.view.rings.has(member.machine))
    for (const { member, ageMs } of told) {
      this.view.learn(member, this.#nowMs - Math.max(0, ageMs), this.#nowMs)
    }
    this.view.tidy(this.plan.links.keys(), this.#nowMs)
    this.#look()
    this.#tellBeside(news.map(({ member }) => member))
    this.#tellRing()
  }

  /**
   * Who is linked and stands beside one that is new here may not know it either; if it does not, it tells those whom it
   * knows to be nearer: so news of a machine goes to those beside it, and to few others.
   */
  #tellBeside(news: readonly Member[]): void {
    const toTell = new Map<string, Member[]>()
    for (const member of news) {
      if (!this.view.rings.has(member.machine)) continue
      for (const { machine } of this.view.rings.near(member, 1)) {
        if (!this.plan.links.has(machine)) continue
        toTell.set(machine, [...(toTell.get(machine) ?? []), member])
      }
    }
    for (const [to, members] of toTell) {
      if (!this.#pushes.tryUse(1, this.#nowMs)) return
      this.#send(to, { kind: 'near', members: this.view.agesOf(members, this.#nowMs) })
    }
  }

  #probed(machine: string, word: { by: string; answers: boolean }): void {
    const { effects, answered } = this.#suspicion.probed(machine, word, this.#nowMs)
    if (answered !== null) this.view.learn(answered, this.#nowMs, this.#nowMs)
    this.#emit(...effects)
  }

  #tick(): void {
    this.view.tidy([...this.plan.links.keys()], this.#nowMs)
    this.#emit(...this.#suspicion.tick(this.#nowMs))
    this.#exchange()
    this.#look()
    this.#reach()
    this.#letGo()
    this.#tellRing()
    this.#timer(TICK_MS * (0.9 + 0.2 * this.#random()))
  }

  /** Looks who stands beside this machine now. */
  #look(): void {
    const neighbours = new Set<string>()
    for (let ring = 0; ring < RINGS; ring++) {
      for (const step of [1, -1] as const) {
        const member = this.beside(ring, step)
        if (member === undefined) continue
        neighbours.add(member.machine)
        if (this.#wants.has(member.machine) || this.#isLinked(member.machine)) continue
        if (this.#contented.isWaiting(member.machine, this.#nowMs)) continue
        // Whoever comes before dials: so each machine has dialled half of its neighbours.
        const waitMs = step === 1 ? 0 : FIRST_WAIT_MS
        this.#wants.set(member.machine, { sinceMs: this.#nowMs, nextMs: this.#nowMs + waitMs })
      }
    }
    const isOther =
      neighbours.size !== this.plan.neighbours.size ||
      [...neighbours].some((machine) => !this.plan.neighbours.has(machine))
    if (isOther) this.#exchangeWaitMs = EXCHANGE_MS
    this.plan.neighbours = neighbours
    const wasWhole = this.plan.isWhole
    this.plan.isWhole = this.view.rings.size <= MAX_LINKS
    if (wasWhole && !this.plan.isWhole) this.#letGo()
    for (const machine of this.#wants.keys()) {
      if (!neighbours.has(machine)) this.#wants.delete(machine)
    }
  }

  #reach(): void {
    for (const [machine, want] of this.#wants) {
      const member = this.view.get(machine)
      if (member === undefined || want.nextMs > this.#nowMs) continue
      if (this.#nowMs - want.sinceMs > UNREACHED_MS) {
        this.#wants.delete(machine)
        this.view.miss(machine, this.#nowMs)
        continue
      }
      want.nextMs = this.#nowMs + AGAIN_MS
      this.#emit({ type: 'reach', member })
    }
    for (const member of this.view.takeDoubtful(this.#nowMs)) {
      if (!this.#isLinked(member.machine)) this.#emit({ type: 'reach', member })
    }
    this.#choose()
    if (this.#suspicion.hasLosses) this.#friendsWaitMs = OLD_FRIENDS_MS
    const lonely = this.plan.links.size === 0
    if (this.#nowMs - this.#friendsMs < (lonely ? LONELY_MS : this.#friendsWaitMs)) return
    this.#friendsMs = this.#nowMs
    this.#friendsWaitMs = Math.min(RARE_FRIENDS_MS, 2 * this.#friendsWaitMs)
    // Who is vouched for by others is in the same part of the network.
    const apart = [...this.#remembered.values()].filter(
      ({ machine }) => !this.view.rings.has(machine),
    )
    this.#reachOne([...apart, ...this.view.missed])
  }

  #choose(): void {
    if (!this.plan.wantsChosen) {
      if (this.#nowMs - this.#choiceMs > LAST_CHOICE_MS) this.#choiceWaitMs = TICK_MS
      return
    }
    const others = [...this.view.rings.all()].filter(
      ({ machine }) => !this.#contented.isWaiting(machine, this.#nowMs),
    )
    if (this.plan.isWhole) return void this.#chooseOf(others)
    if (this.#nowMs < this.#choiceMs) return
    this.#choiceMs = this.#nowMs + this.#choiceWaitMs
    this.#choiceWaitMs = Math.min(LAST_CHOICE_MS, 2 * this.#choiceWaitMs)
    const tried = this.#chooseOf(
      others.filter(({ machine }) => !this.#chosen.isWaiting(machine, this.#nowMs)),
    )
    if (tried !== null) this.#chosen.note(tried, this.#nowMs)
  }

  /**
   * Every second one is one of those that are preferred, as long as there are any: who could be preferred by all, and lies,
   * gets no more than half.
   */
  #chooseOf(others: readonly Member[]): string | null {
    const isTheirTurn = this.#preferring
    this.#preferring = !isTheirTurn
    const preferred = isTheirTurn ? others.filter(({ machine }) => this.#prefers(machine)) : []
    return this.#reachOne(preferred) ?? this.#reachOne(others)
  }

  /** Whom it tried; null if there is nobody. */
  #reachOne(members: readonly Member[]): string | null {
    const free = members.filter(
      ({ machine, network }) => !this.#isLinked(machine) && this.plan.isApart(network),
    )
    const member = free[Math.floor(this.#random() * free.length)]
    if (member === undefined) return null
    this.#emit({ type: 'reach', member })
    return member.machine
  }

  #isLinked(machine: string): boolean {
    return this.plan.links.has(machine) || this.#kept.has(machine) || this.#ending.has(machine)
  }

  #exchange(): void {
    if (this.view.isMissingAny) this.#exchangeWaitMs = EXCHANGE_MS
    if (this.#nowMs - this.#exchangeMs < this.#exchangeWaitMs) return
    this.#exchangeMs = this.#nowMs
    this.#exchangeWaitMs = Math.min(this.#rarestExchangeMs, 2 * this.#exchangeWaitMs)
    const to = this.#nextAsked()
    if (to !== undefined) this.#send(to, { kind: 'who' })
  }

  get #rarestExchangeMs(): number {
    if (this.plan.isWhole) return WHOLE_EXCHANGE_MS
    return this.view.rings.size <= FEW_MACHINES ? FEW_EXCHANGE_MS : RARE_EXCHANGE_MS
  }

  /** Those beside this machine in turn, since they know whom it may have passed over, and now and then another. */
  #nextAsked(): string | undefined {
    this.#asked += 1
    const linked = [...this.plan.links.keys()]
    const beside = linked.filter((machine) => this.plan.neighbours.has(machine))
    if (this.#asked % OTHER_ASKED !== 0 && beside.length > 0) {
      this.#turn += 1
      return beside[this.#turn % beside.length]
    }
    return linked[Math.floor(this.#random() * linked.length)]
  }

  #open(machine: string, link: HeldLink): void {
    const before = new Map(this.plan.links)
    for (const released of this.plan.open(machine, link, this.#nowMs)) {
      this.#release(released, before.get(released) ?? link)
    }
  }

  /** What there is no room for ends, unless it is needed; what was only needed may find room. */
  #letGo(): void {
    const before = new Map(this.plan.links)
    for (const machine of this.plan.surplus(this.#nowMs)) {
      this.#release(machine, before.get(machine)!)
    }
    for (const machine of this.#bystanders.takeSurplus(this.#nowMs, this.#needs)) {
      this.#emit({ type: 'release', machine })
    }
    for (const [machine, { untilMs }] of this.#ending) {
      if (untilMs > this.#nowMs) continue
      this.#ending.delete(machine)
      this.#emit({ type: 'release', machine })
    }
    for (const [machine, { link, untilMs }] of this.#kept) {
      if (this.plan.hasRoom(machine, link.dialled, link.network)) {
        this.#kept.delete(machine)
        this.#open(machine, link)
      } else if (untilMs <= this.#nowMs) {
        this.#kept.delete(machine)
        this.#release(machine, link)
      }
    }
  }

  #release(machine: string, link: HeldLink): void {
    if (this.#needs(machine)) {
      this.#kept.set(machine, { link, untilMs: this.#nowMs + KEPT_MS })
      return
    }
    this.#contented.forgive(machine)
    this.#ending.set(machine, { link, untilMs: this.#nowMs + RELEASED_MS })
    this.#emit({ type: 'forgo', machine })
    this.#send(machine, { kind: 'release' })
  }

  #tellRing(): void {
    const { machines } = this.view
    const successor = this.#nextLinked(1)
    this.#watch([successor, this.#nextLinked(-1)])
    const isOther = Math.abs(machines - this.#told.machines) > TELL_CHANGE * this.#told.machines
    if (successor === this.#told.successor && !isOther) return
    this.#told = { successor, machines }
    this.#emit({ type: 'ring', successor, machines })
  }

  /** Of those that are linked, who comes next on ring 0, or who came before. */
  #nextLinked(step: 1 | -1): string | null {
    const from = this.view.own.at[0]!
    let next: string | null = null
    let leastGap = 2
    for (const machine of this.plan.links.keys()) {
      const at = this.view.get(machine)?.at[0]
      if (at === undefined) continue
      const gap = step === 1 ? clockwise(from, at) : clockwise(at, from)
      if (gap < leastGap) [next, leastGap] = [machine, gap]
    }
    return next
  }

  /** Both sides of ring 0 are watched by each: so each machine is by two. */
  #watch(beside: readonly (string | null)[]): void {
    const machines = [...new Set(beside.filter((machine) => machine !== null))]
    if (machines.join(' ') === this.#watched.join(' ')) return
    this.#watched = machines
    this.#emit({ type: 'watch', machines })
  }

  #timer(afterMs: number): void {
    this.#emit({ type: 'setTimer', id: 'tick', afterMs })
  }

  #send(to: string, message: RingMessage): void {
    this.#emit({ type: 'send', to, message })
  }

  #emit(...effects: RingEffect[]): void {
    this.#effects.push(...effects)
  }
}
