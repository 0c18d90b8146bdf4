import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { events, MAX_WAITING_EVENTS, snapshots } from './streams.ts'

function source() {
  const emitter = new EventEmitter()
  return {
    emit: (value: number) => emitter.emit('value', value),
    listeners: () => emitter.listenerCount('value'),
    subscribe: (listener: (value: number) => void) => {
      emitter.on('value', listener)
      return () => emitter.off('value', listener)
    },
  }
}

describe('a stream of events', () => {
  it('leaves none out, from the call on, and ends with the signal', async () => {
    const { emit, listeners, subscribe } = source()
    const abort = new AbortController()
    const stream = events(subscribe, abort.signal)
    emit(1)
    emit(2)
    expect((await stream.next()).value).toBe(1)
    expect((await stream.next()).value).toBe(2)
    const waiting = stream.next()
    emit(3)
    expect((await waiting).value).toBe(3)
    abort.abort()
    expect((await stream.next()).done).toBe(true)
    expect(listeners()).toBe(0)
  })

  it('ends for a reader that falls too far behind, and lets go of its source', async () => {
    const { emit, listeners, subscribe } = source()
    const stream = events(subscribe, undefined, { maxWaiting: 3 })
    for (const value of [1, 2, 3]) emit(value)
    expect((await stream.next()).value).toBe(1)
    emit(4)
    expect((await stream.next()).value).toBe(2)
    for (const value of [5, 6]) emit(value)
    await expect(stream.next()).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      details: { lagged: true },
    })
    expect(listeners()).toBe(0)
    emit(7)
    expect((await stream.next()).done).toBe(true)
  })

  it('has a cap even when nobody reads at all', async () => {
    const { emit, listeners, subscribe } = source()
    const stream = events(subscribe, undefined)
    for (let value = 0; value <= MAX_WAITING_EVENTS; value++) emit(value)
    await Promise.resolve()
    expect(listeners()).toBe(0)
    await expect(stream.next()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  it('keeps of the events under one key the newest, in the order of these', async () => {
    const { emit, subscribe } = source()
    const keyOf = (value: number): string => (value % 2 === 0 ? 'even' : 'odd')
    const abort = new AbortController()
    const stream = events(subscribe, abort.signal, { keyOf, maxWaiting: 2 })
    for (const value of [1, 2, 3, 4, 6]) emit(value)
    expect((await stream.next()).value).toBe(3)
    expect((await stream.next()).value).toBe(6)
    emit(8)
    expect((await stream.next()).value).toBe(8)
    abort.abort()
    expect((await stream.next()).done).toBe(true)
  })

  it('lets go of its source when it ends unread', () => {
    const { listeners, subscribe } = source()
    const abort = new AbortController()
    events(subscribe, abort.signal)
    expect(listeners()).toBe(1)
    abort.abort()
    expect(listeners()).toBe(0)
  })
})

describe('a stream of snapshots', () => {
  it('gives the state now, then once for all changes since', async () => {
    const { emit, listeners, subscribe } = source()
    const abort = new AbortController()
    let reads = 0
    const stream = snapshots(subscribe, () => ++reads, abort.signal)
    expect((await stream.next()).value).toBe(1)
    emit(0)
    emit(0)
    expect((await stream.next()).value).toBe(2)
    const waiting = stream.next()
    abort.abort()
    expect((await waiting).done).toBe(true)
    expect(listeners()).toBe(0)
  })
})
