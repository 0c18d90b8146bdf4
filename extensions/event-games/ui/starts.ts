// How an event starts: with a record that nobody can change, which lists the entries by their hashes.
// Who plays whom follows from what the players put into their entries; the organiser draws nothing.
import type { TypedRecord } from '/.dharma/sdk.js'
import { isGenuineEntry, isGenuineEvent } from './records.ts'
import type { EntryRecord, EventRecord, Player, WithdrawalRecord } from './records.ts'
import { drawLots } from './tournament.ts'

/** Written by the organiser; its id is its hash. */
export type StartValue = {
  event: string
  /** The ids of the entries: hashes of all that they say. */
  entries: string[]
  /** The hash of the rules that all games are played by. */
  rules: string
}
export type StartRecord = TypedRecord<StartValue>

/** A start that counts, and what follows from it. */
export interface Start {
  id: string
  /** In the order of the lots. */
  players: Player[]
  rules: string
  startedMs: number
  /** The organiser has started the event in another way, too. */
  isDisputed: boolean
}

/** An event as it is shown: the organiser's record, and how it started, if it did. */
export type GameEvent = EventRecord & { start: Start | null }

/** When a record was written, by its author's clock. Source: the hybrid clock, 12 hex digits of ms. */
export function writtenMs({ version }: { version: string }): number {
  return Number.parseInt(version.slice(0, 12), 16)
}

/** The players in an order that nobody chose alone: from all their nonces together. */
export function drawPlayers(entries: readonly EntryRecord[]): Player[] {
  const byPerson = entries.toSorted((a, b) => (a.author < b.author ? -1 : 1))
  const seed = byPerson
    .map(({ value }) => value.nonce)
    .sort()
    .join('.')
  return drawLots(
    byPerson.map(({ author, value }) => ({ person: author, name: value.name })),
    seed,
  )
}

/** What all machines derive from a start; null if it does not hold, or not all of it is here. */
function readStart(
  event: EventRecord,
  { id, author, value, version }: StartRecord,
  entries: ReadonlyMap<string, EntryRecord>,
): Start | null {
  if (author !== event.author || value.event !== event.id) return null
  const listed = value.entries.flatMap((entry) => entries.get(entry) ?? [])
  const persons = new Set(listed.map((entry) => entry.author))
  const holds =
    listed.length === value.entries.length &&
    persons.size === listed.length &&
    listed.length >= 2 &&
    listed.length <= event.value.maxPlayers &&
    listed.every((entry) => entry.value.event === event.id)
  if (!holds) return null
  const startedMs = writtenMs({ version })
  return { id, players: drawPlayers(listed), rules: value.rules, startedMs, isDisputed: false }
}

function startOf(
  event: EventRecord,
  starts: readonly StartRecord[],
  entries: ReadonlyMap<string, EntryRecord>,
): Start | null {
  const found = starts.flatMap((start) => readStart(event, start, entries) ?? [])
  const [first] = found.sort((a, b) => a.startedMs - b.startedMs || (a.id < b.id ? -1 : 1))
  if (first === undefined) return null
  const saysOf = ({ rules, players }: Start): string => JSON.stringify([rules, players])
  const isDisputed = found.some((other) => saysOf(other) !== saysOf(first))
  return { ...first, isDisputed }
}

export interface Records {
  events: readonly EventRecord[]
  entries: readonly EntryRecord[]
  withdrawals: readonly WithdrawalRecord[]
  starts: readonly StartRecord[]
}

/** All events that count, each with its start. */
export function joinEvents({ events, entries, starts }: Omit<Records, 'withdrawals'>): GameEvent[] {
  const byId = new Map(entries.filter(isGenuineEntry).map((entry) => [entry.id, entry]))
  return events.filter(isGenuineEvent).map((event) => ({
    ...event,
    start: startOf(
      event,
      starts.filter(({ value }) => value.event === event.id),
      byId,
    ),
  }))
}

/**
 * Who has entered and not withdrawn, by event, the earliest first. Of several entries of one person the
 * first counts, so that nobody tries nonces until one suits.
 */
export function entriesByEvent({
  entries,
  withdrawals,
}: Pick<Records, 'entries' | 'withdrawals'>): Map<string, EntryRecord[]> {
  const withdrawn = new Set(withdrawals.map(({ id, author }) => `${id} ${author}`))
  const byEvent = new Map<string, EntryRecord[]>()
  const earliest = entries
    .filter(isGenuineEntry)
    .toSorted((a, b) =>
      a.version < b.version || (a.version === b.version && a.id < b.id) ? -1 : 1,
    )
  for (const entry of earliest) {
    if (withdrawn.has(`${entry.id} ${entry.author}`)) continue
    const known = byEvent.get(entry.value.event) ?? []
    if (known.some(({ author }) => author === entry.author)) continue
    byEvent.set(entry.value.event, [...known, entry])
  }
  return byEvent
}
