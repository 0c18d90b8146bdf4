import { describe, expect, it } from 'vitest'
import { WAY_NAMES } from '../../contract/connection.ts'
import { FEW_LINKS, Sought } from './sought.ts'
import type { NamedMachine } from './sought.ts'

const BURST = 12
const MINUTE_MS = 60_000

/** Of those passed over the one that came first, or last. */
const first = (): number => 0.999_999
const last = (): number => 0

const named = (machine: string, more: Partial<NamedMachine> = {}): NamedMachine => ({
  machine,
  way: 'dht',
  isThere: false,
  isMember: false,
  ...more,
})

/** How many of these are dialled. */
function dialsOf(sought: Sought, machines: readonly NamedMachine[], nowMs: number): number {
  return machines.filter((each) => sought.take(each, FEW_LINKS, nowMs)).length
}

/** As many as somebody likes, and new ones each time. */
function invented(count: number, nowMs: number, more: Partial<NamedMachine> = {}): NamedMachine[] {
  return Array.from({ length: count }, (_, at) => named(`${nowMs} ${at}`, more))
}

describe('whoever a way of finding names', () => {
  it('is dialled while there are few links, known on the rings or not, as often as it is named', () => {
    const sought = new Sought(first)
    for (let time = 0; time < 100; time++) {
      expect(sought.take(named('m', { isThere: true }), FEW_LINKS - 1, time)).toBe(true)
    }
  })

  it('is not dialled if the rings know it, once there are a few', () => {
    const sought = new Sought(first)
    expect(sought.take(named('m', { isThere: true }), FEW_LINKS, 0)).toBe(false)
    expect(sought.take(named('m'), FEW_LINKS, 0)).toBe(true)
  })

  it('costs a dial a minute at most, after the first dozen', () => {
    for (const random of [first, last]) {
      const sought = new Sought(random)
      const many = Array.from({ length: 400 }, (_, at) => named(`${at}`))
      expect(dialsOf(sought, many, 0)).toBe(BURST)
      for (let minute = 1; minute <= 30; minute++) {
        expect(dialsOf(sought, many, minute * MINUTE_MS)).toBe(1)
      }
      expect(dialsOf(sought, many, 30 * MINUTE_MS + 1)).toBe(0)
    }
  })

  it('is dialled ever more rarely, so that others have their turn', () => {
    const sought = new Sought(first)
    const taken: number[] = []
    for (let minute = 0; minute <= 40; minute++) {
      if (sought.take(named('dead'), 9, minute * MINUTE_MS)) taken.push(minute)
    }
    expect(taken).toEqual([0, 1, 3, 7, 15, 31])
    expect(sought.take(named('other'), 9, 40 * MINUTE_MS)).toBe(true)
  })

  it('is dialled whatever the other ways name', () => {
    for (const way of WAY_NAMES) {
      const sought = new Sought(first)
      for (let minute = 0; minute < 5; minute++) {
        for (const other of WAY_NAMES.filter((each) => each !== way)) {
          dialsOf(sought, invented(400, minute * MINUTE_MS, { way: other }), minute * MINUTE_MS)
        }
      }
      expect(sought.take(named('genuine', { way }), FEW_LINKS, 5 * MINUTE_MS)).toBe(true)
    }
  })

  it('is dialled if its entry is known, whatever is named without one, and takes nothing from those', () => {
    const sought = new Sought(first)
    for (const way of WAY_NAMES) dialsOf(sought, invented(400, 0, { way }), 0)
    expect(sought.take(named('member', { isMember: true }), FEW_LINKS, 1)).toBe(true)
    const other = new Sought(first)
    expect(dialsOf(other, invented(400, 0, { isMember: true }), 0)).toBe(BURST)
    expect(other.take(named('unknown'), FEW_LINKS, 1)).toBe(true)
  })

  it('has its turn by lot, however many are invented and named before it', () => {
    const sought = new Sought(last)
    const nameAll = (nowMs: number): boolean => {
      dialsOf(sought, invented(400, nowMs), nowMs)
      return sought.take(named('genuine'), FEW_LINKS, nowMs)
    }
    expect(nameAll(0)).toBe(false)
    expect(nameAll(MINUTE_MS / 2)).toBe(false)
    expect(nameAll(MINUTE_MS)).toBe(true)
  })

  it('has its turn after those who name many every other minute', () => {
    for (const random of [first, last]) {
      const sought = new Sought(random)
      dialsOf(sought, invented(400, 0), 0)
      const turns: number[] = []
      for (let minute = 1; turns.length === 0 && minute < 10; minute++) {
        const nowMs = minute * MINUTE_MS
        if (minute % 2 === 0) dialsOf(sought, invented(400, nowMs), nowMs)
        if (sought.take(named('genuine'), FEW_LINKS, nowMs)) turns.push(minute)
      }
      expect(turns).toEqual([2])
    }
  })

  it('has the same chance as each that is named with it', () => {
    // Numbers that are spread evenly, the same each time.
    let seed = 1
    const random = (): number => {
      seed = (seed * 48_271) % 2_147_483_647
      return seed / 2_147_483_647
    }
    const turns = new Map<string, number>()
    for (let time = 0; time < 400; time++) {
      const sought = new Sought(random)
      dialsOf(sought, invented(BURST, 0), 0)
      const four = ['a', 'b', 'c', 'd'].map((machine) => named(machine))
      expect(dialsOf(sought, four, 1)).toBe(0)
      const taken = four.filter((each) => sought.take(each, FEW_LINKS, MINUTE_MS))
      expect(taken).toHaveLength(1)
      turns.set(taken[0]!.machine, (turns.get(taken[0]!.machine) ?? 0) + 1)
    }
    for (const count of turns.values()) expect(Math.abs(count - 100)).toBeLessThan(40)
    expect(turns.size).toBe(4)
  })
})
