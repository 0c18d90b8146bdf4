// The members that this machine knows of: all who are near on a ring, and some others. Nobody is known for ever:
// who had a link with a member vouches for it, that grows old while it is passed on, and what is too old is let go.
import type { Member, Told } from './ring-events.ts'
import { clockwise, Rings } from './rings.ts'

/** On each side of each ring these are never let go: next to a neighbour that dies stands another. */
export const KEPT_PER_SIDE = 4
/** With them, at any size of the cloud: a third of the view is near, the rest is chance. */
export const MAX_VIEW = 128
/** The view grows over its end until so much is to be let go at once. */
const SLACK = 32
/** Who nobody has vouched for within this time has gone without a word, or lives far away. */
export const STALE_MS = 3 * 60_000
/** Who was missed and is vouched for is tried, each time twice as long after the time before. */
const FIRST_TRY_MS = 5_000
const LAST_TRY_MS = 160_000
/** But that long at most if it would stand beside this machine: a ring is torn as long as it is passed over. */
const LAST_TRY_BESIDE_MS = 20_000

interface Known {
  member: Member
  /** When somebody had a link with it, monotonic ms. */
  confirmedMs: number
  /** When this machine itself had; null if it is known by hearsay alone, and may be invented. */
  metMs: number | null
  /** When this machine lost it, or did not reach it; null while it counts. */
  missedMs: number | null
  /** When it was missed or tried last, and how long it is waited after that until it is tried, if somebody vouches for it. */
  triedMs: number
  waitMs: number
}

export class View {
  own: Member
  /** Those that count. */
  readonly rings = new Rings<Member>()
  readonly #known = new Map<string, Known>()

  constructor(own: Member) {
    this.own = own
  }

  get size(): number {
    return this.#known.size
  }

  /** Machines there are, this one included: counted if the view has room for all, else by how thick they stand. */
  get machines(): number {
    const counted = this.rings.size + 1
    return counted < MAX_VIEW / 2 ? counted : this.rings.estimate(this.own, KEPT_PER_SIDE)
  }

  /** Those that this machine lost or did not reach. */
  get missed(): Member[] {
    const missed: Member[] = []
    for (const { member, missedMs } of this.#known.values()) {
      if (missedMs !== null) missed.push(member)
    }
    return missed
  }

  /** Is there any such machine? */
  get isMissingAny(): boolean {
    return this.rings.size < this.#known.size
  }

  get(machine: string): Member | undefined {
    return machine === this.own.machine ? this.own : this.#known.get(machine)?.member
  }

  /** Takes in what somebody vouched for then. */
  learn(member: Member, confirmedMs: number, nowMs: number): void {
    const { machine } = member
    if (machine === this.own.machine || nowMs - confirmedMs > STALE_MS) return
    const held = this.#known.get(machine)
    if (held !== undefined && held.member.incarnation >= member.incarnation) {
      held.confirmedMs = Math.max(confirmedMs, held.confirmedMs)
      return
    }
    this.#put(member, Math.max(confirmedMs, held?.confirmedMs ?? 0), held?.metMs ?? null)
  }

  /** There is a link with it now. */
  meet(member: Member, nowMs: number): void {
    const held = this.#known.get(member.machine)?.member
    const isNewest = held === undefined || held.incarnation < member.incarnation
    if (member.machine !== this.own.machine) this.#put(isNewest ? member : held, nowMs, nowMs)
  }

  miss(machine: string, nowMs: number): void {
    const known = this.#known.get(machine)
    if (known === undefined) return
    known.missedMs = nowMs
    known.triedMs = nowMs
    this.rings.remove(machine)
  }

  /** Missed ones of whom somebody says that they were there after that, and whose time for a try has come. */
  takeDoubtful(nowMs: number): Member[] {
    const due: Member[] = []
    for (const known of this.#known.values()) {
      const { missedMs, confirmedMs, triedMs, waitMs, member } = known
      if (missedMs === null || confirmedMs <= missedMs) continue
      const mostMs = this.#wouldStandBeside(member) ? LAST_TRY_BESIDE_MS : LAST_TRY_MS
      if (nowMs - triedMs < Math.min(waitMs, mostMs)) continue
      known.waitMs = Math.min(LAST_TRY_MS, 2 * waitMs)
      known.triedMs = nowMs
      due.push(member)
    }
    return due
  }

  /** Lets go what is old, and what there is no room for. */
  tidy(linked: Iterable<string>, nowMs: number): void {
    for (const machine of linked) {
      const known = this.#known.get(machine)
      if (known === undefined) continue
      known.confirmedMs = nowMs
      known.metMs = nowMs
    }
    for (const [machine, { confirmedMs }] of this.#known) {
      if (nowMs - confirmedMs > STALE_MS) this.#forget(machine)
    }
    if (this.#known.size <= MAX_VIEW + SLACK) return
    const near = new Set(this.rings.near(this.own, KEPT_PER_SIDE).map(({ machine }) => machine))
    for (const machine of linked) near.add(machine)
    const others = [...this.#known].filter(([machine]) => !near.has(machine))
    // Who invents machines says that each has just been seen, and crowds out none that was met.
    others.sort(
      ([, a], [, b]) =>
        Number(this.#wasMet(a, nowMs)) - Number(this.#wasMet(b, nowMs)) ||
        a.confirmedMs - b.confirmedMs,
    )
    for (const [machine] of others.slice(0, this.#known.size - MAX_VIEW)) this.#forget(machine)
  }

  /** What to tell somebody: who is near it, and a few others, by hearsay too: else rings that were torn close too late. */
  tell(to: Member, others: number, random: () => number, nowMs: number): Told[] {
    const members = new Map<string, Member>()
    for (const member of this.rings.near(to, 2)) members.set(member.machine, member)
    const all = [...this.rings.all()]
    for (let i = 0; i < others && all.length > 0; i++) {
      const member = all[Math.floor(random() * all.length)]!
      members.set(member.machine, member)
    }
    members.delete(to.machine)
    return this.agesOf([...members.values()], nowMs)
  }

  /** How long ago somebody had a link with each, as far as this machine knows. */
  agesOf(members: readonly Member[], nowMs: number): Told[] {
    return members.map((member) => ({
      member,
      ageMs: Math.max(0, nowMs - (this.#known.get(member.machine)?.confirmedMs ?? nowMs)),
    }))
  }

  /** Is it nearer than those that count, on a side of a ring? */
  #wouldStandBeside(member: Member): boolean {
    const { own } = this
    return own.at.some((from, ring) => {
      const at = member.at[ring]!
      const next = this.rings.beside(own, ring, 1, 1)[0]?.at[ring] ?? from
      const before = this.rings.beside(own, ring, -1, 1)[0]?.at[ring] ?? from
      // The two beside it, or all of the ring if there is nobody.
      return (
        next === from ||
        clockwise(from, at) < clockwise(from, next) ||
        clockwise(at, from) < clockwise(before, from)
      )
    })
  }

  #wasMet({ metMs }: Known, nowMs: number): boolean {
    return metMs !== null && nowMs - metMs <= STALE_MS
  }

  #put(member: Member, confirmedMs: number, metMs: number | null): void {
    const { machine } = member
    this.rings.remove(machine)
    this.rings.put(member)
    this.#known.set(machine, {
      member,
      confirmedMs,
      metMs,
      missedMs: null,
      triedMs: 0,
      waitMs: FIRST_TRY_MS,
    })
  }

  #forget(machine: string): void {
    this.#known.delete(machine)
    this.rings.remove(machine)
  }
}
