import { expect, test } from 'vitest'
import { inTurns } from './in-turns.ts'

test('hands out all, in their order, and lets others go on in between', async () => {
  const seen: (number | string)[] = []
  setImmediate(() => seen.push('another'))
  for await (const item of inTurns([1, 2, 3, 4, 5], 2)) seen.push(item)
  expect(seen).toEqual([1, 2, 'another', 3, 4, 5])
})
