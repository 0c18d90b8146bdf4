import { expect, it } from 'vitest'
import { Penalties } from './penalties.ts'

const MAX_PENALTIES = 256

it('each fault doubles the wait, up to ten minutes', () => {
  const penalties = new Penalties()
  let nowMs = 0
  const waits: number[] = []
  for (let fault = 0; fault < 12; fault++) {
    penalties.note('a', nowMs)
    let waitMs = 1_000
    while (penalties.isWaiting('a', nowMs + waitMs)) waitMs += 1_000
    expect(penalties.isWaiting('a', nowMs + waitMs - 1)).toBe(true)
    waits.push(waitMs / 1_000)
    nowMs += waitMs
  }
  expect(waits).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600])
})

it('who has been good for more than ten minutes since begins anew', () => {
  const waits = (pauseMs: number): boolean => {
    const penalties = new Penalties()
    penalties.note('a', 0)
    const nowMs = 2_000 + pauseMs
    penalties.note('a', nowMs)
    return penalties.isWaiting('a', nowMs + 2_000)
  }
  expect(waits(10 * 60_000)).toBe(true)
  expect(waits(10 * 60_000 + 1)).toBe(false)
})

it('so many are remembered, and who broke the rules longest ago is forgotten', () => {
  const penalties = new Penalties()
  for (let number = 0; number < MAX_PENALTIES; number++) penalties.note(`m${number}`, 0)
  penalties.note('m0', 0)
  expect(penalties.size).toBe(MAX_PENALTIES)
  expect(penalties.isWaiting('m1', 0)).toBe(true)
  penalties.note('one more', 0)
  expect(penalties.size).toBe(MAX_PENALTIES)
  expect(penalties.isWaiting('m0', 0)).toBe(true)
  expect(penalties.isWaiting('m1', 0)).toBe(false)
  expect(penalties.isWaiting('m2', 0)).toBe(true)
  expect(penalties.isWaiting('nobody', 0)).toBe(false)
})
