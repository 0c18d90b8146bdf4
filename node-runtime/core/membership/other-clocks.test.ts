import { expect, it } from 'vitest'
import { OtherClocks } from './other-clocks.ts'

const NOW = 1_900_000_000_000

it('nobody has said what time it is before anybody has', () => {
  expect(new OtherClocks().skew(NOW, 0)).toEqual({ skewMs: null, machines: 0 })
})

it('the clock is compared with the middle one of the others, whatever a few of them say', () => {
  const clocks = new OtherClocks()
  clocks.note('a', NOW - 1_000, 50)
  expect(clocks.skew(NOW, 50)).toEqual({ skewMs: 1_000, machines: 1 })
  clocks.note('liar', 0, 60)
  // Of two, who speaks for this clock counts.
  expect(clocks.skew(NOW + 10, 60)).toEqual({ skewMs: 1_000, machines: 2 })
  clocks.note('b', NOW + 30, 80)
  expect(clocks.skew(NOW + 30, 80)).toEqual({ skewMs: 1_000, machines: 3 })
  clocks.note('c', NOW + 2_030, 80)
  expect(clocks.skew(NOW + 30, 80)).toEqual({ skewMs: 0, machines: 4 })
  clocks.note('d', NOW + 2_030, 80)
  expect(clocks.skew(NOW + 30, 80)).toEqual({ skewMs: 0, machines: 5 })
})

it('what others said goes on as time does, and a clock that is set right is right', () => {
  const clocks = new OtherClocks()
  clocks.note('a', NOW, 1_000)
  expect(clocks.skew(NOW + 86_400_000 + 5_000, 6_000).skewMs).toBe(86_400_000)
  expect(clocks.skew(NOW + 9_000, 10_000).skewMs).toBe(0)
  expect(clocks.skew(NOW - 86_400_000 + 9_000, 10_000).skewMs).toBe(-86_400_000)
})

it('a machine that says it again counts once, and of many the last 64 do', () => {
  const clocks = new OtherClocks()
  for (let at = 0; at < 100; at++) clocks.note('old', 0, 0)
  expect(clocks.skew(NOW, 0).machines).toBe(1)
  for (let at = 0; at < 64; at++) clocks.note(`machine ${at}`, NOW, 0)
  expect(clocks.skew(NOW, 0)).toEqual({ skewMs: 0, machines: 64 })
})

it('after sleep it is not known, as the time that has passed is not', () => {
  const clocks = new OtherClocks()
  clocks.note('a', NOW, 0)
  clocks.forget()
  expect(clocks.skew(NOW, 0)).toEqual({ skewMs: null, machines: 0 })
})
