import { expect, test } from 'vitest'
import { Batches } from './batches.ts'

test('what is asked meanwhile is asked in one go, and each gets its own answer', async () => {
  const asked: number[][] = []
  let release = (): void => {}
  const held = new Promise<void>((resolve) => (release = resolve))
  const batches = new Batches<number, string>(async (numbers) => {
    asked.push([...numbers])
    if (asked.length === 1) await held
    return numbers.map(String)
  }, 3)
  const answers = [1, 2, 3, 4, 5].map((number) => batches.ask(number))
  release()
  expect(await Promise.all(answers)).toEqual(['1', '2', '3', '4', '5'])
  expect(asked).toEqual([[1], [2, 3, 4], [5]])
})

test('a batch that fails, fails for those in it only', async () => {
  const batches = new Batches<number, number>((numbers) => {
    if (numbers.includes(1)) return Promise.reject(new Error('one'))
    return Promise.resolve(numbers)
  }, 10)
  const [first, second] = [batches.ask(1), batches.ask(2)]
  await expect(first).rejects.toThrowError('one')
  expect(await second).toBe(2)
})

test('a question that gets no answer is not left waiting', async () => {
  const batches = new Batches<number, number>(() => Promise.resolve([]), 10)
  await expect(batches.ask(1)).rejects.toThrowError('not answered')
})
