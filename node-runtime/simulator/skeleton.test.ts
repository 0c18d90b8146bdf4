import { expect, it } from 'vitest'
import { measureSkeleton } from './skeleton.ts'

it('a broadcast reaches all of a thousand machines in as many hops as theory has, and two', () => {
  const { meanLinks, mostLinks, mostHops, theoryHops, reach } = measureSkeleton(1_000, 0, 1)
  expect(theoryHops).toBe(4)
  expect(mostHops).toBeLessThanOrEqual(theoryHops + 2)
  expect(reach).toBe(1)
  expect(mostLinks).toBeLessThanOrEqual(16)
  expect(meanLinks).toBeGreaterThan(11)
})

it('and almost all that live, when a third is gone at once', () => {
  const { reach, mostHops } = measureSkeleton(2_000, 1 / 3, 2)
  expect(reach).toBeGreaterThan(0.999)
  expect(mostHops).toBeLessThanOrEqual(8)
})
