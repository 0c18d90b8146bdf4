// The answerer's side of range-based set reconciliation. It keeps nothing between two questions, and a
// question costs bounded work, whatever it says.
// Source: Meyer, "Range-Based Set Reconciliation" (arXiv 2212.13567); shape of hoytech/negentropy.
import {
  compareLists,
  cut,
  fingerprintOf,
  idText,
  keysAt,
  LIST_BELOW,
  listOf,
  MOST_COMPARED,
  mostRangeBytes,
  ranksOf,
} from './comparison.ts'
import type { View } from './comparison.ts'
import type { FingerprintTree } from './fingerprint-tree.ts'
import { compareKeys } from './item.ts'
import type { Key } from './item.ts'
import { MOST_RANGES, versionSpan } from './ranges.ts'
import type { Range, RangeContent, Span } from './ranges.ts'
import { HEAD_BYTES, MOST_MESSAGE_BYTES } from './reconcile-messages.ts'
import type { Answer, Limits, Question } from './reconcile-messages.ts'

/** Ids that are hashed for one question: about 15 ms. What is beyond it is asked again. */
const MOST_HASHED = 4 * MOST_COMPARED

/** What the other side lacks: single records, or all within a span. */
export type Missing = { kind: 'keys'; keys: Key[] } | { kind: 'span'; span: Span }

export interface Answered {
  answer: Answer
  missing: Missing[]
  /** The question was about everything within the limits, and everything is equal. */
  equal: boolean
}

/** The narrower of two pairs of limits; equal to `asked` if that is within `own`. */
function narrowerLimits(asked: Limits, own: Limits): Limits {
  return {
    least: asked.least > own.least ? asked.least : own.least,
    greatest: asked.greatest < own.greatest ? asked.greatest : own.greatest,
  }
}

class Answering {
  readonly ranges: Range[] = []
  readonly missing: Missing[] = []
  equal = true
  #sizeBytes = HEAD_BYTES
  #hashed = 0
  readonly #view: View

  constructor(view: View) {
    this.#view = view
  }

  /** Answers one range; false if there is no room left for that. */
  take(range: Range, span: Span): boolean {
    switch (range.kind) {
      case 'skip':
        this.equal = false
        return this.#skip(span)
      case 'fingerprint':
        return this.#compare(range.fingerprint, span)
      case 'list':
        this.equal = false
        return this.#compareList(range.ids, span)
      case 'need':
        this.equal = false
        return this.#give(range.ids, span)
      case 'difference':
        // Only answers have it.
        this.equal = false
        return this.#skip(span)
    }
  }

  #compare(theirs: Uint8Array, span: Span): boolean {
    const { from, to } = ranksOf(this.#view, span)
    const mine = fingerprintOf(this.#view, from, to)
    if (mine.every((byte, i) => byte === theirs[i])) return this.#skip(span)
    this.equal = false
    if (to - from >= LIST_BELOW) return this.#cut(span)
    if (!this.#mayHash(to - from)) return false
    return this.#add([{ kind: 'list', ids: listOf(this.#view, from, to).ids, end: span.to }])
  }

  #compareList(theirs: readonly Uint8Array[], span: Span): boolean {
    const { from, to } = ranksOf(this.#view, span)
    const wanted = new Uint8Array(Math.ceil(theirs.length / 8))
    if (theirs.length === 0) {
      if (!this.#add([{ kind: 'difference', wanted, end: span.to }])) return false
      if (to > from) this.missing.push({ kind: 'span', span })
      return true
    }
    if (to - from > MOST_COMPARED) return this.#cut(span)
    if (!this.#mayHash(to - from)) return false
    const { keys, ids } = listOf(this.#view, from, to)
    const { onlyMine, onlyTheirs } = compareLists(ids, theirs)
    for (const i of onlyTheirs) wanted[i >> 3]! |= 1 << (i & 7)
    if (!this.#add([{ kind: 'difference', wanted, end: span.to }])) return false
    if (onlyMine.length > 0) this.missing.push({ kind: 'keys', keys: keysAt(keys, onlyMine) })
    return true
  }

  #give(wanted: readonly Uint8Array[], span: Span): boolean {
    const { from, to } = ranksOf(this.#view, span)
    // It was listed by us a moment ago, so it is short, unless much came in between.
    if (to - from > MOST_COMPARED) return this.#skip(span)
    if (!this.#mayHash(to - from)) return false
    if (!this.#skip(span)) return false
    const { keys, ids } = listOf(this.#view, from, to)
    const texts = new Set(wanted.map(idText))
    const numbers = ids.flatMap((id, i) => (texts.has(idText(id)) ? [i] : []))
    if (numbers.length > 0) this.missing.push({ kind: 'keys', keys: keysAt(keys, numbers) })
    return true
  }

  #cut(span: Span): boolean {
    return this.#add(
      cut(this.#view, span).map((part) => {
        const { from, to } = ranksOf(this.#view, part)
        const fingerprint = fingerprintOf(this.#view, from, to)
        return { kind: 'fingerprint', fingerprint, end: part.to.slice() }
      }),
    )
  }

  #mayHash(count: number): boolean {
    if (this.#hashed > 0 && this.#hashed + count > MOST_HASHED) return false
    this.#hashed += count
    return true
  }

  #skip(span: Span): boolean {
    const last = this.ranges.at(-1)
    if (last?.kind !== 'skip') return this.#add([{ kind: 'skip', end: span.to }])
    this.ranges[this.ranges.length - 1] = { kind: 'skip', end: span.to.slice() }
    return true
  }

  #add(ranges: (RangeContent & { end: Readonly<Key> })[]): boolean {
    const sizeBytes = ranges.reduce((sum, range) => sum + mostRangeBytes(range), 0)
    if (this.#sizeBytes + sizeBytes > MOST_MESSAGE_BYTES) return false
    if (this.ranges.length + ranges.length > MOST_RANGES) return false
    this.#sizeBytes += sizeBytes
    for (const range of ranges) this.ranges.push({ ...range, end: range.end.slice() })
    return true
  }
}

/**
 * Answers a question as far as one message and bounded work reach; the rest is asked again.
 * @param own  this machine's limits: from the least version to what is not from the future
 */
export function answerQuestion(
  question: Question,
  tree: FingerprintTree,
  own: Limits,
  random: () => number,
): Answered {
  const { session, salt, limits, ranges } = question
  const narrower = narrowerLimits(limits, own)
  if (narrower.least !== limits.least || narrower.greatest !== limits.greatest) {
    const answer = { session, kind: 'narrower' as const, limits: narrower }
    return { answer, missing: [], equal: false }
  }
  const answering = new Answering({ tree, salt, random })
  const whole = versionSpan(limits.least, limits.greatest)
  let start = whole.from
  for (const range of ranges) {
    if (!answering.take(range, { from: start, to: range.end })) break
    start = range.end
  }
  const equal = answering.equal && ranges.length > 0 && compareKeys(start, whole.to) === 0
  return {
    answer: { session, kind: 'ranges', ranges: answering.ranges },
    missing: answering.missing,
    equal,
  }
}
