import { describe, expect, test } from 'vitest'
import { descriptorOf, holder } from '../../testing/session-tables.ts'
import { signedAction, Way } from '../../testing/signed-actions.ts'
import type { SeatAction } from './action.ts'
import { Branches } from './branches.ts'

const [ANN, BOB] = [holder('ann'), holder('bob')]
const PHONE = holder('ann', 'phone')
const descriptor = descriptorOf([ANN, BOB])
const start = new Way(descriptor)
const UNKNOWN = 'a'.repeat(64)

function branchesOf(...actions: readonly SeatAction[]): Branches {
  const branches = new Branches(2)
  for (const action of actions) expect(branches.add(action)).toBe('added')
  return branches
}

const hashesOf = (actions: readonly SeatAction[]): string[] => actions.map(({ hash }) => hash)

describe('an action that comes ahead of what it names', () => {
  test('is placed with what it waited for, and so is what waited for it', () => {
    const { actions } = start.with(ANN).with(BOB).with(ANN).with(BOB)
    const branches = branchesOf()
    for (const action of actions.slice(1).toReversed()) {
      expect(branches.add(action)).toBe('waiting')
      expect(branches.add(action)).toBe('waiting')
    }
    expect([branches.size, branches.order]).toEqual([0, []])
    const [first] = actions as readonly [SeatAction]
    expect(branches.add(first)).toBe('added')
    expect(hashesOf(branches.order)).toEqual(hashesOf(actions))
    for (const action of actions) expect(branches.add(action)).toBe('known')
    expect(branches.size).toBe(4)
  })

  test('waits on while something else comes', () => {
    const waits = signedAction(descriptor, BOB, { heads: [UNKNOWN, null] })
    const way = start.with(ANN)
    const behind = way.with(BOB)
    const branches = branchesOf()
    for (const action of [waits, behind.last]) expect(branches.add(action)).toBe('waiting')
    expect(branches.add(way.last)).toBe('added')
    expect(hashesOf(branches.order)).toEqual(hashesOf(behind.actions))
    expect(branches.add(waits)).toBe('waiting')
  })

  test('is kept if no more than 32 of its seat wait already; the rest has to come again', () => {
    const cause = start.with(ANN)
    const early = Array.from({ length: 33 }, (_, body) => cause.with(BOB, { body }).last)
    const annsOwn = cause.with(PHONE).last
    const branches = branchesOf()
    for (const action of [...early, annsOwn]) expect(branches.add(action)).toBe('waiting')
    expect(branches.add(cause.last)).toBe('added')
    expect(early.map(({ hash }) => branches.has(hash))).toEqual(
      early.map((_, number) => number < 32),
    )
    // Who floods takes nothing from another seat.
    expect(branches.has(annsOwn.hash)).toBe(true)
    expect(branches.add(early.at(-1) as SeatAction)).toBe('added')
  })
})

describe('an action that fits nowhere', () => {
  const misplaced = signedAction(descriptor, ANN, { heads: [null, null], seq: 1 })
  const behind = signedAction(descriptor, BOB, { heads: [misplaced.hash, null] })

  test('is refused whenever it comes, and so is what goes on from it, early or late', () => {
    const branches = branchesOf()
    expect(branches.add(behind)).toBe('waiting')
    expect(branches.add(misplaced)).toBe('refused')
    const late = signedAction(descriptor, BOB, { heads: [misplaced.hash, behind.hash], seq: 1 })
    for (const action of [misplaced, behind, late]) {
      expect(branches.add(action)).toBe('refused')
      expect(branches.has(action.hash)).toBe(false)
    }
  })

  test('is still known as such, however many of its seat, or of another, were refused before', () => {
    const branches = branchesOf()
    const bobsOwn = signedAction(descriptor, BOB, { heads: [null, null], seq: 1 })
    const refuse = (signed: SeatAction, number: number): SeatAction => {
      const action = { ...signed, hash: `refused ${signed.seat} ${number}` }
      expect(branches.add(action)).toBe('refused')
      return action
    }
    const bobs = refuse(bobsOwn, 0)
    for (let number = 1; number <= 20_001; number++) refuse(misplaced, number)
    expect(branches.add(misplaced)).toBe('refused')
    expect(branches.add(behind)).toBe('refused')
    const onBobs = signedAction(descriptor, ANN, { heads: [null, bobs.hash] })
    expect(branches.add(onBobs)).toBe('refused')
  })

  test('that waits goes as soon as anything is placed, and keeps nobody’s place', () => {
    const branches = branchesOf()
    const chain = [behind]
    for (let seq = 1; seq < 32; seq++) {
      const heads = [misplaced.hash, chain.at(-1)?.hash ?? null]
      chain.push(signedAction(descriptor, BOB, { heads, seq }))
    }
    for (const action of chain) expect(branches.add(action)).toBe('waiting')
    expect(branches.add(misplaced)).toBe('refused')
    const [first, second, third] = [0, 1, 2].map((count) =>
      Array.from({ length: count + 1 }).reduce<Way>((way) => way.with(ANN), start),
    ) as [Way, Way, Way]
    expect(branches.add(first.last)).toBe('added')
    const bobs = third.with(BOB)
    expect(branches.add(bobs.last)).toBe('waiting')
    for (const { last } of [second, third]) expect(branches.add(last)).toBe('added')
    expect(branches.has(bobs.last.hash)).toBe(true)
  })
})

describe('what an action had seen', () => {
  test('is counted over all seats, up to what it names', () => {
    const way = start.with(ANN).with(BOB).with(ANN)
    const branches = branchesOf(...way.actions)
    expect(branches.seenOf([null, null])).toBe(0)
    expect(branches.seenOf(way.heads)).toBe(3)
    expect(branches.seenOf([null, way.actions[1]?.hash ?? null])).toBe(1)
    expect(branches.seenOf([UNKNOWN, way.actions[1]?.hash ?? null])).toBe(1)
    expect(branches.heads()).toEqual(way.heads)
  })
})

describe('two actions of one machine for one position', () => {
  const seen = start.with(ANN)

  test('are a proof, also where the second had seen more of the others', () => {
    const first = start.with(BOB, { body: 1 }).last
    for (const second of [start.with(BOB, { body: 2 }).last, seen.with(BOB).last]) {
      for (const [one, other] of [
        [first, second],
        [second, first],
      ] as const) {
        const branches = branchesOf(seen.last, one)
        expect(branches.breaches).toEqual([])
        branches.add(other)
        expect(branches.breaches).toEqual([{ seat: 1, twins: [one, other] }])
      }
    }
  })

  test('are proven once: what comes later changes nothing', () => {
    const three = [1, 2, 3].map((body) => start.with(BOB, { body }).last) as [
      SeatAction,
      SeatAction,
      SeatAction,
    ]
    const branches = branchesOf(...three)
    expect(branches.breaches).toEqual([{ seat: 1, twins: [three[0], three[1]] }])
  })

  test('are none where two machines signed them', () => {
    expect(branchesOf(seen.last, start.with(PHONE).last).breaches).toEqual([])
  })

  test('are none where they answer ways of another that exclude each other', () => {
    const other = start.with(PHONE)
    const branches = branchesOf(seen.last, other.last, seen.with(BOB).last, other.with(BOB).last)
    expect(branches.breaches).toEqual([])
  })
})
