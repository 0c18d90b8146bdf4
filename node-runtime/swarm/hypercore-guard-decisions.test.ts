// What the guard lets through, message by message. How it does with a real Hypercore is tested in
// `hypercore-guard.test.ts`.
import type { Channel, ChannelOptions } from 'protomux'
import { describe, expect, it } from 'vitest'
import {
  faultOf,
  guardHypercore,
  HYPERCORE_MESSAGES,
  HYPERCORE_PROTOCOLS,
} from './hypercore-guard.ts'

const LIMITS = { maxBlocks: 100, maxBlockBytes: 1_000 }
const MAX_BYTES = 100_000
type Kind = (typeof HYPERCORE_MESSAGES)[number]
type Message = Record<string, unknown>

const words = (count: number): Uint32Array => new Uint32Array(count)
const nodes = (count: number): unknown[] => Array.from({ length: count }, () => ({}))
const value = (sizeBytes: number): Uint8Array => new Uint8Array(sizeBytes)

describe.each<[kind: Kind, fault: string, good: Message[], bad: Message[]]>([
  [
    'sync',
    'a length beyond the core',
    [
      { fork: 0, length: 0, remoteLength: 0 },
      { fork: 0, length: 100, remoteLength: 100 },
    ],
    [
      { length: 101, remoteLength: 0 },
      { length: 0, remoteLength: 101 },
      { length: -1, remoteLength: 0 },
      { length: 0, remoteLength: 0.5 },
      { length: '1', remoteLength: 0 },
      { length: 1 },
      { remoteLength: 1 },
    ],
  ],
  [
    'request',
    'a request beyond the core',
    [
      { fork: 0, block: null, hash: null, seek: null, upgrade: null },
      { block: { index: 100, nodes: 128 } },
      { hash: { index: 200, nodes: 128 } },
      { seek: { bytes: MAX_BYTES, padding: MAX_BYTES } },
      { upgrade: { start: 40, length: 60 } },
      { upgrade: { start: 0, length: 0 } },
    ],
    [
      { block: { index: 101, nodes: 0 } },
      { block: { index: 0, nodes: 129 } },
      { hash: { index: 201, nodes: 0 } },
      { hash: { index: 0, nodes: 129 } },
      { seek: { bytes: MAX_BYTES + 1, padding: 0 } },
      { seek: { bytes: 0, padding: MAX_BYTES + 1 } },
      { upgrade: { start: 41, length: 60 } },
      { upgrade: { start: -1, length: 60 } },
      { upgrade: { start: 1, length: -1 } },
      { upgrade: { start: 1 } },
    ],
  ],
  [
    'data',
    'data beyond the core',
    [
      { fork: 0, block: null, hash: null, seek: null, upgrade: null },
      { block: { index: 100, value: value(1_000), nodes: nodes(128) } },
      { hash: { index: 200, nodes: nodes(128) } },
      { seek: { bytes: MAX_BYTES, nodes: nodes(128) } },
      { upgrade: { start: 40, length: 60, nodes: nodes(128), additionalNodes: nodes(128) } },
    ],
    [
      { block: { index: 101, value: value(0), nodes: [] } },
      { block: { index: 0, value: value(1_001), nodes: [] } },
      { block: { index: 0, value: 'text', nodes: [] } },
      { block: { index: 0, value: { byteLength: 1 }, nodes: [] } },
      { block: { index: 0, value: value(0), nodes: nodes(129) } },
      { block: { index: 0, value: value(0) } },
      { hash: { index: 201, nodes: [] } },
      { hash: { index: 0, nodes: nodes(129) } },
      { seek: { bytes: MAX_BYTES + 1, nodes: [] } },
      { seek: { bytes: 0, nodes: nodes(129) } },
      { upgrade: { start: 41, length: 60, nodes: [], additionalNodes: [] } },
      { upgrade: { start: 0, length: 1, nodes: nodes(129), additionalNodes: [] } },
      { upgrade: { start: 0, length: 1, nodes: [], additionalNodes: nodes(129) } },
      { upgrade: { start: 0, length: 1, nodes: [], additionalNodes: { length: 1 } } },
    ],
  ],
  ...(['want', 'unwant'] as const).map((kind): [Kind, string, Message[], Message[]] => [
    kind,
    'a want beyond the core',
    [{ start: 100, length: 100 + 2 * 2_097_152 }],
    [
      { start: 101, length: 0 },
      { start: 0, length: 101 + 2 * 2_097_152 },
      { start: 0.5, length: 0 },
    ],
  ]),
  [
    'bitfield',
    'a bitfield beyond the core',
    [
      { start: 0, bitfield: words(4) },
      { start: 96, bitfield: words(1) },
    ],
    [
      { start: 0, bitfield: words(5) },
      { start: 96, bitfield: words(2) },
      { start: 128, bitfield: words(0) },
      { start: 5, bitfield: words(1) },
      { start: -32, bitfield: words(1) },
      { start: 0, bitfield: { length: 1 } },
      { start: 0, bitfield: value(4) },
    ],
  ],
  [
    'range',
    'a range beyond the core',
    [
      { start: 0, length: 100 },
      { start: 60, length: 40 },
    ],
    [
      { start: 61, length: 40 },
      { start: 101, length: 0 },
      { start: -1, length: 5 },
      { start: 5, length: -1 },
    ],
  ],
])('of %s', (kind, fault, good, bad) => {
  it('what a core can have goes through', () => {
    for (const message of good) expect(faultOf(kind, message, LIMITS)).toBeNull()
  })

  it('what is beyond it does not', () => {
    for (const message of bad) expect(faultOf(kind, message, LIMITS)).toBe(fault)
  })
})

it('nothing of a fork goes through, and what has no numbers does', () => {
  for (const kind of HYPERCORE_MESSAGES) {
    expect(faultOf(kind, { fork: 1 }, LIMITS)).toBe('a fork')
  }
  for (const kind of ['cancel', 'noData', 'extension'] as const) {
    expect(faultOf(kind, { fork: 0, request: 5 }, LIMITS)).toBeNull()
  }
})

it('both names of Hypercore’s channel are guarded', () => {
  expect([...HYPERCORE_PROTOCOLS]).toEqual(['hypercore/alpha', 'hypercore'])
})

/** The guard between a wire and what stands for Hypercore. */
function guard() {
  let nowMs = 0
  const heard: [Kind, Message][] = []
  const violations: string[] = []
  const encoding = {}
  const messages = HYPERCORE_MESSAGES.map((kind) => ({
    encoding,
    onmessage: (message: Message) => {
      heard.push([kind, message])
      return 'heard'
    },
  }))
  const peer = {
    remoteRequests: new Map<unknown, unknown>(),
    receiverQueue: { length: 0 },
    replicator: { _inflight: new Map<number, unknown>() },
  }
  let closed = false
  const channel = {
    get closed() {
      return closed
    },
    close: () => {
      closed = true
    },
    userData: peer,
  }
  const options = guardHypercore(
    { protocol: 'hypercore/alpha', messages } as unknown as ChannelOptions,
    {
      limits: LIMITS,
      onViolation: (reason) => violations.push(reason),
      nowMs: () => nowMs,
    },
  )
  const send = (kind: Kind, message: Message): unknown => {
    const { onmessage } = (options.messages ?? [])[HYPERCORE_MESSAGES.indexOf(kind)] as unknown as {
      onmessage: (message: Message, channel: Channel) => unknown
    }
    return onmessage(message, channel as unknown as Channel)
  }
  return {
    options,
    encoding,
    send,
    peer,
    heard,
    violations,
    isClosed: () => closed,
    wait: (ms: number) => {
      nowMs += ms
    },
  }
}

const BLOCK = { block: { index: 1, nodes: 0 } }

it('the last word of a bitfield may reach beyond the end, but not begin there', () => {
  const limits = { ...LIMITS, maxBlocks: 97 }
  expect(faultOf('bitfield', { start: 96, bitfield: words(1) }, limits)).toBeNull()
  expect(faultOf('bitfield', { start: 0, bitfield: words(5) }, limits)).not.toBeNull()
})

describe('a guarded channel', () => {
  it('hands on what is right, with its encoding and its answer', () => {
    const { options, encoding, send, heard, violations } = guard()
    expect(options.protocol).toBe('hypercore/alpha')
    for (const message of options.messages ?? []) expect(message.encoding).toBe(encoding)
    expect(send('request', BLOCK)).toBe('heard')
    expect(send('cancel', { request: 1 })).toBe('heard')
    expect(heard).toEqual([
      ['request', BLOCK],
      ['cancel', { request: 1 }],
    ])
    expect(violations).toEqual([])
  })

  it('is closed by what is wrong, says so once, and hands on nothing after it', () => {
    const { send, heard, violations, isClosed } = guard()
    expect(send('range', { start: 1, length: 100 })).toBeNull()
    expect(isClosed()).toBe(true)
    expect(send('range', { start: 1, length: 100 })).toBeNull()
    expect(send('range', { start: 1, length: 1 })).toBeNull()
    expect(heard).toEqual([])
    expect(violations).toEqual(['a range beyond the core on Hypercore’s channel'])
  })

  it('has no extensions', () => {
    const { send, heard, violations, isClosed } = guard()
    expect(send('extension', { name: 'x' })).toBeNull()
    expect([heard, violations, isClosed()]).toEqual([[], [], false])
  })

  it('takes a thousand requests at once, and not one more', () => {
    const { send, peer, violations } = guard()
    for (let id = 1; id < 1_024; id++) peer.remoteRequests.set(id, {})
    expect(send('request', BLOCK)).toBe('heard')
    peer.remoteRequests.set(1_024, {})
    expect(send('request', BLOCK)).toBeNull()
    expect(violations).toEqual(['too many requests at once on Hypercore’s channel'])
  })

  it('counts requests that were cancelled until the queue is empty', () => {
    const { send, peer, violations } = guard()
    const ask = (count: number): void => {
      for (let at = 0; at < count; at++) send('request', BLOCK)
    }
    peer.receiverQueue.length = 1
    ask(65_535)
    peer.receiverQueue.length = 0
    ask(1)
    peer.receiverQueue.length = 1
    ask(65_535)
    expect(violations).toEqual([])
    ask(1)
    expect(violations).toEqual(['too many requests at once on Hypercore’s channel'])
  })

  it.each(['want', 'unwant'] as const)('takes so many of %s, and 16 more each second', (kind) => {
    const { send, wait, violations } = guard()
    const ask = (count: number): void => {
      for (let at = 0; at < count; at++) send(kind, { start: 0, length: 1 })
    }
    ask(256)
    wait(1_000)
    ask(16)
    expect(violations).toEqual([])
    ask(1)
    expect(violations).toEqual(['too many wants on Hypercore’s channel'])
  })

  it.each(['data', 'noData'] as const)('takes %s that was asked for, without end', (kind) => {
    const { send, peer, violations } = guard()
    peer.replicator._inflight.set(7, {})
    for (let at = 0; at < 3_000; at++) send(kind, { request: 7 })
    expect(violations).toEqual([])
  })

  it('takes any number of the messages that cost nothing', () => {
    const { send, violations } = guard()
    for (let at = 0; at < 3_000; at++) {
      send('cancel', { request: 1 })
      send('range', { start: 1, length: 1 })
    }
    expect(violations).toEqual([])
  })

  it.each([0, 8, '7', undefined])('takes only so much data for request %s', (request) => {
    const { send, peer, wait, violations } = guard()
    for (const id of [0, 7, '7', undefined]) peer.replicator._inflight.set(id as number, {})
    const push = (count: number): void => {
      for (let at = 0; at < count; at++) send(at % 2 === 0 ? 'data' : 'noData', { request })
    }
    push(1_024)
    wait(1_000)
    push(128)
    expect(violations).toEqual([])
    push(1)
    expect(violations).toEqual(['data that nobody asked for on Hypercore’s channel'])
  })

  it('is not guarded at all when it is another than the guard knows', () => {
    const options = { protocol: 'hypercore/alpha', messages: [] } as unknown as ChannelOptions
    const limits = { limits: LIMITS, onViolation: () => {}, nowMs: () => 0 }
    const reason = 'this version of Hypercore speaks other messages than the guard knows'
    expect(() => guardHypercore(options, limits)).toThrow(reason)
    expect(() => guardHypercore({ protocol: 'hypercore/alpha' }, limits)).toThrow(reason)
  })
})
