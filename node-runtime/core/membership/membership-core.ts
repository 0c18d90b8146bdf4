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

/**
 * Up to this many others, each keeps a link to every other: the cheapest way for all to have all. Beyond, the rings
 * say whom to link with (`core/rings`).
 */
const FULL_MESH_MACHINES = 16
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
/** Two copies of one machine would otherwise outdo each other for ever. */
const SIGN_ANEW_MS = 60_000

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
  | { type: 'offered'; from: string; offers: readonly Offer[] }
  /** The answer to `verify`. */
  | { type: 'verified'; from: string; entries: readonly MachineEntry[]; forged: number }
  | { type: 'timer'; id: string }

export type MembershipEffect =
  | { type: 'verify'; from: string; forms: readonly SignedForm[] }
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
  /** Somebody says something later in its name than it does itself. */
  outdone: boolean
}

export class MembershipCore implements Core<MembershipEvent, MembershipEffect> {
  readonly #known = new KnownMachines()
  readonly #links = new Map<string, Link>()
  readonly #pace = new EntryPace()
  #own: MachineEntry
  #allowances: { fresh: Budget; hearsay: Budget } | null = null
  #waits = false
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
      this.#known.put(known, this.#links)
      effects.push({ type: 'learned', entry })
    }
    return effects
  }

  #ownSigned(entry: MachineEntry, nowMs: number): MembershipEffect[] {
    this.#own = entry
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
    const outdone = (this.#known.get(machine)?.entry.sequence ?? 0) > entry.sequence
    this.#links.set(machine, { budget, forged: 0, open: false, outdone })
    // First hand: such entries are as many as links, and need no allowance.
    const effects = this.#accept(entry)
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
    const machines = [...this.#known.all()].map(({ entry }) => entry.machine)
    const news = machines.filter((known) => known !== machine || link.outdone)
    return [{ type: 'tell', to: machine, machines: [this.#own.machine, ...news] }]
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
    this.#known.put({ entry, lastSeenMs: held?.lastSeenMs ?? 0 }, this.#links)
    if (this.#known.get(entry.machine) === undefined) return []
    const effects: MembershipEffect[] = [{ type: 'learned', entry }]
    if (this.#known.size <= FULL_MESH_MACHINES) {
      effects.push({ type: 'reach', machine: entry.machine })
    }
    return effects
  }

  #tellOthers(machines: readonly string[], except: string | null): MembershipEffect[] {
    return [...this.#links]
      .filter(([to, link]) => link.open && to !== except)
      .map(([to]): MembershipEffect => ({ type: 'tell', to, machines }))
  }

  #renew(): MembershipEffect[] {
    const wanted = this.#links.size < FULL_MESH_MACHINES ? FULL_MESH_MACHINES : 0
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
