// Single answers; that whole sessions find all differences is shown in reconcile.test.ts.
import { describe, expect, it } from 'vitest'
import { hash, toHex } from '../keys.ts'
import { compareLists, cut, fingerprintOf, listOf, mostRangeBytes } from './comparison.ts'
import { FingerprintTree } from './fingerprint-tree.ts'
import { fingerprintBytes } from './fingerprint.ts'
import { itemKey } from './item.ts'
import type { Range, RangeContent } from './ranges.ts'
import { decodeAnswer, encodeAnswer } from './reconcile-messages.ts'
import type { Limits, Question } from './reconcile-messages.ts'
import { answerQuestion } from './reconcile.ts'
import type { Answered } from './reconcile.ts'
import {
  LIMITS,
  WHOLE,
  SALT,
  WRONG,
  item,
  items,
  at,
  end,
  viewOf,
  idsOf,
  timesOf,
} from './fixtures/reconcile-items.ts'

describe('what both sides do', () => {
  it('fingerprints and short ids are keyed hashes of what is held', () => {
    const view = viewOf(items(5))
    const whole = hash(fingerprintBytes(view.tree.fingerprint(1, 3)), SALT)
    expect(toHex(fingerprintOf(view, 1, 3))).toBe(toHex(whole.subarray(0, 12)))
    const { keys, ids } = listOf(view, 1, 3)
    expect(keys).toEqual(Uint32Array.from([1, 2].flatMap((i) => [...itemKey(item(1000 + i))])))
    expect(ids.map(toHex)).toEqual(
      [1, 2].map((i) => toHex(hash(Buffer.from(item(1000 + i).id, 'hex'), SALT).subarray(0, 8))),
    )
  })

  it('cut a span into sixteen, at places that chance chooses', () => {
    const ranks = (random: number): number[] => {
      const view = viewOf(items(160), () => random)
      const spans = cut(view, WHOLE)
      expect([spans[0]!.from, spans.at(-1)!.to]).toEqual([WHOLE.from, WHOLE.to])
      for (const [i, { from }] of spans.entries()) {
        if (i > 0) expect(from).toEqual(spans[i - 1]!.to)
      }
      return spans.slice(1).map(({ from }) => view.tree.rank(from))
    }
    expect(ranks(0.5)).toEqual(Array.from({ length: 15 }, (_, i) => (i + 1) * 10))
    expect(ranks(0)).toEqual(Array.from({ length: 15 }, (_, i) => (i + 1) * 10 - 5))
    expect(ranks(0.99)).toEqual(Array.from({ length: 15 }, (_, i) => (i + 1) * 10 + 4))
  })

  it('cut what is small into as many as there are, none of them empty', () => {
    const view = viewOf(items(3), () => 0.99)
    const spans = cut(view, WHOLE)
    expect(spans.map(({ from, to }) => view.tree.rank(to) - view.tree.rank(from))).toEqual([
      1, 1, 1,
    ])
    const part = { from: at(1001), to: at(1003) }
    expect(cut(view, part)).toEqual([
      { from: part.from, to: at(1002) },
      { from: at(1002), to: part.to },
    ])
  })

  it('cut a span in the middle like any other', () => {
    const view = viewOf(items(480))
    const spans = cut(view, { from: at(1160), to: at(1320) })
    expect(spans.map(({ from }) => view.tree.rank(from))).toEqual(
      Array.from({ length: 16 }, (_, i) => 160 + i * 10),
    )
  })

  it('compare lists, whatever comes twice', () => {
    const [a, b, c] = idsOf(items(3)) as [Uint8Array, Uint8Array, Uint8Array]
    expect(compareLists([a, b], [b, c])).toEqual({ onlyMine: [0], onlyTheirs: [1] })
    expect(compareLists([], [a])).toEqual({ onlyMine: [], onlyTheirs: [0] })
    expect(compareLists([a], [a, a])).toEqual({ onlyMine: [], onlyTheirs: [] })
  })

  it('know how many bytes a range takes at most', () => {
    const ids = idsOf(items(2))
    expect(
      (
        [
          { kind: 'skip' },
          { kind: 'fingerprint', fingerprint: WRONG },
          { kind: 'list', ids },
          { kind: 'need', ids },
          { kind: 'difference', wanted: new Uint8Array(3) },
        ] satisfies RangeContent[]
      ).map(mostRangeBytes),
    ).toEqual([52, 64, 68, 68, 55])
  })
})

describe('an answer', () => {
  function ask(tree: FingerprintTree, ranges: Range[], limits = LIMITS, own = LIMITS): Answered {
    const question: Question = { session: 7, salt: SALT, limits, ranges }
    return answerQuestion(question, tree, own, () => 0.5)
  }
  function rangesOf({ answer }: Answered): Range[] {
    if (answer.kind !== 'ranges') throw new Error('ranges')
    expect(answer.session).toBe(7)
    return answer.ranges
  }
  /** As the asker has it. */
  const decoded = (answered: Answered): Answered => ({
    ...answered,
    answer: decodeAnswer(encodeAnswer(answered.answer, LIMITS), LIMITS)!,
  })
  const few = FingerprintTree.of(items(5))
  const same = (tree: FingerprintTree): Uint8Array =>
    fingerprintOf({ tree, salt: SALT, random: Math.random }, 0, tree.size)

  it('to an equal fingerprint says nothing, and that all is equal', () => {
    const answered = ask(few, [{ kind: 'fingerprint', fingerprint: same(few), end: end() }])
    expect(rangesOf(answered)).toEqual([{ kind: 'skip', end: end() }])
    expect([answered.missing, answered.equal]).toEqual([[], true])
  })

  it.each<[string, Range[]]>([
    ['what was asked does not reach the end', [{ kind: 'skip', end: at(5) }]],
    ['nothing was asked', []],
    ['something was skipped', [{ kind: 'skip', end: WHOLE.to.slice() }]],
    ['a difference was said', [{ kind: 'difference', wanted: WRONG, end: WHOLE.to.slice() }]],
    ['a list was compared', [{ kind: 'list', ids: idsOf(items(5)), end: WHOLE.to.slice() }]],
    ['something was wanted', [{ kind: 'need', ids: [], end: WHOLE.to.slice() }]],
  ])('does not say that all is equal if %s', (_, ranges) => {
    const answered = ask(few, ranges)
    expect([answered.equal, answered.missing]).toEqual([false, []])
  })

  it('does not say that all is equal if only a part was asked', () => {
    const none = fingerprintOf(viewOf([]), 0, 0)
    expect(ask(few, [{ kind: 'fingerprint', fingerprint: none, end: at(5) }]).equal).toBe(false)
  })

  it('to another fingerprint lists up to 31, and cuts more', () => {
    const asked: Range[] = [{ kind: 'fingerprint', fingerprint: WRONG, end: end() }]
    const listed = ask(FingerprintTree.of(items(31)), asked)
    expect(rangesOf(decoded(listed))).toEqual([{ kind: 'list', ids: idsOf(items(31)), end: end() }])
    expect(listed.equal).toBe(false)
    const tree = FingerprintTree.of(items(32))
    const cuts = ask(tree, asked)
    expect(rangesOf(cuts)).toHaveLength(16)
    let from = 0
    for (const range of rangesOf(cuts)) {
      const to = tree.rank(range.end)
      expect(range).toMatchObject({
        kind: 'fingerprint',
        fingerprint: fingerprintOf(viewOf(items(32)), from, to),
      })
      from = to
    }
    expect([from, cuts.equal]).toEqual([32, false])
  })

  it('to a list says what it wants of it, and sends what it lacks', () => {
    const theirs = [...idsOf(items(9, 2000)), ...idsOf(items(3))]
    const answered = ask(few, [{ kind: 'list', ids: theirs, end: end() }])
    expect(rangesOf(answered)).toEqual([
      { kind: 'difference', wanted: Uint8Array.of(0b1111_1111, 0b0000_0001), end: end() },
    ])
    expect(timesOf(answered.missing, few)).toEqual([1003, 1004])
  })

  it('to an empty list sends all that is in its range', () => {
    const answered = ask(few, [{ kind: 'list', ids: [], end: at(1002) }])
    expect(rangesOf(answered)).toEqual([
      { kind: 'difference', wanted: new Uint8Array(0), end: at(1002) },
    ])
    expect(answered.missing).toEqual([{ kind: 'span', span: { from: WHOLE.from, to: at(1002) } }])
    expect(ask(few, [{ kind: 'list', ids: [], end: at(5) }]).missing).toEqual([])
  })

  it('to a need sends what is named, and says nothing', () => {
    const ids = [...idsOf(items(2, 1003)), ...idsOf(items(1, 7))]
    const answered = ask(few, [{ kind: 'need', ids, end: end() }])
    expect(rangesOf(answered)).toEqual([{ kind: 'skip', end: end() }])
    expect(timesOf(answered.missing, few)).toEqual([1003, 1004])
    expect(ask(few, [{ kind: 'need', ids: idsOf(items(1, 7)), end: end() }]).missing).toEqual([])
  })

  it('says once what it skips', () => {
    const ranges = [5, 6, 7].map((timeMs): Range => ({ kind: 'skip', end: at(timeMs) }))
    expect(rangesOf(ask(few, ranges))).toEqual([{ kind: 'skip', end: at(7) }])
  })

  it('cuts a list where it holds too much to hash, and passes a need over', () => {
    const [least, most] = [FingerprintTree.of(items(2048)), FingerprintTree.of(items(2049))]
    const [id] = idsOf(items(1))
    const list: Range[] = [{ kind: 'list', ids: [id!], end: end() }]
    expect(rangesOf(ask(least, list))[0]?.kind).toBe('difference')
    expect(rangesOf(ask(most, list))[0]?.kind).toBe('fingerprint')
    const need: Range[] = [{ kind: 'need', ids: [id!], end: end() }]
    expect(timesOf(ask(least, need).missing, least)).toEqual([1000])
    expect(ask(most, need).missing).toEqual([])
    expect(rangesOf(ask(most, need))).toEqual([{ kind: 'skip', end: end() }])
  })

  it.each(['list', 'need'] as const)('ends once it hashed enough for %ss', (kind) => {
    const tree = FingerprintTree.of(items(32 * 300))
    const [id] = idsOf(items(1, 7))
    const ranges = Array.from({ length: 300 }, (_, i): Range => {
      return { kind, ids: [id!], end: at(1000 + 32 * (i + 1)) }
    })
    // What could be answered behind it is not reached either.
    const answered = rangesOf(ask(tree, [...ranges, { kind: 'skip', end: end() }]))
    expect(tree.rank(answered.at(-1)!.end)).toBe(8192)
  })

  it('goes on behind what only answers say', () => {
    const none = fingerprintOf(viewOf([]), 0, 0)
    const answered = ask(few, [
      { kind: 'difference', wanted: WRONG, end: at(5) },
      { kind: 'fingerprint', fingerprint: none, end: at(6) },
      { kind: 'need', ids: idsOf(items(1)), end: end() },
    ])
    expect(rangesOf(answered)).toEqual([{ kind: 'skip', end: end() }])
    expect(timesOf(answered.missing, few)).toEqual([1000])
  })

  it('is only as long as a message', () => {
    const tree = FingerprintTree.of(items(2000))
    const [id] = idsOf(items(1, 7))
    // Each answer is a difference of 1,250 bytes.
    const ids = Array.from({ length: 10_000 }, () => id!)
    const ranges = Array.from({ length: 60 }, (_, i): Range => {
      return { kind: 'list', ids, end: at(1001 + i) }
    })
    const answered = ask(tree, [...ranges, { kind: 'skip', end: end() }])
    expect(rangesOf(answered)).toHaveLength(Math.floor((60_000 - 64) / 1302))
    // What did not fit is not sent either.
    expect(timesOf(answered.missing, tree)).toHaveLength(rangesOf(answered).length)
    const empty = Array.from({ length: 1200 }, (_, i): Range => {
      return { kind: 'list', ids: [], end: at(1001 + i) }
    })
    const behind: Range = { kind: 'difference', wanted: WRONG, end: end() }
    expect(rangesOf(ask(tree, [...empty, behind]))).toHaveLength(Math.floor((60_000 - 64) / 52))
    expect(ask(tree, empty).missing).toHaveLength(Math.floor((60_000 - 64) / 52))
  })

  it('within narrower limits is only their name', () => {
    const ranges: Range[] = [{ kind: 'fingerprint', fingerprint: same(few), end: end() }]
    const [low, high] = ['000000000010-0000', '000000ffffff-0000']
    for (const [own, narrower] of [
      [
        { least: low, greatest: high },
        { least: low, greatest: high },
      ],
      [
        { least: low, greatest: 'ffffffffffff-0000' },
        { least: low, greatest: LIMITS.greatest },
      ],
      [
        { least: LIMITS.least, greatest: high },
        { least: LIMITS.least, greatest: high },
      ],
    ] satisfies [Limits, Limits][]) {
      expect(ask(few, ranges, LIMITS, own)).toEqual({
        answer: { session: 7, kind: 'narrower', limits: narrower },
        missing: [],
        equal: false,
      })
    }
  })
})
