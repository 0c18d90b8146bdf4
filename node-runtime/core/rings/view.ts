// The members that this machine knows of: all who are near on a ring, and some others. Nobody is known for ever:
// who had a link with a member vouches for it, that grows old while it is passed on, and what is too old is let go.
import type { Member, Told } from './ring-events.ts'
import { Rings } from './rings.ts'

/** On each side of each ring these are never let go: next to a neighbour that dies stands another. */
export const KEPT_PER_SIDE = 4
/** With them, at any size of the cloud: a third of the view is near, the rest is chance. */
export const MAX_VIEW = 128
/** The view grows over its end until so much is to be let go at once. */
const SLACK = 32
/** Who nobody has vouched for within this time has gone without a word, or lives far away. */
export const STALE_MS = 3 * 60_000
/** So many that are gone are remembered, so that nobody brings them back by hearsay. */
const MAX_GONE = 512

interface Known {
  member: Member
  /** When somebody had a link with it, monotonic ms. */
  confirmedMs: number
  /** When this machine lost it, or did not reach it; null while it counts. */
  missedMs: number | null
}

export class View {
  own: Member
  /** Those that count. */
  readonly rings = new Rings<Member>()
  readonly #known = new Map<string, Known>()
  /** Incarnations that are gone, the last one last. */
  readonly #gone = new Map<string, Member>()

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

  get gone(): Member[] {
    return [...this.#gone.values()]
  }

  get(machine: string): Member | undefined {
    return machine === this.own.machine ? this.own : this.#known.get(machine)?.member
  }

  /** Is that what this machine holds for gone? */
  isGone({ machine, incarnation }: Member): boolean {
    const gone = this.#gone.get(machine)
    return gone !== undefined && gone.incarnation >= incarnation
  }

  isMissed(machine: string): boolean {
    return (this.#known.get(machine)?.missedMs ?? null) !== null
  }

  /** Takes in what somebody vouched for then. */
  learn(member: Member, confirmedMs: number, nowMs: number): void {
    const { machine } = member
    if (machine === this.own.machine || this.isGone(member)) return
    if (nowMs - confirmedMs > STALE_MS) return
    const held = this.#known.get(machine)
    const newest =
      held !== undefined && held.member.incarnation >= member.incarnation ? held.member : member
    const isNewer = newest !== held?.member
    // Who was missed counts again when somebody had a link with it after that.
    const missedMs = held?.missedMs ?? null
    const stillMissed = missedMs !== null && !isNewer && confirmedMs <= missedMs
    this.#known.set(machine, {
      member: newest,
      confirmedMs: Math.max(confirmedMs, held?.confirmedMs ?? 0),
      missedMs: stillMissed ? missedMs : null,
    })
    if (isNewer || missedMs !== null) this.rings.remove(machine)
    if (!stillMissed && !this.rings.has(machine)) this.rings.put(newest)
    this.#gone.delete(machine)
  }

  /** There is a link with it now: no hearsay counts against that. */
  meet(member: Member, nowMs: number): void {
    this.#gone.delete(member.machine)
    this.learn(member, nowMs, nowMs)
  }

  miss(machine: string, nowMs: number): void {
    const known = this.#known.get(machine)
    if (known === undefined) return
    known.missedMs = nowMs
    this.rings.remove(machine)
  }

  bury(member: Member): void {
    const { machine } = member
    this.#gone.delete(machine)
    this.#gone.set(machine, member)
    this.#forget(machine)
    for (const first of this.#gone.keys()) {
      if (this.#gone.size <= MAX_GONE) break
      this.#gone.delete(first)
    }
  }

  /** Lets go what is old, and what there is no room for. */
  tidy(linked: Iterable<string>, nowMs: number): void {
    for (const machine of linked) {
      const known = this.#known.get(machine)
      if (known !== undefined) known.confirmedMs = nowMs
    }
    for (const [machine, { confirmedMs }] of this.#known) {
      if (nowMs - confirmedMs > STALE_MS) this.#forget(machine)
    }
    if (this.#known.size <= MAX_VIEW + SLACK) return
    const near = new Set(this.rings.near(this.own, KEPT_PER_SIDE).map(({ machine }) => machine))
    for (const machine of linked) near.add(machine)
    const others = [...this.#known].filter(([machine]) => !near.has(machine))
    others.sort(([, a], [, b]) => a.confirmedMs - b.confirmedMs)
    for (const [machine] of others.slice(0, this.#known.size - MAX_VIEW)) this.#forget(machine)
  }

  /** What to tell somebody: who is near it, and a few others. */
  tell(to: Member, others: number, random: () => number, nowMs: number): Told[] {
    const members = new Map<string, Member>()
    for (const member of this.rings.near(to, 2)) members.set(member.machine, member)
    const all = [...this.rings.all()]
    for (let i = 0; i < others && all.length > 0; i++) {
      const member = all[Math.floor(random() * all.length)]!
      members.set(member.machine, member)
    }
    members.delete(to.machine)
    return [...members.values()].map((member) => ({
      member,
      ageMs: Math.max(0, nowMs - (this.#known.get(member.machine)?.confirmedMs ?? nowMs)),
    }))
  }

  #forget(machine: string): void {
    this.#known.delete(machine)
    this.rings.remove(machine)
  }
}
