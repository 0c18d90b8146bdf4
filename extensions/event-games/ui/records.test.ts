import { expect, test } from 'vitest'
import type { SessionDescriptor } from '/.dharma/sdk.js'
import { BOB, CID, CUP, entryRecord, eventRecord, RULES } from '../testing/records.ts'
import {
  descriptorOf,
  gamesOf,
  isGame,
  isGenuineEntry,
  isGenuineEvent,
  outcomeText,
} from './records.ts'

const START = '5'.repeat(64)

test('an event counts only under an id that names its author', () => {
  expect(isGenuineEvent(eventRecord(CUP))).toBe(true)
  expect(isGenuineEvent(eventRecord(CUP, BOB))).toBe(false)
})

test('an entry counts only if the person who enters wrote it', () => {
  expect(isGenuineEntry(entryRecord(BOB))).toBe(true)
  expect(isGenuineEntry(entryRecord(BOB, { author: CID }))).toBe(false)
})

test('both players derive the same session from the start, and no other session is that game', () => {
  const players = [
    { person: BOB, name: 'Bob' },
    { person: CID, name: 'Cid' },
  ]
  const start = { id: START, players, rules: RULES, startedMs: 1, isDisputed: false }
  const event = { ...eventRecord({ ...CUP, format: 'single' }), start }
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
