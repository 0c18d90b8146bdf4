import { expect, test } from 'vitest'
import type { SessionDescriptor } from '/.dharma/sdk.js'
import {
  descriptorOf,
  eventIdOf,
  gamesOf,
  isGame,
  isGenuineEntry,
  isGenuineEvent,
  outcomeText,
} from './records.ts'
import type { EntryRecord, EventRecord, EventValue } from './records.ts'

const ANN = 'a'.repeat(52)
const BOB = 'b'.repeat(52)
const CID = 'c'.repeat(52)
const RULES = 'f'.repeat(64)
const START = '5'.repeat(64)

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

function entryRecord(person: string, author = person): EntryRecord {
  const value = { event: 'e', person, name: person.slice(0, 3), nonce: '', joinedMs: 1 }
  return record('hash', author, value)
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

test('an entry counts only if the person who enters wrote it', () => {
  expect(isGenuineEntry(entryRecord(BOB))).toBe(true)
  expect(isGenuineEntry(entryRecord(BOB, CID))).toBe(false)
})

test('both players derive the same session from the start, and no other session is that game', () => {
  const players = [
    { person: BOB, name: 'Bob' },
    { person: CID, name: 'Cid' },
  ]
  const start = { id: START, players, rules: RULES, startedMs: 1, isDisputed: false }
  const event = { ...eventRecord({ ...OPEN, format: 'single' }), start }
  expect(gamesOf({ ...event, start: null })).toEqual([])
  const [pairing] = gamesOf(event)
  if (pairing === undefined) throw new Error('a started event has a game')
  const derived = descriptorOf(event, pairing)
  expect(derived).toEqual({
    kind: 'connect-four',
    seats: [BOB, CID],
    seed: `${START}/1/1`,
    options: {},
    context: { event: event.id, start: START, round: 1, table: 1 },
    rules: RULES,
  })
  const descriptor: SessionDescriptor = { ...derived!, system: 'event-games' }
  expect(isGame(descriptor, event, pairing)).toBe(true)
  for (const other of [
    { seats: [CID, BOB] },
    { seed: 'chosen' },
    { rules: 'e'.repeat(64) },
    { context: 'e' },
    { context: { event: event.id, start: RULES, round: 1, table: 1 } },
    { options: { handicap: 1 } },
  ]) {
    expect(isGame({ ...descriptor, ...other }, event, pairing)).toBe(false)
  }
})

test('an outcome in words', () => {
  expect(outcomeText({ scores: [0, 1], reason: '' }, ['Ann', 'Bob'])).toBe('Bob won')
  expect(outcomeText({ scores: [0.5, 0.5], reason: '' }, ['Ann', 'Bob'])).toBe('Draw')
})
