import { describe, expect, it } from 'vitest'
import type { CloudRecord } from '../../contract/db.ts'
import { canonicalJson } from '../canonical.ts'
import { encodeKey, keyPair, toHex, sign } from '../keys.ts'
import {
  chooseRecord,
  cosignBytes,
  recordOwner,
  replaces,
  signRecord,
  verifyRecord,
} from './record.ts'

const ann = keyPair(new Uint8Array(32).fill(1))
const bob = keyPair(new Uint8Array(32).fill(2))
const annKey = encodeKey(ann.publicKey)
const bobKey = encodeKey(bob.publicKey)
const version = (n: number): string => `0000000000${n.toString(16).padStart(2, '0')}-0000`

function record(changes: Partial<CloudRecord> = {}, keys = ann): CloudRecord {
  const { signature: _, ...unsigned } = {
    system: 'notes',
    collection: 'notes',
    id: 'a',
    value: { text: 'hello' },
    author: encodeKey(keys.publicKey),
    version: version(5),
    created: version(5),
    rule: 'author',
    signature: '',
    ...changes,
  } satisfies CloudRecord
  return signRecord(unsigned, keys.secretKey)
}

function cosigned(): CloudRecord {
  const base = { system: 'notes', collection: 'deals', id: 'd', value: { price: 1 } }
  const cosignatures = [ann, bob]
    .map((keys) => ({
      person: encodeKey(keys.publicKey),
      signature: toHex(sign(cosignBytes(base), keys.secretKey)),
    }))
    .toSorted((a, b) => (a.person < b.person ? -1 : 1))
  return record({ ...base, rule: 'co-signed', cosignatures })
}

describe('a record', () => {
  it('holds when its author signed it', () => {
    expect(() => verifyRecord(record())).not.toThrow()
    expect(() => verifyRecord(cosigned())).not.toThrow()
  })

  it('is signed over canonical JSON: the order of keys does not matter', () => {
    const signed = record({ value: { a: 1, b: [2, { d: 3, c: 4 }] } })
    const reordered = { ...signed, value: { b: [2, { c: 4, d: 3 }], a: 1 } }
    expect(() => verifyRecord(reordered)).not.toThrow()
    // Source of the example: RFC 8785, section 3.2.2 and 3.2.3.
    expect(canonicalJson({ peach: 'This sorting order', péché: 'is wrong', pêche: 1e30 })).toBe(
      '{"peach":"This sorting order","péché":"is wrong","pêche":1e+30}',
    )
  })

  const deal = cosigned()
  it.each([
    ['another value', { ...record(), value: { text: 'evil' } }],
    ['another id', { ...record(), id: 'b' }],
    ['another author', { ...record(), author: bobKey }],
    ['another version', { ...record(), version: version(9) }],
    ['no signature', { ...record(), signature: '0'.repeat(128) }],
    ['a beginning after its version', record({ created: version(6) })],
    ['a value though deleted', record({ deleted: true })],
    ['a changed create-only record', record({ rule: 'create-only', created: version(1) })],
    ['a deleted create-only record', record({ rule: 'create-only', deleted: true, value: null })],
    ['co-signed without co-signatures', record({ rule: 'co-signed' })],
    ['co-signatures of another value', record({ ...deal, value: { price: 2 } })],
    [
      'co-signatures by others than its author',
      record({
        ...deal,
        author: annKey,
        cosignatures: deal.cosignatures!.filter((c) => c.person !== annKey),
      }),
    ],
    ['unsorted co-signatures', record({ ...deal, cosignatures: deal.cosignatures!.toReversed() })],
  ])('is forged with %s', (_, forged) => {
    expect(() => verifyRecord(forged)).toThrowError(
      expect.objectContaining({ code: 'DB_RECORD_FORGED' }),
    )
  })
})

describe('of two records in one place', () => {
  it('the newer one wins; the older one if it can only be created', () => {
    const older = record({ version: version(6) })
    const newer = record({ version: version(7) })
    expect(replaces(newer, older)).toBe(true)
    expect(replaces(older, newer)).toBe(false)
    const once = record({ rule: 'create-only' })
    const twice = record({ rule: 'create-only', version: version(9), created: version(9) })
    expect(replaces(twice, once)).toBe(false)
    expect(replaces(once, twice)).toBe(true)
  })

  it('all machines pick the same one at equal versions, in whatever order they come', () => {
    const one = record({ value: 1 })
    const two = record({ value: 2 })
    expect(replaces(one, two)).toBe(!replaces(two, one))
  })
})

describe('an id', () => {
  it('means the record of who created it first', () => {
    const early = record({ created: version(1) })
    const late = record({ created: version(2), version: version(9) }, bob)
    expect(chooseRecord([late, early])).toBe(early)
    expect(recordOwner(early)).not.toBe(recordOwner(late))
  })

  it('is free again once that was deleted', () => {
    const gone = record({ created: version(1), deleted: true, value: null })
    const other = record({ created: version(2) }, bob)
    expect(chooseRecord([gone, other])).toBe(other)
    expect(chooseRecord([gone])).toBeNull()
  })
})
