import { describe, expect, test } from 'vitest'
import type { Json } from '../../contract/values.ts'
import { coin, descriptorOf, holder, longRace, race } from '../../testing/session-tables.ts'
import type { RulesOf } from '../../testing/session-tables.ts'
import { Way } from '../../testing/signed-actions.ts'
import type { SeatAction } from './action.ts'
import { Branches } from './branches.ts'
import { Judgement } from './judgement.ts'

const [ANN, BOB] = [holder('ann'), holder('bob')]
const PHONE = holder('ann', 'phone')
const descriptor = descriptorOf([ANN, BOB])
const start = new Way(descriptor)

/** A judgement of two seats by these rules, which are asked until they have seen all. */
function judged(rules: RulesOf) {
  const branches = new Branches(2)
  const judgement = new Judgement(2, branches)
  /** Takes these in. Says what the rules were asked. */
  const take = (...actions: readonly SeatAction[]): Json[] => {
    const asked: Json[] = []
    for (const action of actions) expect(branches.add(action)).toBe('added')
    for (let next = judgement.next(0); next !== null; next = judgement.next(0)) {
      const { request } = next
      asked.push(request.call === 'start' ? 'start' : request.action)
      const position =
        request.call === 'start'
          ? rules.start()
          : rules.play(request.state, request.seat, request.action)
      judgement.answered(position === null ? { status: 'illegal' } : { status: 'ok', position })
    }
    return asked
  }
  return { branches, judgement, take }
}

/** Rules by which nothing ever changes: these are the legal actions, for good. */
const standing = (...legal: Json[][]): RulesOf => {
  const position = { state: null, outcome: null, legal, view: null }
  return { start: () => position, play: () => position }
}

/** What Ann and Bob add in turn. */
function wayOf(...bodies: number[]): Way {
  return bodies.reduce((way, body, ply) => way.with(ply % 2 === 0 ? ANN : BOB, { body }), start)
}

const hashesOf = (actions: readonly SeatAction[]): string[] => actions.map(({ hash }) => hash)

describe('until the rules have answered', () => {
  test('nothing is known, and nobody is to act', () => {
    const { judgement, take } = judged(race)
    expect([judgement.position, judgement.ending, judgement.toAct]).toEqual([null, null, []])
    expect(judgement.next(1)?.request).toEqual({ call: 'start', viewer: 1 })
    judgement.answered({ status: 'illegal' })
    expect([judgement.position, judgement.toAct]).toEqual([null, []])
    expect(take()).toEqual(['start'])
    expect(judgement.position).toEqual(race.start())
    expect(judgement.toAct).toEqual([0])
  })

  test('an action does not count, and nobody is to act', () => {
    const { branches, judgement, take } = judged(race)
    take()
    branches.add(wayOf(2).last)
    expect([judgement.isBehind, judgement.toAct, judgement.actions]).toEqual([true, [], []])
    expect(take()).toEqual([2])
    expect([judgement.isBehind, judgement.toAct]).toEqual([false, [1]])
  })
})

test('while it goes on, the transcript has all that there is', () => {
  const { judgement, take } = judged(race)
  const way = wayOf(1, 1, 1, 1)
  take(...way.actions)
  expect(hashesOf(judgement.transcript)).toEqual(hashesOf(way.actions))
})

describe('after an end', () => {
  test('nobody is to act, whatever the position lets them', () => {
    const { judgement, take } = judged(standing(['x'], ['x']))
    take()
    expect(judgement.toAct).toEqual([0, 1])
    take(start.with(BOB, { type: 'resign' }).last)
    expect(judgement.position?.legal).toEqual([['x'], ['x']])
    expect(judgement.toAct).toEqual([])
  })

  test('nothing more takes effect, and the rules are not asked', () => {
    const { judgement, take } = judged(standing(['x'], ['x']))
    const way = start.with(ANN, { type: 'resign', body: null, atMs: 5 })
    const end = { outcome: { scores: [0, 1], reason: 'resigned' }, by: 'resignation' }
    expect(take(way.last)).toEqual(['start'])
    const late = way.with(BOB, { body: 'x' }).with(BOB, { type: 'resign' }).with(ANN)
    expect(take(...late.actions.slice(1))).toEqual([])
    expect(judgement.ending).toEqual(end)
    expect(judgement.actions).toEqual([{ ply: 0, seat: 0, type: 'resign', body: null, atMs: 5 }])
    expect(judgement.fault).toBeNull()
  })

  test('the transcript ends, too, even with the very first action', () => {
    const { judgement, take } = judged(race)
    const way = start.with(ANN, { type: 'resign' })
    take(way.last, way.with(BOB, { type: 'chat' }).last)
    expect(hashesOf(judgement.transcript)).toEqual([way.last.hash])
  })
})

describe('a session that is over before anybody acts', () => {
  const outcome = { scores: [1, 1], reason: 'nothing is left to play' }
  const rules: RulesOf = {
    start: () => ({ state: null, outcome, legal: [[], []], view: null }),
    play: () => null,
  }

  test('ends as the rules say, and nobody is to act', () => {
    const { judgement, take } = judged(rules)
    expect(judgement.ending).toBeNull()
    expect(take()).toEqual(['start'])
    expect(judgement.ending).toEqual({ outcome, by: 'rules' })
    expect([judgement.toAct, judgement.transcript, judgement.fault]).toEqual([[], [], null])
  })

  test('is not changed by what comes after, in whatever order, but can be agreed with', () => {
    const agreed = start.with(ANN, { type: 'agree', body: outcome })
    const way = agreed.with(BOB, { type: 'resign' }).with(BOB)
    for (const first of [0, 3]) {
      const { judgement, take } = judged(rules)
      take(...way.actions.slice(0, first))
      take(...way.actions.slice(first))
      expect(judgement.ending).toEqual({ outcome, by: 'rules' })
      expect([judgement.actions, judgement.transcript, judgement.fault]).toEqual([[], [], null])
      expect(judgement.agreements.map((action) => action?.hash)).toEqual([
        agreed.last.hash,
        undefined,
      ])
    }
  })
})

describe('a claim', () => {
  const claim = start.with(ANN, { type: 'claim', body: null })

  test('is an end where others are to act and the claimant is not: one point for the claimant', () => {
    const { judgement, take } = judged(standing([], ['x']))
    take(claim.last)
    expect(judgement.ending).toEqual({
      outcome: { scores: [1, 0], reason: 'claimed, as the others were silent' },
      by: 'claim',
    })
    expect(judgement.actions).toMatchObject([{ seat: 0, type: 'claim' }])
  })

  test.each([
    ['is to act, too', [['x'], ['x']]],
    ['is the only one to act', [['x'], []]],
    ['has nobody to wait for', [[], []]],
  ])('counts for nothing if the claimant %s', (_what, legal) => {
    const { judgement, take } = judged(standing(...legal))
    take(claim.last)
    expect([judgement.ending, judgement.fault, judgement.actions]).toEqual([null, null, []])
  })

  test('counts for nothing if somebody acted that the claimant had not seen', () => {
    const { judgement, take } = judged(standing([], ['x']))
    take(claim.last, start.with(BOB, { body: 'x' }).last)
    expect(judgement.ending).toBeNull()
    expect(judgement.actions).toMatchObject([{ seat: 1 }])
  })
})

describe('a proof', () => {
  test('of an action that the rules refuse says who, where and what, and ends it', () => {
    const { judgement, take } = judged(race)
    const way = wayOf(1, 9)
    take(...way.actions)
    expect(judgement.fault).toEqual({
      seat: 1,
      ply: 1,
      message: 'the rules do not allow its action',
      proof: [way.last.form],
    })
    expect(judgement.ending).toEqual({
      outcome: { scores: [1, 0], reason: 'the rules were broken' },
      by: 'fault',
    })
    expect(judgement.toAct).toEqual([])
    expect(take(way.with(ANN).last)).toEqual([])
    expect(judgement.actions).toHaveLength(1)
    expect(hashesOf(judgement.transcript)).toEqual(hashesOf(way.actions))
  })

  test('is none where the rules refuse what came to stand behind an action it had not seen', () => {
    const { judgement, take } = judged(coin)
    take(start.with(ANN, { body: 'take' }).last, start.with(BOB, { body: 'take' }).last)
    expect([judgement.fault, judgement.ending]).toEqual([null, null])
    expect(judgement.actions).toMatchObject([{ seat: 0 }])
    expect(judgement.position?.view).toBe(0)
  })

  test('of two actions for one position stops it: nobody acts, and what is there is played', () => {
    const { judgement, take } = judged(race)
    const ways = [1, 2].map((body) => wayOf(3, body))
    const [one, other] = ways.sort((a, b) => (a.last.hash < b.last.hash ? -1 : 1)) as [Way, Way]
    take(...one.actions)
    expect(take(other.last)).toEqual([])
    expect(judgement.fault).toEqual({
      seat: 1,
      ply: 2,
      message: 'one machine signed two different actions for one position',
      proof: [one.last.form, other.last.form],
    })
    expect(judgement.ending?.outcome.scores).toEqual([1, 0])
    expect(judgement.toAct).toEqual([])
    expect(take(one.with(ANN, { body: 3 }).last)).toEqual([3])
    expect(judgement.actions).toHaveLength(3)
  })

  test('of two actions has all in the transcript, counting or not, in whatever order they came', () => {
    const [one, other] = [1, 2].map((body) => wayOf(3, body)) as [Way, Way]
    const [long, longer] = [one, other].map((way) => way.with(ANN)) as [Way, Way]
    const all = [...longer.actions, ...long.actions.slice(1)]
    const transcripts = [
      [...long.actions, ...longer.actions.slice(1)],
      [...longer.actions, ...long.actions.slice(1)],
    ].map((actions) => {
      const { judgement, take } = judged(race)
      take(...actions)
      return hashesOf(judgement.transcript)
    })
    expect(transcripts[0]).toEqual(transcripts[1])
    expect(transcripts[0]?.toSorted()).toEqual(hashesOf(all).toSorted())
    expect(transcripts[0]?.[0]).toBe(one.actions[0]?.hash)
  })

  test('of a seat that signed more than it may needs no two actions, and blames no other', () => {
    const { judgement, take } = judged(race)
    const machines = Array.from({ length: 25 }, (_, number) => holder('bob', `machine ${number}`))
    for (const by of machines) {
      expect(judgement.fault).toBeNull()
      take(start.with(by, { type: 'chat' }).last)
    }
    expect(judgement.fault).toEqual({
      seat: 1,
      ply: 0,
      message: 'it signed more than a seat may in one session',
      proof: [],
    })
    expect(judgement.ending?.outcome.scores).toEqual([1, 0])
    expect(judgement.transcript).toHaveLength(25)
  })

  test('of two actions is nobody’s to agree with', () => {
    const { judgement, take } = judged(race)
    const body = { scores: [1, 0], reason: 'the rules were broken' }
    const way = start.with(ANN, { type: 'agree', body })
    take(...[1, 2].map((of) => start.with(BOB, { body: of }).last), way.last)
    expect(judgement.ending?.outcome).toEqual(body)
    expect(judgement.agreements).toEqual([null, null])
  })
})

describe('an agreement', () => {
  const over = wayOf(3, 3, 3, 1)
  const body = { scores: [0, 1], reason: 'the goal' }

  /** By seat, is there one after these? */
  const agreedAfter = (...actions: readonly SeatAction[]): (string | undefined)[] => {
    const { judgement, take } = judged(race)
    take(...actions)
    return judgement.agreements.map((agreement) => agreement?.hash)
  }

  test('is given by a seat that repeats the end; the first is the one that counts', () => {
    const way = over.with(ANN, { type: 'agree', body })
    const again = way.with(ANN, { type: 'agree', body })
    expect(agreedAfter(...over.actions)).toEqual([undefined, undefined])
    expect(agreedAfter(...again.actions)).toEqual([way.last.hash, undefined])
    // With nothing but its first action, a game has an end to agree with as well.
    const [resigned, reason] = [start.with(ANN, { type: 'resign' }), 'resigned']
    const agreed = resigned.with(BOB, { type: 'agree', body: { ...body, reason } })
    expect(agreedAfter(...agreed.actions)).toEqual([undefined, agreed.last.hash])
  })

  test.each([
    ['other scores', { type: 'agree', body: { ...body, scores: [1, 0] } }],
    ['another reason', { type: 'agree', body: { ...body, reason: 'luck' } }],
    ['the end as another type', { type: 'chat', body }],
  ])('is not given by who says %s', (_what, action) => {
    expect(agreedAfter(...over.with(ANN, action).actions)).toEqual([undefined, undefined])
  })

  test('is not given by who had not seen the end, were it foreseen', () => {
    const foreseen = wayOf(3, 3, 3).with(ANN, { type: 'agree', body })
    expect(agreedAfter(...foreseen.actions, over.last)).toEqual([undefined, undefined])
    // Of two that came at once, the higher seat's stands behind the end.
    const [before, won] = [wayOf(3, 3, 1, 2), { ...body, scores: [1, 0] }]
    const behind = before.with(BOB, { type: 'agree', body: won }).last
    const end = before.with(ANN, { body: 1 })
    expect(agreedAfter(...end.actions, behind)).toEqual([undefined, undefined])
    expect(agreedAfter(...end.with(BOB, { type: 'agree', body: won }).actions)[1]).toBeDefined()
  })

  test('is none while it goes on', () => {
    const early = wayOf(3).with(ANN, { type: 'agree', body })
    expect(agreedAfter(...early.actions)).toEqual([undefined, undefined])
  })
})

describe('when another way comes to count', () => {
  test('an end on the way that counts no more is none, and the game goes on', () => {
    const { judgement, take } = judged(race)
    take(start.with(PHONE, { type: 'resign' }).last)
    expect(judgement.ending?.by).toBe('resignation')
    const way = wayOf(1, 2, 3)
    take(...way.actions)
    expect(judgement.ending).toBeNull()
    expect(judgement.actions.map(({ body }) => body)).toEqual([1, 2, 3])
    expect(judgement.toAct).toEqual([1])
    expect(hashesOf(judgement.transcript)).toEqual(hashesOf(way.actions))
  })

  test('fewer actions may count than before', () => {
    const { judgement, take } = judged(race)
    const long = start.with(PHONE, { body: 1 }).with(PHONE, { body: 1 }).with(PHONE, { body: 1 })
    take(...long.actions)
    const short = wayOf(2, 2)
    take(...short.actions)
    expect(judgement.actions.map(({ body }) => body)).toEqual([2, 2])
    expect(judgement.fault).toBeNull()
    expect(judgement.position?.view).toBe(4)
  })

  /** A game of so many plies, of which Ann's other machine went another way at a ply: the rules' work. */
  function askedAnew(plies: number, forkPly: number): number {
    const { judgement, take } = judged(longRace)
    const main = wayOf(...Array.from({ length: plies }, () => 1))
    take(...main.actions)
    let fork = new Way(descriptor, main.actions.slice(0, forkPly)).with(PHONE)
    // Bob's other machine builds more on it than he has on the game so far.
    const bob = holder('bob', 'phone')
    for (let count = 0; count < plies; count++) fork = fork.with(bob, { type: 'chat' })
    const asked = take(...fork.actions.slice(forkPly))
    expect(judgement.actions).toHaveLength(forkPly + 1)
    expect(judgement.position?.view).toBe(forkPly + 1)
    return asked.length
  }

  test('the last 32 positions are kept; from earlier ones on it is played again', () => {
    expect(askedAnew(41, 10)).toBe(1)
    expect(askedAnew(40, 8)).toBe(9)
  })
})
