// The ordered set of what a machine holds, with sums, so that the fingerprint of any range of a million
// records takes microseconds: leaves of about 256 keys, and a Fenwick tree over the leaves.
// Source of the latter: Fenwick, "A new data structure for cumulative frequency tables" (1994).
import { addWords, subtractWords } from './fingerprint.ts'
import type { Fingerprint } from './fingerprint.ts'
import { compareKeys, ID_WORDS, itemKey, KEY_WORDS, keyItem, VERSION_WORDS } from './item.ts'
import type { Item, Key } from './item.ts'

/** Keys in a leaf that was built or split: a scan over it costs about as much as the way to it. */
const LEAF_KEYS = 256
const LEAF_MOST_KEYS = 2 * LEAF_KEYS
/** A leaf's memory grows by so many keys at a time, so that little of it is empty. */
const GROWTH_KEYS = 32

interface Leaf {
  words: Uint32Array
  count: number
  sum: Uint32Array
}

function leafOf(words: Uint32Array, from: number, to: number): Leaf {
  const leaf: Leaf = {
    words: words.slice(from * KEY_WORDS, to * KEY_WORDS),
    count: to - from,
    sum: new Uint32Array(ID_WORDS),
  }
  sumKeys(leaf, 0, leaf.count, leaf.sum)
  return leaf
}

/** Adds the ids of the keys `from` (inclusive) to `to` (exclusive) to `sum`. */
function sumKeys(leaf: Leaf, from: number, to: number, sum: Uint32Array): void {
  for (let i = from; i < to; i++) addWords(sum, leaf.words, i * KEY_WORDS + VERSION_WORDS)
}

/** How many keys of the leaf come before `key`. */
function leafRank(leaf: Leaf, key: Readonly<Key>): number {
  let low = 0
  let high = leaf.count
  while (low < high) {
    const middle = (low + high) >> 1
    if (compareKeys(leaf.words, key, middle * KEY_WORDS) < 0) low = middle + 1
    else high = middle
  }
  return low
}

export class FingerprintTree {
  #leaves: Leaf[] = []
  #size = 0
  /** Fenwick trees over the leaves, made anew when leaves were split or joined. */
  #counts = new Float64Array(1)
  #sums = new Uint32Array(ID_WORDS)
  #indexed = true

  /** Of items in any order; a million takes a second if they are sorted. Twice the same is once. */
  static of(items: Iterable<Item>): FingerprintTree {
    const tree = new FingerprintTree()
    for (const item of items) tree.insert(item)
    return tree
  }

  /** How many items there are. */
  get size(): number {
    return this.#size
  }

  has(item: Item): boolean {
    return this.hasKey(itemKey(item))
  }

  hasKey(key: Readonly<Key>): boolean {
    const leaf = this.#leaves[this.#leafFor(key)]
    if (leaf === undefined) return false
    const at = leafRank(leaf, key)
    return at < leaf.count && compareKeys(leaf.words, key, at * KEY_WORDS) === 0
  }

  /** False if it was there already. */
  insert(item: Item): boolean {
    const key = itemKey(item)
    const number = this.#leafFor(key)
    const leaf = this.#leaves[number]
    if (leaf === undefined) {
      this.#append(key)
      return true
    }
    const at = leafRank(leaf, key)
    if (at < leaf.count && compareKeys(leaf.words, key, at * KEY_WORDS) === 0) return false
    // New records are mostly the newest: then leaves are left full instead of being split in halves.
    if (at === LEAF_KEYS && leaf.count === LEAF_KEYS && number === this.#leaves.length - 1) {
      this.#append(key)
      return true
    }
    if ((leaf.count + 1) * KEY_WORDS > leaf.words.length) {
      const grown = new Uint32Array((leaf.count + GROWTH_KEYS) * KEY_WORDS)
      grown.set(leaf.words)
      leaf.words = grown
    }
    leaf.words.copyWithin((at + 1) * KEY_WORDS, at * KEY_WORDS, leaf.count * KEY_WORDS)
    leaf.words.set(key, at * KEY_WORDS)
    leaf.count += 1
    addWords(leaf.sum, key, VERSION_WORDS)
    this.#size += 1
    if (leaf.count > LEAF_MOST_KEYS) {
      this.#leaves.splice(
        number,
        1,
        leafOf(leaf.words, 0, LEAF_KEYS),
        leafOf(leaf.words, LEAF_KEYS, leaf.count),
      )
      this.#indexed = false
    } else {
      this.#update(number, key, 1)
    }
    return true
  }

  /** False if it was not there. */
  remove(item: Item): boolean {
    const key = itemKey(item)
    const number = this.#leafFor(key)
    const leaf = this.#leaves[number]
    if (leaf === undefined) return false
    const at = leafRank(leaf, key)
    if (at >= leaf.count || compareKeys(leaf.words, key, at * KEY_WORDS) !== 0) return false
    leaf.words.copyWithin(at * KEY_WORDS, (at + 1) * KEY_WORDS, leaf.count * KEY_WORDS)
    leaf.count -= 1
    subtractWords(leaf.sum, key, VERSION_WORDS)
    this.#size -= 1
    const next = this.#leaves[number + 1]
    if (leaf.count === 0) {
      this.#leaves.splice(number, 1)
      this.#indexed = false
    } else if (next !== undefined && leaf.count + next.count <= LEAF_KEYS) {
      const words = new Uint32Array((leaf.count + next.count) * KEY_WORDS)
      words.set(leaf.words.subarray(0, leaf.count * KEY_WORDS))
      words.set(next.words.subarray(0, next.count * KEY_WORDS), leaf.count * KEY_WORDS)
      this.#leaves.splice(number, 2, leafOf(words, 0, leaf.count + next.count))
      this.#indexed = false
    } else {
      this.#update(number, key, -1)
    }
    return true
  }

  /** How many items come before `key`. */
  rank(key: Readonly<Key>): number {
    const number = this.#leafFor(key)
    const leaf = this.#leaves[number]
    if (leaf === undefined) return 0
    this.#index()
    return this.#countBefore(number) + leafRank(leaf, key)
  }

  /** The key at a rank, 0 to `size` - 1. */
  keyAt(rank: number): Key {
    if (rank < 0 || rank >= this.#size) throw new RangeError('there is no item of that rank')
    const { number, within } = this.#locate(rank)
    return this.#leaves[number]!.words.slice(within * KEY_WORDS, (within + 1) * KEY_WORDS)
  }

  itemAt(rank: number): Item {
    return keyItem(this.keyAt(rank))
  }

  /** Of the items of rank `from` (inclusive) to `to` (exclusive). */
  fingerprint(from = 0, to = this.#size): Fingerprint {
    if (from >= to) return { sum: new Uint32Array(ID_WORDS), count: 0 }
    const sum = this.#sumBefore(to)
    subtractWords(sum, this.#sumBefore(from))
    return { sum, count: to - from }
  }

  /** The keys of rank `from` (inclusive) to `to` (exclusive), as words one behind the other. */
  keys(from = 0, to = this.#size): Uint32Array {
    const count = Math.max(0, to - from)
    const words = new Uint32Array(count * KEY_WORDS)
    if (count === 0) return words
    let { number, within } = this.#locate(from)
    for (let done = 0; done < count; number++, within = 0) {
      const leaf = this.#leaves[number]!
      const taken = Math.min(leaf.count - within, count - done)
      words.set(
        leaf.words.subarray(within * KEY_WORDS, (within + taken) * KEY_WORDS),
        done * KEY_WORDS,
      )
      done += taken
    }
    return words
  }

  items(from = 0, to = this.#size): Item[] {
    const words = this.keys(from, to)
    const items: Item[] = []
    for (let at = 0; at < words.length; at += KEY_WORDS) items.push(keyItem(words, at))
    return items
  }

  /** The greatest version held, or undefined of an empty tree. */
  get newestVersion(): string | undefined {
    return this.#size === 0 ? undefined : this.itemAt(this.#size - 1).version
  }

  /** The memory that the keys and sums take, in bytes. */
  get sizeBytes(): number {
    const leaves = this.#leaves.reduce(
      (sum, leaf) => sum + leaf.words.byteLength + leaf.sum.byteLength,
      0,
    )
    return leaves + this.#counts.byteLength + this.#sums.byteLength
  }

  /** A key that comes after all that are there begins a leaf. */
  #append(key: Key): void {
    this.#leaves.push(leafOf(key, 0, 1))
    this.#size += 1
    this.#indexed = false
  }

  /** The number of the leaf where `key` is or would be. */
  #leafFor(key: Readonly<Key>): number {
    let low = 0
    let high = this.#leaves.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (compareKeys(this.#leaves[middle]!.words, key) <= 0) low = middle
      else high = middle - 1
    }
    return low
  }

  #index(): void {
    if (this.#indexed) return
    const { length } = this.#leaves
    const counts = new Float64Array(length + 1)
    const sums = new Uint32Array((length + 1) * ID_WORDS)
    this.#leaves.forEach((leaf, i) => {
      counts[i + 1] = leaf.count
      sums.set(leaf.sum, (i + 1) * ID_WORDS)
    })
    for (let i = 1; i <= length; i++) {
      const above = i + (i & -i)
      if (above > length) continue
      counts[above]! += counts[i]!
      addWords(sums, sums, i * ID_WORDS, above * ID_WORDS)
    }
    this.#counts = counts
    this.#sums = sums
    this.#indexed = true
  }

  #update(number: number, key: Key, sign: 1 | -1): void {
    if (!this.#indexed) return
    for (let i = number + 1; i <= this.#leaves.length; i += i & -i) {
      this.#counts[i]! += sign
      if (sign === 1) addWords(this.#sums, key, VERSION_WORDS, i * ID_WORDS)
      else subtractWords(this.#sums, key, VERSION_WORDS, i * ID_WORDS)
    }
  }

  #countBefore(number: number): number {
    let count = 0
    for (let i = number; i > 0; i -= i & -i) count += this.#counts[i]!
    return count
  }

  #locate(rank: number): { number: number; within: number } {
    this.#index()
    let number = 0
    let left = rank
    let step = 1
    while (step * 2 <= this.#leaves.length) step *= 2
    for (; step > 0; step >>= 1) {
      const next = number + step
      if (next <= this.#leaves.length && this.#counts[next]! <= left) {
        number = next
        left -= this.#counts[next]!
      }
    }
    return { number, within: left }
  }

  #sumBefore(rank: number): Uint32Array {
    const sum = new Uint32Array(ID_WORDS)
    const { number, within } = this.#locate(rank)
    for (let i = number; i > 0; i -= i & -i) addWords(sum, this.#sums, i * ID_WORDS)
    const leaf = this.#leaves[number]
    if (leaf === undefined) return sum
    if (within * 2 <= leaf.count) {
      sumKeys(leaf, 0, within, sum)
    } else {
      const rest = new Uint32Array(ID_WORDS)
      sumKeys(leaf, within, leaf.count, rest)
      addWords(sum, leaf.sum)
      subtractWords(sum, rest)
    }
    return sum
  }
}
