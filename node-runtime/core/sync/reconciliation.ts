// The asking side of range-based set reconciliation: one session with one machine, from the first
// question to silence. Each answer has to make every range it speaks of smaller, so that a session ends
// whatever the other side says.
import {
  compareLists,
  cut,
  fingerprintOf,
  keysAt,
  LIST_BELOW,
  listOf,
  MOST_COMPARED,
  mostRangeBytes,
  ranksOf,
} from './comparison.ts'
import type { View } from './comparison.ts'
import { compareKeys } from './item.ts'
import type { Key } from './item.ts'
import { MOST_RANGES, versionSpan } from './ranges.ts'
import type { Range, RangeContent, Span } from './ranges.ts'
import {
  decodeAnswer,
  encodeQuestion,
  HEAD_BYTES,
  MOST_MESSAGE_BYTES,
} from './reconcile-messages.ts'
import type { Limits } from './reconcile-messages.ts'
import type { Missing } from './reconcile.ts'

/** Each step makes a range about 16 times smaller: enough for 16^12 records, cut unevenly. */
const MOST_DEPTH = 24
/** Questions of one session: 60 MB of them. What is still open then is left for the next session. */
const MOST_QUESTIONS = 1024
/** Ranges that wait to be asked about; what does not fit is left for the next session. */
const MOST_OPEN = 65_536

interface OpenRange extends Span {
  depth: number
  /** How to ask. `list` and `fingerprint` are filled in when the question leaves. */
  ask: { kind: 'fingerprint' } | { kind: 'list' } | { kind: 'need'; ids: Uint8Array[] }
}

interface AskedRange extends OpenRange {
  /** The keys of the list that was sent. */
  listed: Uint32Array | null
}

/** What came of an answer. */
export type Progress =
  /** Ask on: `next()` has a question, or null if the session is over. */
  | { kind: 'progress'; missing: Missing[] }
  /** The other side's limits are narrower; a new session within them has to begin. */
  | { kind: 'narrower'; limits: Limits }
  /** It answers another question than the last one. */
  | { kind: 'stale' }
  /** No honest machine answers so. */
  | { kind: 'refused'; reason: string }

export class Reconciliation {
  readonly session: number
  readonly limits: Limits
  /** Ranges, and single records, that were found to differ so far. */
  differences = 0
  /** Something was left for the next session. */
  incomplete = false
  readonly #view: View
  #open: OpenRange[]
  #asked: AskedRange[] = []
  #questions = 0

  constructor(session: number, view: View, limits: Limits) {
    this.session = session
    this.limits = limits
    this.#view = view
    const whole = versionSpan(limits.least, limits.greatest)
    const { from, to } = ranksOf(view, whole)
    const spans = to - from < LIST_BELOW ? [whole] : cut(view, whole)
    this.#open = spans.map((span) => ({ ...span, depth: 0, ask: { kind: 'fingerprint' } }))
  }

  /** The next question, or null if there is nothing left to ask. */
  next(): Uint8Array | null {
    if (this.#open.length === 0) return null
    if (this.#questions === MOST_QUESTIONS) {
      this.incomplete = true
      return null
    }
    this.#questions += 1
    const ranges: Range[] = []
    const whole = versionSpan(this.limits.least, this.limits.greatest)
    let start: Readonly<Key> = whole.from
    let sizeBytes = HEAD_BYTES
    let taken = 0
    for (const open of this.#open) {
      const { content, listed } = this.#fill(open)
      const gap = compareKeys(open.from, start) > 0
      sizeBytes += mostRangeBytes(content) + (gap ? mostRangeBytes({ kind: 'skip' }) : 0)
      if (taken > 0 && (sizeBytes > MOST_MESSAGE_BYTES || ranges.length + 2 > MOST_RANGES)) break
      if (gap) ranges.push({ kind: 'skip', end: open.from.slice() })
      ranges.push({ ...content, end: open.to.slice() })
      this.#asked.push({ ...open, listed })
      start = open.to
      taken += 1
    }
    this.#open.splice(0, taken)
    const { salt } = this.#view
    return encodeQuestion({ session: this.#question, salt, limits: this.limits, ranges })
  }

  /** Answers name their question, so that late and double ones are told apart. */
  get #question(): number {
    return this.session * (MOST_QUESTIONS + 1) + this.#questions
  }

  /** Takes an answer in. */
  receive(bytes: Uint8Array): Progress {
    const answer = decodeAnswer(bytes, this.limits)
    if (answer === null) return { kind: 'refused', reason: 'an answer is not understood' }
    if (answer.session !== this.#question || this.#asked.length === 0) return { kind: 'stale' }
    if (answer.kind === 'narrower') return this.#narrow(answer.limits)
    const asked = this.#asked
    this.#asked = []
    const missing: Missing[] = []
    const opened: OpenRange[] = []
    let start = versionSpan(this.limits.least, this.limits.greatest).from
    let number = 0
    for (const range of answer.ranges) {
      const span = { from: start, to: range.end }
      start = range.end
      while (number < asked.length && compareKeys(asked[number]!.to, span.from) <= 0) number += 1
      if (range.kind === 'skip') continue
      const about = asked[number]
      if (about === undefined || !isWithin(span, about)) {
        return { kind: 'refused', reason: 'an answer is about what was not asked' }
      }
      const reason = this.#take(range, span, about, opened, missing)
      if (reason !== null) return { kind: 'refused', reason }
    }
    const answered = asked.filter(({ to }) => compareKeys(to, start) <= 0)
    if (answered.length === 0) return { kind: 'refused', reason: 'an answer says nothing' }
    const rest = asked.slice(answered.length)
    if (rest.some(({ from }) => compareKeys(from, start) < 0)) {
      return { kind: 'refused', reason: 'an answer ends within a range' }
    }
    this.#open = [...opened, ...rest, ...this.#open]
    if (this.#open.length > MOST_OPEN) {
      this.#open.length = MOST_OPEN
      this.incomplete = true
    }
    return { kind: 'progress', missing }
  }

  #narrow(limits: Limits): Progress {
    const { least, greatest } = this.limits
    const isNarrower =
      limits.least >= least &&
      limits.greatest <= greatest &&
      (limits.least > least || limits.greatest < greatest)
    if (!isNarrower) return { kind: 'refused', reason: 'its limits are not narrower' }
    return { kind: 'narrower', limits }
  }

  #fill(open: OpenRange): { content: RangeContent; listed: Uint32Array | null } {
    if (open.ask.kind === 'need') return { content: open.ask, listed: null }
    const { from, to } = ranksOf(this.#view, open)
    // It was short when it was opened; much may have come since.
    if (open.ask.kind === 'fingerprint' || to - from > MOST_COMPARED) {
      const fingerprint = fingerprintOf(this.#view, from, to)
      return { content: { kind: 'fingerprint', fingerprint }, listed: null }
    }
    const { keys, ids } = listOf(this.#view, from, to)
    return { content: { kind: 'list', ids }, listed: keys }
  }

  /** @returns why no honest machine would say this, or null */
  #take(
    range: Range,
    span: Span,
    about: AskedRange,
    opened: OpenRange[],
    missing: Missing[],
  ): string | null {
    const { from, to } = ranksOf(this.#view, span)
    const depth = about.depth + 1
    if (depth > MOST_DEPTH) return 'it goes on for ever'
    switch (range.kind) {
      case 'fingerprint': {
        const isWhole =
          compareKeys(span.from, about.from) === 0 && compareKeys(span.to, about.to) === 0
        if (isWhole) return 'a range did not become smaller'
        const mine = fingerprintOf(this.#view, from, to)
        if (mine.every((byte, i) => byte === range.fingerprint[i])) return null
        this.#split(span, to - from, depth, opened)
        return null
      }
      case 'list': {
        if (range.ids.length === 0 && to > from) {
          this.differences += to - from
          missing.push({ kind: 'span', span })
          return null
        }
        if (to - from > MOST_COMPARED) {
          this.#split(span, to - from, depth, opened)
          return null
        }
        const { keys, ids } = listOf(this.#view, from, to)
        const { onlyMine, onlyTheirs } = compareLists(ids, range.ids)
        this.differences += onlyMine.length + onlyTheirs.length
        if (onlyMine.length > 0) missing.push({ kind: 'keys', keys: keysAt(keys, onlyMine) })
        if (onlyTheirs.length > 0) {
          const wanted = onlyTheirs.map((i) => range.ids[i]!.slice())
          opened.push({ ...span, depth, ask: { kind: 'need', ids: wanted } })
        }
        return null
      }
      case 'difference': {
        const { listed } = about
        if (listed === null) return 'it answers a list that was not sent'
        // Something differs, even if all that is wanted comes from the other side.
        this.differences += 1
        const count = listed.length / about.from.length
        if (range.wanted.length !== Math.ceil(count / 8)) return 'it wants what was not listed'
        const numbers = Array.from({ length: count }, (_, i) => i).filter(
          (i) => ((range.wanted[i >> 3]! >> (i & 7)) & 1) === 1,
        )
        this.differences += numbers.length
        if (numbers.length > 0) missing.push({ kind: 'keys', keys: keysAt(listed, numbers) })
        return null
      }
      case 'need':
        return 'it asks instead of answering'
      case 'skip':
        return null
    }
  }

  #split(span: Span, count: number, depth: number, opened: OpenRange[]): void {
    this.differences += 1
    const short = count < LIST_BELOW
    const spans = short ? [span] : cut(this.#view, span)
    const ask = short ? ({ kind: 'list' } as const) : ({ kind: 'fingerprint' } as const)
    for (const part of spans) opened.push({ ...part, depth, ask })
  }
}

function isWithin(span: Span, outer: Span): boolean {
  return compareKeys(span.from, outer.from) >= 0 && compareKeys(span.to, outer.to) <= 0
}
