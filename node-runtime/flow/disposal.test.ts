import { expect, test } from 'vitest'
import { Disposal, opening } from './disposal.ts'

test('what was opened is closed in reverse, though some of it fails', async () => {
  const closed: string[] = []
  const disposal = new Disposal()
  for (const name of ['a', 'b', 'c']) {
    disposal.add(name, () => {
      closed.push(name)
      if (name === 'b') throw new Error('b is stuck')
    })
  }
  await expect(disposal.close()).rejects.toThrowError('b is stuck')
  expect(closed).toEqual(['c', 'b', 'a'])
  await disposal.close()
  expect(closed).toHaveLength(3)
})

test('when opening fails, what was open by then is closed, and the failure is told', async () => {
  const closed: string[] = []
  const failing = opening(async (opened) => {
    opened.add('lock', () => void closed.push('lock'))
    opened.add('store', () => void closed.push('store'))
    throw new Error('no network')
  })
  await expect(failing).rejects.toThrowError('no network')
  expect(closed).toEqual(['store', 'lock'])
})

test('when opening goes well, nothing is closed', async () => {
  const closed: string[] = []
  const opened = await opening(async (parts) => parts.add('store', () => void closed.push('x')))
  expect(opened).toBe('store')
  expect(closed).toEqual([])
})
