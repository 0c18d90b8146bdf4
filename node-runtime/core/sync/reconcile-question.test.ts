// Single questions; that whole sessions find all differences is shown in reconcile.test.ts.
import { describe, expect, it } from 'vitest'
import { formatVersion } from '../db/hybrid-clock.ts'
import { fingerprintOf } from './comparison.ts'
import { FingerprintTree } from './fingerprint-tree.ts'
import { compareKeys, versionKey } from './item.ts'
import type { Item } from './item.ts'
import type { Range, RangeContent, Span } from './ranges.ts'
import { decodeQuestion, encodeAnswer } from './reconcile-messages.ts'
import type { Answer, Limits, Question } from './reconcile-messages.ts'
import { Reconciliation } from './reconciliation.ts'
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

describe('a question', () => {
  function begin(of: readonly Item[]): { session: Reconciliation; tree: FingerprintTree } {
    const view = viewOf(of)
    return { session: new Reconciliation(5, view, LIMITS), tree: view.tree }
  }
  const next = (session: Reconciliation): Question => decodeQuestion(session.next()!)!
  /** The last question is answered with these ranges. */
  function answer(session: Reconciliation, to: Question, ranges: Range[]) {
    const answer: Answer = { session: to.session, kind: 'ranges', ranges }
    return session.receive(encodeAnswer(answer, LIMITS))
  }
  const refusal = (progress: ReturnType<Reconciliation['receive']>): string =>
    progress.kind === 'refused' ? progress.reason : progress.kind

  it('begins with one fingerprint of what is little, and with sixteen of more', () => {
    const little = next(begin(items(31)).session)
    expect(little).toMatchObject({ session: 5 * 1025 + 1, salt: SALT, limits: LIMITS })
    expect(little.ranges).toEqual([
      {
        kind: 'fingerprint',
        fingerprint: new Uint8Array(fingerprintOf(viewOf(items(31)), 0, 31)),
        end: end(),
      },
    ])
    expect(next(begin(items(32)).session).ranges).toHaveLength(16)
  })

  it('is the last if nothing differs', () => {
    const { session } = begin(items(5))
    const progress = answer(session, next(session), [{ kind: 'skip', end: end() }])
    expect(progress).toEqual({ kind: 'progress', missing: [] })
    expect([session.next(), session.differences, session.incomplete]).toEqual([null, 0, false])
  })

  it('after a list asks for what is only there, and gives what is only here', () => {
    const { session, tree } = begin(items(5))
    const theirs = [...idsOf(items(2)), ...idsOf(items(2, 2000))]
    const progress = answer(session, next(session), [{ kind: 'list', ids: theirs, end: end() }])
    if (progress.kind !== 'progress') throw new Error(refusal(progress))
    expect(timesOf(progress.missing, tree)).toEqual([1002, 1003, 1004])
    expect(session.differences).toBe(5)
    expect(next(session).ranges).toEqual([{ kind: 'need', ids: theirs.slice(2), end: end() }])
  })

  it('after an empty list gives the whole range', () => {
    const { session } = begin(items(5))
    const progress = answer(session, next(session), [{ kind: 'list', ids: [], end: end() }])
    expect(progress).toEqual({ kind: 'progress', missing: [{ kind: 'span', span: WHOLE }] })
    expect([session.differences, session.next()]).toEqual([5, null])
    const { session: empty } = begin([])
    const nothing = answer(empty, next(empty), [{ kind: 'list', ids: [], end: end() }])
    expect([nothing, empty.differences]).toEqual([{ kind: 'progress', missing: [] }, 0])
  })

  it('after other fingerprints lists what is little, cuts what is much, and leaves what is equal', () => {
    const all = items(100)
    const { session, tree } = begin(all)
    const question = next(session)
    const parts = question.ranges.map(({ end }, i): Range[] => {
      if (i > 0) return [{ kind: 'skip', end }]
      const middle = at(1002)
      const mine = fingerprintOf(viewOf(all), 0, tree.rank(middle))
      return [
        { kind: 'fingerprint', fingerprint: mine, end: middle },
        { kind: 'fingerprint', fingerprint: WRONG, end },
      ]
    })
    expect(answer(session, question, parts.flat())).toEqual({ kind: 'progress', missing: [] })
    expect(session.differences).toBe(1)
    const again = next(session)
    const ids = idsOf(all).slice(2, tree.rank(question.ranges[0]!.end))
    expect(again.ranges).toEqual([
      { kind: 'skip', end: at(1002) },
      { kind: 'list', ids, end: question.ranges[0]!.end },
    ])
    // The answer to that list: what is wanted of it.
    const wanted = Uint8Array.of(0b10)
    const progress = answer(session, again, [
      { kind: 'skip', end: at(1002) },
      { ...again.ranges[1]!, kind: 'difference', wanted },
    ])
    if (progress.kind !== 'progress') throw new Error(refusal(progress))
    expect(timesOf(progress.missing, tree)).toEqual([1003])
    expect(session.differences).toBe(3)
  })

  it('that is not wholly answered is asked again', () => {
    const { session } = begin(items(100))
    const question = next(session)
    const answered = question.ranges.slice(0, 3).map(({ end }): Range => ({ kind: 'skip', end }))
    expect(answer(session, question, answered)).toEqual({ kind: 'progress', missing: [] })
    const again = next(session)
    expect(again.ranges).toEqual([answered[2]!, ...question.ranges.slice(3)])
    expect(again.session).toBe(question.session + 1)
  })

  it('is told from another one by its number, and answered once', () => {
    const { session } = begin(items(5))
    expect(session.receive(new Uint8Array(0))).toEqual({
      kind: 'refused',
      reason: 'an answer is not understood',
    })
    const question = next(session)
    for (const other of [question.session - 1, question.session + 1]) {
      expect(answer(session, { ...question, session: other }, []).kind).toBe('stale')
    }
    expect(answer(session, question, [{ kind: 'skip', end: end() }]).kind).toBe('progress')
    expect(answer(session, question, [{ kind: 'skip', end: end() }]).kind).toBe('stale')
  })

  it.each<[string, RangeContent]>([
    ['a range did not become smaller', { kind: 'fingerprint', fingerprint: WRONG }],
    ['it answers a list that was not sent', { kind: 'difference', wanted: new Uint8Array(1) }],
    ['it asks instead of answering', { kind: 'need', ids: [] }],
  ])('is answered by what no honest machine says: %s', (reason, content) => {
    const { session } = begin(items(5))
    expect(refusal(answer(session, next(session), [{ ...content, end: end() }]))).toBe(reason)
  })

  it('is not answered by what it did not ask', () => {
    const begun = (): [Reconciliation, Question] => {
      const { session } = begin(items(100))
      return [session, next(session)]
    }
    const [first, question] = begun()
    const [one, two] = question.ranges as [Range, Range]
    expect(refusal(answer(first, question, []))).toBe('an answer says nothing')
    const [second] = begun()
    const across: Range[] = [{ kind: 'list', ids: [], end: two.end }]
    expect(refusal(answer(second, question, across))).toBe('an answer is about what was not asked')
    const [third] = begun()
    const within: Range[] = [
      { kind: 'skip', end: one.end },
      { kind: 'skip', end: at(1010) },
    ]
    expect(compareKeys(at(1010), two.end)).toBeLessThan(0)
    expect(refusal(answer(third, question, within))).toBe('an answer ends within a range')
    // A gap was not asked about.
    const [fourth] = begun()
    const rest = question.ranges.slice(1).map(({ end }): Range => ({ kind: 'skip', end }))
    const equal: Range = { kind: 'skip', end: one.end }
    answer(fourth, question, [equal, { kind: 'list', ids: [], end: two.end }, ...rest.slice(1)])
    expect(fourth.next()).toBeNull()
  })

  it('is not answered by what lies before it, between, or behind', () => {
    /** A session whose second question is about a few in the middle. */
    const second = (): [Reconciliation, Question, Range] => {
      const { session } = begin(items(100))
      const question = next(session)
      const [, , third] = question.ranges as [Range, Range, Range]
      const skips = question.ranges.map(({ end }): Range => ({ kind: 'skip', end }))
      const inside: Range = { kind: 'skip', end: at(1016) }
      const wrong: Range = { kind: 'fingerprint', fingerprint: WRONG, end: third.end }
      answer(session, question, [...skips.slice(0, 2), inside, wrong, ...skips.slice(3)])
      const again = next(session)
      expect(again.ranges.map(({ kind }) => kind)).toEqual(['skip', 'list'])
      return [session, again, third]
    }
    const notAsked = 'an answer is about what was not asked'
    const [before, first, third] = second()
    const list: Range = { kind: 'list', ids: [], end: third.end }
    expect(refusal(answer(before, first, [list]))).toBe(notAsked)
    const [behind, again] = second()
    const skip: Range = { kind: 'skip', end: third.end }
    expect(refusal(answer(behind, again, [skip, { ...list, end: end() }]))).toBe(notAsked)
    const [fits, last] = second()
    expect(refusal(answer(fits, last, [{ kind: 'skip', end: at(1016) }, list]))).toBe('progress')
  })

  it('cuts what is much and lists what is little, wherever it lies', () => {
    const opened = (count: number): string[] => {
      const { session } = begin(items(count))
      const question = next(session)
      const last = question.ranges.at(-1)!
      const skips = question.ranges.slice(0, -1).map(({ end }): Range => ({ kind: 'skip', end }))
      const tenth = at(1000 + count - 1)
      answer(session, question, [
        ...skips,
        { kind: 'fingerprint', fingerprint: WRONG, end: tenth },
        { ...last, kind: 'skip' },
      ])
      return next(session).ranges.map(({ kind }) => kind)
    }
    expect(opened(100)).toEqual(['skip', 'list'])
    expect(opened(1600)).toEqual(['skip', ...Array.from({ length: 16 }, () => 'fingerprint')])
  })

  it('counts what lies in a range, not what lies before it', () => {
    const { session } = begin(items(100))
    const question = next(session)
    const skips = question.ranges.slice(0, -1).map(({ end }): Range => ({ kind: 'skip', end }))
    answer(session, question, [...skips, { kind: 'list', ids: [], end: end() }])
    expect(session.differences).toBe(100 - 93)
  })

  it('cuts where the other lists what is too much here to compare', () => {
    const { session, tree } = begin(items(16 * 2100))
    const question = next(session)
    const [first] = question.ranges as [Range]
    expect(tree.rank(first.end)).toBe(2100)
    const [id] = idsOf(items(1))
    const rest = question.ranges.slice(1).map(({ end }): Range => ({ kind: 'skip', end }))
    answer(session, question, [{ kind: 'list', ids: [id!], end: first.end }, ...rest])
    expect(next(session).ranges.map(({ kind }) => kind)).toEqual(
      Array.from({ length: 16 }, () => 'fingerprint'),
    )
  })

  it('is only as long as a message; what does not fit is asked in the next', () => {
    const { session } = begin(items(100))
    const question = next(session)
    const [first] = question.ranges as [Range]
    const ids = idsOf(items(7420, 100_000))
    answer(session, question, [{ kind: 'list', ids, end: first.end }])
    const bytes = session.next()!
    expect(bytes.length).toBeLessThanOrEqual(60_000)
    const again = decodeQuestion(bytes)!
    expect(again.ranges.map(({ kind }) => kind)).toEqual([
      'need',
      ...Array.from({ length: 8 }, () => 'fingerprint'),
    ])
    const skips = again.ranges.map(({ end }): Range => ({ kind: 'skip', end }))
    expect(answer(session, again, skips).kind).toBe('progress')
    const third = next(session)
    expect(third.ranges.map(({ kind }) => kind)).toEqual([
      'skip',
      ...Array.from({ length: 7 }, () => 'fingerprint'),
    ])
  })

  it('is not put for ever to one who always finds something in less', () => {
    const { session } = begin(items(5))
    let refused = ''
    let answers = 0
    while (refused === '' && answers < 100) {
      const { ranges, ...question } = next(session)
      const middle = (ranges.at(-2)?.end ?? versionKey(LIMITS.least)).slice()
      middle[9] = middle[9]! + 1
      const { end } = ranges.at(-1)!
      const progress = answer(session, { ...question, ranges }, [
        ...ranges.slice(0, -1).map(({ end }): Range => ({ kind: 'skip', end })),
        { kind: 'skip', end: middle },
        { kind: 'fingerprint', fingerprint: WRONG, end },
      ])
      answers += 1
      if (progress.kind === 'refused') refused = progress.reason
    }
    expect([refused, answers]).toEqual(['it goes on for ever', 25])
  })

  it('is refused a difference of another length than its list', () => {
    const listed = (wanted: Uint8Array): string => {
      const { session } = begin(items(40))
      const question = next(session)
      const [first] = question.ranges as [Range]
      const middle = at(1001)
      const rest = question.ranges.slice(1).map(({ end }): Range => ({ kind: 'skip', end }))
      answer(session, question, [
        { kind: 'skip', end: middle },
        { kind: 'fingerprint', fingerprint: WRONG, end: first.end },
        ...rest,
      ])
      const again = next(session)
      expect(again.ranges.at(-1)).toMatchObject({ kind: 'list' })
      return refusal(
        answer(session, again, [
          { kind: 'skip', end: middle },
          { kind: 'difference', wanted, end: first.end },
        ]),
      )
    }
    expect(listed(new Uint8Array(1))).toBe('progress')
    expect(listed(new Uint8Array(0))).toBe('it wants what was not listed')
    expect(listed(new Uint8Array(2))).toBe('it wants what was not listed')
  })

  it('ends within narrower limits, and no others', () => {
    const narrow = (limits: Limits): string => {
      const { session } = begin(items(5))
      const { session: number } = next(session)
      const progress = session.receive(
        encodeAnswer({ session: number, kind: 'narrower', limits }, LIMITS),
      )
      if (progress.kind === 'narrower') expect(progress.limits).toEqual(limits)
      return refusal(progress)
    }
    const [low, high] = ['000000000010-0000', '000000ffffff-0000']
    expect(narrow({ ...LIMITS, least: low })).toBe('narrower')
    expect(narrow({ ...LIMITS, greatest: high })).toBe('narrower')
    expect(narrow(LIMITS)).toBe('its limits are not narrower')
    expect(narrow({ least: low, greatest: 'ffffffffffff-0000' })).toBe(
      'its limits are not narrower',
    )
    const own = { least: low, greatest: high }
    const session = new Reconciliation(5, viewOf(items(5)), own)
    const { session: number } = next(session)
    const limits = { least: LIMITS.least, greatest: '000000000fff-0000' }
    const wider = encodeAnswer({ session: number, kind: 'narrower', limits }, own)
    expect(refusal(session.receive(wider))).toBe('its limits are not narrower')
  })

  it('does not list what has become too much since', () => {
    const { session, tree } = begin(items(40))
    const question = next(session)
    const [first] = question.ranges as [Range]
    const rest = question.ranges.slice(1).map(({ end }): Range => ({ kind: 'skip', end }))
    answer(session, question, [
      { kind: 'skip', end: at(1000) },
      { kind: 'fingerprint', fingerprint: WRONG, end: first.end },
      ...rest,
    ])
    const span: Span = { from: at(1000), to: first.end }
    const held = tree.rank(span.to) - tree.rank(span.from)
    for (let i = 0; i < 2049 - held; i++) {
      tree.insert({ version: formatVersion({ timeMs: 1000, counter: 1 + i }), id: item(i).id })
    }
    expect(next(session).ranges.at(-1)?.kind).toBe('fingerprint')
  })
})
