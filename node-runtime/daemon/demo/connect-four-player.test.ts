import { expect, test } from 'vitest'
import { chooseColumn } from './connect-four-player.ts'

/** `.` is empty, `0` and `1` are discs; missing rows above are empty. */
function board(...rows: string[]): (number | null)[][] {
  const empty = Array.from({ length: 6 - rows.length }, () => '.......')
  return [...empty, ...rows].map((row) =>
    row.split('').map((cell) => (cell === '.' ? null : Number(cell))),
  )
}
const all = [0, 1, 2, 3, 4, 5, 6]
const randoms = [0, 0.3, 0.6, 0.99]
const choices = (position: (number | null)[][], seat: number, legal = all): number[] =>
  randoms.map((value) => chooseColumn(position, legal, seat, () => value))

test('a win is taken: along, upwards and on both diagonals', () => {
  expect(choices(board('000.11.'), 0)).toEqual([3, 3, 3, 3])
  expect(choices(board('1......', '1......', '1..00.0'), 1)).toEqual([0, 0, 0, 0])
  expect(choices(board('..01...', '.011...', '0110...'), 0)).toEqual([3, 3, 3, 3])
  expect(choices(board('...10..', '...110.', '...0110'), 0)).toEqual([3, 3, 3, 3])
})

test('the opponent’s win is stopped, unless there is an own one', () => {
  expect(choices(board('111.00.'), 0)).toEqual([3, 3, 3, 3])
  expect(choices(board('0......', '0......', '0..111.'), 1)).toEqual([2, 2, 2, 2])
})

test('nothing is put under a place where the opponent would win', () => {
  // A disc in column 3 would let the opponent complete the second row.
  const position = board('111....', '010.1.0')
  for (const column of choices(position, 0)) expect(column).not.toBe(3)
})

test('only columns that have room are played', () => {
  expect(choices(board('.......'), 0, [6])).toEqual([6, 6, 6, 6])
})
