// The records of the system: their shapes, their ids, and which of them count. Ids name their authors,
// so that nobody can take another's place.
import type { Outcome, ResultValue, SessionDescriptor, TypedRecord } from '/.dharma/sdk.js'
import type { GameEvent } from './starts.ts'
import { pairingsOf } from './tournament.ts'
import type { Format, Pairing } from './tournament.ts'

/** The one game of this system. */
export const GAME = 'connect-four'
export const GAME_TITLE = 'Connect Four'
export const MAX_PLAYERS = 16

export type Player = { person: string; name: string }

/** An event, written by its organiser only. That it has started is said by a start. */
export type EventValue = {
  title: string
  game: string
  format: Format
  maxPlayers: number
  /** The organiser's name at the time. */
  organiser: string
  status: 'open' | 'cancelled'
  createdMs: number
}

/**
 * One person's place in an event, written by that person; nobody can change it. The nonce is a share
 * of the lots: fixed before anybody knows who else will play.
 */
export type EntryValue = {
  event: string
  person: string
  name: string
  /** 32 hex digits of chance. */
  nonce: string
  joinedMs: number
}

/** Under the id of the own entry: the person does not want to play after all. */
export type WithdrawalValue = { event: string }

export type EventRecord = TypedRecord<EventValue>
export type EntryRecord = TypedRecord<EntryValue>
export type WithdrawalRecord = TypedRecord<WithdrawalValue>
export type ResultRecord = TypedRecord<ResultValue>

/** What a game of an event is known by. */
export type GameContext = { event: string; start: string; round: number; table: number }

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

/** Did the person who enters write this entry? */
export function isGenuineEntry({ author, value }: EntryRecord): boolean {
  return value.person === author
}

/** The session of one game: the same for both players, as it derives from the event's start alone. */
export function descriptorOf(
  { id, start }: GameEvent,
  { round, table, seats }: Pairing,
): Omit<SessionDescriptor, 'system'> | null {
  const [first, second] = seats.map((seat) => start?.players[seat]?.person)
  if (start === null || first === undefined || second === undefined) return null
  const context: GameContext = { event: id, start: start.id, round, table }
  return {
    kind: GAME,
    seats: [first, second],
    seed: `${start.id}/${round}/${table}`,
    options: {},
    context,
    rules: start.rules,
  }
}

/** The games of an event; none before it has started. */
export function gamesOf({ value, start }: GameEvent): Pairing[] {
  return start === null ? [] : pairingsOf(value.format, start.players.length)
}

/** The context of a session, if it is a game of an event. */
export function contextOf(descriptor: Pick<SessionDescriptor, 'context'>): GameContext | null {
  const { context } = descriptor
  if (typeof context !== 'object' || context === null || Array.isArray(context)) return null
  const { event, start, round, table } = context
  const isContext =
    typeof event === 'string' &&
    typeof start === 'string' &&
    typeof round === 'number' &&
    typeof table === 'number'
  return isContext ? { event, start, round, table } : null
}

/** Is this session exactly that game of the event: players, order, seed and all? */
export function isGame(descriptor: SessionDescriptor, event: GameEvent, pairing: Pairing): boolean {
  const expected = descriptorOf(event, pairing)
  const context = contextOf(descriptor)
  return (
    expected !== null &&
    context?.event === event.id &&
    context.start === event.start?.id &&
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

/**
 * Why a game ended that was not played to its end on the board, such as `by claim: Bob did not act`;
 * null of one that was.
 */
export function endingText(
  by: ResultValue['by'] | null,
  { scores }: Outcome,
  names: readonly string[],
): string | null {
  if (by === null || by === 'rules') return null
  const losers = names.filter((_, seat) => scores[seat] === 0).join(' and ')
  const deeds = {
    claim: `by claim: ${losers} did not act`,
    resignation: `${losers} resigned`,
    fault: `${losers} broke the rules`,
  }
  return deeds[by]
}

/** The same with a capital letter, where it stands alone. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
