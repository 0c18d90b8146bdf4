// One text for one JSON value, so that all machines sign and hash the same bytes.
import canonicalize from 'canonicalize'

/** JSON with sorted keys and no white space. Source: RFC 8785 (JSON Canonicalization Scheme). */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value)
  if (text === undefined) throw new TypeError('not a JSON value')
  return text
}
