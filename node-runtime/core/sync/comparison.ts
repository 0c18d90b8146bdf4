// What both sides of a reconciliation do: say what a range holds, and cut one that differs into smaller
// ones.
import { hash } from '../keys.ts'
import { fingerprintBytes } from './fingerprint.ts'
import type { FingerprintTree } from './fingerprint-tree.ts'
import { KEY_BYTES, KEY_WORDS, keyIdBytes } from './item.ts'
import type { Key } from './item.ts'
import { FINGERPRINT_BYTES, separator, SHORT_ID_BYTES } from './ranges.ts'
import type { RangeContent, Span } from './ranges.ts'

/** Into how many ranges one that differs is cut. Source: Negentropy uses the same. */
const BRANCHES = 16
/** Ranges with fewer items are listed: about as many bytes as two rounds of fingerprints. */
export const LIST_BELOW = 32
/** The key of a session. */
export const SALT_BYTES = 16
/**
 * More ids than this are not hashed for one range: 4 ms. A list that meets more than that is answered
 * with fingerprints.
 */
export const MOST_COMPARED = 2048

/** One machine's view of a session: what it holds, and the session's key for hashes. */
export interface View {
  tree: FingerprintTree
  salt: Uint8Array
  /** 0 to 1. */
  random: () => number
}

export function ranksOf({ tree }: View, span: Span): { from: number; to: number } {
  return { from: tree.rank(span.from), to: tree.rank(span.to) }
}

export function fingerprintOf({ tree, salt }: View, from: number, to: number): Uint8Array {
  return hash(fingerprintBytes(tree.fingerprint(from, to)), salt).subarray(0, FINGERPRINT_BYTES)
}

/** The keys of a range, and their short ids. */
export function listOf(
  { tree, salt }: View,
  from: number,
  to: number,
): { keys: Uint32Array; ids: Uint8Array[] } {
  const keys = tree.keys(from, to)
  const ids: Uint8Array[] = []
  for (let at = 0; at < keys.length; at += KEY_WORDS) {
    ids.push(hash(keyIdBytes(keys, at), salt).subarray(0, SHORT_ID_BYTES))
  }
  return { keys, ids }
}

/** Cuts a span with at least two items at random places, so that nobody can prepare for them. */
export function cut(view: View, span: Span): Span[] {
  const { tree, random } = view
  const { from, to } = ranksOf(view, span)
  const size = (to - from) / BRANCHES
  const spans: Span[] = []
  let start = span.from
  let startRank = from
  for (let i = 1; i < BRANCHES; i++) {
    const rank = Math.min(to - 1, Math.floor(from + (i - 0.5 + random()) * size))
    if (rank <= startRank) continue
    const end = separator(tree.keyAt(rank - 1), tree.keyAt(rank))
    spans.push({ from: start, to: end })
    start = end
    startRank = rank
  }
  spans.push({ from: start, to: span.to })
  return spans
}

/** Whether a list of ids says the same as ours, and where not. */
export function compareLists(
  mine: readonly Uint8Array[],
  theirs: readonly Uint8Array[],
): { onlyMine: number[]; onlyTheirs: number[] } {
  const left = new Map(theirs.map((id, i) => [idText(id), i]))
  const onlyMine: number[] = []
  mine.forEach((id, i) => {
    if (!left.delete(idText(id))) onlyMine.push(i)
  })
  return { onlyMine, onlyTheirs: [...left.values()] }
}

export function idText(id: Uint8Array): string {
  return String.fromCharCode(...id)
}

export function keysAt(keys: Uint32Array, numbers: readonly number[]): Key[] {
  return numbers.map((i) => keys.slice(i * KEY_WORDS, (i + 1) * KEY_WORDS))
}

/** How many bytes a range takes in a message, at most. */
export function mostRangeBytes(content: RangeContent): number {
  const bound = KEY_BYTES + 12
  switch (content.kind) {
    case 'skip':
      return bound
    case 'fingerprint':
      return bound + FINGERPRINT_BYTES
    case 'list':
    case 'need':
      return bound + content.ids.length * SHORT_ID_BYTES
    case 'difference':
      return bound + content.wanted.length
  }
}
