import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { events, snapshots } from './streams.ts'

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
