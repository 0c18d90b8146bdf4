import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { SeatAction } from './action.ts'
import { Branches } from './branches.ts'
import { ForkChoice } from './fork-choice.ts'
import type { ActionNode } from './fork-choice.ts'

const SEATS = 3

/** An action as far as its place goes. `at` decides between ways that nobody has built on. */
function actionOf(seat: number, seq: number, heads: (string | null)[], at: number, type = 'move') {
  const hash = `${at.toString(16).padStart(8, '0')}.${seat}.${seq}.${heads.join('')}`.slice(0, 64)
  const form = { body: '', signature: '' }
  const attested = { hash: 'attestation' }
  const action = { seat, seq, heads, type, body: null, machine: 'one', hash, form, attested }
  return action as unknown as SeatAction
}

interface OracleNode {
  action: SeatAction
  parent: string | null
  depth: number
  support: number
  lost: boolean
}

/** The rule, without any haste: all is sorted and decided from the beginning. */
function orderOf(actions: readonly SeatAction[]): string[] {
  const nodes = new Map<string, OracleNode>()
  const node = (hash: string | null): OracleNode | undefined =>
    hash === null ? undefined : nodes.get(hash)
  for (let left = [...actions]; left.length > 0; ) {
    left = left.filter((action) => {
      if (action.heads.some((head) => head !== null && !nodes.has(head))) return true
      const depth = 1 + Math.max(0, ...action.heads.map((head) => node(head)?.depth ?? 0))
      const parent = action.heads[action.seat] ?? null
      nodes.set(action.hash, { action, parent, depth, support: 0, lost: false })
      return false
    })
  }
  const sorted = [...nodes.values()].sort((a, b) => {
    const claims = Number(a.action.type === 'claim') - Number(b.action.type === 'claim')
    const byHash = a.action.hash < b.action.hash ? -1 : 1
    return a.depth - b.depth || claims || a.action.seat - b.action.seat || byHash
  })
  for (const { action } of sorted) {
    for (const [seat, head] of action.heads.entries()) {
      const seen = node(head)
      if (seen !== undefined && seat !== action.seat) seen.support++
    }
  }
  for (const { parent, support } of sorted.toReversed()) {
    const before = node(parent)
    if (before !== undefined) before.support += support
  }
  const rivalsOf = (one: OracleNode): OracleNode[] =>
    sorted.filter(({ parent, action }) => parent === one.parent && action.seat === one.action.seat)
  const isReady = ({ action }: OracleNode): boolean =>
    action.heads.every((head) => head === null || node(head)?.lost === false)
  /** Is it beside a way that counts, or built on what is? */
  const isOut = (one: OracleNode): boolean =>
    rivalsOf(one).some((other) => other !== one && !other.lost) ||
    one.action.heads.some((head) => {
      const seen = node(head)
      return seen !== undefined && isOut(seen)
    })
  const goesBefore = (one: OracleNode, other: OracleNode): boolean =>
    one.support > other.support ||
    (one.support === other.support && one.action.hash < other.action.hash)
  const isBest = (one: OracleNode, of: readonly OracleNode[]): boolean =>
    of.every((other) => other === one || goesBefore(one, other))
  const openRivalsOf = (one: OracleNode): OracleNode[] =>
    rivalsOf(one).filter((other) => !isOut(other))
  for (const one of sorted) one.lost = true
  for (;;) {
    const left = sorted.filter((one) => one.lost && isReady(one) && !isOut(one))
    const next =
      left.find((one) => isBest(one, openRivalsOf(one))) ??
      left.find((one) => isBest(one, rivalsOf(one).filter(isReady)))
    if (next === undefined) break
    next.lost = false
  }
  return sorted.filter(({ lost }) => !lost).map(({ action }) => action.hash)
}

const choice = fc.record({
  seat: fc.nat(SEATS - 1),
  /** Of the actions there are: from where it goes on, and what it has seen besides. */
  from: fc.nat(),
  seen: fc.array(fc.nat(), { maxLength: 2 }),
  at: fc.nat(0xffff),
  type: fc.constantFrom('move', 'move', 'move', 'claim'),
  group: fc.nat(2),
})

/**
 * Actions that fit, after those of `before`, in an order in which they could come: many go on from the same. If they are split, three
 * groups of machines know nothing of each other, so that each has its own way of every seat.
 */
function graphOf(
  choices: readonly (typeof choice extends fc.Arbitrary<infer T> ? T : never)[],
  isSplit: boolean,
  before: readonly SeatAction[] = [],
) {
  const branches = new Branches(SEATS)
  for (const action of before) branches.add(action)
  const actions = [...before]
  const ofGroup: SeatAction[][] = [[], [], []]
  for (const { seat, from, seen, at, type, group } of choices) {
    const known = (isSplit ? ofGroup[group] : undefined) ?? actions
    const nothing: (string | null)[] = Array.from({ length: SEATS }, () => null)
    /** What who has made one of the last actions knew then. */
    const viewOf = (of: number): (string | null)[] => {
      const action = known.at(-1 - (of % (isSplit ? 2 : 8)))
      return action === undefined ? nothing : action.heads.with(action.seat, action.hash)
    }
    let heads = viewOf(from)
    for (const other of seen) {
      const view = viewOf(other)
      heads = heads.map((head, of) => {
        const theirs = view[of] ?? null
        return of !== seat && branches.seenOf([theirs]) > branches.seenOf([head]) ? theirs : head
      })
    }
    const action = actionOf(seat, branches.seenOf([heads[seat] ?? null]), heads, at, type)
    if (branches.add(action) !== 'added') continue
    for (const list of [actions, ofGroup[group]]) list?.push(action)
  }
  return actions
}

/** Hands over each of the actions once, by chance, after those of them that it was built on. */
function placeAll(
  actions: readonly SeatAction[],
  chance: Iterator<number>,
  place: (action: SeatAction) => void,
): void {
  const left = new Map(actions.map((action) => [action.hash, action]))
  while (left.size > 0) {
    const open = [...left.values()].filter(({ heads }) =>
      heads.every((head) => head === null || !left.has(head)),
    )
    const action = open[(chance.next().value as number) % open.length] as SeatAction
    left.delete(action.hash)
    place(action)
  }
}

test.each([
  ['many machines', false],
  ['three groups of machines that know nothing of each other', true],
])(
  'of %s, after each action, whatever comes when, the order is what the rule says',
  (_, isSplit) => {
    let forked = 0
    fc.assert(
      fc.property(
        fc.array(choice, { maxLength: 30, size: 'max' }),
        fc.infiniteStream(fc.nat()),
        (choices, chance) => {
          const left = graphOf(choices, isSplit)
          const branches = new Branches(SEATS)
          const placed: SeatAction[] = []
          placeAll(left, chance, (action) => {
            expect(branches.add(action)).toBe('added')
            placed.push(action)
            expect(branches.order.map(({ hash }) => hash)).toEqual(orderOf(placed))
          })
          expect(strandedIn(placed, branches)).toEqual([])
          if (branches.order.length < placed.length) forked++
        },
      ),
      { numRuns: 150 },
    )
    // Else it would say nothing.
    expect(forked).toBeGreaterThan(10)
  },
)

/** Actions that could count, where nothing does: they see only what counts, and so does what they go on from. */
function strandedIn(placed: readonly SeatAction[], { order }: Branches): SeatAction[] {
  const counting = new Set<string | null>([null, ...order.map(({ hash }) => hash)])
  const goneOn = new Set(order.map(({ seat, heads }) => `${seat}.${heads[seat]}`))
  return placed.filter(
    ({ seat, heads }) =>
      heads.every((head) => counting.has(head)) && !goneOn.has(`${seat}.${heads[seat]}`),
  )
}

/** Branches of two seats, whose order is held against the rule with each action. */
function checkedBranches() {
  const branches = new Branches(2)
  const placed: SeatAction[] = []
  const add = (seat: number, seq: number, heads: (string | null)[], at: number): string => {
    const action = actionOf(seat, seq, heads, at)
    expect(branches.add(action)).toBe('added')
    placed.push(action)
    expect(branches.order.map(({ hash }) => hash)).toEqual(orderOf(placed))
    return action.hash
  }
  return { branches, add }
}

test('an answer to a way that is lost does not come to count by a lesser hash', () => {
  const { branches, add } = checkedBranches()
  const [winning, losing] = [add(1, 0, [null, null], 1), add(1, 0, [null, null], 2)]
  add(0, 0, [null, winning], 5)
  const behind = add(1, 1, [null, losing], 1)
  const late = add(0, 0, [null, behind], 1)
  expect(branches.order.map(({ hash }) => hash)).not.toContain(late)
})

test('a branch that stands before all others decides the fork where it stands', () => {
  const { add } = checkedBranches()
  const [losing, winning] = [add(1, 0, [null, null], 2), add(1, 0, [null, null], 1)]
  add(0, 0, [null, losing], 1)
  add(0, 0, [null, winning], 5)
  add(0, 0, [null, null], 9)
})

/**
 * Three groups of machines, each with a way of its own of both seats; two actions at the start of each. Each of
 * two ways waits for the other, so that ways have to be cut.
 */
function playKnot(
  add: (seat: number, seq: number, heads: (string | null)[], at: number) => string,
) {
  const [a0, b0] = [add(0, 0, [null, null], 0xfd), add(1, 0, [null, null], 0x35)]
  const a1 = add(0, 0, [null, b0], 0x58)
  const c0 = add(0, 0, [null, null], 0xab)
  const [b1, c1] = [add(1, 0, [a0, null], 0x2c), add(0, 1, [c0, null], 0x08)]
  const a2 = add(0, 1, [a1, b0], 0x9a)
  const d0 = add(0, 1, [a0, b1], 0x70)
  const a3 = add(0, 2, [a2, b0], 0x6c)
  const c2 = add(1, 0, [c1, null], 0xce)
  add(0, 2, [c1, c2], 0xc6)
  const b2 = add(1, 1, [a3, b0], 0x2e)
  const d1 = add(0, 2, [d0, b1], 0x25)
  add(0, 3, [d1, b1], 0x2d)
  add(0, 3, [a3, b2], 0x96)
  return a3
}

test('where each of two ways waits for the other, what comes later may turn over either', () => {
  const { branches, add } = checkedBranches()
  const a3 = playKnot(add)
  expect(branches.order.map(({ hash }) => hash)).toContain(a3)
})

test('of several that need not wait the one with the shortest way counts, whichever seat is named first', () => {
  const { branches, add } = checkedBranches()
  const [first, answered] = [add(0, 0, [null, null], 1), add(1, 0, [null, null], 9)]
  const [other, answer] = [add(0, 1, [first, null], 9), add(0, 1, [first, answered], 1)]
  const waiting = add(1, 0, [other, null], 1)
  // As much is built on each, so that of either seat the way counts that waits for the other’s.
  const last = add(1, 1, [answer, answered], 5)
  add(0, 2, [other, waiting], 5)
  expect(branches.order.map(({ hash }) => hash)).toEqual([first, answered, answer, last])
})

test('once ways had to be cut, all that comes is decided as the rule says, whatever comes when', () => {
  const knot: SeatAction[] = []
  playKnot((seat, seq, heads, at) => {
    const action = actionOf(seat, seq, [...heads, null], at)
    knot.push(action)
    return action.hash
  })
  fc.assert(
    fc.property(
      fc.array(choice, { minLength: 1, maxLength: 12, size: 'max' }),
      fc.infiniteStream(fc.nat()),
      (choices, chance) => {
        const later = graphOf(choices, false, knot).slice(knot.length)
        const branches = new Branches(SEATS)
        for (const action of knot) branches.add(action)
        const placed = [...knot]
        placeAll(later, chance, (action) => {
          expect(branches.add(action)).toBe('added')
          placed.push(action)
          expect(branches.order.map(({ hash }) => hash)).toEqual(orderOf(placed))
        })
      },
    ),
    { numRuns: 150 },
  )
})

test('a way that loses takes along what had lost upon it, and nothing else', () => {
  const { branches, add } = checkedBranches()
  const others = add(1, 0, [null, null], 1)
  add(1, 1, [null, others], 1)
  const losing = add(0, 0, [null, null], 5)
  for (const at of [1, 2]) add(0, 1, [losing, null], at)
  const winning = add(0, 0, [null, null], 4)
  expect(branches.order).toHaveLength(3)
  // On the way that counts now, its seat goes on.
  add(0, 1, [winning, null], 3)
  expect(branches.order).toHaveLength(4)
})

/** Nodes of two seats as `Branches` makes them, with a count of what is read and written in them. */
function watchedNodes() {
  const roots: ActionNode[][] = [[], []]
  const counts = { looks: 0 }
  const nodeOf = (seat: number, heads: (ActionNode | null)[], at: number): ActionNode => {
    const parent = heads[seat] ?? null
    const seq = parent === null ? 0 : parent.action.seq + 1
    const siblings = parent?.children ?? roots[seat] ?? []
    const depth = 1 + Math.max(0, ...heads.map((head) => head?.depth ?? 0))
    const action = actionOf(seat, seq, [], at)
    const lost = false
    const plain = { action, parent, siblings, children: [], heads, depth, support: 0, lost }
    const node: ActionNode = new Proxy(plain, {
      get: (target, name) => {
        counts.looks++
        return target[name as keyof ActionNode]
      },
    })
    siblings.push(node)
    return node
  }
  return { nodeOf, counts }
}

const PLIES = 2_000

test('forks among thousands of actions are decided without looking at all of them', () => {
  const { nodeOf, counts } = watchedNodes()
  const choice = new ForkChoice()
  const heads: (ActionNode | null)[] = [null, null]
  const play = (seat: number, at: number): void => {
    const node = nodeOf(seat, [...heads], at)
    choice.add(node)
    heads[seat] = node
  }
  for (let ply = 0; ply < PLIES; ply++) play(ply % 2, ply)
  /** What is looked at while something is taken in. */
  const looksOf = (action: () => void): number => {
    const before = counts.looks
    action()
    return counts.looks - before
  }
  // In order, the way back over the other's actions is all: two looks at each.
  const inOrder = looksOf(() => play(0, PLIES))
  expect(inOrder).toBeLessThan(4 * PLIES)
  const first = choice.order[0]
  const start = nodeOf(1, [null, null], 10_000)
  for (const fork of [
    // Late branches, which count no more than those on which all was built.
    () => choice.add(start),
    () => choice.add(nodeOf(1, [null, start], 10_001)),
    // One on which somebody builds, in vain.
    () => choice.add(nodeOf(0, [null, start], 10_002)),
    // One that goes before the last action, on which nobody has built.
    () => choice.add(nodeOf(0, [heads[0]?.parent ?? null, heads[1] ?? null], 1)),
  ]) {
    expect(looksOf(fork)).toBeLessThan(4 * PLIES)
  }
  expect(choice.order).toHaveLength(PLIES + 1)
  expect(choice.order[0]).toBe(first)
  expect(choice.order.at(-1)?.hash).toMatch(/^00000001/)
})
