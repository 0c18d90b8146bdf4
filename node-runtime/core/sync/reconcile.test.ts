import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatVersion } from '../db/hybrid-clock.ts'
import { hash, toHex } from '../keys.ts'
import { SALT_BYTES } from './comparison.ts'
import { FingerprintTree } from './fingerprint-tree.ts'
import { sameFingerprint } from './fingerprint.ts'
import { itemKey, keyItem, versionKey } from './item.ts'
import type { Item, Key } from './item.ts'
import { separator } from './ranges.ts'
import type { Range, RangeContent } from './ranges.ts'
import { decodeAnswer, decodeQuestion, encodeAnswer, encodeQuestion } from './reconcile-messages.ts'
import type { Limits } from './reconcile-messages.ts'
import { answerQuestion } from './reconcile.ts'
import type { Missing } from './reconcile.ts'
import { Reconciliation } from './reconciliation.ts'

const LIMITS: Limits = { least: '000000000000-0000', greatest: 'fffffffffff0-0000' }

/** A generator that gives the same numbers in each run. Source: mulberry32. */
function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function item(timeMs: number, name: string): Item {
  return {
    version: formatVersion({ timeMs, counter: 0 }),
    id: toHex(hash(Buffer.from(`${timeMs} ${name}`))),
  }
}

function itemsOf(tree: FingerprintTree, missing: Missing): Item[] {
  if (missing.kind === 'keys') return missing.keys.map((key) => keyItem(key))
  return tree.items(tree.rank(missing.span.from), tree.rank(missing.span.to))
}

interface Outcome {
  bytes: number
  questions: number
  differences: number
  saidEqual: boolean
  hadEqual: boolean
}

/** Both ends of one session; what is found is handed over once the session ends. */
function reconcile(mine: FingerprintTree, theirs: FingerprintTree, seed = 1): Outcome {
  const random = seeded(seed)
  const salt = hash(Buffer.from(`salt ${seed}`)).subarray(0, SALT_BYTES)
  const session = new Reconciliation(7, { tree: mine, salt, random }, LIMITS)
  const toThem: Item[] = []
  const toMe: Item[] = []
  const outcome = { bytes: 0, questions: 0, differences: 0, saidEqual: false, hadEqual: false }
  for (let bytes = session.next(); bytes !== null; bytes = session.next()) {
    outcome.questions += 1
    const question = decodeQuestion(bytes)!
    expect(encodeQuestion(question)).toEqual(bytes)
    const { answer, missing, equal } = answerQuestion(question, theirs, LIMITS, random)
    outcome.saidEqual ||= equal
    const answered = encodeAnswer(answer, question.limits)
    expect(encodeAnswer(decodeAnswer(answered, LIMITS)!, LIMITS)).toEqual(answered)
    outcome.bytes += bytes.length + answered.length
    const progress = session.receive(answered)
    if (progress.kind !== 'progress') throw new Error(JSON.stringify(progress))
    for (const part of missing) toMe.push(...itemsOf(theirs, part))
    for (const part of progress.missing) toThem.push(...itemsOf(mine, part))
  }
  for (const each of toMe) expect(mine.insert(each)).toBe(true)
  for (const each of toThem) expect(theirs.insert(each)).toBe(true)
  outcome.differences = session.differences
  outcome.hadEqual = session.differences === 0 && !session.incomplete
  return outcome
}

function million(): Item[] {
  const random = seeded(3)
  const word = (): string =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0')
  return Array.from({ length: 1_000_000 }, (_, i) => ({
    version: formatVersion({ timeMs: 1_700_000_000_000 + i * 31_000, counter: 0 }),
    id: word() + word() + word() + word() + word() + word() + word() + word(),
  }))
}

const LAST_MS = 1_700_000_000_000 + 1_000_000 * 31_000

describe('two machines that compare what they hold', () => {
  it('find exactly what each lacks, whatever they hold', () => {
    const itemArbitrary = fc
      .tuple(fc.nat(50), fc.nat(3000))
      .map(([timeMs, name]) => item(timeMs * 7, `${name}`))
    fc.assert(
      fc.property(
        fc.array(itemArbitrary, { maxLength: 400, size: 'max' }),
        fc.array(itemArbitrary, { maxLength: 200, size: 'max' }),
        fc.array(itemArbitrary, { maxLength: 200, size: 'max' }),
        fc.nat(),
        (both, onlyMine, onlyTheirs, seed) => {
          const mine = FingerprintTree.of([...both, ...onlyMine])
          const theirs = FingerprintTree.of([...both, ...onlyTheirs])
          const union = FingerprintTree.of([...both, ...onlyMine, ...onlyTheirs])
          const wereEqual = sameFingerprint(mine.fingerprint(), theirs.fingerprint())
          const { hadEqual, saidEqual } = reconcile(mine, theirs, seed)
          expect(hadEqual).toBe(wereEqual)
          expect(saidEqual).toBe(wereEqual)
          expect(sameFingerprint(mine.fingerprint(), union.fingerprint())).toBe(true)
          expect(sameFingerprint(theirs.fingerprint(), union.fingerprint())).toBe(true)
          const again = reconcile(mine, theirs, seed + 1)
          expect(again).toMatchObject({ hadEqual: true, saidEqual: true, questions: 1 })
        },
      ),
      { numRuns: 60 },
    )
  })

  it('one of them empty: nothing is listed, all is handed over', () => {
    const items = Array.from({ length: 20_000 }, (_, i) => item(i * 10, `${i}`))
    for (const [mine, theirs] of [
      [new FingerprintTree(), FingerprintTree.of(items)],
      [FingerprintTree.of(items), new FingerprintTree()],
    ] as const) {
      const { bytes } = reconcile(mine, theirs)
      expect(bytes).toBeLessThan(2000)
      expect(mine.size).toBe(items.length)
      expect(theirs.size).toBe(items.length)
    }
  })

  it(
    'of a million: 400 bytes if equal, 12 bytes for each recent difference',
    { timeout: 180_000 },
    () => {
      const items = million()
      const mine = FingerprintTree.of(items)
      const theirs = FingerprintTree.of(items)
      const equal = reconcile(mine, theirs)
      expect(equal).toMatchObject({ hadEqual: true, saidEqual: true, questions: 1 })
      expect(equal.bytes).toBeLessThanOrEqual(400)
      for (let i = 0; i < 1000; i++) {
        const tree = i % 2 === 0 ? mine : theirs
        tree.insert(item(LAST_MS + i * 1000, `recent ${i}`))
      }
      const started = performance.now()
      const recent = reconcile(mine, theirs)
      const elapsedMs = performance.now() - started
      expect(recent.bytes / 1000).toBeLessThanOrEqual(12)
      expect(recent.questions).toBeLessThanOrEqual(4)
      expect(mine.size).toBe(1_001_000)
      for (let i = 0; i < 100; i++) mine.remove(items[i * 9973]!)
      const scattered = reconcile(mine, theirs)
      expect(scattered.bytes / 100).toBeLessThanOrEqual(1200)
      expect(sameFingerprint(mine.fingerprint(), theirs.fingerprint())).toBe(true)
      console.log(
        `reconciliation of 10^6 records: ${equal.bytes} B if equal; 1,000 recent differences ` +
          `${(recent.bytes / 1000).toFixed(1)} B each, ${recent.questions} questions, ` +
          `${elapsedMs.toFixed(0)} ms; 100 scattered ${(scattered.bytes / 100).toFixed(0)} B each`,
      )
    },
  )

  it('compare only what lies within the limits of both', () => {
    const mine = FingerprintTree.of([item(10, 'a'), item(20, 'b'), item(90, 'far')])
    const view = { tree: mine, salt: new Uint8Array(SALT_BYTES), random: seeded(1) }
    const wide = { least: versionText(0), greatest: versionText(100) }
    const own = { least: versionText(15), greatest: versionText(50) }
    const session = new Reconciliation(1, view, wide)
    const question = decodeQuestion(session.next()!)!
    const theirs = FingerprintTree.of([item(20, 'b'), item(60, 'later')])
    const { answer, equal } = answerQuestion(question, theirs, own, seeded(1))
    expect(equal).toBe(false)
    const progress = session.receive(encodeAnswer(answer, wide))
    expect(progress).toEqual({ kind: 'narrower', limits: own })
    const again = new Reconciliation(2, view, own)
    const answered = answerQuestion(decodeQuestion(again.next()!)!, theirs, own, seeded(1))
    expect(answered.equal).toBe(true)
    // Limits that are no narrower would go on for ever.
    for (const limits of [own, wide]) {
      const once = new Reconciliation(3, view, own)
      const { session } = decodeQuestion(once.next()!)!
      const answer = encodeAnswer({ session, kind: 'narrower', limits }, own)
      expect(once.receive(answer).kind).toBe('refused')
    }
  })
})

function versionText(timeMs: number): string {
  return formatVersion({ timeMs, counter: 0 })
}

describe('a bound between two items', () => {
  it('is above the one and not above the other', () => {
    const key = fc
      .tuple(
        fc.nat(2),
        fc.nat(2),
        fc.array(fc.constantFrom(0, 1, 0xff), { minLength: 32, maxLength: 32 }),
      )
      .map(
        ([timeMs, counter, bytes]): Key =>
          itemKey({
            version: formatVersion({ timeMs, counter }),
            id: toHex(Uint8Array.from(bytes)),
          }),
      )
    fc.assert(
      fc.property(key, key, (a, b) => {
        const [low, high] = [a, b].sort(compare)
        fc.pre(compare(low!, high!) < 0)
        const bound = separator(low!, high!)
        expect(compare(bound, low!)).toBeGreaterThan(0)
        expect(compare(bound, high!)).toBeLessThanOrEqual(0)
      }),
    )
  })
})

function compare(a: Key, b: Key): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return 0
}

describe('hostile messages', () => {
  const items = Array.from({ length: 3000 }, (_, i) => item(i * 10, `${i}`))
  const tree = FingerprintTree.of(items)
  const view = { tree, salt: new Uint8Array(SALT_BYTES), random: seeded(1) }
  const head = {
    session: 1,
    salt: new Uint8Array(SALT_BYTES),
    limits: LIMITS,
  }
  const wrong = new Uint8Array(12)

  it('never make a decoder throw, and what is decoded is answered in bounds', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400, size: 'max' }), (bytes) => {
        decodeAnswer(bytes, LIMITS)
        const question = decodeQuestion(bytes)
        if (question !== null) answerQuestion(question, tree, LIMITS, seeded(1))
      }),
      { numRuns: 3000 },
    )
    const good = new Reconciliation(1, view, LIMITS).next()!
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, byte, end) => {
        const bytes = good.slice(0, end)
        if (at < end) bytes[at] = byte
        const question = decodeQuestion(bytes)
        if (question === null) return
        const { answer } = answerQuestion(question, tree, LIMITS, seeded(1))
        expect(encodeAnswer(answer, question.limits).length).toBeLessThanOrEqual(60_000)
      }),
      { numRuns: 2000 },
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400, size: 'max' }), (bytes) => {
        const session = new Reconciliation(1, view, LIMITS)
        session.next()
        const progress = session.receive(bytes)
        if (progress.kind === 'progress') session.next()
      }),
      { numRuns: 1000 },
    )
  })

  it('with overlapping, unsorted or empty ranges are refused', () => {
    const at = (timeMs: number): Key => versionKey(versionText(timeMs))
    const encode = (...times: number[]): Uint8Array =>
      encodeQuestion({
        ...head,
        ranges: times.map((timeMs) => ({ kind: 'skip', end: at(timeMs) })),
      })
    expect(decodeQuestion(encode(10, 20))).not.toBeNull()
    expect(decodeQuestion(encode(10, 10))).toBeNull()
    const limits = { least: versionText(50), greatest: versionText(100) }
    const beyond = encodeQuestion({
      ...head,
      limits: LIMITS,
      ranges: [{ kind: 'skip', end: at(60) }],
    })
    const { length } = encodeQuestion({ ...head, limits, ranges: [] })
    const good = encodeQuestion({ ...head, limits, ranges: [{ kind: 'skip', end: at(60) }] })
    const outside = new Uint8Array([...good.slice(0, length), ...beyond.slice(length)])
    expect(decodeQuestion(good)).not.toBeNull()
    // 60 ms after the lower limit, 50 is more than the upper one.
    expect(decodeQuestion(outside)).toBeNull()
  })

  it('that claim a billion ids are not given the memory', () => {
    const { length } = encodeQuestion({ ...head, ranges: [] })
    const claim = [0x02 | (14 << 4), 0x80, 0x94, 0xeb, 0xdc, 0x03]
    const start = encodeQuestion({ ...head, ranges: [] }).slice(0, length)
    expect(decodeQuestion(new Uint8Array([...start, ...claim]))).toBeNull()
  })

  it('full of ranges are answered in bounded time, in one message', () => {
    const limits = { least: versionText(0), greatest: versionText(1_000_000) }
    const ranges = Array.from({ length: 4000 }, (_, i) => ({
      kind: 'fingerprint' as const,
      fingerprint: wrong,
      end: versionKey(versionText((i + 1) * 8)),
    }))
    const bytes = encodeQuestion({ ...head, limits, ranges: ranges.slice(0, 3000) })
    const question = decodeQuestion(bytes)!
    const started = performance.now()
    const { answer } = answerQuestion(question, tree, LIMITS, seeded(1))
    expect(performance.now() - started).toBeLessThan(2000)
    expect(encodeAnswer(answer, limits).length).toBeLessThanOrEqual(60_000)
    const tooMany = { ...question, ranges: [...ranges, ...ranges] }
    expect(decodeQuestion(encodeQuestion(tooMany))).toBeNull()
  })

  it.each([
    ['that repeat the range', { kind: 'fingerprint', fingerprint: wrong }],
    ['that want what was not listed', { kind: 'difference', wanted: new Uint8Array(2) }],
    ['that ask', { kind: 'need', ids: [] }],
  ] satisfies [string, RangeContent][])('answers %s are refused', (_, content) => {
    const few = FingerprintTree.of(items.slice(0, 5))
    const session = new Reconciliation(1, { ...view, tree: few }, LIMITS)
    const { session: number } = decodeQuestion(session.next()!)!
    const end = new Uint32Array(10)
    end.set([0xffffffff, 0xfff00001])
    const answer = encodeAnswer(
      { session: number, kind: 'ranges', ranges: [{ ...content, end }] },
      LIMITS,
    )
    expect(session.receive(answer).kind).toBe('refused')
  })

  it('answers that say nothing, or end within a range, are refused', () => {
    for (const ranges of [[], [{ kind: 'skip' as const, end: versionKey(versionText(5)) }]]) {
      const session = new Reconciliation(1, view, LIMITS)
      const { session: number } = decodeQuestion(session.next()!)!
      const answer = encodeAnswer({ session: number, kind: 'ranges', ranges }, LIMITS)
      expect(session.receive(answer).kind).toBe('refused')
    }
  })

  it('answers that come late or twice change nothing', () => {
    const session = new Reconciliation(1, view, LIMITS)
    const question = decodeQuestion(session.next()!)!
    const other = FingerprintTree.of(items.slice(0, 2000))
    const { answer } = answerQuestion(question, other, LIMITS, seeded(1))
    const bytes = encodeAnswer(answer, LIMITS)
    expect(session.receive(bytes).kind).toBe('progress')
    expect(session.receive(bytes).kind).toBe('stale')
    session.next()
    expect(session.receive(bytes).kind).toBe('stale')
  })

  it('a session ends, though the other side always finds something new', () => {
    const session = new Reconciliation(1, { ...view, random: seeded(9) }, LIMITS)
    let questions = 0
    let refused = false
    for (let bytes = session.next(); bytes !== null; bytes = session.next()) {
      questions += 1
      const { session: number, ranges } = decodeQuestion(bytes)!
      // Cuts each range in two, both different, as long as there is room between their ends.
      const answer = ranges.flatMap((range, i): Range[] => {
        const from = ranges[i - 1]?.end ?? versionKey(LIMITS.least)
        const middle = from.slice()
        middle[9] = middle[9]! + 1
        if (range.kind !== 'fingerprint' || compare(middle, range.end) >= 0) {
          return [{ kind: 'skip', end: range.end }]
        }
        return [
          { kind: 'fingerprint', fingerprint: wrong, end: middle },
          { kind: 'fingerprint', fingerprint: wrong, end: range.end },
        ]
      })
      const encoded = encodeAnswer({ session: number, kind: 'ranges', ranges: answer }, LIMITS)
      if (session.receive(encoded).kind === 'refused') {
        refused = true
        break
      }
    }
    expect(questions).toBeLessThanOrEqual(1024)
    expect(refused || questions > 1).toBe(true)
  })
})
