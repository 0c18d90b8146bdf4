import { expect, test } from 'vitest'
import { findReplacing, keepChain, MAX_KEPT_CHAINS } from './key-chains.ts'
import type { KeyChain } from './key-chains.ts'

test('what a publisher replaced is kept once, the longest that was learned, and the newest last', () => {
  let kept: readonly KeyChain[] = []
  for (const keys of [['a', 'b'], ['x', 'y'], ['a', 'b', 'c'], ['a', 'b'], ['x'], ['z']]) {
    kept = keepChain(kept, keys)
  }
  expect(kept).toEqual([
    ['x', 'y'],
    ['a', 'b', 'c'],
  ])
})

test('of too many publishers those are forgotten that were uninstalled longest ago', () => {
  let kept: readonly KeyChain[] = []
  for (let number = 0; number < MAX_KEPT_CHAINS + 2; number++) {
    kept = keepChain(kept, [`publisher ${number}`, 'next'])
    kept = keepChain(kept, ['publisher 0', 'next'])
  }
  expect(kept).toHaveLength(MAX_KEPT_CHAINS)
  expect(kept.map(([publisher]) => publisher)).toContain('publisher 0')
  expect(kept.map(([publisher]) => publisher)).not.toContain('publisher 2')
  expect(kept.map(([publisher]) => publisher)).toContain('publisher 3')
})

test('keys go on from what is known of their publisher, or something replaces them', () => {
  const known = [['x', 'y'], ['a', 'b'], ['a']]
  expect(findReplacing(known, ['a', 'b'])).toBeUndefined()
  expect(findReplacing(known, ['a', 'b', 'c'])).toBeUndefined()
  expect(findReplacing(known, ['b', 'a'])).toBeUndefined()
  expect(findReplacing(known, ['a'])).toEqual(['a', 'b'])
  expect(findReplacing(known, ['a', 'c', 'b'])).toEqual(['a', 'b'])
})
