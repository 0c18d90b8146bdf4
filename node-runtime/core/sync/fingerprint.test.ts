import { expect, it } from 'vitest'
import { toHex } from '../keys.ts'
import { addWords, fingerprintBytes, sameFingerprint, subtractWords } from './fingerprint.ts'

const words = (...last: number[]): Uint32Array =>
  Uint32Array.from([...Array.from({ length: 8 - last.length }, () => 0), ...last])
const MOST = 0xffffffff

it('sums are numbers of 256 bits, and come round', () => {
  const sum = words(MOST)
  addWords(sum, words(1))
  expect(sum).toEqual(words(1, 0))
  addWords(sum, words(MOST, MOST))
  expect(sum).toEqual(words(1, 0, MOST))
  const all = Uint32Array.from({ length: 8 }, () => MOST)
  addWords(all, words(2))
  expect(all).toEqual(words(1))
  subtractWords(all, words(2))
  expect(all).toEqual(Uint32Array.from({ length: 8 }, () => MOST))
  const equal = words(7, 5)
  subtractWords(equal, words(7, 5))
  expect(equal).toEqual(words())
  subtractWords(sum, words(1, 0, 0))
  expect(sum).toEqual(words(MOST))
})

it('sums may lie anywhere among words', () => {
  const some = Uint32Array.from({ length: 18 }, (_, i) => i)
  const sums = new Uint32Array(17).fill(9)
  addWords(sums, some, 10, 8)
  expect([...sums]).toEqual([
    ...Array.from({ length: 8 }, () => 9),
    19,
    20,
    21,
    22,
    23,
    24,
    25,
    26,
    9,
  ])
  subtractWords(sums, some, 10, 8)
  expect([...sums]).toEqual(Array.from({ length: 17 }, () => 9))
})

it('a fingerprint is a sum and a number, and both have to be the same', () => {
  const fingerprint = { sum: Uint32Array.of(1, 2, 3, 4, 5, 6, 7, 0xabcdef01), count: 258 }
  expect(toHex(fingerprintBytes(fingerprint))).toBe(
    '00000001000000020000000300000004000000050000000600000007abcdef010000000000000102',
  )
  expect(sameFingerprint(fingerprint, { ...fingerprint, sum: fingerprint.sum.slice() })).toBe(true)
  expect(sameFingerprint(fingerprint, { ...fingerprint, count: 257 })).toBe(false)
  expect(sameFingerprint(fingerprint, { ...fingerprint, sum: words(0xabcdef01) })).toBe(false)
})
