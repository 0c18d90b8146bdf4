// @ts-nocheck -- follows the switch of the database
import { expect, test, vi } from 'vitest'
import type { CloudRecord } from '../../contract/db.ts'
import type { SessionDescriptor } from '../../contract/sessions.ts'
import { sessionId } from '../../core/sessions/session-chain.ts'
import { SeatIndex, announcementId } from './seat-index.ts'
import type { Announcement } from './seat-index.ts'

const [ANN, BOB, EVE] = ['y', 'b', 'n'].map((letter) => letter.repeat(52)) as [
  string,
  string,
  string,
]
const descriptor: SessionDescriptor = {
  system: 'org.example.games',
  kind: 'duel',
  seats: [ANN, BOB],
  seed: 'seed',
  options: {},
  context: null,
}
const session = sessionId(descriptor)

const announcement: Announcement = {
  session,
  seat: 0,
  log: ANN,
  machine: ANN,
  descriptor,
  state: 'live',
  startedMs: 1,
}

/** A record as the database hands it on: its signature has been checked, its meaning has not. */
function recordOf(value: Partial<Announcement>, change: Partial<CloudRecord> = {}): CloudRecord {
  return {
    system: 'dharma',
    collection: 'seats',
    id: announcementId(session, value.seat ?? 0),
    value: { ...announcement, ...value } as CloudRecord['value'],
    author: ANN,
    version: '000000000001-0000',
    created: '000000000001-0000',
    rule: 'author',
    signature: '0'.repeat(128),
    ...change,
  }
}

test('a seat is taken by its person, and the newest announcement counts, in any order', () => {
  const index = new SeatIndex()
  const announced = vi.fn()
  index.on('announced', announced)
  index.take(recordOf({ state: 'over' }, { version: '000000000002-0000' }))
  index.take(recordOf({ state: 'live' }))
  expect(announced).toHaveBeenCalledExactlyOnceWith(session)
  expect(index.get(session)?.seats).toMatchObject([{ state: 'over', log: ANN }, null])
})

test.each([
  ['by another person', recordOf({ log: EVE }, { author: EVE })],
  ['by the person in the other seat', recordOf({ log: BOB }, { author: BOB })],
  ['for a seat that there is not', recordOf({ seat: 2 })],
  ['under the id of another seat', recordOf({}, { id: announcementId(session, 1) })],
  [
    'with a descriptor that is not the session’s',
    recordOf({ descriptor: { ...descriptor, seed: 'another' } }),
  ],
  [
    'with seats that are not the session’s',
    recordOf({ log: EVE, descriptor: { ...descriptor, seats: [EVE, BOB] } }, { author: EVE }),
  ],
  ['without a log', recordOf({ log: '' })],
])('an announcement %s counts for nothing', (_, record) => {
  const index = new SeatIndex()
  const announced = vi.fn()
  index.on('announced', announced)
  index.take(record)
  expect([...index.values()]).toEqual([])
  expect(announced).not.toHaveBeenCalled()
  index.take(recordOf({}))
  expect(index.get(session)?.seats[0]).toMatchObject({ log: ANN })
})
