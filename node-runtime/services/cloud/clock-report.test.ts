import { expect, it } from 'vitest'
import { describeSpan, noticesOfClock, reportClock } from './clock-report.ts'

const DAY_MS = 86_400_000

it('a clock within a minute of the others is right, and nobody is bothered with it', () => {
  for (const skewMs of [0, 60_000, -60_000]) {
    const clock = reportClock({ skewMs, machines: 1 }, 3)
    expect(clock).toMatchObject({ state: 'right', skewMs, machines: 1, tickSkewMs: 3 })
    expect(clock.message).toBe('The clock of this computer agrees with that of another machine.')
    expect(noticesOfClock(clock)).toEqual([])
  }
})

it('one that is off is told so, which way, and what comes of it', () => {
  const ahead = reportClock({ skewMs: DAY_MS, machines: 2 }, null)
  expect(ahead.state).toBe('ahead')
  expect(ahead.message).toBe(
    'The clock of this computer is 1 day ahead of that of 2 other machines. Set it right. Until then others show what is written here only once its time has come.',
  )
  expect(noticesOfClock(ahead)).toEqual([{ code: 'CLOCK_OFF', message: ahead.message }])
  const behind = reportClock({ skewMs: -60_001, machines: 2 }, null)
  expect(behind).toMatchObject({
    state: 'behind',
    message:
      'The clock of this computer is 1 minute behind that of 2 other machines. Set it right.',
  })
})

it('as long as nobody has said, nothing is', () => {
  const clock = reportClock({ skewMs: null, machines: 0 }, null)
  expect(clock).toMatchObject({ state: 'unknown', skewMs: null })
  expect(noticesOfClock(clock)).toEqual([])
})

it('times are said in the unit that fits', () => {
  expect([0, 400, 1_400, 90_000, 7_200_000, 3 * DAY_MS].map(describeSpan)).toEqual([
    '0 seconds',
    '0 seconds',
    '1 second',
    '2 minutes',
    '2 hours',
    '3 days',
  ])
})
