import { expect, test } from 'vitest'
import { descriptorOf, holder, keysOf } from '../../testing/session-tables.ts'
import { sessionId } from './position.ts'
import { RecentSessions } from './recent-sessions.ts'
import type { Announcement } from './seats.ts'

const [ANN, EVE] = [holder('ann'), holder('eve')]

function announced(by: typeof ANN, number: number, startedMs = number): Announcement {
  const descriptor = { ...descriptorOf([by, holder('bob')]), seed: `${number}` }
  const session = sessionId(descriptor)
  const log = keysOf('log').key
  return { session, seat: 0, log, machine: by.machine, descriptor, state: 'live', startedMs }
}

test('who announces thousands of sessions pushes out their own', () => {
  const recent = new RecentSessions({ sessions: 100, perPerson: 10 })
  const anns = [1, 2, 3].map((number) => announced(ANN, number))
  for (const announcement of anns) recent.take(announcement, ANN.person)
  for (let number = 0; number < 2_000; number++) {
    recent.take(announced(EVE, number, 1_000 + number), EVE.person)
  }
  expect(recent.size).toBe(13)
  for (const { session } of anns) expect(recent.get(session)).toBeDefined()
  expect(recent.get(announced(EVE, 1_999).session)).toBeDefined()
  expect(recent.get(announced(EVE, 0).session)).toBeUndefined()
})

test('many persons together stay within the whole; who has most gives way', () => {
  const recent = new RecentSessions({ sessions: 20, perPerson: 15 })
  const ann = announced(ANN, 1)
  recent.take(ann, ANN.person)
  for (let number = 0; number < 15; number++) recent.take(announced(EVE, number), EVE.person)
  for (let number = 0; number < 30; number++) {
    const other = holder(`person ${number}`)
    if (number < 10) recent.take(announced(other, number), other.person)
  }
  expect(recent.size).toBe(20)
  expect(recent.get(ann.session)).toBeDefined()
})

test('what is said again of a session counts once', () => {
  const recent = new RecentSessions({ sessions: 2, perPerson: 2 })
  const first = announced(ANN, 1)
  for (let i = 0; i < 5; i++) recent.take({ ...first, state: 'over' }, ANN.person)
  expect(recent.values()).toMatchObject([{ seats: [[{ state: 'over' }], []] }])
})

test('the oldest goes, whenever it was announced, and not before there is one too many', () => {
  const recent = new RecentSessions({ sessions: 3, perPerson: 2 })
  const [old, young, middle] = [1, 9, 5].map((number) => announced(ANN, number)) as [
    Announcement,
    Announcement,
    Announcement,
  ]
  for (const one of [young, old]) recent.take(one, ANN.person)
  expect(recent.size).toBe(2)
  recent.take(middle, ANN.person)
  expect(recent.values().map(({ session }) => session)).toEqual([young.session, middle.session])
  // All together: who has most gives up the oldest, and what is gone leaves no trace.
  const eve = announced(EVE, 0)
  recent.take(eve, EVE.person)
  expect(recent.size).toBe(3)
  const other = announced(holder('other'), 3)
  recent.take(other, holder('other').person)
  expect(recent.get(middle.session)).toBeUndefined()
  expect([young, eve, other].map(({ session }) => recent.get(session)?.session)).toEqual(
    [young, eve, other].map(({ session }) => session),
  )
  recent.take(middle, ANN.person)
  expect(recent.get(middle.session)).toBeUndefined()
})

test('what others say of a session adds to it, and counts against who said it first', () => {
  const recent = new RecentSessions({ sessions: 10, perPerson: 1 })
  const first = announced(ANN, 1)
  const other = { ...first, seat: 1, machine: EVE.machine }
  recent.take(first, ANN.person)
  recent.take(other, EVE.person)
  recent.take(announced(EVE, 2), EVE.person)
  expect(recent.get(first.session)?.seats).toEqual([[first], [other]])
  expect(recent.size).toBe(2)
})

test('of one person 64 are kept, unless it is said otherwise', () => {
  const recent = new RecentSessions()
  for (let number = 0; number < 65; number++) recent.take(announced(ANN, number), ANN.person)
  expect(recent.size).toBe(64)
  expect(recent.get(announced(ANN, 0).session)).toBeUndefined()
})
