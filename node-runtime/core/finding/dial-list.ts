// The machines that this one wants a link with, and when each is dialled next: at ever longer
// intervals, and not for ever. Anyone can name machines that do not exist, so the list is bounded.

/** The side with the lesser key gives the other this long to dial, so that not both do at once. */
const FIRST_WAIT_MS = 5_000
const LONGEST_WAIT_MS = 5 * 60_000
/** The side with the lesser key waits longer each time, too. */
const LESSER_FACTOR = 1.5
/** A link that ends sooner was no success: the other side has no room, or does not want us. */
const SHORTEST_LINK_MS = 15_000
/** Who still wants the machine says so again by then. */
const WANT_MS = 30 * 60_000
/** A machine whose address is known is knocked at first: to dial a dead one there takes seconds. */
const KNOCK_FIRST_MS = 300
/** Several times the full mesh of a small cloud. */
export const MAX_WANTED = 256

/** Where a machine is, or was. */
export interface MachineAddress {
  /** IPv4. */
  host: string
  port: number
}

interface Dial {
  attempts: number
  nextMs: number
  expiresMs: number
  /** When there was a link last; null if never: inventions have none. */
  linkedMs: number | null
  /** It turned this machine away: so can whoever comes to the door, with any number of keys. */
  isShut: boolean
}

/** Machines that have a link now. */
type Linked = Pick<ReadonlyMap<string, unknown>, 'has'>

export class DialList {
  readonly #ownMachine: string
  readonly #dials = new Map<string, Dial>()
  #anewMs = Number.NEGATIVE_INFINITY

  constructor(ownMachine: string) {
    this.#ownMachine = ownMachine
  }

  get size(): number {
    return this.#dials.size
  }

  has(machine: string): boolean {
    return this.#dials.has(machine)
  }

  /**
   * Wants a machine from now on, or longer.
   * @param knocked  is it knocked at beforehand?
   * @returns machines that made room for it
   */
  want(machine: string, nowMs: number, linked: Linked, knocked = false): string[] {
    const known = this.#dials.get(machine)
    if (known !== undefined) {
      known.expiresMs = nowMs + WANT_MS
      return []
    }
    const forgotten: string[] = []
    while (this.#dials.size >= MAX_WANTED) {
      const least = this.#leastHopeful(linked)
      if (least === null) return forgotten
      this.#dials.delete(least)
      forgotten.push(least)
    }
    this.#dials.set(machine, {
      attempts: 0,
      nextMs: nowMs + (this.#dialsFirst(machine) ? (knocked ? KNOCK_FIRST_MS : 0) : FIRST_WAIT_MS),
      expiresMs: nowMs + WANT_MS,
      linkedMs: null,
      isShut: false,
    })
    return forgotten
  }

  /** Wants it no more. True if it was wanted. */
  forget(machine: string): boolean {
    return this.#dials.delete(machine)
  }

  /**
   * Dials the machine at that time, and not before, whatever was planned.
   * @returns machines that made room for it
   */
  dialAt(machine: string, atMs: number, nowMs: number, linked: Linked): string[] {
    const forgotten = this.want(machine, nowMs, linked)
    const dial = this.#dials.get(machine)
    if (dial !== undefined) dial.nextMs = atMs
    return forgotten
  }

  /**
   * The same of one that turned this machine away. It takes the place of another such one, and of nobody else.
   * @returns machines that made room for it
   */
  turnedAway(machine: string, untilMs: number, nowMs: number, linked: Linked): string[] {
    const isFull = this.#dials.size >= MAX_WANTED && !this.#dials.has(machine)
    const least = isFull ? this.#leastHopeful(linked) : null
    if (isFull && (least === null || this.#dials.get(least)?.isShut !== true)) return []
    const forgotten = this.dialAt(machine, untilMs, nowMs, linked)
    const dial = this.#dials.get(machine)
    if (dial !== undefined) dial.isShut = true
    return forgotten
  }

  /** There is a link. True if the machine was wanted. */
  reached(machine: string, nowMs: number): boolean {
    const dial = this.#dials.get(machine)
    if (dial === undefined) return false
    dial.linkedMs = nowMs
    dial.isShut = false
    return true
  }

  /** The link has gone; begins anew, if there was one worth the name. */
  lost(machine: string, nowMs: number): void {
    const dial = this.#dials.get(machine)
    if (dial?.linkedMs == null || nowMs - dial.linkedMs < SHORTEST_LINK_MS) return
    dial.attempts = 0
    dial.nextMs = this.#dialsFirst(machine) ? nowMs : nowMs + FIRST_WAIT_MS
    dial.expiresMs = nowMs + WANT_MS
  }

  /**
   * What was in vain may not be any more: this computer is in another network, or was asleep. Who is not linked is
   * dialled as if it were wanted for the first time; once in five seconds, however the network flaps.
   */
  beginAnew(nowMs: number, linked: Linked): void {
    if (nowMs - this.#anewMs < FIRST_WAIT_MS) return
    this.#anewMs = nowMs
    for (const [machine, dial] of this.#dials) {
      if (dial.attempts === 0 || linked.has(machine)) continue
      dial.attempts = 0
      dial.nextMs = Math.min(dial.nextMs, this.#dialsFirst(machine) ? nowMs : nowMs + FIRST_WAIT_MS)
    }
  }

  /** Whom to dial now, and whom nobody has wanted for long. */
  takeDue(nowMs: number, linked: Linked): { due: string[]; forgotten: string[] } {
    const due: string[] = []
    const forgotten: string[] = []
    for (const [machine, dial] of this.#dials) {
      if (linked.has(machine)) continue
      if (dial.expiresMs <= nowMs) {
        this.#dials.delete(machine)
        forgotten.push(machine)
      } else if (dial.nextMs <= nowMs) {
        const waitMs = Math.min(FIRST_WAIT_MS * 2 ** dial.attempts++, LONGEST_WAIT_MS)
        dial.nextMs = nowMs + waitMs * (this.#dialsFirst(machine) ? 1 : LESSER_FACTOR)
        due.push(machine)
      }
    }
    return { due, forgotten }
  }

  /** When something is to be done next; null if nothing is. */
  nextMs(linked: Linked): number | null {
    let nextMs: number | null = null
    for (const [machine, dial] of this.#dials) {
      if (linked.has(machine)) continue
      const dueMs = Math.min(dial.nextMs, dial.expiresMs)
      if (nextMs === null || dueMs < nextMs) nextMs = dueMs
    }
    return nextMs
  }

  #dialsFirst(machine: string): boolean {
    return this.#ownMachine > machine
  }

  /** Without a link, never linked before others, of those that turned it away before all, most attempts in vain first. */
  #leastHopeful(linked: Linked): string | null {
    let least: [machine: string, dial: Dial] | null = null
    for (const [machine, dial] of this.#dials) {
      if (linked.has(machine)) continue
      if (least !== null) {
        const [, before] = least
        const order = hopeOf(dial) - hopeOf(before)
        if (order > 0 || (order === 0 && dial.attempts <= before.attempts)) continue
      }
      least = [machine, dial]
    }
    return least?.[0] ?? null
  }
}

function hopeOf({ linkedMs, isShut }: Dial): number {
  if (linkedMs !== null) return 2
  return isShut ? 0 : 1
}
