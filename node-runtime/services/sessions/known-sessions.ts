// What the cloud's records say of sessions. The newest are kept in mind; the others stay in the
// database, and are read when they are asked for.
import { CloudError } from '../../contract/errors.ts'
import type { CloudRecord } from '../../contract/db.ts'
import { RecentSessions } from '../../core/sessions/recent-sessions.ts'
import { BUILT_IN_SYSTEM } from '../../core/systems/built-in.ts'
import { readAnnouncement, SEATS_COLLECTION, withAnnouncement } from '../../core/sessions/seats.ts'
import type { Announcement, KnownSession } from '../../core/sessions/seats.ts'
import type { SessionRecords } from './results.ts'

const PAGE_RECORDS = 500
/**
 * Records under one session's ids that are read: anybody can write there, and who wants to hide a session
 * has to write, and keep, so many.
 */
const MAX_OF_SESSION = 20_000

export class KnownSessions {
  readonly #records: SessionRecords
  readonly #recent = new RecentSessions()

  constructor(records: SessionRecords) {
    this.#records = records
  }

  /** The newest ones. */
  values(): KnownSession[] {
    return this.#recent.values()
  }

  take(announcement: Announcement, person: string): void {
    this.#recent.take(announcement, person)
  }

  /** The announcement that a record makes, which is kept in mind; null if it makes none. */
  takeRecord(record: CloudRecord): Announcement | null {
    const announcement = record.deleted === true ? null : readAnnouncement(record)
    if (announcement !== null) this.#recent.take(announcement, record.author)
    return announcement
  }

  /** A session that is kept in mind. */
  peek(session: string): KnownSession | undefined {
    return this.#recent.get(session)
  }

  /** Undefined if nobody has announced it here. Rejects when the records can't be read. */
  async find(session: string): Promise<KnownSession | undefined> {
    return this.#recent.get(session) ?? (await this.#read(session))
  }

  /** @throws CloudError SESSION_UNKNOWN */
  async get(session: string): Promise<KnownSession> {
    const known = await this.find(session)
    if (known !== undefined) return known
    throw new CloudError('SESSION_UNKNOWN', 'This session is not known here (yet).', { session })
  }

  /** What the person has announced, newest first; all pages are read, few are kept. */
  async ofPerson(author: string, limit: number): Promise<Announcement[]> {
    let newest: Announcement[] = []
    for await (const record of this.#all({ author })) {
      const announcement = readAnnouncement(record)
      if (announcement === null) continue
      newest.push(announcement)
      if (newest.length < 2 * limit) continue
      newest = newestOf(newest, limit)
    }
    return newestOf(newest, limit)
  }

  /** Reads what is in the database, for lists. */
  async load(signal: AbortSignal): Promise<void> {
    for await (const record of this.#all({})) {
      if (signal.aborted) return
      this.takeRecord(record)
    }
  }

  async #read(session: string): Promise<KnownSession | undefined> {
    let known: KnownSession | undefined
    let read = 0
    for await (const record of this.#all({ prefix: `${session}.` })) {
      const announcement = readAnnouncement(record)
      if (announcement !== null) known = withAnnouncement(known, announcement)
      if (++read >= MAX_OF_SESSION) break
    }
    return known
  }

  async *#all(filter: { author?: string; prefix?: string }): AsyncGenerator<CloudRecord, void> {
    let cursor: string | undefined
    do {
      const page = await this.#records.query({
        system: BUILT_IN_SYSTEM,
        collection: SEATS_COLLECTION,
        limit: PAGE_RECORDS,
        ...filter,
        ...(cursor === undefined ? {} : { cursor }),
      })
      yield* page.records
      cursor = page.cursor
    } while (cursor !== undefined)
  }
}

function newestOf(announcements: readonly Announcement[], limit: number): Announcement[] {
  return [...announcements].sort((a, b) => b.startedMs - a.startedMs).slice(0, limit)
}
