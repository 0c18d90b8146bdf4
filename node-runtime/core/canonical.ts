// One text for one JSON value, so that all machines sign and hash the same bytes.
import canonicalize from 'canonicalize'
import type { Json } from '../contract/values.ts'

/** Deeper values are refused everywhere: what walks them may recurse, and the stack is finite. */
export const MAX_JSON_DEPTH = 64

/** An escaped half of a surrogate pair, which is no text; behind an even number of backslashes. */
const LONE_SURROGATE = /(?:^|[^\\])(?:\\\\)*\\ud[89a-f]/

/** Is this what `JSON.stringify` writes in canonical form: plain values, all keys sorted? */
function isInOrder(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true
  if (typeof value !== 'object' || 'toJSON' in value) return false
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) if (!isInOrder(value[at])) return false
    return true
  }
  let before: string | null = null
  for (const key of Object.keys(value)) {
    if (before !== null && key < before) return false
    if (!isInOrder((value as Record<string, unknown>)[key])) return false
    before = key
  }
  return true
}

/**
 * JSON with sorted keys and no white space. Source: RFC 8785 (JSON Canonicalization Scheme). What was
 * read from a canonical text is in order already, and written three times as fast.
 */
export function canonicalJson(value: unknown): string {
  if (isInOrder(value)) return JSON.stringify(value)
  const text = canonicalize(value)
  if (text === undefined) throw new TypeError('not a JSON value')
  return text
}

/** Do arrays and objects in this JSON text lie in each other no deeper than `depth`? Never throws. */
export function isShallow(text: string, depth = MAX_JSON_DEPTH): boolean {
  let open = 0
  let inString = false
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (inString) {
      if (char === 0x5c) at++
      else if (char === 0x22) inString = false
    } else if (char === 0x22) inString = true
    else if (char === 0x5b || char === 0x7b) {
      if (++open > depth) return false
    } else if (char === 0x5d || char === 0x7d) open--
  }
  return true
}

/** Can this canonical text be read again: is it shallow, and of whole characters only? Never throws. */
export function isReadable(text: string): boolean {
  return isShallow(text) && !LONE_SURROGATE.test(text)
}

/**
 * The value of a canonical JSON text, or undefined if the text is not JSON, not canonical (white
 * space, order, doubled keys, other forms of a number), too deep, or holds half a character. Never
 * throws. The caller has limited the length.
 */
export function parseCanonical(text: string): Json | undefined {
  if (!isReadable(text)) return undefined
  try {
    const value = JSON.parse(text) as Json
    return canonicalJson(value) === text ? value : undefined
  } catch {
    // Not JSON, or a number beyond all numbers: both are said by `undefined`.
    return undefined
  }
}
