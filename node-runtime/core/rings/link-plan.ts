// Which links a machine keeps: one with each neighbour on each ring and a few by chance, sixteen at most at any size
// of the cloud, at most half of which others dialled, and not too many with one network. In a cloud that is no larger
// than that, each is linked with each.
export const MAX_LINKS = 16
/** Whoever dials us is a stranger's choice, and half of what we hear must come by our own. */
const MAX_ACCEPTED = MAX_LINKS / 2
/** So many are accepted before any are dialled: each machine dials two by chance, and so two come by chance. */
const LEAST_ACCEPTED = MAX_ACCEPTED / 2
/** By chance, dialled by ourselves: ways to far away, should all who stand near lie. */
const LEAST_CHOSEN = 2
/**
 * By so many may others have dialled more than this machine, without its dialling more: each link is one that somebody
 * dialled and somebody accepted, so that not all machines can have dialled half of theirs and one more, and those that
 * tried would never end.
 */
const BALANCE = 2
/** Of one /16, beside the neighbours, whose places nobody chose. */
const MAX_PER_NETWORK = 4
/** A link that is younger is given up only where all are: both sides may not know each other's neighbours yet. */
export const GRACE_MS = 10_000

export interface HeldLink {
  dialled: boolean
  sinceMs: number
  network: string | null
}

export class LinkPlan {
  readonly links = new Map<string, HeldLink>()
  /** Who stands beside this machine, as it knows. */
  neighbours: ReadonlySet<string> = new Set()
  /** Is there room for a link with every machine of the cloud? */
  isWhole = false

  /**
   * May a link be opened? For neighbours there always is room. Nobody is let go for one that comes by chance: who loses
   * its link dials somebody else, who would have to let go of one in turn. A newcomer that is turned away hears all the
   * same who stands beside it before its link ends.
   */
  hasRoom(machine: string, dialled: boolean, network: string | null): boolean {
    if (this.links.has(machine) || this.neighbours.has(machine)) return true
    if (this.isWhole) return this.links.size < MAX_LINKS
    if (network !== null && this.#of(network) >= MAX_PER_NETWORK) return false
    return !this.#isFull(dialled)
  }

  /** @returns whom it replaces */
  open(machine: string, link: HeldLink, nowMs: number): string[] {
    this.links.set(machine, link)
    return this.#surplus(machine, nowMs)
  }

  /** Those beyond what is kept, after neighbours changed. */
  surplus(nowMs: number): string[] {
    return this.#surplus(null, nowMs)
  }

  /** Is another one to be dialled by chance? */
  get wantsChosen(): boolean {
    if (this.isWhole) return this.links.size < MAX_LINKS
    if (this.links.size >= MAX_LINKS - 2) return false
    let dialled = 0
    let chosen = 0
    for (const [machine, link] of this.links) {
      if (!link.dialled) continue
      dialled += 1
      if (!this.neighbours.has(machine)) chosen += 1
    }
    return chosen < LEAST_CHOSEN || dialled + BALANCE < this.links.size - dialled
  }

  /** Is there room for one more of that network? */
  isApart(network: string | null): boolean {
    return network === null || this.#of(network) < MAX_PER_NETWORK
  }

  #of(network: string): number {
    let count = 0
    for (const link of this.links.values()) if (link.network === network) count += 1
    return count
  }

  #isFull(dialled: boolean): boolean {
    if (this.links.size >= MAX_LINKS) return true
    if (dialled) return false
    const accepted = this.#accepted
    // No more than these: else each dials one more for each that it accepts, until nobody has room.
    const enough = this.links.size - accepted + BALANCE
    const most = Math.min(MAX_ACCEPTED, Math.max(LEAST_ACCEPTED, enough))
    return accepted >= most
  }

  get #accepted(): number {
    let count = 0
    for (const link of this.links.values()) if (!link.dialled) count += 1
    return count
  }

  #surplus(fresh: string | null, nowMs: number): string[] {
    const released: string[] = []
    const letGo = (dialled: boolean): boolean => {
      const machine =
        this.#leastMissed(dialled, nowMs - GRACE_MS, fresh) ?? this.#youngest(dialled, fresh)
      if (machine === null) return false
      this.links.delete(machine)
      released.push(machine)
      return true
    }
    if (!this.isWhole) released.push(...this.#crowded())
    while (!this.isWhole && this.#accepted > MAX_ACCEPTED && letGo(false)) continue
    while (this.links.size > MAX_LINKS && (letGo(false) || letGo(true))) continue
    return released
  }

  /** Those of one network that were neighbours and are no more, beyond its share; the last to come go. */
  #crowded(): string[] {
    const counts = new Map<string, number>()
    const crowded: string[] = []
    for (const [machine, { network }] of this.links) {
      if (network === null || this.neighbours.has(machine)) continue
      const count = (counts.get(network) ?? 0) + 1
      counts.set(network, count)
      if (count > MAX_PER_NETWORK) crowded.push(machine)
    }
    for (const machine of crowded) this.links.delete(machine)
    return crowded
  }

  /** No neighbour, there since then at least, the oldest first. */
  #leastMissed(dialled: boolean, sinceMs: number, except: string | null): string | null {
    for (const [machine, link] of this.links) {
      if (machine === except || link.dialled !== dialled || this.neighbours.has(machine)) continue
      if (link.sinceMs <= sinceMs) return machine
    }
    return null
  }

  /** Where nobody is past its grace, the last to come goes; the one that just did only if there is no other. */
  #youngest(dialled: boolean, fresh: string | null): string | null {
    let youngest: string | null = null
    for (const [machine, link] of this.links) {
      if (link.dialled !== dialled || this.neighbours.has(machine)) continue
      if (machine !== fresh || youngest === null) youngest = machine
    }
    return youngest
  }
}
