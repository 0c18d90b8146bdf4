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
  readonly #byPerson = new Map<string, Set<string>>()

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
    this.#entries.set(session, { known: withAnnouncement(undefined, announcement), person })
    const own = this.#byPerson.get(person) ?? new Set()
    this.#byPerson.set(person, own.add(session))
    if (own.size > this.#limits.perPerson) this.#forgetOldest([...own])
    if (this.#entries.size > this.#limits.sessions) this.#makeRoom()
  }

  /** Whoever has most gives up the oldest. */
  #makeRoom(): void {
    let most: Set<string> = new Set()
    for (const sessions of this.#byPerson.values()) {
      if (sessions.size > most.size) most = sessions
    }
    this.#forgetOldest([...most])
  }

  #forgetOldest(sessions: readonly string[]): void {
    const ageOf = (session: string): number => {
      const known = this.get(session)
      return known === undefined ? 0 : startedMs(known)
    }
    const [oldest] = [...sessions].sort((a, b) => ageOf(a) - ageOf(b))
    const entry = oldest === undefined ? undefined : this.#entries.get(oldest)
    if (oldest === undefined || entry === undefined) return
    this.#entries.delete(oldest)
    const own = this.#byPerson.get(entry.person)
    own?.delete(oldest)
    if (own?.size === 0) this.#byPerson.delete(entry.person)
  }
}
