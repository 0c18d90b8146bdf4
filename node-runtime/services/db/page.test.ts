import { expect, test } from 'vitest'
import { takePage } from './page.ts'

interface Item {
  id: string
  value: string
}

function item(id: string, length = 1): Item {
  return { id, value: 'x'.repeat(length) }
}

function source(...groups: Item[][]) {
  let reads = 0
  async function* give(): AsyncGenerator<Item[]> {
    for (const group of groups) {
      reads++
      yield group
    }
  }
  return { groups: give(), reads: () => reads }
}

const ids = (records: readonly Item[]): string[] => records.map(({ id }) => id)

test('a page holds all when all fit', async () => {
  const { groups } = source([item('a')], [item('b'), item('b')])
  const page = await takePage(groups, 10, 1000)
  expect(ids(page.records)).toEqual(['a', 'b', 'b'])
  expect(page).not.toHaveProperty('cursor')
})

test('a page ends at its number of records, and says where, if more follow', async () => {
  const { groups, reads } = source([item('a')], [item('b')], [], [item('c')], [item('d')])
  const page = await takePage(groups, 2, 1000)
  expect(ids(page.records)).toEqual(['a', 'b'])
  expect(page.cursor).toBe('b')
  expect(reads()).toBe(4)
  const whole = await takePage(source([item('a')], [item('b')], []).groups, 2, 1000)
  expect(whole).not.toHaveProperty('cursor')
})

test('a page ends before its bytes are passed', async () => {
  const sizeBytes = JSON.stringify(item('a', 100)).length
  const all = ['a', 'b', 'c'].map((id) => [item(id, 100)])
  expect(await takePage(source(...all).groups, 10, 2 * sizeBytes)).toMatchObject({ cursor: 'b' })
  expect(await takePage(source(...all).groups, 10, 2 * sizeBytes - 1)).toMatchObject({
    cursor: 'a',
  })
})

test('a page holds one id at least, and never a part of what an id means', async () => {
  const { groups } = source([item('a', 100), item('a', 100)], [item('b')])
  const page = await takePage(groups, 1, 10)
  expect(ids(page.records)).toEqual(['a', 'a'])
  expect(page.cursor).toBe('a')
})
