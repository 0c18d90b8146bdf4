import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatVersion } from '../db/hybrid-clock.ts'
import { hash, toHex } from '../keys.ts'
import { FingerprintTree } from './fingerprint-tree.ts'
import { fingerprintBytes, sameFingerprint } from './fingerprint.ts'
import { GREATEST_KEY, LEAST_KEY } from '../../testing/key-ends.ts'
import { itemKey, keyItem } from './item.ts'
import type { Item } from './item.ts'

const MODULUS = 1n << 256n

/** Few times and few ids, so that the same item, version or id comes up often. */
const itemArbitrary = fc
  .record({ timeMs: fc.nat(300), id: fc.nat(40), high: fc.boolean() })
  .map(({ timeMs, id, high }): Item => {
    const text = high ? `ffffffffffffff${toHex(hash(Uint8Array.of(id))).slice(14)}` : ''
    return {
      version: formatVersion({ timeMs, counter: id % 3 }),
      id: text || toHex(hash(Uint8Array.of(id))),
    }
  })

function text({ version, id }: Item): string {
  return `${version} ${id}`
}

/** The same set, as simply as it can be written. */
class Model {
  readonly #held = new Set<string>()

  get items(): string[] {
    return [...this.#held].sort()
  }

  insert(item: Item): boolean {
    if (this.#held.has(text(item))) return false
    this.#held.add(text(item))
    return true
  }

  remove(item: Item): boolean {
    return this.#held.delete(text(item))
  }

  sum(from: number, to: number): bigint {
    let sum = 0n
    for (const item of this.items.slice(from, to)) sum += BigInt(`0x${item.slice(18)}`)
    return sum % MODULUS
  }
}

function sumOf(tree: FingerprintTree, from: number, to: number): bigint {
  const { sum } = tree.fingerprint(from, to)
  return sum.reduce((all, word) => (all << 32n) | BigInt(word), 0n)
}

function numbered(count: number, from = 0): Item[] {
  return Array.from({ length: count }, (_, i) => ({
    version: formatVersion({ timeMs: 1_700_000_000_000 + (from + i) * 1000, counter: 0 }),
    id: toHex(hash(Buffer.from(`${from + i}`))),
  }))
}

describe('a fingerprint tree', () => {
  it('is the ordered set that a sorted list is, with the sums of any range', () => {
    fc.assert(
      fc.property(
        fc.array(itemArbitrary, { maxLength: 900, size: 'max' }),
        fc.array(fc.tuple(fc.boolean(), itemArbitrary), { maxLength: 300, size: 'max' }),
        fc.array(fc.tuple(fc.nat(1000), fc.nat(1000)), { minLength: 3, maxLength: 10 }),
        itemArbitrary,
        (first, changes, ranges, bound) => {
          const tree = FingerprintTree.of(first)
          const model = new Model()
          for (const item of first) model.insert(item)
          changes.forEach(([insert, item], i) => {
            if (insert) expect(tree.insert(item)).toBe(model.insert(item))
            else expect(tree.remove(item)).toBe(model.remove(item))
            if (i % 50 === 0) {
              expect(sumOf(tree, 0, tree.size)).toBe(model.sum(0, model.items.length))
            }
          })
          expect(tree.size).toBe(model.items.length)
          expect(tree.items().map(text)).toEqual(model.items)
          const below = model.items.filter((item) => item < text(bound)).length
          expect(tree.rank(itemKey(bound))).toBe(below)
          expect(tree.has(bound)).toBe(model.items.includes(text(bound)))
          expect(tree.rank(LEAST_KEY)).toBe(0)
          expect(tree.rank(GREATEST_KEY)).toBe(tree.size)
          for (const [a, b] of ranges) {
            const from = a % (tree.size + 1)
            const to = b % (tree.size + 1)
            expect(sumOf(tree, from, to)).toBe(model.sum(from, to))
            expect(tree.fingerprint(from, to).count).toBe(Math.max(0, to - from))
            expect(tree.items(from, to).map(text)).toEqual(model.items.slice(from, to))
            if (from < tree.size) expect(text(tree.itemAt(from))).toBe(model.items[from])
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  it('says the same of the same items, in whatever order they came and went', () => {
    const items = numbered(3000)
    const forward = new FingerprintTree()
    const backward = new FingerprintTree()
    for (const item of items) forward.insert(item)
    for (const item of items.toReversed()) backward.insert(item)
    for (const item of numbered(500, 3000)) {
      forward.insert(item)
      forward.remove(item)
    }
    expect(sameFingerprint(forward.fingerprint(), backward.fingerprint())).toBe(true)
    expect(fingerprintBytes(forward.fingerprint())).toEqual(
      fingerprintBytes(FingerprintTree.of(items).fingerprint()),
    )
    expect(backward.remove(items[7]!)).toBe(true)
    expect(sameFingerprint(forward.fingerprint(), backward.fingerprint())).toBe(false)
  })

  it('becomes empty again, and full again', () => {
    const items = numbered(2000)
    const tree = FingerprintTree.of(items)
    for (const item of items) expect(tree.remove(item)).toBe(true)
    expect(tree.size).toBe(0)
    expect(tree.newestVersion).toBeUndefined()
    expect(tree.fingerprint().sum.every((word) => word === 0)).toBe(true)
    expect(tree.insert(items[1]!)).toBe(true)
    expect(tree.newestVersion).toBe(items[1]!.version)
    expect(() => tree.keyAt(1)).toThrow(RangeError)
  })

  it('writes items as they were', () => {
    const [item] = numbered(1)
    expect(keyItem(itemKey(item!))).toEqual(item)
  })

  it(
    'holds a million records in 60 MB, also when they came one by one',
    { timeout: 120_000 },
    () => {
      // Ids from a counter: hashing a million of them would be most of the test.
      const million = function* (): Generator<Item> {
        for (let i = 0; i < 1_000_000; i++) {
          const word = ((i * 2_654_435_761) >>> 0).toString(16).padStart(8, '0')
          yield {
            version: formatVersion({ timeMs: 1_700_000_000_000 + i * 31, counter: i & 7 }),
            id: word.repeat(8),
          }
        }
      }
      const grown = new FingerprintTree()
      for (const item of million()) grown.insert(item)
      expect(grown.size).toBe(1_000_000)
      expect(grown.sizeBytes).toBeLessThan(60_000_000)
      const started = performance.now()
      for (let i = 0; i < 1000; i++) grown.fingerprint(i * 17, 1_000_000 - i * 13)
      // Far from what it takes (10 ms), near enough to notice a scan of all.
      expect(performance.now() - started).toBeLessThan(1000)
    },
  )
})
