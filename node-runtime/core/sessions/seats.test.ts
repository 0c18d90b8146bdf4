import fc from 'fast-check'
import { expect, test } from 'vitest'
import { descriptorOf, holder, keysOf } from '../../testing/session-tables.ts'
import { canonicalJson } from '../canonical.ts'
import { BUILT_IN_SYSTEM_KEY } from '../systems/built-in.ts'
import { sessionId } from './position.ts'
import {
  announcedState,
  announcementId,
  MAX_MACHINES_PER_SEAT,
  readAnnouncement,
  SEATS_COLLECTION,
  MAX_DESCRIPTOR_CHARS,
  seatMachines,
  startedMs,
  withAnnouncement,
} from './seats.ts'
import type { Announcement, KnownSession, SeatRecord } from './seats.ts'

const [ANN, BOB, EVE] = [holder('ann'), holder('bob'), holder('eve')]
const descriptor = descriptorOf([ANN, BOB])
const session = sessionId(descriptor)

/** The session that these announcements make together; undefined for none. */
function sessionFrom(announcements: readonly Announcement[]): KnownSession | undefined {
  let known: KnownSession | undefined
  for (const one of announcements) known = withAnnouncement(known, one)
  return known
}

const announcement: Announcement = {
  session,
  seat: 0,
  log: keysOf('log').key,
  machine: ANN.machine,
  descriptor,
  state: 'live',
  startedMs: 1,
}

const PLACE = { system: BUILT_IN_SYSTEM_KEY, collection: SEATS_COLLECTION }

function record(value: Partial<Announcement>, change: Partial<SeatRecord> = {}) {
  const whole = { ...announcement, ...value }
  const id = announcementId(session, whole.seat, whole.machine)
  return { ...PLACE, author: ANN.person, id, value: whole, ...change }
}

test('a seat is taken by its person, on any number of machines up to the limit', () => {
  const machines = Array.from({ length: MAX_MACHINES_PER_SEAT + 5 }, (_, i) => keysOf(`m${i}`).key)
  const known = sessionFrom(
    machines.flatMap((machine) => readAnnouncement(record({ machine })) ?? []),
  )
  expect(known?.seats.map((held) => held.length)).toEqual([MAX_MACHINES_PER_SEAT, 0])
  expect(known && announcedState(known)).toBe('waiting')
})

test('a machine’s newest announcement takes the place of its earlier one', () => {
  const known = sessionFrom([announcement, { ...announcement, state: 'over' }])
  expect(known?.seats[0]).toMatchObject([{ state: 'over' }])
  const both = withAnnouncement(known, { ...announcement, seat: 1, machine: BOB.machine })
  expect(announcedState(both)).toBe('over')
  expect(seatMachines(both, ANN.machine)).toEqual([BOB.machine])
})

test.each([
  ['by another person', record({}, { author: EVE.person })],
  ['by the person in the other seat', record({}, { author: BOB.person })],
  ['for a seat that there is not', record({ seat: 2 })],
  ['under the id of another seat', record({}, { id: announcementId(session, 1, ANN.machine) })],
  ['under the id of another machine', record({}, { id: announcementId(session, 0, EVE.machine) })],
  [
    'with a descriptor that is not the session’s',
    record({ descriptor: { ...descriptor, seed: 'x' } }),
  ],
  [
    'with seats that are not the session’s',
    record({ descriptor: descriptorOf([EVE, BOB]) }, { author: EVE.person }),
  ],
  ['without a log', record({ log: '' })],
  ['by a page of a system', record({}, { system: descriptor.system })],
  ['in another collection', record({}, { collection: 'chairs' })],
])('an announcement %s counts for nothing', (_what, forged) => {
  expect(readAnnouncement(forged)).toBeNull()
  expect(readAnnouncement(record({}))).toEqual(announcement)
})

test('an announcement whose options are a book counts for nothing', () => {
  const large = descriptorOf([ANN, BOB], { text: 'x'.repeat(20_000) })
  const made = { descriptor: large, session: sessionId(large) }
  const id = announcementId(made.session, 0, ANN.machine)
  expect(readAnnouncement(record(made, { id }))).toBeNull()
  const small = descriptorOf([ANN, BOB], { text: 'x' })
  const fits = { descriptor: small, session: sessionId(small) }
  const itsId = announcementId(fits.session, 0, ANN.machine)
  expect(readAnnouncement(record(fits, { id: itsId }))).not.toBeNull()
})

test('nothing that a record may hold makes the reader throw', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string(), fc.string(), (value, author, id) => {
      expect(readAnnouncement({ ...PLACE, author, id, value })).toBeNull()
    }),
  )
})

test('a session is live once every seat is taken, and began when the first was', () => {
  const bob = { ...announcement, seat: 1, machine: BOB.machine, startedMs: 7 }
  const waiting = withAnnouncement(undefined, { ...announcement, startedMs: 9 })
  expect([announcedState(waiting), startedMs(waiting)]).toEqual(['waiting', 9])
  const live = withAnnouncement(waiting, bob)
  expect([announcedState(live), startedMs(live)]).toEqual(['live', 7])
  expect(startedMs({ session, descriptor, seats: [[], []] })).toBe(0)
  expect(seatMachines(live, EVE.machine)).toEqual([ANN.machine, BOB.machine])
})

test('a machine that is followed may go on announcing when no more are', () => {
  const machines = Array.from({ length: MAX_MACHINES_PER_SEAT }, (_, i) => keysOf(`m${i}`).key)
  const known = sessionFrom(machines.map((machine) => ({ ...announcement, machine })))
  const [machine = ''] = machines
  const again = withAnnouncement(known, { ...announcement, machine, state: 'over' })
  expect(again.seats[0]).toHaveLength(MAX_MACHINES_PER_SEAT)
  expect(announcedState(again)).toBe('over')
  expect(withAnnouncement(known, { ...announcement, machine: EVE.machine })).toBe(known)
})

test('a descriptor is as long as it may be', () => {
  const fits = (chars: number): boolean => {
    const empty = canonicalJson(descriptorOf([ANN, BOB], { text: '' })).length
    const made = descriptorOf([ANN, BOB], { text: 'x'.repeat(chars - empty) })
    expect(canonicalJson(made)).toHaveLength(chars)
    const of = { descriptor: made, session: sessionId(made) }
    const id = announcementId(of.session, 0, ANN.machine)
    return readAnnouncement(record(of, { id })) !== null
  }
  expect(fits(MAX_DESCRIPTOR_CHARS)).toBe(true)
  expect(fits(MAX_DESCRIPTOR_CHARS + 1)).toBe(false)
})

test('what machines of other versions read is frozen: the place of announcements, and their states', () => {
  expect(SEATS_COLLECTION).toBe('seats')
  for (const state of ['live', 'over'] as const) {
    expect(readAnnouncement(record({ state }))?.state).toBe(state)
  }
  expect(readAnnouncement(record({ state: 'paused' as 'over' }))).toBeNull()
})
