import { expect, it } from 'vitest'
import { Tally } from './tally.ts'

it('tells the first time and each doubling, of each kind', () => {
  const tally = new Tally()
  const told = Array.from({ length: 1_000 }, () => tally.note('a')).filter((times) => times)
  expect(told).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512])
  expect(tally.note('b')).toBe(1)
})

it('knows so many kinds and no more', () => {
  const tally = new Tally()
  const told = Array.from({ length: 1_000 }, (_, kind) => tally.note(`kind ${kind}`))
  expect(told.filter((times) => times !== null)).toHaveLength(256)
  expect(tally.note('kind 0')).toBe(2)
})
