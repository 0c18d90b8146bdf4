import { expect, test } from 'vitest'
import { countdownText, durationText, relativeTime } from './times.ts'

test('a length of time is said in its two longest units', () => {
  const texts = [10_000, 60_000, 90_000, 5_400_000, 93_600_000].map(durationText)
  expect(texts).toEqual([
    '10 seconds',
    '1 minute',
    '1 minute 30 seconds',
    '1 hour 30 minutes',
    '1 day 2 hours',
  ])
})

test('what is left counts down to nothing, and never says less than there is', () => {
  expect([300_000, 271_001, 59_000, 1, 0, -5].map(countdownText)).toEqual([
    '5:00',
    '4:32',
    '0:59',
    '0:01',
    '0:00',
    '0:00',
  ])
  expect(countdownText(5_400_000)).toBe('1 hour 30 minutes')
})

test('seconds ago are just now', () => {
  expect([0, 59_000, 60_000].map((ms) => relativeTime(0, ms))).toEqual([
    'just now',
    'just now',
    '1 minute ago',
  ])
})
