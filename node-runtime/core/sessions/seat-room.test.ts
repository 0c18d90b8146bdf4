// What a seat may sign in a session: who gets all of it finds the same, whatever came first.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MAX_SEATS } from '../../contract/sessions.ts'
import type { Json } from '../../contract/values.ts'
import { descriptorOf, exchange, holder, race, Table } from '../../testing/session-tables.ts'
import type { Holder } from '../../testing/session-tables.ts'
import { forgedLog, signedAction, Way } from '../../testing/signed-actions.ts'
import type { SeatAction } from './action.ts'
import { MAX_BLOCK_BYTES, writeBlock } from './block.ts'
import { fitsSessions, MAX_ATTESTATIONS_OF_SEAT, SeatRoom } from './seat-room.ts'
import { MAX_DESCRIPTOR_CHARS } from './seats.ts'
import {
  bytesInTranscript,
  MAX_ACTION_BYTES,
  MAX_ATTESTATION_BYTES,
  MAX_TRANSCRIPT_BYTES,
  readTranscript,
  writeTranscript,
} from './transcript.ts'

const [ANN, BOB] = [holder('ann'), holder('bob')]
const two = descriptorOf([ANN, BOB])
/** So many seats that each has room for a few large actions only. */
const crowd = descriptorOf([
  ANN,
  BOB,
  ...Array.from({ length: 14 }, (_, number) => holder(`other ${number}`)),
])
const bobs = Array.from({ length: 40 }, (_, number) => holder('bob', `machine ${number}`))
const LARGE = '\u20ac'.repeat(14_000)

/** An action that takes so many bytes of a transcript. */
function actionOf(bytes: number, by: Holder = ANN): SeatAction {
  const { last } = new Way(two).with(by)
  const around = bytesInTranscript({ type: 'action', form: { body: '', signature: '' } })
  return { ...last, form: { body: 'x'.repeat(bytes - around), signature: '' } }
}

/** One action of each of these machines. */
function roomUnder(machines: readonly Holder[]): SeatRoom {
  const room = new SeatRoom(2)
  for (const by of machines) expect(room.take(actionOf(200, by))).toBe(true)
  return room
}

describe('a seat may sign', () => {
  const limit = MAX_ACTION_BYTES / 2 - MAX_BLOCK_BYTES

  test('its share of a transcript, to the byte; one block beyond it is taken in, as the proof', () => {
    const room = new SeatRoom(2)
    expect(room.take(actionOf(limit))).toBe(true)
    expect(room.isOverused).toBe(false)
    expect(room.take(actionOf(MAX_BLOCK_BYTES + 1))).toBe(false)
    expect(room.isOverused).toBe(false)
    expect(room.take(actionOf(MAX_BLOCK_BYTES))).toBe(true)
    expect(room.isOverused).toBe(true)
    expect(room.take(actionOf(100))).toBe(false)
  })

  test('under 24 attestations, however often under each; one beyond them is taken in', () => {
    const most = bobs.slice(0, MAX_ATTESTATIONS_OF_SEAT)
    const room = roomUnder([...most, ...most])
    expect([MAX_ATTESTATIONS_OF_SEAT, room.isOverused]).toEqual([24, false])
    const [over, more] = bobs.slice(24) as [Holder, Holder]
    expect(room.take(actionOf(200, over))).toBe(true)
    expect(room.isOverused).toBe(true)
    expect(room.take(actionOf(200, more))).toBe(false)
    expect(room.attestation(over.attestation.hash)).toEqual(over.attestation)
    expect(room.attestation(more.attestation.hash)).toBeUndefined()
    // Who is in already is taken in all the same.
    expect(room.take(actionOf(200, bobs[0]))).toBe(true)
  })

  test('under an attestation that leaves room for those of all seats, to the byte', () => {
    const longest = Math.floor(MAX_ATTESTATION_BYTES / (MAX_SEATS * (MAX_ATTESTATIONS_OF_SEAT + 1)))
    const around = bytesInTranscript({ type: 'attestation', form: { body: '', signature: '' } })
    const formOf = (bytes: number) => ({ body: 'x'.repeat(bytes - around), signature: '' })
    expect([fitsSessions(formOf(longest)), fitsSessions(formOf(longest + 1))]).toEqual([
      true,
      false,
    ])
  })

  test('honestly half of it: a block of any size has to fit', () => {
    const room = new SeatRoom(2)
    const { hash } = ANN.attestation
    const rest = limit / 2 - MAX_BLOCK_BYTES
    expect(room.take(actionOf(rest))).toBe(true)
    expect([room.hasOpenBytes, room.isOpenFor(hash)]).toEqual([true, true])
    expect(room.take(actionOf(100))).toBe(true)
    expect([room.hasOpenBytes, room.isOpenFor(hash)]).toEqual([false, false])
  })

  test('honestly as one of its first 12 machines', () => {
    const [mine] = bobs as [Holder]
    const { hash } = ANN.attestation
    expect(roomUnder(bobs.slice(0, 11)).isOpenFor(hash)).toBe(true)
    const room = roomUnder(bobs.slice(0, 12))
    expect([room.hasOpenBytes, room.isOpenFor(hash)]).toEqual([true, false])
    expect(room.isOpenFor(mine.attestation.hash)).toBe(true)
  })

  test('honestly on two machines that know nothing of each other, without ever going beyond', () => {
    const [desk, phone] = [new SeatRoom(16), new SeatRoom(16)]
    const both = new SeatRoom(16)
    for (const [of, own] of [desk, phone].entries()) {
      const mine = bobs.slice(of * 20)
      for (let signed = 0; ; signed++) {
        const by = mine[Math.min(signed, 11)] ?? ANN
        if (!own.isOpenFor(by.attestation.hash)) break
        const action = actionOf(MAX_BLOCK_BYTES / 4, by)
        for (const room of [own, both]) expect(room.take(action)).toBe(true)
      }
    }
    expect(both.isOverused).toBe(false)
    // Each has used up what it may.
    for (const room of [desk, phone]) expect(room.hasOpenBytes).toBe(false)
  })

  test('so much that what all seats sign can be kept, with the one too many of each', () => {
    const fattest = (() => {
      for (let length = 1_000; ; length++) {
        const { form } = holder('ann', 'desk', { more: 'x'.repeat(length) }).attestation
        if (!fitsSessions(form)) return bytesInTranscript({ type: 'attestation', form }) - 1
      }
    })()
    const attestations = MAX_SEATS * (MAX_ATTESTATIONS_OF_SEAT + 1) * fattest
    const head = 3 * MAX_DESCRIPTOR_CHARS + 1024
    expect(MAX_ACTION_BYTES + attestations + head).toBeLessThanOrEqual(MAX_TRANSCRIPT_BYTES)
    // All that records can name are among those that fit.
    expect(fattest).toBeGreaterThan(2_200)
  })
})

/** What two tables that read these logs, each in its order, make of them in the end. */
function outcomesOf(
  of: typeof two,
  logs: readonly { name: string; log: readonly string[] }[],
  orders: readonly (readonly number[])[],
) {
  return orders.map((order) => {
    const table = new Table(of, race, null)
    for (const index of order) table.read(logs[index] ?? { name: '', log: [] })
    for (let length = -1; length !== table.referee.length; ) {
      length = table.referee.length
      for (const log of logs) table.read(log)
    }
    const { referee } = table
    const { ending, fault } = referee
    return { table, ending, cheat: fault?.seat ?? null, actions: fault ? [] : referee.actions }
  })
}

const shuffled = (length: number) =>
  fc.shuffledSubarray(
    Array.from({ length }, (_, index) => index),
    { minLength: length, maxLength: length },
  )

describe('whatever comes first, all tables find the same', () => {
  const piece = fc.record({
    /** Does a machine sign a second action for a position? */
    again: fc.nat(49),
    /** Characters more in its attestation. */
    fat: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 0, 1_500, 1_500, 12_000),
    from: fc.nat(),
    type: fc.constantFrom('chat', 'move'),
    body: fc.constantFrom(1, 'large'),
    /** Is the attestation in its log, or in another one? */
    shown: fc.nat(19).map((number) => number > 0),
  })
  const scene = fc
    .array(piece, { minLength: 1, maxLength: 36, size: 'max' })
    .chain((pieces) =>
      fc.tuple(fc.constant(pieces), shuffled(pieces.length + 1), shuffled(pieces.length + 1)),
    )

  test('of a seat that floods on many machines, under many and fat attestations', () => {
    const seen = { overused: 0, twins: 0, none: 0 }
    fc.assert(
      fc.property(scene, ([pieces, ...orders]) => {
        const made: SeatAction[] = []
        const logs = pieces.map(({ again, fat, from, type, body, shown }, number) => {
          const more: Record<string, Json> = fat === 0 ? {} : { more: 'x'.repeat(fat) }
          const earlier = again === 0 ? made[from % number] : undefined
          const machine = earlier === undefined ? number : made.indexOf(earlier)
          const by = holder('bob', `machine ${machine}`, more)
          const after = made[from % (number + 1)]
          const nothing: (string | null)[] = crowd.seats.map(() => null)
          const heads = earlier?.heads ?? nothing.with(1, after?.hash ?? null)
          const seq = earlier?.seq ?? (after === undefined ? 0 : after.seq + 1)
          const forged = forgedLog(crowd, by, [
            { heads, seq, type, body: body === 'large' ? LARGE : body },
          ])
          made.push(...forged.actions)
          const log = shown ? forged.log : forged.log.slice(1)
          return { name: `log ${number}`, log }
        })
        const shows = bobs
          .slice(0, 8)
          .map(({ attestation: { form } }) => writeBlock({ type: 'attestation', form }))
        logs.push({ name: 'shows', log: shows })
        const [one, other] = outcomesOf(crowd, logs, orders) as [
          ReturnType<typeof outcomesOf>[0],
          ReturnType<typeof outcomesOf>[0],
        ]
        expect(other.cheat).toBe(one.cheat)
        expect(other.ending).toEqual(one.ending)
        expect(other.actions).toEqual(one.actions)
        const { fault, transcript } = one.table.referee
        if (fault === null) seen.none++
        else if (fault.message.includes('more than')) seen.overused++
        else seen.twins++
        expect(readTranscript(writeTranscript(crowd, transcript))).not.toBeNull()
      }),
      { numRuns: 60, seed: 3 },
    )
    // Else it would say nothing. Mutation testing makes 25 runs of it.
    for (const times of Object.values(seen)) expect(times).toBeGreaterThan(2)
  })

  test('of a seat that acts on one machine more than it may', () => {
    const logs = bobs.slice(0, 25).map((by, body) => {
      const { name, log } = forgedLog(two, by, [{ heads: [null, null], type: 'chat', body }])
      return { name, log }
    })
    fc.assert(
      fc.property(fc.tuple(shuffled(25), shuffled(25)), (orders) => {
        for (const { table, ending } of outcomesOf(two, logs, orders)) {
          expect(table.referee.fault).toMatchObject({
            seat: 1,
            message: 'it signed more than a seat may in one session',
            proof: [],
          })
          expect(ending).toEqual({
            outcome: { scores: [1, 0], reason: 'the rules were broken' },
            by: 'fault',
          })
        }
        for (const { table } of outcomesOf(two, logs.slice(1), orders)) {
          expect(table.referee.ending).toBeNull()
          expect(table.dropped).toEqual([])
        }
      }),
      { numRuns: 5 },
    )
  })

  test('of a seat that signed two ways, too long for both to fit', () => {
    const [by] = bobs as [Holder]
    const wayOf = (first: number): string[] => {
      let head: string | null = null
      const log = [writeBlock({ type: 'attestation', form: by.attestation.form })]
      for (let seq = 0; seq < 30; seq++) {
        const heads: (string | null)[] = crowd.seats.map(() => null).with(1, head as null)
        const body = seq === 0 ? first : LARGE
        const { form, hash }: SeatAction = signedAction(crowd, by, {
          heads,
          seq,
          type: 'chat',
          body,
        })
        log.push(writeBlock({ type: 'action', form }))
        head = hash
      }
      return log
    }
    const logs = [1, 2].map((first) => ({ name: `way ${first}`, log: wayOf(first) }))
    const orders = [
      [0, 1],
      [1, 0],
    ]
    for (const { cheat, table } of outcomesOf(crowd, logs, orders)) {
      expect(cheat).toBe(1)
      expect(table.act(1)).toBe('SESSION_NOT_SEATED')
    }
  })

  test('of two seats that cheat: both have', () => {
    const logs = [ANN, BOB].map((by) =>
      forgedLog(
        two,
        by,
        [1, 2].map((body) => ({ heads: [null, null], type: 'chat', body })),
      ),
    )
    const orders = [
      [0, 1],
      [1, 0],
    ]
    for (const { ending, cheat } of outcomesOf(two, logs, orders)) {
      expect([ending?.outcome.scores, cheat]).toEqual([[0, 0], 0])
    }
  })
})

test('nobody uses up what another seat may sign by showing its attestations', () => {
  const [ann, bob] = [new Table(two, race, ANN), new Table(two, race, BOB)]
  const annsOthers = Array.from({ length: 40 }, (_, number) => holder('ann', `machine ${number}`))
  const log = annsOthers.map(({ attestation: { form } }) =>
    writeBlock({ type: 'attestation', form }),
  )
  for (const table of [ann, bob]) table.read({ name: 'his', log })
  expect(ann.act(3)).toBe(0)
  exchange(ann, bob)
  expect(bob.referee.actions).toHaveLength(1)
})
