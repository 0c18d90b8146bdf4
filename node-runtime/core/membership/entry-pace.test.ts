import { describe, expect, it } from 'vitest'
import { keyOf, keysOf, signTestEntry } from '../../testing/entries.ts'
import type { MachineEntry } from '../forms/machine-form.ts'
import { EntryPace } from './entry-pace.ts'
import { MAX_KNOWN } from './known-machines.ts'

const ada = signTestEntry({ keys: keysOf('ada'), cloud: keyOf('cloud'), name: 'ada', sequence: 1 })
const said = (machine: string, sequence: number): MachineEntry => ({ ...ada, machine, sequence })

describe('what a machine says of itself', () => {
  it('waits beyond a burst, the last of it, until it is due, and then no more', () => {
    const pace = new EntryPace()
    for (let sequence = 1; sequence <= 8; sequence++) {
      expect(pace.try(said('a', sequence), 0)).toBe('now')
    }
    expect(pace.waits).toBe(false)
    for (const sequence of [9, 11, 10]) expect(pace.try(said('a', sequence), 0)).toBe('waits')
    expect(pace.due(29_000)).toEqual([])
    expect(pace.due(31_000).map(({ sequence }) => sequence)).toEqual([11])
    expect([pace.waits, pace.due(600_000)]).toEqual([false, []])
  })

  it('does not wait for what goes now', () => {
    const pace = new EntryPace()
    for (let sequence = 1; sequence <= 9; sequence++) pace.try(said('a', sequence), 0)
    expect(pace.waits).toBe(true)
    expect(pace.try(said('a', 10), 60_000)).toBe('now')
    expect(pace.waits).toBe(false)
  })

  it('of others has no part in it', () => {
    const pace = new EntryPace()
    for (let sequence = 1; sequence <= 100; sequence++) pace.try(said('a', sequence), 0)
    expect(pace.try(said('b', 1), 0)).toBe('now')
  })

  it('waits on while too many others do, the newest of it', () => {
    const pace = new EntryPace()
    for (let sequence = 1; sequence <= 9; sequence++) {
      for (let number = 0; number < 512; number++) pace.try(said(`machine-${number}`, sequence), 0)
    }
    expect(pace.try(said('machine-0', 20), 0)).toBe('waits')
    expect(pace.due(31_000)[0]?.sequence).toBe(20)
  })

  it('is forgotten of the one that was heard of the longest ago, once there are too many', () => {
    for (const [others, isForgotten] of [
      [MAX_KNOWN - 1, false],
      [MAX_KNOWN, true],
    ] as const) {
      const pace = new EntryPace()
      for (let sequence = 1; sequence <= 8; sequence++) pace.try(said('a', sequence), 0)
      for (let number = 0; number < others; number++) pace.try(said(`machine-${number}`, 1), 0)
      expect(pace.try(said('a', 9), 0)).toBe(isForgotten ? 'now' : 'waits')
    }
  })

  it('waits in bounded numbers', () => {
    const pace = new EntryPace()
    const results = new Map<string, number>()
    for (let sequence = 1; sequence <= 9; sequence++) {
      for (let number = 0; number < 800; number++) {
        const result = pace.try(said(`machine-${number}`, sequence), 0)
        results.set(result, (results.get(result) ?? 0) + 1)
      }
    }
    expect(Object.fromEntries(results)).toEqual({ now: 6_400, waits: 512, dropped: 288 })
    expect(pace.due(31_000)).toHaveLength(512)
  })
})
