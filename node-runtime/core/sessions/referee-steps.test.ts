// What the referee of one machine wants done, event by event, answered by hand.
import { describe, expect, test } from 'vitest'
import { CLOUD, descriptorOf, holder, race } from '../../testing/session-tables.ts'
import { forgedLog } from '../../testing/signed-actions.ts'
import type { RulesAnswer } from './position.ts'
import { Referee } from './referee.ts'

const ANN = holder('ann')
const BOB = holder('bob')
const descriptor = descriptorOf([ANN, BOB])

describe('step by step', () => {
  const begun = { status: 'ok', position: race.start() } as const

  /** A referee of Ann's machine at a moment, whose effects are answered by hand. */
  function seated(nowMs = 0): Referee {
    const own = { machine: ANN.machine, attestation: () => ANN.attestation, sign: ANN.sign }
    const referee = new Referee({ descriptor, cloud: CLOUD, viewer: 0, own })
    expect(referee.step({ type: 'held', seat: 0, log: 'own', blocks: 0 }, nowMs)).toEqual([
      { type: 'changed' },
      { type: 'askRules', token: 1, request: { call: 'start', viewer: 0 } },
    ])
    return referee
  }

  test('whoever watches is told of each change, and of nothing else', () => {
    const referee = seated()
    expect(referee.ownSeat).toBe(0)
    expect([referee.position, referee.isSettled]).toEqual([null, false])
    expect(referee.step({ type: 'rules', token: 1, answer: begun }, 0)).toEqual([
      { type: 'changed' },
    ])
    expect([referee.position, referee.isSettled]).toEqual([race.start(), true])
    const {
      log: [attestation = '', action = ''],
      actions: [signed],
    } = forgedLog(descriptor, holder('ann', 'phone'), [{ heads: [null, null], body: 2 }])
    const block = (text: string) => referee.step({ type: 'block', log: 'hers', text }, 0)
    expect(block(attestation)).toEqual([{ type: 'readOn', log: 'hers' }])
    const request = { call: 'play', state: race.start().state, seat: 0, action: 2, viewer: 0 }
    expect(block(action)).toEqual([
      { type: 'readOn', log: 'hers' },
      { type: 'changed' },
      { type: 'askRules', token: 2, request },
    ])
    expect(referee.isSettled).toBe(false)
    expect(block(action)).toEqual([{ type: 'readOn', log: 'hers' }])
    expect(referee.transcript.attestations).toEqual([signed?.attested])
    // What was not asked, or is asked already.
    expect(referee.step({ type: 'rules', token: 1, answer: begun }, 0)).toEqual([])
    expect(referee.step({ type: 'timer', id: 'rules' }, 0)).toEqual([])
    expect(referee.step({ type: 'rules', token: 2, answer: begun }, 0)).toEqual([
      { type: 'changed' },
    ])
    expect(referee.isSettled).toBe(true)
  })

  test('an action that comes ahead of its log is played at once', () => {
    const referee = seated()
    referee.step({ type: 'rules', token: 1, answer: begun }, 0)
    const [action] = forgedLog(descriptor, BOB, [{ heads: [null, null] }]).actions
    if (action === undefined) throw new Error('nothing was signed')
    const event = { type: 'action', form: action.form, attestation: BOB.attestation.form } as const
    expect(referee.step(event, 0)).toMatchObject([{ type: 'changed' }, { type: 'askRules' }])
  })

  test('rules that fail are asked again after a while, that doubles up to half a minute', () => {
    const referee = seated()
    const answered = (token: number, answer: RulesAnswer) =>
      referee.step({ type: 'rules', token, answer }, 0)
    const fail = { status: 'failed', message: 'they threw' } as const
    const waits = (afterMs: number): object[] => [
      { type: 'changed' },
      { type: 'setTimer', id: 'rules', afterMs },
    ]
    for (const [tries, afterMs] of [
      250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000,
    ].entries()) {
      expect(answered(1 + tries, fail)).toEqual(waits(afterMs))
      expect(referee.trouble).toEqual({ what: 'rules', message: 'they threw' })
      expect(referee.step({ type: 'timer', id: 'rules' }, 0)).toMatchObject([
        { type: 'askRules', token: 2 + tries },
      ])
    }
    answered(10, begun)
    expect(referee.trouble).toBeNull()
    for (const text of forgedLog(descriptor, BOB, [{ heads: [null, null] }]).log) {
      referee.step({ type: 'block', log: 'his', text }, 0)
    }
    expect(answered(11, fail)).toEqual(waits(250))
  })

  test('a log that can’t be read is tried again after a while, that doubles until a block of it is read', () => {
    const referee = seated()
    const unread = (log: string) => referee.step({ type: 'unread', log }, 0)
    const waits = (log: string, afterMs: number): object[] => [
      { type: 'setTimer', id: `read ${log}`, afterMs },
    ]
    expect(unread('his log')).toEqual(waits('his log', 250))
    expect(unread('his log')).toEqual(waits('his log', 500))
    expect(unread('hers log')).toEqual(waits('hers log', 250))
    expect(referee.step({ type: 'timer', id: 'read his log' }, 0)).toEqual([
      { type: 'readOn', log: 'his log' },
    ])
    expect(unread('his log')).toEqual(waits('his log', 1_000))
    const [text = ''] = forgedLog(descriptor, BOB, [{ heads: [null, null] }]).log
    referee.step({ type: 'block', log: 'his log', text }, 0)
    expect(unread('his log')).toEqual(waits('his log', 250))
    expect(unread('hers log')).toEqual(waits('hers log', 500))
  })

  describe('whoever waits until all is played', () => {
    const awaited = (referee: Referee, token: number) => referee.step({ type: 'awaited', token }, 0)
    const waits = (token: number) =>
      ({ type: 'setTimer', id: `settle ${token}`, afterMs: 5_000 }) as const
    const told = (token: number): object[] => [
      { type: 'clearTimer', id: `settle ${token}` },
      { type: 'settled', token },
    ]

    test('is told once it is, all at once, and once', () => {
      const referee = seated()
      expect(awaited(referee, 7)).toEqual([waits(7)])
      expect(awaited(referee, 8)).toEqual([waits(8)])
      expect(referee.step({ type: 'rules', token: 1, answer: begun }, 0)).toEqual([
        { type: 'changed' },
        ...told(7),
        ...told(8),
      ])
      expect(referee.step({ type: 'timer', id: 'settle 7' }, 0)).toEqual([])
      expect(awaited(referee, 9)).toEqual([waits(9), ...told(9)])
    })

    test('is told when something keeps it from being played', () => {
      const referee = seated()
      awaited(referee, 7)
      const answer = { status: 'failed', message: 'they threw' } as const
      expect(referee.step({ type: 'rules', token: 1, answer }, 0).slice(-2)).toEqual(told(7))
    })

    test('is told after five seconds, and the others wait on', () => {
      const referee = seated()
      for (const token of [7, 8]) awaited(referee, token)
      expect(referee.step({ type: 'timer', id: 'settle 7' }, 5_000)).toEqual(told(7))
      expect(referee.isSettled).toBe(false)
      expect(referee.step({ type: 'rules', token: 1, answer: begun }, 6_000)).toEqual([
        { type: 'changed' },
        ...told(8),
      ])
    })
  })

  test('a seat that cannot write says so before rules that do not answer', () => {
    const referee = seated()
    referee.step({ type: 'rules', token: 1, answer: begun }, 0)
    const action = { type: 'move', body: 3 } as const
    expect(referee.step({ type: 'act', token: 1, action, wallMs: 1 }, 0)).toMatchObject([
      { type: 'append', token: 1 },
    ])
    referee.step({ type: 'kept', token: 1 }, 0)
    const answer = { status: 'failed', message: 'they threw' } as const
    referee.step({ type: 'rules', token: 2, answer }, 0)
    expect(referee.trouble?.what).toBe('rules')
    referee.step({ type: 'appended', token: 1, ok: false, message: 'no space' }, 0)
    expect(referee.trouble).toEqual({ what: 'disk', message: 'no space' })
  })

  test('the others are silent from the moment on at which the session was opened here', () => {
    const referee = seated(1_000_000)
    const position = { ...race.start(), legal: [[], [1]] }
    referee.step({ type: 'rules', token: 1, answer: { status: 'ok', position } }, 1_100_000)
    const claimAt = (nowMs: number) =>
      referee.step({ type: 'act', token: 1, action: { type: 'claim' }, wallMs: 1 }, nowMs)
    expect(claimAt(1_299_999)).toMatchObject([{ type: 'refused', details: { leftMs: 1 } }])
    expect(claimAt(1_300_000)).toMatchObject([{ type: 'append' }])
  })
})
