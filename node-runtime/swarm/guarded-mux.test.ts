import Protomux from 'protomux'
import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../testing/cloud-nodes.ts'
import { openLinkEnds } from '../testing/link-ends.ts'
import type { LinkEnds } from '../testing/link-ends.ts'
import { untouchedBytes } from './codec.ts'
import { GuardedMux } from './guarded-mux.ts'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

async function open(now?: () => number): Promise<LinkEnds> {
  const ends = await openLinkEnds(now)
  closers.push(() => ends.close())
  return ends
}

describe('the multiplexer of a link', () => {
  it.each([
    ['onopen', (fail: () => void) => ({ onopen: fail })],
    ['onopen, later', (fail: () => void) => ({ onopen: async () => Promise.resolve().then(fail) })],
    ['ondrain', (fail: () => void) => ({ ondrain: fail })],
    ['onclose', (fail: () => void) => ({ onclose: fail })],
  ])('ends the link, not the process, when %s fails', async (_, handlers) => {
    const { guarded, raw, faults } = await open()
    const fail = (): void => {
      throw new TypeError('a mistake of ours')
    }
    const channel = guarded.createChannel({ protocol: 'x', ...handlers(fail) })!
    channel.open()
    const theirs = raw.createChannel({ protocol: 'x' })!
    theirs.open()
    await until(() => channel.opened || faults.length > 0)
    guarded._ondrain()
    theirs.close()
    await until(() => faults.length > 0)
    expect(faults[0]?.error).toBeInstanceOf(TypeError)
    await until(() => guarded.stream.destroyed)
  })

  it.each([
    ['noise', Buffer.alloc(100, 0xff)],
    ['a batch that ends too soon', Buffer.from([0, 0, 0, 2, 1, 0xff])],
    ['a rejection of nothing', Buffer.from([0, 2, 9])],
    ['an opening out of turn', Buffer.from([0, 1, 9, 1, 97, 0])],
  ])('ends the link, not the process, at %s', async (_, frame) => {
    const { guarded, raw, faults } = await open()
    raw.stream.write(frame)
    await until(() => guarded.stream.destroyed)
    expect(faults).toHaveLength(1)
  })

  it('takes so many channels, and no more', async () => {
    const { guarded, raw, faults } = await open()
    for (let opened = 0; opened < 20_000 && !raw.stream.destroyed; opened++) {
      raw.createChannel({ protocol: 'x', id: Buffer.from(String(opened)), unique: false })?.open()
      if (opened % 500 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await until(() => guarded.stream.destroyed, 10_000)
    expect(faults).toEqual([{ reason: 'it opens too many channels' }])
  })

  it('slows a flood down to its allowance, and goes on after it', async () => {
    const { guarded, raw, faults } = await open()
    let received = 0
    const channel = guarded.createChannel({ protocol: 'x' })!
    channel.addMessage({ encoding: untouchedBytes, onmessage: () => received++ })
    channel.open()
    const theirs = raw.createChannel({ protocol: 'x' })!
    const message = theirs.addMessage({ encoding: untouchedBytes, onmessage: () => {} })
    theirs.open()
    await until(() => theirs.opened)
    const startedMs = performance.now()
    const total = 60_000
    for (let number = 0; number < total; number++) {
      message.send(Buffer.alloc(1))
      if (number % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await until(() => received === total)
    // 40,000 at once, the rest at 20,000 a second.
    expect(performance.now() - startedMs).toBeGreaterThan(900)
    expect(faults).toEqual([])
  })

  it('stops reading for a while when more bytes come than it may send', async () => {
    // No time passes: only what may come at once is free.
    const { guarded, raw, faults } = await open(() => 0)
    const { stream } = guarded
    let pauses = 0
    const pause = stream.pause.bind(stream)
    stream.pause = () => {
      pauses++
      return pause()
    }
    let receivedBytes = 0
    const channel = guarded.createChannel({ protocol: 'x' })!
    channel.addMessage({
      encoding: untouchedBytes,
      onmessage: ({ byteLength }) => (receivedBytes += byteLength),
    })
    channel.open()
    const theirs = raw.createChannel({ protocol: 'x' })!
    const message = theirs.addMessage({ encoding: untouchedBytes, onmessage: () => {} })
    theirs.open()
    await until(() => theirs.opened)
    const sizeBytes = 8_000_000
    const send = async (times: number): Promise<void> => {
      const goalBytes = receivedBytes + times * sizeBytes
      for (let time = 0; time < times; time++) message.send(Buffer.alloc(sizeBytes))
      await until(() => receivedBytes === goalBytes)
    }
    await send(6)
    expect(pauses).toBe(0)
    // 96 MB in all.
    await send(6)
    expect(pauses).toBeGreaterThan(0)
    expect(faults).toEqual([])
  })

  it('overrides what this version of the multiplexer has', () => {
    const own = Object.getOwnPropertyNames(GuardedMux.prototype).filter((name) =>
      name.startsWith('_'),
    )
    const theirs = new Set(Object.getOwnPropertyNames(Protomux.prototype))
    expect(own.filter((name) => !theirs.has(name))).toEqual([])
    expect(own.length).toBeGreaterThan(7)
  })
})
