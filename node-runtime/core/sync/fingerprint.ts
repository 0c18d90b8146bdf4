// What stands for a set of records: the sum of their ids mod 2^256 and their number. Sums can be taken
// apart again, so that any range's is known from two others. Never XOR: of 320 records of one's own a
// subset is found in milliseconds whose XOR hides another's record.
import { ID_WORDS } from './item.ts'

const WORD = 0x1_0000_0000

/** `sum` as eight big-endian words. */
export interface Fingerprint {
  sum: Uint32Array
  count: number
}

/** Adds the words at `offset` of `words` to those at `at` of `sum`, mod 2^256. */
export function addWords(sum: Uint32Array, words: Readonly<Uint32Array>, offset = 0, at = 0): void {
  let carry = 0
  for (let i = ID_WORDS - 1; i >= 0; i--) {
    const value = sum[at + i]! + words[offset + i]! + carry
    carry = value >= WORD ? 1 : 0
    sum[at + i] = value
  }
}

/** Takes them away again, mod 2^256. */
export function subtractWords(
  sum: Uint32Array,
  words: Readonly<Uint32Array>,
  offset = 0,
  at = 0,
): void {
  let borrow = 0
  for (let i = ID_WORDS - 1; i >= 0; i--) {
    const value = sum[at + i]! - words[offset + i]! - borrow
    borrow = value < 0 ? 1 : 0
    sum[at + i] = value
  }
}

export function sameFingerprint(a: Fingerprint, b: Fingerprint): boolean {
  return a.count === b.count && a.sum.every((word, i) => word === b.sum[i])
}

/** 40 bytes: the sum, then the count, both big-endian. */
export function fingerprintBytes({ sum, count }: Fingerprint): Uint8Array {
  const bytes = new Uint8Array(ID_WORDS * 4 + 8)
  const view = new DataView(bytes.buffer)
  sum.forEach((word, i) => view.setUint32(i * 4, word))
  view.setBigUint64(ID_WORDS * 4, BigInt(count))
  return bytes
}
