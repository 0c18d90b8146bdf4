import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  auction,
  descriptorOf,
  exchange,
  holder,
  longRace,
  race,
  Table,
  tablesOf,
} from '../../testing/session-tables.ts'
import { forgedLog } from '../../testing/signed-actions.ts'

const ANN = holder('ann')
const BOB = holder('bob')
const descriptor = descriptorOf([ANN, BOB])

const tables = (rules = race, of = descriptor) => tablesOf(of, rules, ANN, BOB, null)

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
