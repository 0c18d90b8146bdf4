import { beforeEach, describe, expect, it } from 'vitest'
import { formatVersion, MAX_DRIFT_MS } from '../db/hybrid-clock.ts'
import { FingerprintTree } from './fingerprint-tree.ts'
import { FakeShared, itemAt, WALL_MS } from './fixtures/shared.ts'
import { Healing } from './healing.ts'
import type { Item } from './item.ts'
import { decodeMessage } from './messages.ts'
import type { Message } from './messages.ts'
import type { Peer } from './peer.ts'
import { decodeQuestion, encodeAnswer, encodeQuestion } from './reconcile-messages.ts'
import type { Limits, Question } from './reconcile-messages.ts'
import { answerQuestion } from './reconcile.ts'
import { Reconciliation } from './reconciliation.ts'

const LEAST = '000000000000-0000'
const versionAt = (timeMs: number): string => formatVersion({ timeMs, counter: 0xffff })
const LIMITS: Limits = { least: LEAST, greatest: versionAt(WALL_MS) }
const ITEMS = Array.from({ length: 5 }, (_, i) => itemAt(WALL_MS - 1000 + i))

let shared: FakeShared
let pumped: string[]
let bulk: boolean
let healing: Healing
let b: Peer
let c: Peer
function begin(items: readonly Item[] = ITEMS): void {
  shared = new FakeShared(items)
  pumped = []
  bulk = false
  healing = new Healing(
    shared,
    ({ key }) => pumped.push(key),
    () => bulk,
  )
  b = shared.greeted('b')
  c = shared.greeted('c')
}
beforeEach(() => begin())

/** The questions that were asked since the last time; the other effects are gone. */
const asked = (): { peer: string; question: Question }[] =>
  shared.takeSent().flatMap(({ peer, message }) => {
    if (message.kind !== 'question') return []
    return [{ peer, question: decodeQuestion(message.bytes)! }]
  })
const whomAsked = (): string[] => asked().map(({ peer }) => peer)
const timers = (): [id: string, afterMs: number][] =>
  shared
    .take()
    .flatMap((effect) =>
      effect.type === 'setTimer' ? [[effect.id, effect.afterMs] as [string, number]] : [],
    )
const inStep = (): string[] =>
  shared.take().flatMap((effect) => (effect.type === 'inStep' ? [effect.peer] : []))

type Answered = Extract<Message, { kind: 'answer' }>
/** The answer of a machine with these items, as it stands in a message. */
function answerTo(
  question: Question,
  items: readonly Item[],
  more: Partial<Answered> = {},
): Answered {
  const { answer } = answerQuestion(
    question,
    FingerprintTree.of(items),
    question.limits,
    shared.random,
  )
  return {
    kind: 'answer',
    sending: false,
    newest: LEAST,
    bytes: encodeAnswer(answer, question.limits),
    ...more,
  }
}
/** The one question that was asked. */
function theQuestion(): { peer: string; question: Question } {
  const [question, ...others] = asked()
  if (question === undefined || others.length > 0) throw new Error('there is not one question')
  return question
}
/** Answers the one question that is open. */
function answer(peer: Peer, items: readonly Item[], more: Partial<Answered> = {}): void {
  const open = theQuestion()
  expect(open.peer).toBe(peer.key)
  healing.answer(peer, answerTo(open.question, items, more))
}

describe('a turn', () => {
  it('compares with one machine, and then with the next', () => {
    healing.want(b)
    healing.want(c)
    expect(shared.effects[0]).toEqual({ type: 'setTimer', id: 'watch', afterMs: 5000 })
    b.mayLack = true
    b.againMs = 60_000
    b.outbox.dropped = true
    answer(b, ITEMS)
    expect(shared.effects[0]).toEqual({ type: 'inStep', peer: 'b', atMs: shared.nowMs })
    expect([b.mayLack, b.againMs, b.outbox.dropped]).toEqual([false, 5000, false])
    expect(whomAsked()).toEqual(['c'])
    expect(b.differedMs).toBe(Number.NEGATIVE_INFINITY)
  })

  it('sends what the other lacks, and compares again once it is taken in', () => {
    healing.want(b)
    shared.nowMs += 7
    answer(b, ITEMS.slice(1))
    // Five are fewer than are cut: the other lists its own.
    expect([inStep(), b.outbox.waiting, b.differedMs]).toEqual([[], 1, shared.nowMs])
    expect(pumped).toEqual(['b'])
    healing.settle(b)
    expect(asked()).toEqual([])
    b.outbox.nextReading(shared.tree, 1)
    b.outbox.endReading(1)
    healing.settle(c)
    expect(asked()).toEqual([])
    healing.settle(b)
    answer(b, ITEMS)
    expect(inStep()).toEqual(['b'])
  })

  it('asks on while something is open', () => {
    healing.want(b)
    answer(b, [...ITEMS, itemAt(WALL_MS - 1)])
    expect(pumped).toEqual(['b'])
    // It wants what the other listed.
    const { question } = theQuestion()
    expect(question.ranges.map(({ kind }) => kind)).toEqual(['need'])
  })

  it('waits for what the other said it sends, and for its frames to be judged', () => {
    const more = [...ITEMS, itemAt(WALL_MS - 1)]
    healing.want(b)
    answer(b, more)
    const { question } = theQuestion()
    healing.answer(b, answerTo(question, more, { sending: true }))
    // A second answer to it, when nothing is open any more.
    healing.answer(b, answerTo(question, more, { sending: true }))
    healing.settle(b)
    healing.drained(c)
    healing.settle(b)
    expect(asked()).toEqual([])
    b.judged.push({ number: 0, missing: [], cost: 1 })
    healing.drained(b)
    expect(asked()).toEqual([])
    b.judged.pop()
    b.intake.push({ token: 1, number: 1, cost: 1, records: [], statuses: null })
    healing.settle(b)
    expect(asked()).toEqual([])
    b.intake.pop()
    healing.settle(b)
    expect(whomAsked()).toEqual(['b'])
    // While a question is open, there is nothing to settle.
    healing.settle(b)
    expect(asked()).toEqual([])
  })

  it('is nobody’s while there is none, whatever is said', () => {
    healing.drained(b)
    healing.settle(b)
    healing.noteProgress(b)
    healing.forget(b)
    const question = { session: 1, salt: new Uint8Array(16), limits: LIMITS, ranges: [] }
    healing.answer(b, answerTo(question, ITEMS))
    expect(shared.take()).toEqual([])
    healing.bulkFetched(b)
    expect(whomAsked()).toEqual(['b'])
  })

  it('of answers takes those alone that were asked for', () => {
    healing.want(b)
    const { question } = theQuestion()
    healing.answer(c, answerTo(question, ITEMS))
    healing.answer(
      b,
      answerTo({ ...question, session: question.session + 1 }, ITEMS, { newest: 'f' }),
    )
    expect([shared.take(), shared.refused, b.newest]).toEqual([[], [], ''])
    healing.answer(b, answerTo(question, ITEMS))
    expect(inStep()).toEqual(['b'])
    healing.answer(b, answerTo(question, ITEMS))
    expect(shared.take()).toEqual([])
  })

  it('ends with one whose answers are none', () => {
    healing.want(b)
    const { question } = theQuestion()
    healing.answer(b, {
      ...answerTo(question, ITEMS),
      bytes: encodeAnswer(
        { session: question.session, kind: 'ranges', ranges: [] },
        question.limits,
      ),
    })
    expect(shared.refused).toEqual(['b: an answer says nothing'])
    expect(inStep()).toEqual([])
  })

  it('begins anew within the narrower limits of the other, with another salt', () => {
    healing.want(b)
    const { question } = theQuestion()
    const limits: Limits = { least: LEAST, greatest: versionAt(WALL_MS - 500) }
    const { session } = question
    const bytes = encodeAnswer({ session, kind: 'narrower', limits }, question.limits)
    healing.answer(b, { ...answerTo(question, []), bytes })
    const { question: again } = theQuestion()
    expect(again.limits).toEqual(limits)
    expect([...again.salt]).not.toEqual([...question.salt])
    expect(again.salt).toHaveLength(16)
    expect(again.session).toBeGreaterThan(question.session)
  })

  it('compares 32 times at most', () => {
    healing.want(b)
    healing.want(c)
    for (let i = 1; i <= 32; i++) {
      const { peer, question } = theQuestion()
      expect([peer, i]).toEqual(['b', i])
      // It always says that something differs, and then takes it in.
      healing.answer(b, answerTo(question, ITEMS.slice(1)))
      b.outbox.nextReading(shared.tree, 1)
      b.outbox.endReading(1)
      healing.settle(b)
    }
    expect(whomAsked()).toEqual(['c'])
  })

  it('compares up to what is held now, and nothing that is too far ahead', () => {
    const greatest = (): string => {
      healing.want(b)
      const { question } = theQuestion()
      healing.answer(b, answerTo(question, [...shared.tree.items()]))
      expect(question.limits.least).toBe(LEAST)
      return question.limits.greatest
    }
    expect(greatest()).toBe(versionAt(WALL_MS))
    const ahead = itemAt(WALL_MS + 5000)
    shared.tree.insert(ahead)
    expect(greatest()).toBe(ahead.version)
    b.newest = versionAt(WALL_MS + 6000)
    expect(greatest()).toBe(b.newest)
    b.newest = versionAt(WALL_MS + 600_000)
    expect(greatest()).toBe(versionAt(WALL_MS + MAX_DRIFT_MS))
    begin([])
    expect(greatest()).toBe(versionAt(WALL_MS))
  })

  it('remembers the newest that the other says it holds', () => {
    b.newest = versionAt(5)
    healing.want(b)
    answer(b, ITEMS, { newest: versionAt(4) })
    expect(b.newest).toBe(versionAt(5))
    healing.want(b)
    answer(b, ITEMS, { newest: versionAt(6) })
    expect(b.newest).toBe(versionAt(6))
  })

  it('goes to the next if its machine is gone', () => {
    const d = shared.greeted('d')
    for (const peer of [b, c, d]) healing.want(peer)
    expect(whomAsked()).toEqual(['b'])
    healing.forget(c)
    expect(asked()).toEqual([])
    healing.forget(b)
    expect(whomAsked()).toEqual(['d'])
    healing.forget(d)
    healing.watch()
    expect(shared.take()).toEqual([])
    healing.want(c)
    expect(whomAsked()).toEqual(['c'])
  })
})

describe('a turn is watched', () => {
  it('and ends after 15 s without progress', () => {
    healing.watch()
    expect(shared.take()).toEqual([])
    healing.want(b)
    shared.take()
    shared.nowMs += 15_000
    healing.noteProgress(c)
    healing.watch()
    expect(timers()).toEqual([['watch', 5000]])
    healing.noteProgress(b)
    shared.nowMs += 15_000
    healing.watch()
    expect(timers()).toEqual([['watch', 5000]])
    shared.nowMs += 1
    healing.watch()
    expect(shared.take()).toEqual([])
    healing.want(c)
    expect(whomAsked()).toEqual(['c'])
  })

  it('and after 30 s in any case if others wait; then it comes again', () => {
    healing.want(b)
    shared.nowMs += 30_001
    healing.noteProgress(b)
    shared.take()
    healing.watch()
    expect(timers()).toEqual([['watch', 5000]])
    healing.want(c)
    healing.watch()
    expect(whomAsked()).toEqual(['c'])
    shared.nowMs += 15_000
    healing.watch()
    shared.nowMs += 15_000
    healing.noteProgress(c)
    healing.watch()
    expect(asked()).toEqual([])
    shared.nowMs += 1
    healing.watch()
    expect(whomAsked()).toEqual(['b'])
  })

  it('for two minutes while segments are fetched', () => {
    bulk = true
    healing.want(b)
    expect(timers()).toEqual([['watch', 5000]])
    healing.settle(b)
    shared.nowMs += 120_000
    healing.watch()
    expect(timers()).toEqual([['watch', 5000]])
    shared.nowMs += 1
    healing.watch()
    expect(timers()).toEqual([])
  })
})

describe('bulk', () => {
  it('comes first, then both compare', () => {
    bulk = true
    healing.want(b)
    healing.settle(b)
    expect(asked()).toEqual([])
    bulk = false
    healing.bulkFetched(b)
    // It is over then, and the turn goes on as any other.
    answer(b, ITEMS.slice(1))
    b.outbox.nextReading(shared.tree, 1)
    b.outbox.endReading(1)
    healing.settle(b)
    answer(b, ITEMS)
    expect(inStep()).toEqual(['b'])
  })

  it('that ends late is a wish to compare', () => {
    healing.want(b)
    expect(whomAsked()).toEqual(['b'])
    healing.bulkFetched(c)
    healing.bulkFetched(b)
    expect(asked()).toEqual([])
    healing.forget(b)
    expect(whomAsked()).toEqual(['c'])
  })
})

describe('whom to compare with', () => {
  it('is one a round, by chance, of those that greeted', () => {
    b.greeting = null
    const d = shared.greeted('d')
    shared.random = () => 0.99
    healing.round()
    expect(timers()).toEqual([
      ['round', 45_000 + 0.99 * 30_000],
      ['watch', 5000],
    ])
    healing.forget(d)
    shared.random = () => 0
    healing.round()
    expect(whomAsked()).toEqual(['c'])
    c.greeting = null
    d.greeting = null
    healing.forget(c)
    healing.round()
    expect(timers()).toEqual([['round', 45_000]])
  })

  it('are soon all who may lack what healed here, three at a time', () => {
    const others = ['d', 'e', 'f'].map((key) => shared.greeted(key))
    healing.healedHere(new Set(['b']))
    healing.healedHere(new Set(['b']))
    expect(timers()).toEqual([['soon', 1250]])
    expect([b, c, ...others].map(({ mayLack }) => mayLack)).toEqual([false, true, true, true, true])
    healing.soon()
    expect([b, c, ...others].filter(({ mayLack }) => mayLack)).toHaveLength(1)
    expect(timers()).toEqual([
      ['watch', 5000],
      ['soon', 1250],
    ])
    healing.soon()
    expect(timers()).toEqual([])
  })

  it('is nobody if all have what healed', () => {
    healing.healedHere(new Set(['b', 'c']))
    healing.soon()
    expect(shared.take()).toEqual([])
  })
})

describe('a question', () => {
  const ask = (items: readonly Item[], limits?: Limits): Uint8Array =>
    new Reconciliation(
      1,
      { tree: FingerprintTree.of(items), salt: new Uint8Array(16), random: () => 0.5 },
      limits ?? { least: LEAST, greatest: versionAt(WALL_MS) },
    ).next()!
  const answers = (): Answered[] =>
    shared.effects.flatMap((effect) => {
      const message = effect.type === 'send' ? decodeMessage(effect.bytes) : null
      return message?.kind === 'answer' ? [message] : []
    })

  it('is answered, and two that are equal are in step', () => {
    b.mayLack = true
    healing.question(b, ask(ITEMS))
    expect(answers()).toMatchObject([{ sending: false, newest: ITEMS[4]!.version }])
    expect([inStep(), b.mayLack, b.owesDrained, pumped]).toEqual([['b'], false, false, ['b']])
    expect(b.differedMs).toBe(Number.NEGATIVE_INFINITY)
  })

  it('is paid for with its bytes and those of its answer', () => {
    const question = ask(ITEMS)
    const before = b.budgets.ranges.left(shared.nowMs)
    healing.question(b, question)
    const [{ bytes }] = answers() as [Answered]
    expect(before - b.budgets.ranges.left(shared.nowMs)).toBe(question.length + bytes.length)
  })

  it('that finds a difference is noted', () => {
    healing.question(b, ask(ITEMS.slice(1)))
    expect(answers()).toMatchObject([{ sending: false }])
    expect([inStep(), b.differedMs, b.owesDrained]).toEqual([[], shared.nowMs, false])
  })

  it('is followed by what the asker lacks', () => {
    const limits = { least: LEAST, greatest: versionAt(WALL_MS) }
    const { session, salt } = decodeQuestion(ask([], limits))!
    const end = decodeQuestion(ask([], limits))!.ranges[0]!.end
    const list = encodeQuestion({ session, salt, limits, ranges: [{ kind: 'list', ids: [], end }] })
    healing.question(b, list)
    expect(answers()).toMatchObject([{ sending: true }])
    expect([b.owesDrained, b.outbox.waiting, pumped]).toEqual([true, 1, ['b']])
  })

  it('of a machine with nothing has a version, too', () => {
    begin([])
    healing.question(b, ask([]))
    expect(answers()).toMatchObject([{ newest: LEAST }])
  })

  it('beyond what may be ahead is answered with limits', () => {
    healing.question(b, ask(ITEMS, { least: LEAST, greatest: versionAt(WALL_MS + MAX_DRIFT_MS) }))
    expect(inStep()).toEqual(['b'])
    healing.question(
      b,
      ask(ITEMS, { least: LEAST, greatest: versionAt(WALL_MS + MAX_DRIFT_MS + 1) }),
    )
    expect([answers().length, inStep(), b.differedMs]).toEqual([1, [], Number.NEGATIVE_INFINITY])
  })

  it('that is none is refused', () => {
    healing.question(b, Uint8Array.of(1, 2))
    expect(shared.refused).toEqual(['b: a question is not understood'])
    expect(shared.take()).toEqual([])
  })

  it('waits once the budget is used up, the last one of each machine', () => {
    const [question, other] = [ask(ITEMS), ask(ITEMS.slice(1))]
    b.budgets.ranges.use(2_000_000 + 256, shared.nowMs)
    healing.question(b, other)
    healing.question(b, question)
    expect(timers()).toContainEqual(['question b', 1])
    // A timer may fire a little early.
    shared.take()
    shared.nowMs += 0.5
    healing.question(b, question)
    expect(timers()).toEqual([['question b', 1]])
    shared.nowMs += 0.5
    expect(b.question).toBe(question)
    healing.question(b, question)
    expect([answers().length, b.question]).toEqual([1, null])
    // The question and its answer are paid for.
    shared.take()
    healing.question(b, question)
    expect(timers()).toHaveLength(1)
  })
})
