import { expect, test } from 'vitest'
import type { SessionDescriptor } from '/.dharma/sdk.js'
import {
  descriptorOf,
  entryIdOf,
  eventIdOf,
  gamesOf,
  isGame,
  isGenuineEntry,
  isGenuineEvent,
  outcomeText,
} from './records.ts'
import type { EntryRecord, EventRecord, EventValue } from './records.ts'
import { startedValue } from './start.ts'

const ANN = 'a'.repeat(52)
const BOB = 'b'.repeat(52)
const CID = 'c'.repeat(52)
const RULES = 'f'.repeat(64)

const OPEN: EventValue = {
  title: 'Cup',
  game: 'connect-four',
  format: 'round-robin',
  maxPlayers: 3,
  organiser: 'Ann',
  status: 'open',
  createdMs: 1,
}

function eventRecord(
  value: EventValue,
  author = ANN,
  id = eventIdOf('random12', ANN),
): EventRecord {
  return record(id, author, value)
}

function entryRecord(event: string, person: string, author = person): EntryRecord {
  const value = { event, person, name: person.slice(0, 3), joinedMs: 1 }
  return record(entryIdOf(event, person), author, value)
}

function record<T>(id: string, author: string, value: T) {
  const version = '000000000001-0000'
  return {
    system: 'event-games',
    collection: 'x',
    id,
    value,
    author,
    version,
    rule: 'author' as const,
  }
}

test('an event counts only under an id that names its author', () => {
  expect(isGenuineEvent(eventRecord(OPEN))).toBe(true)
  expect(isGenuineEvent(eventRecord(OPEN, BOB))).toBe(false)
})

test('an entry counts only if the person who enters wrote it, under their own id', () => {
  expect(isGenuineEntry(entryRecord('e', BOB))).toBe(true)
  expect(isGenuineEntry(entryRecord('e', BOB, CID))).toBe(false)
  expect(isGenuineEntry({ ...entryRecord('e', BOB), id: entryIdOf('other', BOB) })).toBe(false)
})

test('starting takes the earliest entries and puts them in the order of the lots', () => {
  const event = eventRecord(OPEN)
  const entries = [ANN, BOB, CID, 'd'.repeat(52)].map((person) => entryRecord(event.id, person))
  const value = startedValue(event, entries, 'seed', RULES, 5)
  expect(value).toMatchObject({ status: 'started', seed: 'seed', startedMs: 5, title: 'Cup' })
  expect(value.players?.map(({ person }) => person).sort()).toEqual([ANN, BOB, CID])
  expect(gamesOf(eventRecord(value))).toHaveLength(3)
  expect(gamesOf(event)).toEqual([])
})

test('both players derive the same session from the event, and no other session is that game', () => {
  const players = [
    { person: BOB, name: 'Bob' },
    { person: CID, name: 'Cid' },
  ]
  const event = eventRecord({
    ...OPEN,
    format: 'single',
    status: 'started',
    players,
    seed: 's',
    rules: RULES,
  })
  const [pairing] = gamesOf(event)
  if (pairing === undefined) throw new Error('a started event has a game')
  const derived = descriptorOf(event, pairing)
  expect(derived).toEqual({
    kind: 'connect-four',
    seats: [BOB, CID],
    seed: 's/1/1',
    options: {},
    context: { event: event.id, round: 1, table: 1 },
    rules: RULES,
  })
  const descriptor: SessionDescriptor = { ...derived!, system: 'event-games' }
  expect(isGame(descriptor, event, pairing)).toBe(true)
  expect(isGame({ ...descriptor, seats: [CID, BOB] }, event, pairing)).toBe(false)
  expect(isGame({ ...descriptor, seed: 'chosen' }, event, pairing)).toBe(false)
  expect(isGame({ ...descriptor, rules: 'e'.repeat(64) }, event, pairing)).toBe(false)
  expect(isGame({ ...descriptor, context: 'e' }, event, pairing)).toBe(false)
  expect(isGame({ ...descriptor, options: { handicap: 1 } }, event, pairing)).toBe(false)
})

test('an outcome in words', () => {
  expect(outcomeText({ scores: [0, 1], reason: '' }, ['Ann', 'Bob'])).toBe('Bob won')
  expect(outcomeText({ scores: [0.5, 0.5], reason: '' }, ['Ann', 'Bob'])).toBe('Draw')
})
