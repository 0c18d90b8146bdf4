import { beforeEach, describe, expect, it } from 'vitest'
import { fingerprintBytes } from './fingerprint.ts'
import { FakeShared, itemAt } from './fixtures/shared.ts'
import { itemKey, keyItem } from './item.ts'
import type { Segment } from './messages.ts'
import { cutRuns } from './runs.ts'
import { Segments } from './segments.ts'

/** Runs of four each. */
const BULK = { muchMissing: 10, runs: { least: 4, endZeroBits: 0, most: 4 } }
const ITEMS = Array.from({ length: 18 }, (_, i) => itemAt(i))

let shared: FakeShared
let segments: Segments
let happened: string[]
function begin(items = ITEMS): void {
  shared = new FakeShared(items)
  happened = []
  segments = new Segments(
    shared,
    BULK,
    ({ key }) => happened.push(`done ${key}`),
    ({ key }) => happened.push(`progress ${key}`),
  )
}

/** The segments of another machine with these items. */
function offer(items = ITEMS): Segment[] {
  return cutRuns(new FakeShared(items).tree, BULK.runs).map((run, i) => ({
    ...run,
    key: new Uint8Array(32).fill(i),
  }))
}
const fetches = (): { token: number; peer: string; number: number; count: number }[] =>
  shared.take().flatMap((effect) => {
    if (effect.type !== 'fetchSegment') return []
    const { token, peer, key, count } = effect
    return [{ token, peer, number: key[0]!, count }]
  })

describe('a machine that lacks much', () => {
  beforeEach(() => begin([]))

  it('asks for segments first, once in the life of a link', () => {
    const peer = shared.greeted('b', 11)
    expect(segments.ask(peer)).toBe(true)
    expect(shared.effects[0]).toEqual({ type: 'setTimer', id: 'offer b', afterMs: 60_000 })
    expect(shared.takeSent()).toEqual([{ peer: 'b', message: { kind: 'wantSegments' } }])
    segments.forget(peer)
    expect(segments.ask(peer)).toBe(false)
    expect(shared.take()).toEqual([])
  })

  it('does not ask who has not enough more, does not know segments, or has not greeted', () => {
    expect(segments.ask(shared.greeted('b', 10))).toBe(false)
    const other = shared.greeted('c', 11)
    other.greeting = { capabilities: new Set(['other']), count: 11 }
    expect(segments.ask(other)).toBe(false)
    other.greeting = null
    expect(segments.ask(other)).toBe(false)
    expect(shared.take()).toEqual([])
    begin(ITEMS.slice(0, 5))
    expect(segments.ask(shared.greeted('b', 15))).toBe(false)
    expect(segments.ask(shared.greeted('c', 16))).toBe(true)
  })

  it('asks one at a time', () => {
    const [first, second] = [shared.greeted('b', 100), shared.greeted('c', 100)]
    expect(segments.ask(first)).toBe(true)
    expect(segments.ask(second)).toBe(false)
    segments.forget(second)
    expect(segments.ask(second)).toBe(false)
    segments.forget(first)
    expect(segments.ask(second)).toBe(true)
  })

  it('fetches what it is offered, two at a time, and then is done', () => {
    const peer = shared.greeted('b', 100)
    segments.ask(peer)
    shared.take()
    segments.offered(peer, offer())
    const [first, second, ...others] = fetches()
    expect([first, second, others]).toEqual([
      { token: 1, peer: 'b', number: 0, count: 4 },
      { token: 2, peer: 'b', number: 1, count: 4 },
      [],
    ])
    segments.fetched(2)
    const [third] = fetches()
    expect(third).toEqual({ token: 3, peer: 'b', number: 2, count: 4 })
    segments.fetched(1)
    expect(fetches()).toMatchObject([{ number: 3 }])
    segments.fetched(1)
    segments.fetched(77)
    segments.fetched(3)
    expect(happened).toEqual(['progress b', 'progress b', 'progress b'])
    segments.fetched(4)
    expect(happened).toEqual(['progress b', 'progress b', 'progress b', 'progress b', 'done b'])
    expect(segments.ask(shared.greeted('c', 100))).toBe(true)
  })

  it('does not fetch what it holds, nor what is empty', () => {
    begin(ITEMS.slice(4, 8))
    const peer = shared.greeted('b', 100)
    segments.ask(peer)
    const [first, held, third] = offer() as [Segment, Segment, Segment]
    const empty = { ...first, fingerprint: { ...first.fingerprint, count: 0 } }
    shared.take()
    segments.offered(peer, [empty, held, third])
    expect(fetches()).toMatchObject([{ number: 2 }])
    expect(happened).toEqual([])
  })

  it('is done if there is nothing to fetch, or no offer came', () => {
    const peer = shared.greeted('b', 100)
    segments.ask(peer)
    segments.offered(peer, [])
    expect(happened).toEqual(['done b'])
    const [second, third] = [shared.greeted('c', 100), shared.greeted('d', 100)]
    segments.ask(second)
    segments.offerDue(third)
    expect(happened).toHaveLength(1)
    segments.offerDue(second)
    expect(happened).toEqual(['done b', 'done c'])
    segments.ask(third)
    segments.offered(third, offer())
    segments.offerDue(third)
    expect(happened).toHaveLength(2)
  })

  it('takes no offer from another, and no second one', () => {
    const [peer, other] = [shared.greeted('b', 100), shared.greeted('c', 100)]
    segments.offered(peer, offer())
    expect(fetches()).toEqual([])
    segments.ask(peer)
    shared.take()
    segments.offered(other, offer())
    expect(fetches()).toEqual([])
    segments.offered(peer, offer().slice(0, 1))
    segments.offered(peer, offer())
    expect(fetches()).toHaveLength(1)
  })

  it('forgets what it fetched from one that is gone', () => {
    const peer = shared.greeted('b', 100)
    segments.ask(peer)
    segments.offered(peer, offer())
    shared.take()
    segments.forget(peer)
    segments.fetched(1)
    segments.offerDue(peer)
    expect([fetches(), happened]).toEqual([[], []])
  })
})

describe('a machine that is asked', () => {
  beforeEach(() => begin())
  const seals = (): { token: number; items: number }[] =>
    shared
      .take()
      .flatMap((effect) =>
        effect.type === 'sealSegment' ? [{ token: effect.token, items: effect.items.length }] : [],
      )

  it('seals one run after the other, and offers them all', () => {
    const runs = cutRuns(shared.tree, BULK.runs)
    const [peer, other] = [shared.greeted('b'), shared.greeted('c')]
    segments.wanted(peer)
    const keys = [1, 2, 3, 4].map((byte) => new Uint8Array(32).fill(byte))
    for (const [i, key] of keys.entries()) {
      const [effect, ...others] = shared.take()
      expect(others).toEqual([])
      if (effect?.type !== 'sealSegment') throw new Error('a run is sealed')
      expect(effect).toMatchObject({ token: i + 1, run: runs[i] })
      expect(effect.items).toEqual(ITEMS.slice(4 * i, 4 * i + 4))
      expect([keyItem(runs[i]!.from), keyItem(runs[i]!.to)]).toEqual([
        ITEMS[4 * i],
        ITEMS[4 * i + 3],
      ])
      if (i === 2) segments.wanted(other)
      segments.sealed(99, key)
      expect(shared.effects).toEqual([])
      segments.sealed(effect.token, key)
    }
    const sent = shared.takeSent()
    expect(sent.map(({ peer }) => peer)).toEqual(['b', 'c'])
    for (const { message } of sent) {
      if (message.kind !== 'segments') throw new Error('an offer')
      expect(message.segments.map(({ key }) => key[0])).toEqual([1, 2, 3, 4])
      for (const [i, { from, to, fingerprint }] of message.segments.entries()) {
        expect([from, to]).toEqual([runs[i]!.from, runs[i]!.to])
        expect(fingerprintBytes(fingerprint)).toEqual(fingerprintBytes(runs[i]!.fingerprint))
      }
    }
    // What is sealed stays so, and a run that changed is sealed anew.
    segments.wanted(peer)
    expect(shared.takeSent().map(({ peer }) => peer)).toEqual(['b'])
    shared.tree.remove(ITEMS[17]!)
    shared.tree.remove(ITEMS[13]!)
    segments.wanted(peer)
    expect(seals()).toEqual([{ token: 5, items: 4 }])
  })

  it('offers the others if one could not be sealed', () => {
    segments.wanted(shared.greeted('b'))
    for (let token = 1; token <= 4; token++) {
      expect(seals()).toEqual([{ token, items: 4 }])
      segments.sealed(token, token === 2 ? null : new Uint8Array(32).fill(token))
    }
    const [sent] = shared.takeSent()
    if (sent?.message.kind !== 'segments') throw new Error('an offer')
    expect(sent.message.segments.map(({ key }) => key[0])).toEqual([1, 3, 4])
  })

  it('tries what could not be sealed again, after some minutes', () => {
    const peer = shared.greeted('b')
    segments.wanted(peer)
    for (let token = 1; token <= 4; token++) {
      segments.sealed(token, token === 2 ? null : new Uint8Array(32).fill(token))
    }
    shared.take()
    shared.nowMs += 299_999
    segments.wanted(peer)
    expect(shared.takeSent()).toHaveLength(1)
    shared.nowMs += 1
    segments.wanted(peer)
    expect(seals()).toEqual([{ token: 5, items: 4 }])
    segments.sealed(5, new Uint8Array(32).fill(2))
    const [sent] = shared.takeSent()
    if (sent?.message.kind !== 'segments') throw new Error('an offer')
    expect(sent.message.segments.map(({ key }) => key[0])).toEqual([1, 2, 3, 4])
  })

  it('cuts what it has once for an offer, however many runs there are', () => {
    begin(Array.from({ length: 400 }, (_, i) => itemAt(i)))
    let read = 0
    const keyAt = shared.tree.keyAt.bind(shared.tree)
    shared.tree.keyAt = (rank) => {
      read++
      return keyAt(rank)
    }
    segments.wanted(shared.greeted('b'))
    for (let token = 1; token <= 100; token++) segments.sealed(token, new Uint8Array(32))
    expect(shared.takeSent()).toHaveLength(1)
    expect(read).toBe(200)
  })

  it('does not seal what has changed since it was cut', () => {
    segments.wanted(shared.greeted('b'))
    shared.tree.remove(ITEMS[5]!)
    expect(seals()).toEqual([{ token: 1, items: 4 }])
    for (const token of [1, 2, 3]) segments.sealed(token, new Uint8Array(32).fill(token))
    const [sent] = shared.takeSent()
    if (sent?.message.kind !== 'segments') throw new Error('an offer')
    expect(sent.message.segments.map(({ from }) => keyItem(from))).toEqual(
      [0, 8, 12].map((at) => ITEMS[at]),
    )
  })

  it('does not go on for one that is gone', () => {
    const peer = shared.greeted('b')
    segments.wanted(peer)
    expect(seals()).toHaveLength(1)
    segments.forget(peer)
    segments.sealed(1, new Uint8Array(32))
    expect(shared.take()).toEqual([])
  })

  it('offers nothing if it has no run', () => {
    begin(ITEMS.slice(0, 3))
    segments.wanted(shared.greeted('b'))
    expect(shared.takeSent()).toEqual([{ peer: 'b', message: { kind: 'segments', segments: [] } }])
  })

  it('offers no more than fit in a message: the oldest, since what is newer changes more', () => {
    begin(Array.from({ length: 4 * 501 }, (_, i) => itemAt(i)))
    segments.wanted(shared.greeted('b'))
    for (let [seal] = seals(); seal !== undefined && seal.token < 500; [seal] = seals()) {
      segments.sealed(seal.token, new Uint8Array(32))
    }
    segments.sealed(500, new Uint8Array(32))
    const [sent] = shared.takeSent()
    if (sent?.message.kind !== 'segments') throw new Error('an offer')
    expect(sent.message.segments).toHaveLength(500)
    expect(sent.message.segments[0]?.from).toEqual(itemKey(itemAt(0)))
  })
})
