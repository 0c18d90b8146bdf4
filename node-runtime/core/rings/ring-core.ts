// Keeps this machine's place on the rings: who stands beside it, whom it links with, and who is gone. What it knows
// is a part of the cloud at any size of it. Each link that falls silent is looked into: others are asked before a machine
// is taken for gone, and a machine that lost most of its links at once takes itself for the one that is cut off.
// Nobody tells that others are gone: each believes its own links, and what nobody vouches for is forgotten.
import { Budget } from '../budget.ts'
import type { Core } from '../step.ts'
import { LinkPlan, MAX_LINKS } from './link-plan.ts'
import type { HeldLink } from './link-plan.ts'
import { RINGS } from './place.ts'
import type { Member, RingEffect, RingEvent, RingMessage, Told } from './ring-events.ts'
import { clockwise } from './rings.ts'
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
/** What one answer tells beside those near, so that views mix. */
const OTHERS_TOLD = 4
/** Twice what an honest machine tells. */
export const MAX_TOLD = 48
/** Who was asked whether a machine that was lost answers, and says nothing for so long, has no answer from it. */
const ANSWERED_MS = 2_000
/** Who lost a machine so lately says the same as one that is asked. */
const LOST_TOO_MS = 10_000
/** Machines of which others ask, and who asks of each. */
const MAX_ASKED = 64
const MAX_ASKERS = 16
/** Links that were lost within this time count as lost at once. */
const TOGETHER_MS = 10_000
const MAX_LOST = 64
/** Who comes before us dials us; after so long we dial it. */
const FIRST_WAIT_MS = 5_000
const AGAIN_MS = 5_000
/** A neighbour that can't be reached for so long is passed over; that it is gone, only who had a link can say. */
const UNREACHED_MS = 20_000
/** Machines that were lost may be behind a network that was cut: one is tried now and then, while all is calm more rarely. */
const OLD_FRIENDS_MS = 30_000
const RARE_FRIENDS_MS = 240_000
const LONELY_MS = 4_000
/** Where hardly anybody has room for a link by chance, one is tried ever more rarely. */
const LAST_CHOICE_MS = 60_000
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

interface Suspect {
  member: Member
  dueMs: number
  /** Who has not said yet whether it answers. */
  helpers: Set<string>
}

/** Who asked of a machine, and when last. */
interface Asked {
  by: Set<string>
  atMs: number
}

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
}

export class RingCore implements Core<RingEvent, RingEffect> {
  readonly view: View
  readonly plan = new LinkPlan()
  readonly #random: () => number
  readonly #suspects = new Map<string, Suspect>()
  readonly #asked = new Map<string, Asked>()
  readonly #wants = new Map<string, Want>()
  readonly #budgets = new Map<string, { messages: Budget; probes: Budget }>()
  readonly #needs: RingOptions['needs']
  /** Links beyond the plan that one of both sides needs, and until when they are left. */
  readonly #kept = new Map<string, { link: HeldLink; untilMs: number }>()
  /** Those that were asked to let the link go, and until when they may say that they need it. */
  readonly #ending = new Map<string, { link: HeldLink; untilMs: number }>()
  readonly #remembered = new Map<string, Member>()
  #lostMs: number[] = []
  #effects: RingEffect[] = []
  #nowMs = 0
  #exchangeMs = 0
  #exchangeWaitMs = EXCHANGE_MS
  #friendsMs = 0
  #friendsWaitMs = OLD_FRIENDS_MS
  /** When the next link by chance is tried, and how long it is waited after that. */
  #choiceMs = 0
  #choiceWaitMs = TICK_MS
  #watched: readonly string[] = []
  #told: { successor: string | null; machines: number } = { successor: null, machines: 1 }

  constructor({ own, random, needs }: RingOptions) {
    this.view = new View(own)
    this.#random = random
    this.#needs = needs
  }

  /** Did this machine lose so many links at once that it is likelier to be cut off itself? */
  get isCutOff(): boolean {
    const lost = this.#lostMs.filter((atMs) => this.#nowMs - atMs < TOGETHER_MS).length
    return this.plan.links.size === 0 || lost > this.plan.links.size
  }

  /** Was it lost, and are others asked now whether it answers them? */
  isSuspected(machine: string): boolean {
    return this.#suspects.has(machine)
  }

  /** Do others wait to hear whether it answers this machine? */
  isAskedOf(machine: string): boolean {
    return (this.#asked.get(machine)?.by.size ?? 0) > 0
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
      case 'linkOpened':
        return this.#opened(event.member, event.dialled, event.network)
      case 'linkClosed':
        return this.#closed(event.machine, event.silent)
      case 'doubted':
        return void this.#probe(event.machine)
      case 'received':
        return this.#received(event.from, event.message)
      case 'told':
        return this.#near(event.members)
      case 'answered':
        return this.#tellAskers(event.machine, true)
      case 'timer':
        return this.#tick()
    }
  }

  #opened(member: Member, dialled: boolean, network: string | null): void {
    const { machine } = member
    if (machine === this.view.own.machine) return
    this.#kept.delete(machine)
    this.#ending.delete(machine)
    const link = { dialled, sinceMs: this.#nowMs, network }
    this.#budgets.set(machine, {
      messages: new Budget(MESSAGES, this.#nowMs),
      probes: new Budget(PROBES, this.#nowMs),
    })
    if (!this.plan.admits(machine, dialled, network, this.#nowMs)) {
      this.view.meet(member, this.#nowMs)
      this.#release(machine, link)
      return
    }
    this.view.meet(member, this.#nowMs)
    this.#suspects.delete(machine)
    this.#look()
    this.#wants.delete(machine)
    this.#open(machine, link)
    if (!this.plan.links.has(machine)) return
    this.#send(machine, { kind: 'who' })
    this.#tellRing()
  }

  #closed(machine: string, silent: boolean): void {
    this.#budgets.delete(machine)
    this.#kept.delete(machine)
    this.#ending.delete(machine)
    if (!this.plan.links.delete(machine)) return
    this.#exchangeWaitMs = EXCHANGE_MS
    const member = this.view.get(machine)
    if (member !== undefined) {
      this.view.miss(machine, this.#nowMs)
      if (silent) {
        this.#lostMs = [...this.#lostMs, this.#nowMs].slice(-MAX_LOST)
        this.#suspect(member)
        this.#tellAskers(machine, false)
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
        return this.#askedOf(message.machine, from)
      case 'probed':
        return this.#probed(message.machine, from, message.answers)
      case 'release':
        return this.#releaseAsked(from)
      case 'keep': {
        const ending = this.#ending.get(from)
        if (ending === undefined) return
        this.#ending.delete(from)
        this.#kept.set(from, { link: ending.link, untilMs: this.#nowMs + KEPT_MS })
      }
    }
  }

  #releaseAsked(by: string): void {
    if (this.#needs(by)) return this.#send(by, { kind: 'keep' })
    this.plan.links.delete(by)
    this.#kept.delete(by)
    this.#ending.delete(by)
    this.#emit({ type: 'release', machine: by })
    this.#look()
    this.#tellRing()
  }

  #near(members: readonly Told[]): void {
    for (const { member, ageMs } of members.slice(0, MAX_TOLD)) {
      this.view.learn(member, this.#nowMs - Math.max(0, ageMs), this.#nowMs)
    }
    this.view.tidy(this.plan.links.keys(), this.#nowMs)
    this.#look()
    this.#tellRing()
  }

  /** Says whether that machine answers, once this one knows: it asks it by a link, if there is one. */
  #askedOf(machine: string, by: string): void {
    const asked = this.#asked.get(machine) ?? { by: new Set<string>(), atMs: 0 }
    this.#asked.delete(machine)
    this.#asked.set(machine, asked)
    const [first] = this.#asked.keys()
    if (this.#asked.size > MAX_ASKED && first !== undefined) this.#asked.delete(first)
    asked.atMs = this.#nowMs
    if (asked.by.size < MAX_ASKERS) asked.by.add(by)
    if (this.plan.links.has(machine)) this.#emit({ type: 'check', machine })
  }

  #tellAskers(machine: string, answers: boolean): void {
    const asked = this.#asked.get(machine)
    for (const by of asked?.by ?? []) this.#send(by, { kind: 'probed', machine, answers })
    asked?.by.clear()
  }

  #probed(machine: string, by: string, answers: boolean): void {
    const suspect = this.#suspects.get(machine)
    if (suspect?.helpers.delete(by) !== true) return
    // One whom it answers is enough: the way to it is broken, and the machine is not.
    if (!answers) {
      if (suspect.helpers.size === 0) this.#confirm(suspect.member)
      return
    }
    this.#suspects.delete(machine)
    this.view.learn(suspect.member, this.#nowMs, this.#nowMs)
  }

  #tick(): void {
    this.view.tidy([...this.plan.links.keys()], this.#nowMs)
    this.#lostMs = this.#lostMs.filter((atMs) => this.#nowMs - atMs < TOGETHER_MS)
    for (const { member, dueMs } of [...this.#suspects.values()]) {
      if (dueMs <= this.#nowMs) this.#confirm(member)
    }
    for (const [machine, { atMs }] of this.#asked) {
      if (this.#nowMs - atMs > LOST_TOO_MS) this.#asked.delete(machine)
    }
    this.#exchange()
    this.#look()
    this.#reach()
    this.#letGo()
    this.#tellRing()
    this.#timer(TICK_MS * (0.9 + 0.2 * this.#random()))
  }

  /** It is not heard any more: asks others before it is taken for gone. */
  #suspect(member: Member): void {
    const { machine } = member
    const asked = this.#asked.get(machine)
    const isLostByOthers = asked !== undefined && this.#nowMs - asked.atMs < LOST_TOO_MS
    const helpers = new Set(isLostByOthers ? [] : this.#probe(machine))
    this.#suspects.set(machine, { member, dueMs: this.#nowMs + ANSWERED_MS, helpers })
    if (!isLostByOthers) return
    this.#probe(machine)
    this.#confirm(member)
  }

  /** All who are linked here are asked, but for those that ask of it themselves: each looks at its own link. */
  #probe(machine: string): string[] {
    const asked = this.#asked.get(machine)
    const peers = [...this.plan.links.keys()].filter(
      (peer) => peer !== machine && asked?.by.has(peer) !== true,
    )
    for (const peer of peers) this.#send(peer, { kind: 'probe', machine })
    return peers
  }

  /** Nobody whom it answers was found. */
  #confirm({ machine }: Member): void {
    this.#suspects.delete(machine)
    if (!this.isCutOff) this.#emit({ type: 'gone', machine })
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
    if (this.#lostMs.length > 0) this.#friendsWaitMs = OLD_FRIENDS_MS
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
      this.#choiceWaitMs = TICK_MS
      return
    }
    if (!this.plan.isWhole && this.#nowMs < this.#choiceMs) return
    this.#choiceMs = this.#nowMs + this.#choiceWaitMs
    this.#choiceWaitMs = Math.min(LAST_CHOICE_MS, 2 * this.#choiceWaitMs)
    this.#reachOne([...this.view.rings.all()])
  }

  #reachOne(members: readonly Member[]): void {
    const free = members.filter(
      ({ machine, network }) => !this.#isLinked(machine) && this.plan.isApart(network),
    )
    const member = free[Math.floor(this.#random() * free.length)]
    if (member !== undefined) this.#emit({ type: 'reach', member })
  }

  #isLinked(machine: string): boolean {
    return this.plan.links.has(machine) || this.#kept.has(machine) || this.#ending.has(machine)
  }

  #exchange(): void {
    if (this.view.isMissingAny) this.#exchangeWaitMs = EXCHANGE_MS
    if (this.#nowMs - this.#exchangeMs < this.#exchangeWaitMs) return
    this.#exchangeMs = this.#nowMs
    const rarestMs = this.plan.isWhole ? WHOLE_EXCHANGE_MS : RARE_EXCHANGE_MS
    this.#exchangeWaitMs = Math.min(rarestMs, 2 * this.#exchangeWaitMs)
    const linked = [...this.plan.links.keys()]
    const to = linked[Math.floor(this.#random() * linked.length)]
    if (to !== undefined) this.#send(to, { kind: 'who' })
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
    this.#ending.set(machine, { link, untilMs: this.#nowMs + RELEASED_MS })
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

  #emit(effect: RingEffect): void {
    this.#effects.push(effect)
  }
}
