import { expect, it } from 'vitest'
import { Driver } from './driver.ts'
import type { DriverOptions, TimerEffect, TimerEvent } from './driver.ts'

interface Said {
  type: 'say'
  text: string
}
type Event = { type: 'hear'; text: string }

/** A driver on a clock of its own, over a core that is one function. */
function drive(
  step: (event: Event | TimerEvent, nowMs: number) => (Said | TimerEffect)[],
  options: Partial<DriverOptions<Event, Said>> = {},
) {
  let nowMs = 0
  const timers = new Set<{ action: () => void; dueMs: number }>()
  const said: string[] = []
  const faults: unknown[] = []
  const turns: (() => void)[] = []
  const driver = new Driver<Event, Said>({
    core: { step },
    perform: ({ text }) => said.push(text),
    onFault: (error) => faults.push(error),
    now: () => nowMs,
    setTimer: (action, afterMs) => {
      const timer = { action, dueMs: nowMs + afterMs }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    yieldTo: (action) => turns.push(action),
    ...options,
  })
  const pass = (ms: number): void => {
    nowMs += ms
    for (const timer of timers) {
      if (timer.dueMs > nowMs) continue
      timers.delete(timer)
      timer.action()
    }
  }
  return { driver, said, faults, turns, timers, pass }
}

const hear = (text: string): Event => ({ type: 'hear', text })

it('performs effects in order, and events that they cause after them', () => {
  const { driver, said } = drive(
    (event) =>
      event.type === 'hear'
        ? [
            { type: 'say', text: event.text },
            { type: 'say', text: `${event.text}!` },
          ]
        : [],
    {
      perform: ({ text }) => {
        said.push(text)
        if (text === 'a') driver.post(hear('b'))
      },
    },
  )
  driver.post(hear('a'))
  expect(said).toEqual(['a', 'a!', 'b', 'b!'])
})

it('answers timers by events, and an id has one timer', () => {
  const { driver, said, pass, timers } = drive((event, nowMs) => {
    if (event.type === 'timer') return [{ type: 'say', text: `${event.id} at ${nowMs}` }]
    if (event.text === 'stop') return [{ type: 'clearTimer', id: 'tick' }]
    return [{ type: 'setTimer', id: 'tick', afterMs: Number(event.text) }]
  })
  driver.post(hear('100'))
  pass(60)
  driver.post(hear('100'))
  pass(60)
  expect(said).toEqual([])
  pass(40)
  expect(said).toEqual(['tick at 160'])
  driver.post(hear('100'))
  driver.post(hear('stop'))
  expect(timers.size).toBe(0)
})

it('drops what finds the inbox full, counts it, and keeps what must be kept', () => {
  const texts: string[] = []
  const { driver } = drive(
    (event) => {
      if (event.type !== 'hear') return []
      texts.push(event.text)
      if (event.text !== 'first') return []
      for (let number = 0; number < 10; number++) driver.post(hear(String(number)))
      driver.post(hear('kept'))
      return []
    },
    { capacity: 3, mustKeep: (event) => event.text === 'kept' },
  )
  driver.post(hear('first'))
  expect(texts).toEqual(['first', '0', '1', 'kept'])
  expect(driver.dropped).toBe(8)
  expect(driver.waiting).toBe(0)
})

it('gives way to others while much is waiting', () => {
  const seen: string[] = []
  const { driver, turns, pass } = drive((event) => {
    if (event.type !== 'hear') return []
    seen.push(event.text)
    if (event.text === 'a') {
      driver.post(hear('b'))
      driver.post(hear('c'))
    }
    pass(8)
    return []
  })
  driver.post(hear('a'))
  expect(seen).toEqual(['a', 'b'])
  driver.post(hear('d'))
  turns.shift()?.()
  expect(seen).toEqual(['a', 'b', 'c', 'd'])
  expect(turns).toEqual([])
})

it('goes on after a fault of the core or of a handler', () => {
  const { driver, said, faults } = drive(
    (event) => {
      if (event.type === 'hear' && event.text === 'core') throw new TypeError('core')
      return event.type === 'hear' ? [{ type: 'say', text: event.text }] : []
    },
    {
      perform: ({ text }) => {
        if (text === 'handler') throw new RangeError('handler')
        said.push(text)
      },
    },
  )
  for (const text of ['core', 'handler', 'fine']) driver.post(hear(text))
  expect(said).toEqual(['fine'])
  expect(faults.map(String)).toEqual(['TypeError: core', 'RangeError: handler'])
})

it('does nothing after it is closed, not even the rest of a step', () => {
  const { driver, said, timers, pass } = drive(
    () => [
      { type: 'setTimer', id: 'late', afterMs: 10 },
      { type: 'say', text: 'one' },
      { type: 'say', text: 'two' },
    ],
    {
      perform: ({ text }) => {
        said.push(text)
        driver.close()
      },
    },
  )
  driver.post(hear('a'))
  expect(driver.post(hear('b'))).toBe(false)
  pass(100)
  expect(said).toEqual(['one'])
  expect(timers.size).toBe(0)
})

it('a timer that is to wait longer than the system can does not ring at once', async () => {
  let rang = 0
  const driver = new Driver<Event, Said>({
    core: {
      step: (event) => {
        if (event.type === 'timer') rang++
        return [{ type: 'setTimer', id: 'far', afterMs: 2 ** 40 }]
      },
    },
    perform: () => {},
    onFault: () => {},
  })
  driver.post(hear('wait'))
  await new Promise((resolve) => setTimeout(resolve, 20))
  driver.close()
  expect(rang).toBe(0)
})
