import { describe, expect, it } from 'vitest'
import { FEW_LINKS, Sought } from './sought.ts'

const BURST = 12
const MINUTE_MS = 60_000

describe('whoever a way of finding names', () => {
  it('is dialled while there are few links, known on the rings or not, as often as it is named', () => {
    const sought = new Sought()
    for (let time = 0; time < 100; time++) {
      expect(sought.take('m', FEW_LINKS - 1, true, time)).toBe(true)
    }
  })

  it('is not dialled if the rings know it, once there are a few', () => {
    expect(new Sought().take('m', FEW_LINKS, true, 0)).toBe(false)
    expect(new Sought().take('m', FEW_LINKS, false, 0)).toBe(true)
  })

  it('costs a dial a minute at most, after the first dozen', () => {
    const sought = new Sought()
    let dials = 0
    const name = (count: number, nowMs: number): number => {
      const before = dials
      for (let n = 0; n < count; n++) if (sought.take(`${nowMs} ${n}`, 9, false, nowMs)) dials++
      return dials - before
    }
    expect(name(400, 0)).toBe(BURST)
    for (let minute = 1; minute <= 30; minute++) expect(name(20, minute * MINUTE_MS)).toBe(1)
    expect(name(20, 30 * MINUTE_MS + 1)).toBe(0)
  })

  it('is dialled ever more rarely, so that others have their turn', () => {
    const sought = new Sought()
    const taken: number[] = []
    for (let minute = 0; minute <= 40; minute++) {
      if (sought.take('dead', 9, false, minute * MINUTE_MS)) taken.push(minute)
    }
    expect(taken).toEqual([0, 1, 3, 7, 15, 31])
    expect(sought.take('other', 9, false, 40 * MINUTE_MS)).toBe(true)
  })
})
