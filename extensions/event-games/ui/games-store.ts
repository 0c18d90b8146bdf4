// What the pages show: events, entries, results and running sessions of the cloud, kept up to date.
import type {
  Calls,
  CloudError,
  Completeness,
  Disposer,
  ResultValue,
  SessionSummary,
} from '/.dharma/sdk.js'
import { contextOf, isGame } from './records.ts'
import type {
  EntryRecord,
  EntryValue,
  EventRecord,
  EventValue,
  ResultRecord,
  WithdrawalRecord,
  WithdrawalValue,
} from './records.ts'
import { entriesByEvent, joinEvents } from './starts.ts'
import type { GameEvent, StartRecord, StartValue } from './starts.ts'
import type { Pairing } from './tournament.ts'

/** The runtime has no stream of all sessions: the list is read again this often while it is shown. */
const SESSIONS_EVERY_MS = 2000
/** Sessions shown at most; the newest ones. */
const SESSIONS_LIMIT = 200

export interface GamesStore {
  /** False until events, entries and results have been read once. */
  readonly loaded: boolean
  /** Newest first. */
  readonly events: readonly GameEvent[]
  /** One of each session, newest first. */
  readonly results: readonly ResultRecord[]
  /** Newest first; null until read for the first time. */
  readonly sessions: readonly SessionSummary[] | null
  readonly completeness: Completeness | null
  readonly error: CloudError | null
  eventOf(id: string): GameEvent | null
  /** Who has entered, the earliest first. */
  entriesOf(event: string): readonly EntryRecord[]
  /** The result of a game, if a player has stored one: of two that say the same, either. */
  resultOf(event: GameEvent, pairing: Pairing): ResultRecord | null
  /** Have the players of a session stored results that say different things? */
  isDisputed(session: string): boolean
  /** The session of a game, if anybody has opened it. */
  sessionOf(event: GameEvent, pairing: Pairing): SessionSummary | null
  /** Keeps `sessions` fresh until disposed. */
  followSessions(): Disposer
}

function newestFirst(
  a: { version: string; id: string },
  b: { version: string; id: string },
): number {
  if (a.version !== b.version) return a.version < b.version ? 1 : -1
  return a.id < b.id ? -1 : 1
}

/** Did one of its seats write this result, and does it say of itself what it is? */
function isGenuineResult({ id, author, value }: ResultRecord): boolean {
  const own = contextOf(value)
  const described = contextOf(value.descriptor)
  return (
    id === value.session &&
    value.descriptor.seats.includes(author) &&
    own !== null &&
    JSON.stringify([own.event, own.start, own.round, own.table]) ===
      JSON.stringify([described?.event, described?.start, described?.round, described?.table])
  )
}

function scoresOf({ value }: ResultRecord): string {
  return value.outcome.scores.join()
}

/** Starts reading; `changed` is called after every change of what the store holds. */
export function startGamesStore(cloud: Calls, changed: () => void): GamesStore {
  let events: GameEvent[] | null = null
  let results: ResultRecord[] | null = null
  let entries: Map<string, EntryRecord[]> | null = null
  let disputed = new Set<string>()
  let sessions: readonly SessionSummary[] | null = null
  let completeness: Completeness | null = null
  let error: CloudError | null = null
  let sessionsError: CloudError | null = null
  let followers = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  const failed = (reason: CloudError): void => {
    error = reason
    changed()
  }
  const read: {
    events?: EventRecord[]
    entries?: EntryRecord[]
    withdrawals?: WithdrawalRecord[]
    starts?: StartRecord[]
  } = {}
  const join = (): void => {
    const { events: found, entries: entered, withdrawals, starts } = read
    if (entered !== undefined && withdrawals !== undefined) {
      entries = entriesByEvent({ entries: entered, withdrawals })
    }
    if (found !== undefined && entered !== undefined && starts !== undefined) {
      events = joinEvents({ events: found, entries: entered, starts }).sort(newestFirst)
    }
    changed()
  }
  cloud.db.collection<EventValue>('events').live(
    {},
    (page) => {
      read.events = page.records
      completeness = page.completeness
      join()
    },
    failed,
  )
  cloud.db.collection<EntryValue>('entries').live(
    {},
    (page) => {
      read.entries = page.records
      join()
    },
    failed,
  )
  cloud.db.collection<WithdrawalValue>('withdrawals').live(
    {},
    (page) => {
      read.withdrawals = page.records
      join()
    },
    failed,
  )
  cloud.db.collection<StartValue>('starts').live(
    {},
    (page) => {
      read.starts = page.records
      join()
    },
    failed,
  )
  cloud.db.collection<ResultValue>('results').live(
    {},
    (page) => {
      const bySession = new Map<string, ResultRecord>()
      disputed = new Set()
      for (const result of page.records.filter(isGenuineResult).sort(newestFirst)) {
        const other = bySession.get(result.id)
        if (other === undefined) bySession.set(result.id, result)
        else if (scoresOf(other) !== scoresOf(result)) disputed.add(result.id)
      }
      results = [...bySession.values()]
      changed()
    },
    failed,
  )
  const readSessions = async (): Promise<void> => {
    timer = undefined
    try {
      sessions = await cloud.sessions.list({ limit: SESSIONS_LIMIT })
      sessionsError = null
    } catch (reason) {
      sessionsError = reason as CloudError
    }
    changed()
    if (followers > 0) timer = setTimeout(() => void readSessions(), SESSIONS_EVERY_MS)
  }

  return {
    get loaded() {
      return events !== null && entries !== null && results !== null
    },
    get events() {
      return events ?? []
    },
    get results() {
      return results ?? []
    },
    get sessions() {
      return sessions
    },
    get completeness() {
      return completeness
    },
    get error() {
      return error ?? sessionsError
    },
    eventOf: (id) => events?.find((event) => event.id === id) ?? null,
    entriesOf: (event) => entries?.get(event) ?? [],
    resultOf: (event, pairing) =>
      results?.find(({ value }) => isGame(value.descriptor, event, pairing)) ?? null,
    isDisputed: (session) => disputed.has(session),
    sessionOf: (event, pairing) =>
      sessions?.find(({ descriptor }) => isGame(descriptor, event, pairing)) ?? null,
    followSessions() {
      followers += 1
      if (followers === 1 && timer === undefined) void readSessions()
      let following = true
      return () => {
        if (following) followers -= 1
        following = false
        if (followers > 0) return
        clearTimeout(timer)
        timer = undefined
      }
    },
  }
}
