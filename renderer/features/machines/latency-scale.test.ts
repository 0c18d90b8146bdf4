import { expect, test } from 'vitest'
import { latencyPath, roundUp, spanFor } from './latency-scale.ts'

test('axes end at round numbers that hold what is shown', () => {
  expect([0.2, 1, 1.1, 4, 7, 34, 120, 500].map(roundUp)).toEqual([1, 1, 2, 5, 10, 50, 200, 500])
  expect([0, 61_000, 299_000, 600_000, 9e9].map(spanFor)).toEqual([
    60_000, 120_000, 300_000, 600_000, 600_000,
  ])
})

test('the line ends at the right, and breaks where nothing was heard', () => {
  const box = { spanMs: 60_000, topMs: 20, width: 120, height: 100 }
  expect(latencyPath([10, 20, null, 0], 10_000, box)).toBe('M60.0 50.0L80.0 0.0M120.0 100.0')
  // Of before the axis begins nothing is drawn.
  expect(latencyPath([10, 10], 90_000, box)).toBe('M120.0 50.0')
})
