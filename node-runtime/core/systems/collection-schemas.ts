// The forms of a system's collections over time. Records that were written under one form may not fit
// the next, and what does not fit is not shown: so a change is compared, and said, before it happens.
import { canonicalJson } from '../canonical.ts'
import { domainBytes, hash, toHex } from '../keys.ts'

/** What names the form of a collection: BLAKE2b over the JSON Schema in canonical form, in hex. */
export function schemaHash(schema: unknown): string {
  return toHex(hash(domainBytes('dharma/schema/1', canonicalJson(schema))))
}

export interface CollectionChange {
  collection: string
  /** `changed` is the form of its records; a removed collection's records are not shown any more. */
  change: 'added' | 'changed' | 'removed'
}

type Collections = Readonly<Record<string, { schema: unknown }>>

/** What becomes of the collections of `before` under `after`, by name. */
export function compareCollections(before: Collections, after: Collections): CollectionChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  return names.flatMap((collection): CollectionChange[] => {
    const old = Object.hasOwn(before, collection) ? before[collection] : undefined
    const next = Object.hasOwn(after, collection) ? after[collection] : undefined
    if (old === undefined) return [{ collection, change: 'added' }]
    if (next === undefined) return [{ collection, change: 'removed' }]
    if (schemaHash(old.schema) === schemaHash(next.schema)) return []
    return [{ collection, change: 'changed' }]
  })
}
