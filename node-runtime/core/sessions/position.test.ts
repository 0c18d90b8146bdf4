import { expect, test } from 'vitest'
import { descriptorOf, holder } from '../../testing/session-tables.ts'
import { jsonEqual, sessionId } from './position.ts'

test('the id of a session is frozen, and the same whatever the order of fields', () => {
  const descriptor = descriptorOf([holder('ann'), holder('bob')], { b: 1, a: 2 })
  expect(sessionId(descriptor)).toBe(
    '52f035ddebb205f737e18899f39957d839b491424b1a36d922ab524934f0626a',
  )
  const turned = Object.fromEntries(Object.entries(descriptor).toReversed())
  expect(sessionId({ ...descriptor, ...turned, options: { a: 2, b: 1 } })).toBe(
    sessionId(descriptor),
  )
  expect(sessionId({ ...descriptor, seed: 'x' })).not.toBe(sessionId(descriptor))
})

test('two values say the same whatever the order of their fields', () => {
  expect(jsonEqual({ a: [1], b: null }, { b: null, a: [1] })).toBe(true)
  expect(jsonEqual([1, 2], [2, 1])).toBe(false)
  expect(jsonEqual(1, '1')).toBe(false)
})
