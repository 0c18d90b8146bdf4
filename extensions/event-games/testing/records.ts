// Records for tests, as they come out of a query.
import type { EntryRecord, EventRecord, EventValue } from '../ui/records.ts'
import { eventIdOf } from '../ui/records.ts'

export const ANN = 'a'.repeat(52)
export const BOB = 'b'.repeat(52)
export const CID = 'c'.repeat(52)
export const DEE = 'd'.repeat(52)
/** The hash of some rules. */
export const RULES = 'f'.repeat(64)

/** An event for three, that Ann organises. */
export const CUP: EventValue = {
  title: 'Cup',
  game: 'connect-four',
  format: 'round-robin',
  maxPlayers: 3,
  organiser: 'Ann',
  status: 'open',
  createdMs: 1,
}
export const CUP_ID = eventIdOf('random12', ANN)

/** @param atMs  when it was written */
export function record<T>(id: string, author: string, value: T, atMs = 1) {
  const version = `${atMs.toString(16).padStart(12, '0')}-0000`
  return { system: 'event-games', collection: 'x', id, value, author, version, rule: 'author' }
}

export function eventRecord(value = CUP, author = ANN): EventRecord {
  return record(CUP_ID, author, value)
}

export interface EntryOptions {
  atMs?: number
  nonce?: string
  event?: string
  /** Who wrote it; the one who enters, if all is well. */
  author?: string
}

export function entryRecord(person: string, options: EntryOptions = {}): EntryRecord {
  const { atMs, nonce = person, event = CUP_ID, author = person } = options
  const value = { event, person, name: person.slice(0, 3), nonce, joinedMs: 1 }
  return record(`entry of ${person} ${nonce} ${event}`, author, value, atMs)
}
