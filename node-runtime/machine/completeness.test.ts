import { expect, test } from 'vitest'
import { measureCompleteness } from './completeness.ts'

const none = new Map<string, number>()

test('a newcomer that was compared with nobody is not complete, linked or not', () => {
  expect(measureCompleteness({ linked: 0, alone: false }, none, 0).complete).toBe(false)
  expect(measureCompleteness({ linked: 2, alone: false }, none, 0).complete).toBe(false)
})

test('one machine that is not in step keeps an answer from being complete', () => {
  const inStep = new Map([['a', 1_000]])
  expect(measureCompleteness({ linked: 2, alone: false }, inStep, 1_500)).toMatchObject({
    complete: false,
    machinesLinked: 2,
    machinesInStep: 1,
    ageMs: 500,
  })
  expect(measureCompleteness({ linked: 1, alone: false }, inStep, 1_500).complete).toBe(true)
})

test('who began a cloud and has heard of nobody has all there is', () => {
  expect(measureCompleteness({ linked: 0, alone: true }, none, 0)).toMatchObject({
    complete: true,
    ageMs: null,
  })
})
