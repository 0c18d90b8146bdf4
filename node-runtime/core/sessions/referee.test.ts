import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  auction,
  CLOUD,
  coin,
  descriptorOf,
  exchange,
  holder,
  longRace,
  race,
  Table,
} from '../../testing/session-tables.ts'
import { forgedLog } from '../../testing/signed-actions.ts'
import { openAction } from './action.ts'
import type { Action } from './action.ts'
import { writeBlock } from './block.ts'
import type { RulesAnswer } from './position.ts'
import { Referee } from './referee.ts'
import { MAX_TRANSCRIPT_BYTES, writeTranscript } from './transcript.ts'

const ANN = holder('ann')
const BOB = holder('bob')
const EVE = holder('eve')
const descriptor = descriptorOf([ANN, BOB])

function tables(rules = race, of = descriptor): [Table, Table, Table] {
  return [new Table(of, rules, ANN), new Table(of, rules, BOB), new Table(of, rules, null)]
}

describe('two players and a spectator', () => {
  test('see the same game, from the first action to the end on which both agree', () => {
    const [ann, bob, spectator] = tables()
    const players = [ann, bob]
    for (const [ply, action] of [3, 3, 3, 1].entries()) {
      expect(players[ply % 2]?.act(action)).toBe(ply)
      exchange(ann, bob, spectator)
      expect(spectator.referee.actions).toHaveLength(ply + 1)
    }
    for (const { referee } of [ann, bob, spectator]) {
      expect(referee.ending).toEqual({
        outcome: { scores: [0, 1], reason: 'the goal' },
        by: 'rules',
      })
      expect(referee.agreements.map((agreement) => agreement?.seat)).toEqual([0, 1])
      expect(referee.fault).toBeNull()
      expect(referee.toAct).toEqual([])
      expect(referee.transcript.actions.map(({ hash }) => hash)).toEqual(
        ann.referee.transcript.actions.map(({ hash }) => hash),
      )
      expect(referee.transcript.actions).toHaveLength(4)
    }
    expect(ann.act(1)).toBe('SESSION_OVER')
  })

  test('are told why an action of their own is not taken, and nothing is written', () => {
    const [ann, bob, spectator] = tables()
    expect(bob.act(1)).toBe('SESSION_NOT_YOUR_TURN')
    expect(ann.act(4)).toBe('SESSION_ACTION_ILLEGAL')
    expect(spectator.act(1)).toBe('SESSION_NOT_SEATED')
    expect([ann.log, bob.log]).toEqual([[], []])
  })

  test('play 900 actions', () => {
    const [ann, bob, spectator] = tables(longRace)
    for (let ply = 0; ply < 900; ply++) {
      const [actor, other] = ply % 2 === 0 ? [ann, bob] : [bob, ann]
      expect(actor.act(1)).toBe(ply)
      other.read(actor)
    }
    exchange(ann, bob, spectator)
    expect(spectator.referee.ending?.by).toBe('rules')
    expect(spectator.referee.transcript.actions).toHaveLength(900)
  })

  test('may act at once where the rules let them, in whatever order it arrives', () => {
    const of = descriptor
    const [ann, bob, spectator] = tables(auction, of)
    expect(ann.act(4)).toBe(0)
    expect(bob.act(7)).toBe(0)
    spectator.read(bob)
    expect(spectator.referee.toAct).toEqual([0])
    exchange(ann, bob, spectator)
    for (const { referee } of [ann, bob, spectator]) {
      expect(referee.ending?.outcome.scores).toEqual([0, 1])
      expect(referee.fault).toBeNull()
    }
  })
})

describe('only a proof blames', () => {
  test('an action that is illegal at the position it names', () => {
    const [ann, , spectator] = tables()
    const cheat = forgedLog(descriptor, BOB, [{ heads: [null, null] }])
    for (const table of [ann, spectator]) {
      table.read(cheat)
      expect(table.referee.fault).toMatchObject({ seat: 1, ply: 0 })
      const [proof] = table.referee.fault?.proof ?? []
      expect(proof && openAction(proof)?.seat).toBe(1)
      expect(table.referee.ending).toMatchObject({ outcome: { scores: [1, 0] }, by: 'fault' })
    }
    expect(ann.act(1)).toBe('SESSION_TRANSCRIPT_FORGED')
  })

  test('two actions of one machine for one position', () => {
    const [, bob, spectator] = tables()
    const cheat = forgedLog(descriptor, ANN, [
      { heads: [null, null], body: 1 },
      { heads: [null, null], body: 2 },
    ])
    for (const table of [bob, spectator]) {
      table.read(cheat)
      expect(table.referee.fault?.seat).toBe(0)
      expect(table.referee.fault?.proof).toEqual(cheat.actions.map(({ form }) => form))
    }
  })

  test('the same action twice is one action', () => {
    const [, bob] = tables()
    const cheat = forgedLog(descriptor, ANN, [{ heads: [null, null] }, { heads: [null, null] }])
    bob.read(cheat)
    expect(bob.referee.fault).toBeNull()
    expect(bob.referee.actions).toHaveLength(1)
  })

  test.each([
    ['no block at all', ['hello']],
    ['an action of a stranger', forgedLog(descriptor, EVE, [{ heads: [null, null], seat: 0 }]).log],
    [
      'an action of another session',
      forgedLog(descriptor, ANN, [{ heads: [null, null], session: 'e'.repeat(64) }]).log,
    ],
    [
      'an action of the other seat',
      forgedLog(descriptor, ANN, [{ heads: [null, null], seat: 1 }]).log,
    ],
    ['a wrong place', forgedLog(descriptor, ANN, [{ heads: [null, null], seq: 3 }]).log],
    ['too few heads', forgedLog(descriptor, ANN, [{ heads: [null] }]).log],
  ])('%s ends the reading of a log and blames nobody', (_what, log) => {
    const [ann, bob, spectator] = tables()
    expect(ann.act(3)).toBe(0)
    spectator.read({ name: 'forged', log })
    expect(spectator.dropped).toHaveLength(1)
    exchange(ann, bob, spectator)
    expect(spectator.referee.fault).toBeNull()
    expect(spectator.referee.actions).toMatchObject([{ seat: 0, body: 3 }])
  })

  test('an action under the attestation of another machine of the person counts for nothing', () => {
    const [, , spectator] = tables()
    const phone = holder('ann', 'phone')
    const forged = forgedLog(descriptor, ANN, [
      { heads: [null, null], attestation: phone.attestation.hash },
    ])
    const attestation = writeBlock({ type: 'attestation', form: phone.attestation.form })
    spectator.read({ name: 'forged', log: [attestation, ...forged.log] })
    expect(spectator.referee.actions).toEqual([])
    expect(spectator.dropped).toHaveLength(1)
  })

  test('an action that names one of the wrong seat, or unsees what it had seen, fits nowhere', () => {
    const [ann, bob, spectator] = tables()
    ann.act(1)
    exchange(ann, bob, spectator)
    bob.act(1)
    exchange(ann, bob, spectator)
    const [first, second] = spectator.referee.transcript.actions
    if (first === undefined || second === undefined) throw new Error('two actions were made')
    const { hash } = first
    for (const heads of [
      [hash, hash],
      [second.hash, hash],
    ]) {
      spectator.read({ ...forgedLog(descriptor, ANN, [{ heads, seq: 1 }]), name: heads.join() })
    }
    // Bob has seen Ann's action; whoever has seen Bob's cannot say not to know hers.
    spectator.read({
      ...forgedLog(descriptor, holder('ann', 'phone'), [{ heads: [null, second.hash] }]),
      name: 'unsees',
    })
    expect(spectator.dropped).toHaveLength(3)
    expect(spectator.referee.fault).toBeNull()
    expect(spectator.referee.length).toBe(2)
  })

  test('who was overtaken by an action not yet seen is void, and not to blame', () => {
    const players = [new Table(descriptor, coin, ANN), new Table(descriptor, coin, BOB)] as const
    const [ann, bob] = players
    expect(ann.act('take')).toBe(0)
    expect(bob.act('take')).toBe(0)
    exchange(ann, bob)
    for (const { referee } of players) {
      expect(referee.fault).toBeNull()
      expect(referee.actions.map(({ seat }) => seat)).toEqual([0])
    }
    // Seen, it is a proof.
    bob.read(
      forgedLog(descriptor, holder('bob', 'phone'), [
        { heads: [ann.referee.transcript.actions[0]?.hash ?? null, null], body: 'take' },
      ]),
    )
    expect(bob.referee.fault).toBeNull()
  })

  test('a forged signature counts for nothing', () => {
    const [ann, , spectator] = tables()
    ann.act(3)
    const [attestation = '', action = ''] = ann.log
    const { form } = JSON.parse(action.replace('"action"', '"form"')) as {
      form: { body: string; signature: string }
    }
    const forged = writeBlock({ type: 'action', form: { ...form, signature: '0'.repeat(128) } })
    spectator.read({ name: 'forged', log: [attestation, forged] })
    expect(spectator.referee.actions).toEqual([])
  })

  test('a second log of a cheat takes no game away from those who watch', () => {
    const [ann, bob, spectator] = tables()
    ann.act(3)
    exchange(ann, bob)
    bob.act(2)
    exchange(ann, bob)
    ann.act(1)
    const second = forgedLog(descriptor, holder('bob', 'second machine'), [{ heads: [null, null] }])
    // Illegal, and signed by a machine of Bob's: it is Bob who is blamed, never Ann.
    spectator.read(second)
    exchange(ann, bob, spectator)
    expect(spectator.referee.fault?.seat ?? 1).toBe(1)
    expect(spectator.referee.actions.filter(({ seat }) => seat === 0).length).toBeGreaterThan(0)
  })
})

describe('what fails on this machine blames nobody', () => {
  test.each(['failed', 'unavailable'] as const)('rules that are %s are asked again', (status) => {
    const [ann, bob] = tables()
    ann.act(3)
    bob.answer = () => ({ status, message: 'the worker died' })
    exchange(ann, bob)
    expect(bob.referee.fault).toBeNull()
    expect(bob.referee.trouble).toEqual({ what: 'rules', message: 'the worker died' })
    expect(bob.act(1)).toBe('UNAVAILABLE')
    const timer = bob.effects.findLast((effect) => effect.type === 'setTimer')
    expect(timer).toMatchObject({ id: 'rules' })
    bob.answer = null
    bob.step({ type: 'timer', id: 'rules' })
    expect(bob.referee.trouble).toBeNull()
    expect(bob.act(1)).toBe(1)
  })

  test('late, doubled and foreign answers change nothing', () => {
    const [ann] = tables()
    ann.act(3)
    const position = { state: null, outcome: null, legal: [[], []], view: 'wrong' }
    for (const token of [0, 1, 2, 3, 99]) {
      ann.step({ type: 'rules', token, answer: { status: 'ok', position } })
      ann.step({ type: 'rules', token, answer: { status: 'illegal' } })
      ann.step({ type: 'kept', token })
      ann.step({ type: 'appended', token, ok: true })
    }
    expect(ann.referee.position?.view).toBe(3)
    expect(ann.referee.fault).toBeNull()
  })
})

describe('a session that would not end', () => {
  test('ends when a seat resigns, in turn or not', () => {
    const [ann, bob, spectator] = tables()
    ann.act(3)
    exchange(ann, bob)
    expect(ann.act({ type: 'resign' })).toBe(1)
    exchange(ann, bob, spectator)
    for (const { referee } of [ann, bob, spectator]) {
      expect(referee.ending).toEqual({
        outcome: { scores: [0, 1], reason: 'resigned' },
        by: 'resignation',
      })
      expect(referee.agreements.every((agreement) => agreement !== null)).toBe(true)
    }
  })

  test('can be claimed once the other has been silent for the time, and not before', () => {
    const of = descriptorOf([ANN, BOB], { claimAfterMs: 20_000 })
    const [ann, bob] = [new Table(of, race, ANN), new Table(of, race, BOB)]
    expect(ann.act({ type: 'claim' })).toBe('SESSION_NOT_YOUR_TURN')
    expect(ann.referee.claimInMs(0)).toBeNull()
    ann.nowMs = 5_000
    ann.act(3)
    expect(ann.referee.claimInMs(5_000)).toBe(20_000)
    const spectator = new Table(of, race, null)
    spectator.read(ann)
    expect(spectator.referee.claimInMs(90_000)).toBeNull()
    ann.nowMs = 24_999
    expect(ann.act({ type: 'claim' })).toBe('SESSION_CLAIM_EARLY')
    expect(ann.referee.claimInMs(24_999)).toBe(1)
    ann.nowMs = 25_000
    expect([ann.referee.claimInMs(25_000), ann.referee.claimInMs(90_000)]).toEqual([0, 0])
    expect(ann.act({ type: 'claim' })).toBe(1)
    exchange(ann, bob)
    expect([ann.referee.claimInMs(90_000), bob.referee.claimInMs(90_000)]).toEqual([null, null])
    for (const { referee } of [ann, bob]) {
      expect(referee.ending).toMatchObject({ outcome: { scores: [1, 0] }, by: 'claim' })
      // A claim is one's word: the other has not agreed.
      expect(referee.agreements).toEqual([null, null])
    }
  })

  test('cannot be claimed against one who moved', () => {
    const of = descriptorOf([ANN, BOB], { claimAfterMs: 10_000 })
    const [ann, bob] = [new Table(of, race, ANN), new Table(of, race, BOB)]
    ann.act(3)
    bob.read(ann)
    bob.act(2)
    ann.nowMs = 10_000
    ann.act({ type: 'claim' })
    exchange(ann, bob)
    for (const { referee } of [ann, bob]) {
      expect(referee.ending).toBeNull()
      expect(referee.fault).toBeNull()
      expect(referee.toAct).toEqual([0])
    }
  })

  test('a claim of whose turn it is counts for nothing', () => {
    const [, bob] = tables()
    bob.read(forgedLog(descriptor, ANN, [{ heads: [null, null], type: 'claim', body: null }]))
    expect(bob.referee.ending).toBeNull()
  })
})

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

test('an answer of the rules about a way that counts no more is passed over', () => {
  const { referee } = new Table(descriptor, race, null)
  const other = forgedLog(descriptor, holder('ann', 'phone'), [{ heads: [null, null], body: 1 }])
  const asked: number[] = []
  for (const { name, log } of [
    forgedLog(descriptor, ANN, [{ heads: [null, null], body: 2 }]),
    other,
    forgedLog(descriptor, BOB, [{ heads: [other.actions[0]?.hash ?? null, null] }]),
  ]) {
    for (const text of log) {
      for (const effect of referee.step({ type: 'block', log: name, text }, 0)) {
        if (effect.type === 'askRules') asked.push(effect.token)
      }
    }
  }
  expect(asked).toHaveLength(2)
  const wrong = { state: null, outcome: null, legal: [[], []], view: 'wrong' }
  for (const token of [0, ...asked.slice(0, -1)]) {
    referee.step({ type: 'rules', token, answer: { status: 'ok', position: wrong } }, 0)
    referee.step({ type: 'rules', token, answer: { status: 'illegal' } }, 0)
  }
  expect(referee.position?.view).toBe(0)
  expect(referee.fault).toBeNull()
})

test('an action of a type that a later version has is passed over', () => {
  const [ann, bob] = tables()
  const later = forgedLog(descriptor, ANN, [{ heads: [null, null], type: 'offer-draw' }])
  for (const table of [ann, bob]) table.read(later)
  expect(bob.referee.actions).toEqual([])
  expect(bob.referee.toAct).toEqual([0])
  expect(bob.referee.length).toBe(1)
})

test('no order of arrival and no rubbish leads two machines to different games', () => {
  const phone = holder('bob', 'phone')
  const script = fc.array(
    fc.record({ who: fc.nat(2), body: fc.integer({ min: 1, max: 3 }), read: fc.nat(7) }),
    { maxLength: 24, size: 'max' },
  )
  fc.assert(
    fc.property(script, fc.array(fc.string()), (steps, rubbish) => {
      const players = [ANN, BOB, phone].map((who) => new Table(descriptor, race, who))
      const spectators = [new Table(descriptor, race, null), new Table(descriptor, race, null)]
      for (const { who, body, read } of steps) {
        players[who]?.act(body)
        for (const [bit, reader] of [...players, ...spectators].entries()) {
          if ((read & (1 << (bit % 3))) === 0) continue
          for (const writer of players) if (writer !== reader) reader.read(writer)
        }
      }
      for (const [index, text] of rubbish.entries()) {
        spectators[0]?.step({ type: 'block', log: `rubbish ${index}`, text })
      }
      exchange(...players, ...spectators)
      const [first] = players
      for (const { referee } of [...players, ...spectators]) {
        expect(referee.fault).toBeNull()
        expect(referee.actions).toEqual(first?.referee.actions)
        expect(referee.ending).toEqual(first?.referee.ending)
      }
    }),
    { numRuns: 100, seed: 7 },
  )
})

describe('a seat that floods', () => {
  test.each([
    ['many actions', 1300, null],
    ['large actions', 100, 'x'.repeat(15_000)],
  ])('with %s has broken the rules, and the proof can be kept', (_, count, body) => {
    const others = Array.from({ length: 14 }, (_, number) => holder(`other ${number}`))
    const of = descriptorOf([ANN, BOB, ...others])
    const [ann, , spectator] = tables(race, of)
    const none = of.seats.map(() => null)
    const log = [writeBlock({ type: 'attestation', form: BOB.attestation.form })]
    let head: string | null = null
    for (let seq = 0; seq < count; seq++) {
      const heads: (string | null)[] = none.with(1, head as null)
      const [signed]: Action[] = forgedLog(of, BOB, [{ heads, type: 'chat', body, seq }]).actions
      if (signed === undefined) throw new Error('nothing was signed')
      head = signed.hash
      log.push(writeBlock({ type: 'action', form: signed.form }))
    }
    for (const table of [ann, spectator]) {
      table.read({ name: 'flood', log })
      expect(table.dropped).toEqual(['an action fits nowhere'])
      const { fault, ending, transcript } = table.referee
      expect(fault).toMatchObject({ seat: 1 })
      expect(ending?.outcome.scores).toEqual(of.seats.map((_, seat) => (seat === 1 ? 0 : 1)))
      const share = MAX_TRANSCRIPT_BYTES / of.seats.length
      expect(writeTranscript(of, transcript).length).toBeLessThan(share)
    }
    expect(ann.act({ type: 'resign' })).toBe('SESSION_TRANSCRIPT_FORGED')
  })
})
