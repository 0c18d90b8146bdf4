import { expect, test } from 'vitest'
import { announcementId, SEATS_COLLECTION } from '../../core/sessions/seats.ts'
import { sessionId } from '../../core/sessions/position.ts'
import { MemoryRecords } from '../../testing/memory-records.ts'
import { descriptorOf, holder, keysOf } from '../../testing/session-tables.ts'
import { KnownSessions } from './known-sessions.ts'

const [ANN, BOB, EVE] = [holder('ann'), holder('bob'), holder('eve')]

test('a session is found among all that others write under its name', async () => {
  const descriptor = descriptorOf([ANN, BOB])
  const session = sessionId(descriptor)
  const records = new MemoryRecords()
  const hostile = records.of(EVE.person)
  for (let number = 0; number < 1000; number++) {
    await hostile.putBuiltIn(SEATS_COLLECTION, `${session}.0.!${number}`, { session })
  }
  const { machine } = ANN
  const announcement = { session, seat: 0, log: keysOf('log').key, machine, descriptor }
  await records.of(ANN.person).putBuiltIn(SEATS_COLLECTION, announcementId(session, 0, machine), {
    ...announcement,
    state: 'live',
    startedMs: 1,
  })
  const known = await new KnownSessions(records.of(BOB.person)).get(session)
  expect(known.seats.map((held) => held.length)).toEqual([1, 0])
})
