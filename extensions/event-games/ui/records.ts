// The records of the system: their shapes, their ids, and which of them count. Ids name their authors,
// so that nobody can take another's place.
import type { Outcome, ResultValue, SessionDescriptor, TypedRecord } from '/.dharma/sdk.js'
import { pairingsOf } from './tournament.ts'
import type { Format, Pairing } from './tournament.ts'

/** The one game of this system. */
export const GAME = 'connect-four'
export const GAME_TITLE = 'Connect Four'
export const MAX_PLAYERS = 16

export type Player = { person: string; name: string }

/** An event, written by its organiser only. */
export type EventValue = {
  title: string
  game: string
  format: Format
  maxPlayers: number
  /** The organiser's name at the time. */
  organiser: string
  status: 'open' | 'started' | 'cancelled'
  createdMs: number
  /** Set with `started`: the players in the order of the lots. */
  players?: Player[]
  /** Set with `started`: the hash of the rules that all games are played by. */
  rules?: string
  seed?: string
  startedMs?: number
}

/** One person's place in an event, written by that person. */
export type EntryValue = { event: string; person: string; name: string; joinedMs: number }

export type EventRecord = TypedRecord<EventValue>
export type EntryRecord = TypedRecord<EntryValue>
export type ResultRecord = TypedRecord<ResultValue>

/** What a game of an event is known by. */
export type GameContext = { event: string; round: number; table: number }

/** So much of the organiser's key is in the id of an event. */
const KEY_PART = 12

/** An id for a new event; `random` is the caller's, 8 characters of a-z and 0-9. */
export function eventIdOf(random: string, organiser: string): string {
  return `${random}-${organiser.slice(0, KEY_PART)}`
}

/** Is the author of this record the organiser that its id names? */
export function isGenuineEvent(record: EventRecord): boolean {
  return record.id.endsWith(`-${record.author.slice(0, KEY_PART)}`)
}

export function entryIdOf(event: string, person: string): string {
  return `${event}/${person}`
}

/** Did the person who enters write this entry? */
export function isGenuineEntry({ id, author, value }: EntryRecord): boolean {
  return value.person === author && id === entryIdOf(value.event, author)
}

/** The session of one game: the same for both players, as it derives from the event alone. */
export function descriptorOf(
  event: EventRecord,
  { round, table, seats }: Pairing,
): Omit<SessionDescriptor, 'system'> | null {
  const [first, second] = seats.map((seat) => event.value.players?.[seat]?.person)
  const { rules } = event.value
  if (first === undefined || second === undefined || rules === undefined) return null
  const context: GameContext = { event: event.id, round, table }
  return {
    kind: GAME,
    seats: [first, second],
    seed: `${event.value.seed ?? ''}/${round}/${table}`,
    options: {},
    context,
    rules,
  }
}

/** The games of an event; none before it has started. */
export function gamesOf(event: EventRecord): Pairing[] {
  const { status, format, players = [] } = event.value
  return status === 'started' ? pairingsOf(format, players.length) : []
}

/** The context of a session, if it is a game of an event. */
export function contextOf(descriptor: Pick<SessionDescriptor, 'context'>): GameContext | null {
  const { context } = descriptor
  if (typeof context !== 'object' || context === null || Array.isArray(context)) return null
  const { event, round, table } = context
  return typeof event === 'string' && typeof round === 'number' && typeof table === 'number'
    ? { event, round, table }
    : null
}

/** Is this session exactly that game of the event: players, order, seed and all? */
export function isGame(
  descriptor: SessionDescriptor,
  event: EventRecord,
  pairing: Pairing,
): boolean {
  const expected = descriptorOf(event, pairing)
  const context = contextOf(descriptor)
  return (
    expected !== null &&
    context?.event === event.id &&
    context.round === pairing.round &&
    context.table === pairing.table &&
    descriptor.kind === expected.kind &&
    descriptor.seed === expected.seed &&
    descriptor.rules === expected.rules &&
    descriptor.seats.join() === expected.seats.join() &&
    JSON.stringify(descriptor.options) === '{}'
  )
}

/** Who won, in words. */
export function outcomeText(outcome: Outcome, names: readonly string[]): string {
  const [a = 0, b = 0] = outcome.scores
  if (a === b) return 'Draw'
  return `${names[a > b ? 0 : 1] ?? 'A player'} won`
}
