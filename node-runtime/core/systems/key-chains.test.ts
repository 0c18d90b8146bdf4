import { expect, test } from 'vitest'
import { findConflict, forgetChains, keepChain, MAX_KEPT_CHAINS } from './key-chains.ts'
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

test('keys go on from what is known of their publisher, or a replaced one signs', () => {
  const known = [['x', 'y'], ['a', 'b'], ['a']]
  expect(findConflict(known, ['a', 'b'])).toBeUndefined()
  expect(findConflict(known, ['a', 'b', 'c'])).toBeUndefined()
  expect(findConflict(known, ['b', 'a'])).toBeUndefined()
  expect(findConflict(known, ['a'])).toEqual({ kind: 'replaced', known: ['a', 'b'] })
})

test('two successors of one key are a fork, wherever else it was only replaced', () => {
  const fork = { kind: 'forked', by: 'b', knownNext: 'c', otherNext: 'd' }
  const known = [
    ['a', 'b', 'c'],
    ['a', 'b'],
  ]
  expect(findConflict(known, ['a', 'b', 'd', 'c'])).toEqual({ ...fork, known: known[0] })
  const longer = [['a', 'b', 'd', 'e'], ...known]
  expect(findConflict(longer, ['a', 'b', 'd'])).toEqual({ ...fork, known: known[0] })
})

test('what is forgotten of one publisher is kept of the others', () => {
  const kept = [
    ['a', 'b'],
    ['x', 'a'],
  ]
  expect(forgetChains(kept, 'a')).toEqual([['x', 'a']])
})
