// Decides what this machine knows of the others: which entries it takes in, passes on, keeps and lets
// go, whom it wants links with, and when that is written down and shown. What others offer is given out to be
// verified first, within what each may ask for, and counts when it comes back.
import { Budget } from '../budget.ts'
import type { MachineEntry } from '../forms/machine-form.ts'
import type { SignedForm } from '../forms/signed-form.ts'
import type { Core } from '../step.ts'
import { EntryPace } from './entry-pace.ts'
import { KnownMachines } from './known-machines.ts'
import type { KnownMachine } from './known-machines.ts'
import { KnownSummary } from './known-summary.ts'
import type { NamedParts } from './known-summary.ts'

/**
 * Up to this many others, each keeps a link to every other: the cheapest way for all to have all. Beyond, the rings
 * say whom to link with (`core/rings`).
 */
const FULL_MESH_MACHINES = 16
/** In a larger one a machine with few links tries to have some with those that it saw last. */
const FEW_LINKS = 4
const SOUGHT = 8
/** Wants expire; those of the mesh are renewed in time. */
const RENEW_MS = 10 * 60_000
/** Changes in so short a time are one to those who watch. */
const SHOW_MS = 50
/** A new latency is shown with the next change, or after this. */
const SHOW_LATENCY_MS = 2_000
/** Losing the last seconds of what others can tell again costs nothing; a write for each link would. */
const SAVE_MS = 2_000
/** One link may tell all that a machine can know at once, then a few a second. */
const PEER_ENTRIES = { burst: 4_096, perSecond: 10 }
/**
 * The same for all links together, so that keys, which are free, do not multiply it: for machines not heard of so far,
 * each of which goes on to all others, and for those known by hearsay. Those that were met need no such allowance:
 * nobody invents them.
 */
const NEW_ENTRIES = { burst: 4_096, perSecond: 5 }
const HEARSAY_ENTRIES = { burst: 4_096, perSecond: 20 }
/** What was said too often is looked at again after so long. */
const LATER_MS = 30_000
/** Honest machines verify before they pass on; a few may be of a form that this version can't read. */
const MAX_FORGED = 50
/** Whom a new link named has come by then, or does not: names are free. */
const NAMED_MS = 60_000
/** Two copies of one machine would otherwise outdo each other for ever. */
const SIGN_ANEW_MS = 60_000

/**
 * What others tell goes on to all: a larger entry is heard from its own machine alone. An ordinary one has 1,500
 * characters.
 */
export const MAX_TOLD_CHARS = 4_096

/** An entry as it came, with what it says of itself, unverified. */
export interface Offer {
  machine: string
  sequence: number
  form: SignedForm
}

export type MembershipEvent =
  /** Machines of the last time; in parts, if they are many. */
  | { type: 'remembered'; known: readonly KnownMachine[] }
  | { type: 'started' }
  /** This machine's own entry was signed anew. */
  | { type: 'ownSigned'; entry: MachineEntry }
  | { type: 'linkOpened'; entry: MachineEntry; wallMs: number }
  | { type: 'linkClosed'; machine: string; wallMs: number }
  | { type: 'heartbeat' }
  /** Entries can be sent over a link. */
  | { type: 'channelOpened'; machine: string }
  /** What the other side knows, in short: see `KnownSummary`. */
  | { type: 'compared'; from: string; digests: readonly string[] }
  /** What it knows of some parts. */
  | { type: 'named'; from: string; named: NamedParts }
  | { type: 'offered'; from: string; offers: readonly Offer[] }
  /** The answer to `verify`. */
  | { type: 'verified'; from: string; entries: readonly MachineEntry[]; forged: number }
  | { type: 'timer'; id: string }

export type MembershipEffect =
  | { type: 'verify'; from: string; forms: readonly SignedForm[] }
  /** Say what is known here, in short. */
  | { type: 'compare'; to: string; digests: readonly string[] }
  | { type: 'name'; to: string; named: NamedParts }
  /** Send what is known of these machines, when the link takes it. */
  | { type: 'tell'; to: string; machines: readonly string[] }
  | { type: 'reach'; machine: string }
  | { type: 'learned'; entry: MachineEntry }
  | { type: 'changed' }
  /** Nothing but latencies has. */
  | { type: 'latenciesChanged' }
  | { type: 'save' }
  /** Others hold a later entry of this machine than it does itself: sign one that is newer. */
  | { type: 'signAnew'; after: number }
  | { type: 'dropLink'; machine: string; reason: string }
  | { type: 'setTimer'; id: string; afterMs: number }

/**
 * The sequence of a machine's next entry. It grows even when the clock has gone back, else the others
 * would ignore the entry.
 */
export function nextSequence(last: number, wallMs: number): number {
  return Math.max(last + 1, wallMs)
}

interface Link {
  budget: Budget
  forged: number
  /** Does it take entries? */
  open: boolean
  /** Has it said what it knows? Once is enough: then it is told what is new. */
  compared: boolean
  /** Parts of which it has said that by name. */
  named: Set<number>
}

export class MembershipCore implements Core<MembershipEvent, MembershipEffect> {
  readonly #known = new KnownMachines()
  readonly #links = new Map<string, Link>()
  readonly #pace = new EntryPace()
  #own: MachineEntry
  #allowances: { fresh: Budget; hearsay: Budget } | null = null
  #waits = false
  /** What is known, as it was last told; null once that has changed. */
  #summary: KnownSummary | null = null
  /** How many machines a new link has told of by name, which are not here yet; and when. */
  #lately = { named: 0, atMs: Number.NEGATIVE_INFINITY }
  #nowMs = 0
  #showAtMs: number | null = null
  /** Is there more to be shown than latencies? */
  #isListOld = false
  #unsaved = false
  #signedAnewMs = Number.NEGATIVE_INFINITY
  #ignored = 0

  constructor(own: MachineEntry) {
    this.#own = own
  }

  get own(): MachineEntry {
    return this.#own
  }

  /** What is known of the others, in no order. */
  get known(): Iterable<KnownMachine> {
    return this.#known.all()
  }

  /** What is known of one of the others. */
  knownOf(machine: string): KnownMachine | undefined {
    return this.#known.get(machine)
  }

  entryOf(machine: string): MachineEntry | undefined {
    return machine === this.#own.machine ? this.#own : this.#known.get(machine)?.entry
  }

  isOnline(machine: string): boolean {
    return this.#links.has(machine)
  }

  /** Is there something that is not written down yet? */
  get unsaved(): boolean {
    return this.#unsaved
  }

  /** Entries that came faster than anyone may send them. */
  get ignoredCount(): number {
    return this.#ignored
  }

  step(event: MembershipEvent, nowMs: number): MembershipEffect[] {
    this.#nowMs = nowMs
    switch (event.type) {
      case 'remembered':
        return this.#remembered(event.known)
      case 'started':
        return this.#renew()
      case 'ownSigned':
        return this.#ownSigned(event.entry, nowMs)
      case 'linkOpened':
        return this.#linkOpened(event.entry, event.wallMs, nowMs)
      case 'linkClosed':
        return this.#linkClosed(event.machine, event.wallMs, nowMs)
      case 'heartbeat':
        return this.#showBy(nowMs + SHOW_LATENCY_MS, nowMs)
      case 'channelOpened':
        return this.#channelOpened(event.machine)
      case 'compared':
        return this.#compared(event.from, event.digests)
      case 'named':
        return this.#named(event.from, event.named)
      case 'offered':
        return this.#offered(event.from, event.offers, nowMs)
      case 'verified':
        return this.#verified(event.from, event.entries, event.forged, nowMs)
      case 'timer':
        return this.#timer(event.id, nowMs)
    }
  }

  #remembered(machines: readonly KnownMachine[]): MembershipEffect[] {
    const effects: MembershipEffect[] = []
    for (const known of machines) {
      const { entry } = known
      const held = this.entryOf(entry.machine)
      if (held !== undefined && held.sequence >= entry.sequence) continue
      this.#put(known)
      effects.push({ type: 'learned', entry })
    }
    return effects
  }

  #ownSigned(entry: MachineEntry, nowMs: number): MembershipEffect[] {
    this.#own = entry
    this.#summary = null
    return [
      ...this.#tellOthers([entry.machine], null),
      ...this.#show(nowMs + SHOW_MS, nowMs),
      ...this.#save(),
    ]
  }

  #linkOpened(entry: MachineEntry, wallMs: number, nowMs: number): MembershipEffect[] {
    const { machine } = entry
    if (machine === this.#own.machine) return []
    const budget = this.#links.get(machine)?.budget ?? new Budget(PEER_ENTRIES, nowMs)
    this.#links.set(machine, {
      budget,
      forged: 0,
      open: false,
      compared: false,
      named: new Set(),
    })
    // First hand: such entries are as many as links, and need no allowance.
    const effects = this.#accept(entry)
    effects.push(...this.#mesh(effects))
    this.#known.seen(machine, wallMs)
    if (effects.length > 0) {
      if (this.#pace.try(entry, nowMs) === 'now')
        effects.push(...this.#tellOthers([machine], machine))
      else effects.push(...this.#wait())
    }
    return [...effects, ...this.#show(nowMs + SHOW_MS, nowMs), ...this.#save()]
  }

  #linkClosed(machine: string, wallMs: number, nowMs: number): MembershipEffect[] {
    if (!this.#links.delete(machine)) return []
    this.#known.seen(machine, wallMs)
    return [...this.#show(nowMs + SHOW_MS, nowMs), ...this.#save()]
  }

  #channelOpened(machine: string): MembershipEffect[] {
    const link = this.#links.get(machine)
    if (link === undefined) return []
    link.open = true
    return [{ type: 'compare', to: machine, digests: this.#summarise().digests }]
  }

  #compared(from: string, digests: readonly string[]): MembershipEffect[] {
    const link = this.#links.get(from)
    if (link === undefined || link.compared) return []
    link.compared = true
    return this.#summarise()
      .differing(digests)
      .map((named): MembershipEffect => ({ type: 'name', to: from, named }))
  }

  #named(from: string, { parts, known }: NamedParts): MembershipEffect[] {
    const link = this.#links.get(from)
    if (link === undefined) return []
    const fresh = parts.filter((part) => !link.named.has(part))
    if (fresh.length === 0) return []
    if (link.named.size === 0) {
      const names = new Set(known.map(([machine]) => machine))
      this.#lately = { named: names.size, atMs: this.#nowMs }
    }
    for (const part of fresh) link.named.add(part)
    const machines = this.#summarise().lackedBy({ parts: fresh, known })
    return machines.length === 0 ? [] : [{ type: 'tell', to: from, machines }]
  }

  /** All that others take in: see `MAX_TOLD_CHARS`. */
  #summarise(): KnownSummary {
    this.#summary ??= new KnownSummary(
      [this.#own, ...[...this.#known.all()].map(({ entry }) => entry)]
        .filter(({ form }) => form.body.length <= MAX_TOLD_CHARS)
        .map(({ machine, sequence }) => [machine, sequence] as const),
    )
    return this.#summary
  }

  #put(known: Readonly<KnownMachine>): void {
    this.#summary = null
    this.#known.put(known, this.#links)
  }

  /** Only what is new and within the allowance is worth a look at its signatures. */
  #offered(from: string, offers: readonly Offer[], nowMs: number): MembershipEffect[] {
    const link = this.#links.get(from)
    if (link === undefined) return []
    const forms: SignedForm[] = []
    for (const { machine, sequence, form } of offers) {
      const held = this.entryOf(machine)
      if (held !== undefined && held.sequence >= sequence) continue
      if (link.budget.tryUse(1, nowMs) && this.#mayHearOf(machine, nowMs)) forms.push(form)
      else this.#ignored++
    }
    return forms.length === 0 ? [] : [{ type: 'verify', from, forms }]
  }

  #mayHearOf(machine: string, nowMs: number): boolean {
    this.#allowances ??= {
      fresh: new Budget(NEW_ENTRIES, nowMs),
      hearsay: new Budget(HEARSAY_ENTRIES, nowMs),
    }
    if (machine === this.#own.machine) return true
    const known = this.#known.get(machine)
    if (known === undefined) return this.#allowances.fresh.tryUse(1, nowMs)
    return known.lastSeenMs > 0 || this.#allowances.hearsay.tryUse(1, nowMs)
  }

  #verified(
    from: string,
    entries: readonly MachineEntry[],
    forged: number,
    nowMs: number,
  ): MembershipEffect[] {
    const effects: MembershipEffect[] = []
    const news: string[] = []
    for (const entry of entries) {
      if (entry.machine === this.#own.machine) {
        effects.push(...this.#outdone(entry, nowMs))
        continue
      }
      const held = this.#known.get(entry.machine)
      if (held !== undefined && held.entry.sequence >= entry.sequence) continue
      const pace = this.#pace.try(entry, nowMs)
      if (pace === 'dropped') this.#ignored++
      if (pace === 'waits') effects.push(...this.#wait())
      if (pace !== 'now') continue
      const accepted = this.#accept(entry)
      if (accepted.length === 0) continue
      effects.push(...accepted)
      news.push(entry.machine)
    }
    effects.push(...this.#mesh(effects))
    if (news.length > 0) {
      effects.push(...this.#tellOthers(news, from))
      effects.push(...this.#show(nowMs + SHOW_MS, nowMs), ...this.#save())
    }
    const link = this.#links.get(from)
    if (link !== undefined && forged > 0) {
      link.forged += forged
      if (link.forged > MAX_FORGED) {
        effects.push({ type: 'dropLink', machine: from, reason: 'it passes on forged entries' })
      }
    }
    return effects
  }

  #wait(): MembershipEffect[] {
    if (this.#waits || !this.#pace.waits) return []
    this.#waits = true
    return [{ type: 'setTimer', id: 'later', afterMs: LATER_MS }]
  }

  /** Takes in, and tells, what was said too often before; of each machine the last it said. */
  #later(nowMs: number): MembershipEffect[] {
    this.#waits = false
    const due = this.#pace.due(nowMs)
    const effects = due.flatMap((entry) => this.#accept(entry))
    effects.push(...this.#mesh(effects))
    // One that came first hand is known already.
    const news = due.map(({ machine }) => machine).filter((machine) => this.#known.get(machine))
    if (news.length > 0) {
      effects.push(...this.#tellOthers(news, null))
      effects.push(...this.#show(nowMs + SHOW_MS, nowMs), ...this.#save())
    }
    return [...effects, ...this.#wait()]
  }

  /** An own entry that others hold is newer: the clock went back, or the folder is an older copy. */
  #outdone(entry: MachineEntry, nowMs: number): MembershipEffect[] {
    if (entry.sequence <= this.#own.sequence) return []
    if (nowMs - this.#signedAnewMs < SIGN_ANEW_MS) return []
    this.#signedAnewMs = nowMs
    return [{ type: 'signAnew', after: entry.sequence }]
  }

  /** Takes an entry in. Nothing comes back if it says nothing new. */
  #accept(entry: MachineEntry): MembershipEffect[] {
    const held = this.#known.get(entry.machine)
    if (held !== undefined && held.entry.sequence >= entry.sequence) return []
    this.#put({ entry, lastSeenMs: held?.lastSeenMs ?? 0 })
    return this.#known.get(entry.machine) === undefined ? [] : [{ type: 'learned', entry }]
  }

  /** Of machines that were learned: in a small cloud a link is wanted with each. */
  #mesh(effects: readonly MembershipEffect[]): MembershipEffect[] {
    if (!this.#isSmall) return []
    return effects.flatMap((effect): MembershipEffect[] =>
      effect.type === 'learned' ? [{ type: 'reach', machine: effect.entry.machine }] : [],
    )
  }

  /** Has the cloud no more machines than each can have links, as far as this one has heard? */
  get #isSmall(): boolean {
    const { named, atMs } = this.#lately
    const isToCome = this.#nowMs - atMs < NAMED_MS
    return Math.max(this.#known.size, isToCome ? named - 1 : 0) <= FULL_MESH_MACHINES
  }

  #tellOthers(machines: readonly string[], except: string | null): MembershipEffect[] {
    return [...this.#links]
      .filter(([to, link]) => link.open && to !== except)
      .map(([to]): MembershipEffect => ({ type: 'tell', to, machines }))
  }

  #renew(): MembershipEffect[] {
    const few = this.#links.size < FEW_LINKS ? SOUGHT : 0
    const wanted = this.#isSmall ? FULL_MESH_MACHINES : few
    const mesh = [...this.#known.all()]
      .sort((a, b) => b.lastSeenMs - a.lastSeenMs)
      .slice(0, wanted)
      .map(({ entry }): MembershipEffect => ({ type: 'reach', machine: entry.machine }))
    return [...mesh, { type: 'setTimer', id: 'renew', afterMs: RENEW_MS }]
  }

  #show(atMs: number, nowMs: number): MembershipEffect[] {
    this.#isListOld = true
    return this.#showBy(atMs, nowMs)
  }

  #showBy(atMs: number, nowMs: number): MembershipEffect[] {
    if (this.#showAtMs !== null && this.#showAtMs <= atMs) return []
    this.#showAtMs = atMs
    return [{ type: 'setTimer', id: 'show', afterMs: atMs - nowMs }]
  }

  #save(): MembershipEffect[] {
    if (this.#unsaved) return []
    this.#unsaved = true
    return [{ type: 'setTimer', id: 'save', afterMs: SAVE_MS }]
  }

  #timer(id: string, nowMs: number): MembershipEffect[] {
    if (id === 'renew') return this.#renew()
    if (id === 'later') return this.#later(nowMs)
    if (id === 'show' && this.#showAtMs !== null) {
      this.#showAtMs = null
      const isListOld = this.#isListOld
      this.#isListOld = false
      return [{ type: isListOld ? 'changed' : 'latenciesChanged' }]
    }
    if (id === 'save' && this.#unsaved) {
      this.#unsaved = false
      return [{ type: 'save' }]
    }
    return []
  }
}
