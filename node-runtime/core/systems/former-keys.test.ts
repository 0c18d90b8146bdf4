import { expect, test } from 'vitest'
import { formerKeysOf, MAX_FORMER_KEYS, ownersByKey } from './former-keys.ts'

test('former keys are each named once, without the present one', () => {
  expect(formerKeysOf('c', ['a', 'b', 'a', 'c'])).toEqual(['a', 'b'])
})

test('of too many former keys the newest count', () => {
  const claimed = Array.from({ length: MAX_FORMER_KEYS + 2 }, (_, at) => `key ${at}`)
  expect(formerKeysOf('now', claimed)).toEqual(claimed.slice(2))
})

test('a key means the system that has it, and else the first that goes on from it', () => {
  const first = { key: 'b', formerKeys: ['a', 'x'] }
  const second = { key: 'x', formerKeys: ['a', 'b', 'y'] }
  expect([...ownersByKey([first, second])]).toEqual([
    ['b', first],
    ['x', second],
    ['a', first],
    ['y', second],
  ])
})
