import { expect, it } from 'vitest'
import { keyOf, keysOf, signTestEntry } from '../../testing/entries.ts'
import { KnownMachines, MAX_KNOWN } from './known-machines.ts'
import type { KnownMachine } from './known-machines.ts'

const ada = signTestEntry({ keys: keysOf('ada'), cloud: keyOf('cloud'), name: 'ada', sequence: 1 })
const MAX_KNOWN_CHARS = 8_000_000
const NONE: ReadonlySet<string> = new Set()

function known(machine: string, lastSeenMs = 0, chars = 1): KnownMachine {
  return {
    entry: { ...ada, machine, form: { body: 'x'.repeat(chars), signature: '' } },
    lastSeenMs,
  }
}

/** As many as there is room for, but some. */
function almostFull(missing: number): KnownMachines {
  const machines = new KnownMachines()
  for (let at = missing; at < MAX_KNOWN; at++) machines.put(known(`m${at}`, 50), NONE)
  return machines
}

it('the number of machines has an end, and the longest not seen makes room', () => {
  const machines = almostFull(3)
  machines.put(known('b', 40), NONE)
  machines.put(known('a', 30), NONE)
  machines.put(known('c', 30), NONE)
  expect(machines.size).toBe(MAX_KNOWN)
  machines.put(known('d', 60), new Set(['a']))
  expect(machines.size).toBe(MAX_KNOWN)
  expect(['a', 'b', 'c', 'd'].map((name) => machines.get(name) !== undefined)).toEqual([
    true,
    true,
    false,
    true,
  ])
})

it('one never seen makes room before all, the longest known first', () => {
  const machines = almostFull(2)
  machines.put(known('old'), NONE)
  machines.put(known('new'), NONE)
  machines.put(known('third', 60), NONE)
  expect(machines.get('old')).toBeUndefined()
  expect(machines.get('new')).toBeDefined()
})

it('nobody who is linked makes room', () => {
  const machines = almostFull(0)
  machines.put(known('one more', 60), { has: () => true })
  expect(machines.size).toBe(MAX_KNOWN + 1)
})

it('so much text fits, not one character more, and what is said anew counts once', () => {
  const machines = new KnownMachines()
  for (let round = 0; round < 3; round++) {
    machines.put(known('a', 10, MAX_KNOWN_CHARS / 2), NONE)
    machines.put(known('b', 20, MAX_KNOWN_CHARS / 2), NONE)
  }
  expect(machines.size).toBe(2)
  machines.put(known('c', 30, 1), NONE)
  expect([...machines.all()].map(({ entry }) => entry.machine)).toEqual(['b', 'c'])
})

it('when a machine was seen never goes back, and makes nobody known', () => {
  const machines = new KnownMachines()
  const given = known('a', 10)
  machines.put(given, NONE)
  machines.seen('a', 20)
  machines.seen('a', 15)
  machines.seen('nobody', 20)
  expect(machines.get('a')?.lastSeenMs).toBe(20)
  expect(given.lastSeenMs).toBe(10)
  expect(machines.size).toBe(1)
})
