// The newest sessions that machines have announced, as many as a machine keeps in mind. The rest stays
// in the database, where one that is asked for is found.
import type { Announcement, KnownSession } from './seats.ts'
import { startedMs, withAnnouncement } from './seats.ts'

export interface RecentLimits {
  sessions: number
  /** Of one person: announcing more pushes out the person's own older ones. */
  perPerson: number
}

/** Lists show 200; ten systems' worth, of which nobody fills more than a fraction. */
const LIMITS: RecentLimits = { sessions: 2_000, perPerson: 64 }

interface Entry {
  known: KnownSession
  /** Who announced it first here; it counts against their share. */
  person: string
}

export class RecentSessions {
  readonly #limits: RecentLimits
  readonly #entries = new Map<string, Entry>()
  /** By person, their sessions in the order in which they came. */
  readonly #byPerson = new Map<string, Set<Entry>>()

  constructor(limits: RecentLimits = LIMITS) {
    this.#limits = limits
  }

  get size(): number {
    return this.#entries.size
  }

  get(session: string): KnownSession | undefined {
    return this.#entries.get(session)?.known
  }

  values(): KnownSession[] {
    return [...this.#entries.values()].map(({ known }) => known)
  }

  /** Takes in what a person has announced. */
  take(announcement: Announcement, person: string): void {
    const { session } = announcement
    const entry = this.#entries.get(session)
    if (entry !== undefined) {
      entry.known = withAnnouncement(entry.known, announcement)
      return
    }
    const first: Entry = { known: withAnnouncement(undefined, announcement), person }
    this.#entries.set(session, first)
    const own = this.#byPerson.get(person) ?? new Set()
    this.#byPerson.set(person, own.add(first))
    if (own.size > this.#limits.perPerson) this.#forgetOldest(own)
    if (this.#entries.size > this.#limits.sessions) this.#makeRoom()
  }

  /** Whoever has most gives up the oldest. */
  #makeRoom(): void {
    let most = new Set<Entry>()
    for (const own of this.#byPerson.values()) if (own.size > most.size) most = own
    this.#forgetOldest(most)
  }

  #forgetOldest(own: Set<Entry>): void {
    const [oldest] = [...own].sort((a, b) => startedMs(a.known) - startedMs(b.known))
    if (oldest === undefined) return
    this.#entries.delete(oldest.known.session)
    own.delete(oldest)
    if (own.size === 0) this.#byPerson.delete(oldest.person)
  }
}
