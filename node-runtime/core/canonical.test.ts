import canonicalize from 'canonicalize'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson, parseCanonical } from './canonical.ts'

/** Keys that `JSON.stringify` would put in another place, or that are no ordinary names. */
const key = fc.oneof(
  fc.string(),
  fc.constantFrom('10', '9', '1', 'a', 'B', 'b', '', '__proto__', 'é', '\u{1f600}', '\uffff'),
)
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'binary' }),
    fc.double(),
    fc.integer(),
    fc.boolean(),
    fc.constantFrom(null, undefined, -0, new Date(0)),
    fc.array(tie('json')),
    fc.dictionary(key, tie('json')),
    // In order, as what was read from a canonical text is.
    fc
      .dictionary(key, tie('json'))
      .map((fields) =>
        Object.fromEntries(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1))),
      ),
  ),
}))

/** What it gives, or that it refuses. */
function outcomeOf(write: () => string | undefined): string {
  try {
    return write() ?? 'refused'
  } catch {
    return 'refused'
  }
}

describe('canonical JSON', () => {
  it('is what the library of RFC 8785 writes, whatever the order', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(outcomeOf(() => canonicalJson(value))).toBe(outcomeOf(() => canonicalize(value)))
      }),
      { numRuns: 2_000 },
    )
  })

  it('sorts keys as text, numbers among them', () => {
    expect(canonicalJson({ 9: 1, 10: 2 })).toBe('{"10":2,"9":1}')
    expect(canonicalJson({ a: [{ c: 1, b: 2 }] })).toBe('{"a":[{"b":2,"c":1}]}')
  })

  it('is read back only when every key is in its place', () => {
    expect(parseCanonical('{"10":2,"9":1}')).toEqual({ 9: 1, 10: 2 })
    expect(parseCanonical('{"9":1,"10":2}')).toBeUndefined()
    expect(parseCanonical('{"a":1,"a":1}')).toBeUndefined()
    expect(parseCanonical('[1e2]')).toBeUndefined()
    expect(parseCanonical('[-0]')).toBeUndefined()
  })
})
