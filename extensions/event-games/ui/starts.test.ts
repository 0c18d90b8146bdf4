import { describe, expect, test } from 'vitest'
import {
  ANN,
  BOB,
  CID,
  CUP_ID as ID,
  DEE,
  entryRecord as entry,
  eventRecord,
  record,
  RULES,
} from '../testing/records.ts'
import { startValue } from './start.ts'
import { drawPlayers, entriesByEvent, joinEvents } from './starts.ts'
import type { StartRecord, StartValue } from './starts.ts'
import type { EntryRecord, WithdrawalRecord } from './records.ts'

const event = eventRecord()

function start(value: StartValue, at = 5, author = ANN): StartRecord {
  return record(`start ${JSON.stringify(value)} ${at}`, author, value, at)
}

const entries = [ANN, BOB, CID, DEE].map((person, at) => entry(person, { atMs: at + 1 }))

function joined(starts: StartRecord[], known = entries) {
  return joinEvents({ events: [event], entries: known, starts })[0]?.start
}

test('a start takes the earliest entries, and the lots follow from all their nonces', () => {
  const begun = joined([start(startValue(event, entries, RULES))])
  expect(begun?.players.map(({ person }) => person).sort()).toEqual([ANN, BOB, CID])
  expect(begun).toMatchObject({ rules: RULES, startedMs: 5, isDisputed: false })
  const orders = new Set(
    Array.from({ length: 20 }, (_, i) => {
      const drawn = drawPlayers([entry(ANN, { nonce: `${i}` }), entry(BOB), entry(CID)])
      return drawn.map(({ person }) => person).join()
    }),
  )
  expect(orders.size).toBeGreaterThan(3)
  expect(drawPlayers(entries)).toEqual(drawPlayers(entries.toReversed()))
})

describe('the organiser', () => {
  test('who starts twice in the same way has started once', () => {
    const value = startValue(event, entries, RULES)
    const twice = joined([start(value, 6), start(value, 5)])
    expect(twice).toMatchObject({ startedMs: 5, isDisputed: false })
  })

  test('who starts in two ways is shown to have', () => {
    const value = startValue(event, entries, RULES)
    const other = { ...value, entries: value.entries.slice(0, 2) }
    expect(joined([start(value, 5), start(other, 6)])).toMatchObject({
      startedMs: 5,
      isDisputed: true,
    })
    expect(joined([start(value), start({ ...value, rules: 'e'.repeat(64) }, 6)])?.isDisputed).toBe(
      true,
    )
  })
})

const good = startValue(event, entries, RULES)
const listed = good.entries
test.each([
  ['another person writes', start(good, 5, BOB)],
  ['one player is enough for', start({ ...good, entries: listed.slice(0, 1) })],
  ['has too many players', start({ ...good, entries: entries.map(({ id }) => id) })],
  ['lists an entry that nobody wrote', start({ ...good, entries: [...listed.slice(0, 2), 'x'] })],
  ['lists one entry twice', start({ ...good, entries: [listed[0] ?? '', listed[0] ?? ''] })],
  ['is of another event', start({ ...good, event: 'another' })],
])('a start that %s counts for nothing', (_what, forged) => {
  expect(joined([forged])).toBeNull()
  expect(joined([forged, start(good)])?.isDisputed).toBe(false)
})

test('a start with a person twice, or with an entry of another event, counts for nothing', () => {
  const again = entry(ANN, { atMs: 9, nonce: 'better' })
  const elsewhere = entry(DEE, { event: 'another' })
  const forged = entry(CID, { nonce: 'forged', author: DEE })
  const known = [...entries, again, elsewhere, forged]
  for (const { id } of [again, elsewhere, forged]) {
    expect(joined([start({ ...good, entries: [...listed.slice(0, 2), id] })], known)).toBeNull()
  }
})

test('a person has entered once, with the first nonce, until they withdraw', () => {
  const again = entry(BOB, { atMs: 9, nonce: 'better' })
  const withdrawal = (of: EntryRecord, author = of.author): WithdrawalRecord =>
    record(of.id, author, { event: ID })
  const [, bobs] = entries
  if (bobs === undefined) throw new Error('Bob has entered')
  const noncesOf = (withdrawals: WithdrawalRecord[]) =>
    entriesByEvent({ entries: [again, ...entries], withdrawals })
      .get(ID)
      ?.map(({ value }) => value.nonce)
  expect(noncesOf([])).toEqual([ANN, BOB, CID, DEE])
  expect(noncesOf([withdrawal(bobs, ANN)])).toEqual([ANN, BOB, CID, DEE])
  expect(noncesOf([withdrawal(bobs)])).toEqual([ANN, CID, DEE, 'better'])
})
