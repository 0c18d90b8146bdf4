import { expect, test } from 'vitest'
import { panBy, reveal, toCanvas, toMap, WHOLE, zoomAt } from './map-view.ts'

const SIZE = { width: 600, height: 300 }

test('the whole map stands in the middle of the canvas', () => {
  expect(toCanvas({ x: 0.5, y: 0.5 }, SIZE, WHOLE)).toEqual([300, 150])
  expect(toCanvas({ x: 0, y: 1 }, SIZE, WHOLE)).toEqual([150, 300])
  expect(toMap([150, 300], SIZE, WHOLE)).toEqual({ x: 0, y: 1 })
})

test('what is under the pointer stays there while the map grows', () => {
  const at = [210, 90] as const
  const before = toMap(at, SIZE, WHOLE)
  const view = zoomAt(WHOLE, SIZE, at, 3)
  expect(view.zoom).toBe(3)
  const after = toMap(at, SIZE, view)
  expect([after.x, after.y]).toEqual([expect.closeTo(before.x), expect.closeTo(before.y)])
})

test('the map neither grows nor moves without end, and comes back whole', () => {
  const large = zoomAt(WHOLE, SIZE, [300, 150], 1e9)
  expect(large.zoom).toBe(32)
  const far = panBy(large, SIZE, 1e9, -1e9)
  expect(far.x).toBeCloseTo(0.5 / 32)
  expect(far.y).toBeCloseTo(1 - 0.5 / 32)
  expect(zoomAt(far, SIZE, [0, 0], 1e-9)).toEqual(WHOLE)
  expect(panBy(WHOLE, SIZE, 50, 50)).toEqual(WHOLE)
})

test('a point that is out of sight is brought into it, and one in sight moves nothing', () => {
  const view = zoomAt(WHOLE, SIZE, [300, 150], 8)
  expect(reveal(view, SIZE, { x: 0.5, y: 0.5 })).toBe(view)
  const shown = reveal(view, SIZE, { x: 0.94, y: 0.5 })
  const [x] = toCanvas({ x: 0.94, y: 0.5 }, SIZE, shown)
  expect(x).toBeLessThanOrEqual(SIZE.width)
})
