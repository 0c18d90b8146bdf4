import { describe, expect, test } from 'vitest'
import type { Json } from '../../contract/values.ts'
import {
  CLOUD,
  descriptorOf,
  exchange,
  holder,
  race,
  speech,
  Table,
  tablesOf,
} from '../../testing/session-tables.ts'
import { forgedLog, signedAction, Way } from '../../testing/signed-actions.ts'
import { MAX_FORM_CHARS } from '../forms/signed-form.ts'
import { MAX_BLOCK_BYTES } from './block.ts'
import { claimAfterMs } from './own-seat.ts'
import { Referee } from './referee.ts'
import type { OwnAction, RefereeEffect } from './referee-events.ts'

const SEAT_LOST =
  'What this machine has signed in your seat cannot be taken in again, so it signs nothing more in this session.'

const [ANN, BOB, EVE] = [holder('ann'), holder('bob'), holder('eve')]
const PHONE = holder('ann', 'phone')
const descriptor = descriptorOf([ANN, BOB])
const start = new Way(descriptor)

/** So many seats that each has room for a few large actions only. */
const crowd = descriptorOf([
  ANN,
  BOB,
  ...Array.from({ length: 14 }, (_, number) => holder(`other ${number}`)),
])
const none: (string | null)[] = crowd.seats.map(() => null)

const tables = (rules = race, of = descriptor) => tablesOf(of, rules, ANN, BOB)

const typesOf = (effects: readonly RefereeEffect[]): string[] => effects.map(({ type }) => type)

/** Why an action is refused, in full. */
function refusalOf(table: Table, action: Json | OwnAction): object {
  const [refused, ...more] = table.told(() => table.act(action))
  if (refused?.type !== 'refused' || more.length > 0) throw new Error('it was not refused')
  const { code, message, details } = refused
  return { code, message, details }
}

/** Another machine of Ann's signs so many large actions; or all that there is room for, and more. */
function fillSeat(table: Table, most = Infinity): void {
  const before = table.referee.length
  let heads = none
  for (const body of ['x'.repeat(15_000), '']) {
    for (let seq = 0; seq < most; ) {
      seq = table.referee.length - before
      const chat = signedAction(crowd, PHONE, { heads, type: 'chat', body, seq })
      table.step({ type: 'action', form: chat.form, attestation: PHONE.attestation.form })
      if (table.referee.length === before + seq) break
      heads = none.with(0, chat.hash)
    }
  }
}

describe('what is signed can be read by all', () => {
  const around = start.with(ANN, { body: '' }).last.form.body.length
  test.each(['x', '\u20ac', '"'])('up to the largest move, of the character %s', (char) => {
    const width = JSON.stringify(char).length - 2
    const largest = char.repeat(Math.floor((MAX_FORM_CHARS - around) / width))
    const [ann, bob] = tables(speech(largest, `${largest}${char}`))
    expect(refusalOf(ann, `${largest}${char}`)).toEqual({
      code: 'SESSION_TOO_LARGE',
      message: 'This move is too large to be signed: nobody could read it.',
      details: { ply: 0, seat: 0 },
    })
    expect([ann.log, ann.referee.length, ann.referee.trouble]).toEqual([[], 0, null])
    expect(ann.act(largest)).toBe(0)
    bob.read(ann)
    expect(bob.dropped).toEqual([])
    expect(bob.referee.actions).toMatchObject([{ body: largest }])
    expect(Buffer.byteLength(ann.log.at(-1) ?? '')).toBeLessThanOrEqual(MAX_BLOCK_BYTES)
    expect(bob.act('x')).toBe('SESSION_ACTION_ILLEGAL')
  })

  test('and nothing else, such as half a character', () => {
    const half = '\ud83d'
    const [ann] = tables(speech(half))
    expect(refusalOf(ann, half)).toEqual({
      code: 'BAD_INPUT',
      message:
        'This move cannot be signed: it is nested too deeply, or has half a character in it.',
      details: { ply: 0, seat: 0 },
    })
    expect([ann.log, ann.referee.length]).toEqual([[], 0])
  })

  test('an end that cannot be signed stands without an agreement', () => {
    const over = { scores: [1, 0], reason: '\ud83d' }
    const rules = speech('end')
    const ended = { ...rules.start(), outcome: over, legal: [[], []] }
    const [ann, bob] = tables({ ...rules, play: () => ended })
    expect(ann.act('end')).toBe(0)
    expect(ann.effects.filter(({ type }) => type === 'refused')).toEqual([])
    expect(ann.referee.trouble).toBeNull()
    exchange(ann, bob)
    expect(bob.referee.ending).toEqual({ outcome: over, by: 'rules' })
    expect(bob.referee.agreements).toEqual([null, null])
  })

  test('to the last that a seat has room for, in bytes', () => {
    const [small, large] = ['x', '\u20ac'.repeat(15_000)]
    const [ann, bob] = tables(speech(small, large), crowd)
    // Then there is room for a block of so many characters, and not of so many bytes.
    expect(ann.act(small)).toBe(0)
    let played = 1
    while (ann.act(large) === played) played++
    expect(played).toBe(5)
    expect(refusalOf(ann, large)).toEqual({
      code: 'SESSION_TOO_LARGE',
      message: 'You have acted as often as a seat may in one session.',
      details: { ply: played, seat: 0 },
    })
    expect(ann.referee.trouble).toBeNull()
    bob.read(ann)
    expect(bob.dropped).toEqual([])
    expect(bob.referee.length).toBe(played)
  })
})

describe('a seat that cannot be gone on with says so, and signs nothing more', () => {
  test('when its own log does not hold what it signed', () => {
    const [ann] = tables()
    ann.act(3)
    const own = new Table(descriptor, race, ANN)
    own.step({ type: 'held', seat: 0, log: own.name, blocks: 2 })
    own.step({ type: 'block', log: own.name, text: 'damaged' })
    expect(own.dropped).toEqual(['a block is no action'])
    expect(own.effects.at(-1)).toEqual({ type: 'changed' })
    expect(own.referee.trouble).toEqual({ what: 'seat', message: SEAT_LOST })
    expect(own.referee.isSettled).toBe(false)
    expect(own.act(3)).toBe('UNAVAILABLE')
    expect(own.log).toEqual([])
  })

  test('when another machine of the person has signed more than the seat may', () => {
    const ann = new Table(crowd, race, ANN)
    ann.failDisk = true
    expect(ann.act(3)).toBe('no answer')
    fillSeat(ann)
    ann.failDisk = false
    const told = ann.told(() => ann.step({ type: 'timer', id: 'append' }))
    expect(told.filter(({ type }) => type === 'wrote' || type === 'acted')).toEqual([])
    expect(told).toContainEqual({
      type: 'refused',
      token: -1,
      code: 'UNAVAILABLE',
      message: SEAT_LOST,
      details: { ply: 0, seat: 0 },
    })
    expect(ann.dropped.at(-1)).toBe('an action fits nowhere')
    expect(ann.referee.trouble).toEqual({ what: 'seat', message: SEAT_LOST })
    const { length } = ann.log
    expect(ann.act(3)).toBe('SESSION_TRANSCRIPT_FORGED')
    expect(ann.log).toHaveLength(length)
  })

  test('when it has before an agreement was written, which refuses nobody anything', () => {
    const ann = new Table(crowd, race, ANN)
    ann.failDisk = true
    ann.read(forgedLog(crowd, BOB, [{ heads: none, type: 'resign', body: null }]))
    fillSeat(ann)
    ann.failDisk = false
    const told = ann.told(() => ann.step({ type: 'timer', id: 'append' }))
    expect(told.map(({ type }) => type).sort()).toEqual(['append', 'changed', 'changed', 'dropLog'])
    expect(ann.referee.trouble?.what).toBe('seat')
  })
})

describe('who may not act is told why, and where the session is', () => {
  const own = { ply: 0, seat: 0 }

  test('without a seat on this machine, or without a signature', () => {
    const told = {
      code: 'SESSION_NOT_SEATED',
      message: 'You have no seat in this session on this machine. You can watch it.',
      details: { ply: 0, seat: null },
    }
    expect(refusalOf(new Table(descriptor, race, EVE), 1)).toEqual(told)
    const unsigned = new Table(descriptor, race, null)
    unsigned.step({ type: 'held', seat: 0, log: 'its log', blocks: 0 })
    expect(refusalOf(unsigned, 1)).toEqual(told)
    expect([unsigned.referee.ownSeat, unsigned.referee.isSettled]).toEqual([null, true])
  })

  test('after somebody broke the rules', () => {
    const [ann] = tables()
    ann.read(forgedLog(descriptor, BOB, [{ heads: [null, null] }]))
    expect(refusalOf(ann, 1)).toEqual({
      code: 'SESSION_TRANSCRIPT_FORGED',
      message: 'Play has stopped: seat 1 broke the rules.',
      details: { ply: 0, seat: 1 },
    })
  })

  test('after the end', () => {
    const [ann, bob] = tables()
    ann.act({ type: 'resign' })
    exchange(ann, bob)
    expect(refusalOf(bob, 1)).toEqual({
      code: 'SESSION_OVER',
      message: 'It is over: resigned.',
      details: { ply: 1, seat: 1 },
    })
  })

  test('while the last action is not on the disk', () => {
    const [ann] = tables()
    ann.slowDisk = true
    ann.act(3)
    expect(refusalOf(ann, 2)).toEqual({
      code: 'SESSION_NOT_YOUR_TURN',
      message: 'Your last action is still being written.',
      details: own,
    })
    ann.step({ type: 'appended', token: 1, ok: false, message: 'no space' })
    expect(refusalOf(ann, { type: 'resign' })).toEqual({
      code: 'UNAVAILABLE',
      message: 'Your last action is signed, and this machine cannot write it yet.',
      details: own,
    })
  })

  test('before the rules have begun, and while they are in trouble', () => {
    const referee = new Referee({
      descriptor,
      cloud: CLOUD,
      viewer: 0,
      own: { machine: ANN.machine, attestation: () => ANN.attestation, sign: ANN.sign },
    })
    const [, asked] = referee.step({ type: 'held', seat: 0, log: 'its log', blocks: 0 }, 0)
    const act = { type: 'act', token: 1, action: { type: 'move', body: 1 }, wallMs: 1 } as const
    const refused = { type: 'refused', token: 1, details: own }
    expect(referee.step(act, 0)).toEqual([
      {
        ...refused,
        code: 'SESSION_NOT_YOUR_TURN',
        message: 'The position is still being worked out.',
      },
    ])
    expect(asked).toEqual({ type: 'askRules', token: 1, request: { call: 'start', viewer: 0 } })
    const answer = { status: 'failed', message: 'the worker died' } as const
    referee.step({ type: 'rules', token: 1, answer }, 0)
    expect(referee.step(act, 0)).toEqual([
      { ...refused, code: 'UNAVAILABLE', message: 'the worker died' },
    ])
  })

  test('where the room for machines went to others of the person', () => {
    const [ann] = tables()
    for (let number = 0; number < 12; number++) {
      const heads = [null, null]
      ann.read(forgedLog(descriptor, holder('ann', `machine ${number}`), [{ heads, type: 'chat' }]))
    }
    expect(refusalOf(ann, 1)).toEqual({
      code: 'SESSION_TOO_LARGE',
      message:
        'More machines of yours have come to this session than a seat may have. Go on with one that has acted in it.',
      details: own,
    })
  })

  test('out of turn, or with what the rules do not allow', () => {
    const [ann, bob] = tables()
    expect(refusalOf(bob, 1)).toEqual({
      code: 'SESSION_NOT_YOUR_TURN',
      message: 'It is not your turn.',
      details: { ply: 0, seat: 1 },
    })
    expect(refusalOf(ann, 4)).toEqual({
      code: 'SESSION_ACTION_ILLEGAL',
      message: 'The rules do not allow this move.',
      details: { ...own, action: 4 },
    })
  })

  test('with a claim while one is to act oneself, nobody is, or the others have time left', () => {
    const of = descriptorOf([ANN, BOB], { claimAfterMs: 20_000 })
    const [ann, bob] = tables(race, of)
    const yours = { code: 'SESSION_NOT_YOUR_TURN', message: 'You are to act, not the others.' }
    expect(refusalOf(ann, { type: 'claim' })).toEqual({ ...yours, details: own })
    expect(refusalOf(bob, { type: 'claim' })).toEqual({
      code: 'SESSION_CLAIM_EARLY',
      message: 'The others have 20 seconds left to act. If they have not by then, you can claim.',
      details: { ply: 0, seat: 1, leftMs: 20_000 },
    })
    bob.nowMs = 19_999
    expect(refusalOf(bob, { type: 'claim' })).toMatchObject({ details: { leftMs: 1 } })
    const [quiet] = tables(speech())
    quiet.nowMs = 10 ** 9
    expect(refusalOf(quiet, { type: 'claim' })).toEqual({ ...yours, details: own })
  })
})

describe('the others may be called silent', () => {
  test.each<[string, Json, number]>([
    ['after what the session says', { claimAfterMs: 12_345 }, 12_345],
    ['not within ten seconds', { claimAfterMs: 9_999 }, 10_000],
    ['after thirty days at most', { claimAfterMs: 2_592_000_001 }, 2_592_000_000],
    ['after five minutes, if it says nothing', {}, 300_000],
    ['after five minutes, without options', null, 300_000],
    ['after five minutes, if it says something else', { claimAfterMs: '12345' }, 300_000],
  ])('%s', (_what, options, afterMs) => {
    expect(claimAfterMs(descriptorOf([ANN, BOB], options))).toBe(afterMs)
  })
})

describe('the seat agrees with the end by itself', () => {
  const resign = { heads: [null, null], type: 'resign', body: null, atMs: 77 }
  const bobs = forgedLog(descriptor, BOB, [resign])

  test('at the time of what ended it; it is written, and answers nobody’s call', () => {
    const [ann] = tables()
    ann.slowDisk = true
    const asked = ann.told(() => ann.read(bobs))
    expect(asked.at(-1)).toMatchObject({ type: 'append', token: 1 })
    const told = ann.told(() => ann.step({ type: 'kept', token: 1 }))
    expect(typesOf(told)).toEqual(['wrote', 'changed'])
    expect(told[0]).toMatchObject({
      action: {
        type: 'agree',
        seat: 0,
        body: { scores: [1, 0], reason: 'resigned' },
        heads: [null, bobs.actions[0]?.hash],
        atMs: 77,
      },
    })
    expect(ann.referee.agreements.map((agreement) => agreement?.seat)).toEqual([0, undefined])
    ann.step({ type: 'appended', token: 1, ok: true })
    expect(ann.effects.filter(({ type }) => type === 'append')).toHaveLength(1)
  })

  test('not with a proof, which needs nobody’s word', () => {
    const [ann] = tables()
    ann.read(forgedLog(descriptor, BOB, [{ heads: [null, null] }]))
    expect([ann.referee.ending?.by, ann.log]).toEqual(['fault', []])
  })

  test('not before the own log is read: it may have agreed before', () => {
    const [ann] = tables()
    ann.read(bobs)
    const again = new Table(descriptor, race, ANN)
    again.step({ type: 'held', seat: 0, log: again.name, blocks: ann.log.length })
    again.read(bobs)
    expect([again.referee.ending?.by, again.log]).toEqual(['resignation', []])
    again.read(ann)
    expect(again.referee.agreements[0]?.seat).toBe(0)
    expect(again.log).toEqual([])
  })

  test('not without room for it: more than half of what it may sign could be too much', () => {
    const ann = new Table(crowd, race, ANN)
    fillSeat(ann, 11)
    ann.read(forgedLog(crowd, BOB, [{ heads: none, type: 'resign', body: null }]))
    expect([ann.referee.ending?.by, ann.log]).toEqual(['resignation', []])
    expect(ann.referee.trouble).toBeNull()
  })
})
