import { beforeEach, describe, expect, it } from 'vitest'
import { FakeShared, recordAt } from './fixtures/shared.ts'
import { frameCost } from './outbox.ts'
import type { Peer } from './peer.ts'
import { Pushing } from './pushing.ts'
import type { MergedItem, OutgoingRecord } from './replication-events.ts'

let shared: FakeShared
let settled: string[]
let pushing: Pushing
let b: Peer
let c: Peer
beforeEach(() => {
  shared = new FakeShared()
  settled = []
  pushing = new Pushing(shared, ({ key }) => settled.push(key))
  b = shared.greeted('b')
  c = shared.greeted('c')
})

const [one, two, three] = [recordAt(1), recordAt(2), recordAt(3)]
const merged = (
  record: OutgoingRecord,
  from: string | null = null,
  more: Partial<MergedItem> = {},
): MergedItem => ({ item: record.item, from, healed: false, outgoing: record, ...more })
/** What is to be read from the disk. */
const unread = (record: OutgoingRecord, from: string | null = null): MergedItem => ({
  item: record.item,
  from,
  healed: false,
})

/** Who was sent how many records, in which kind of frame. */
const sent = (): [peer: string, kind: string, records: number][] =>
  shared.takeSent().map(({ peer, message }) => {
    const records = 'records' in message ? message.records.length : 0
    return [peer, message.kind, records]
  })
const acknowledge = (peer: Peer, number: number, missing: number[] = []): void =>
  pushing.acknowledged(peer, { kind: 'acknowledge', frames: [{ number, missing }] })

describe('what is new goes', () => {
  it('to all who may lack it', () => {
    pushing.push([merged(one), merged(two)], false)
    expect(sent()).toEqual([
      ['b', 'pushed', 2],
      ['c', 'pushed', 2],
    ])
  })

  it('not to whom it came from, nor to who has it', () => {
    c.noteKnown(two.item)
    pushing.push([merged(one, 'b'), merged(two, 'b'), merged(three)], true)
    expect(sent()).toEqual([
      ['b', 'pushed', 1],
      ['c', 'pushed', 2],
    ])
    pushing.push([merged(one)], true)
    // Both have it: one sent it, the other was sent it.
    expect(sent()).toEqual([['b', 'pushed', 1]])
  })

  it('on only where not everybody is linked, and not if it healed', () => {
    pushing.push([merged(one, 'b')], false)
    pushing.push([merged(one, 'b', { healed: true }), merged(two, 'segment')], true)
    expect(shared.take()).toEqual([])
    pushing.push([merged(one, 'b')], true)
    expect(sent()).toEqual([['c', 'pushed', 1]])
    pushing.push([merged(two, null, { healed: true })], false)
    expect(sent()).toHaveLength(2)
  })

  it('later to who has not greeted yet, but for what came from there', () => {
    b.greeting = null
    pushing.push([merged(one, 'b'), merged(two, 'c'), merged(three)], true)
    expect(sent()).toEqual([['c', 'pushed', 2]])
    b.greeting = { capabilities: new Set(), count: 0 }
    pushing.pump(b)
    expect(shared.take()).toMatchObject([{ type: 'readRecords', items: [two.item, three.item] }])
  })

  it('after it was read, if it is not at hand', () => {
    pushing.push([merged(one), unread(two)], false)
    const effects = shared.take()
    expect(effects.map(({ type }) => type)).toEqual(['send', 'readRecords', 'send', 'readRecords'])
    const [, read] = effects
    expect(read).toEqual({ type: 'readRecords', token: 1, items: [two.item], mostBytes: 240_000 })
    pushing.recordsRead(1, [two])
    expect(sent()).toEqual([['b', 'pushed', 1]])
    expect(b.knows(two.item)).toBe(true)
    // A second answer, or one that nobody waits for.
    pushing.recordsRead(1, [two])
    pushing.recordsRead(9, [two])
    expect(shared.take()).toEqual([])
  })

  it('as ids once the credit is used up, and in order then', () => {
    const big = recordAt(9, 'big', 50_000)
    b.outbox.credit = 60_000
    pushing.push([merged(big)], false)
    pushing.push([merged(two)], false)
    pushing.push([merged(recordAt(10, 'big', 50_000))], false)
    expect(sent().filter(([peer]) => peer === 'b')).toEqual([
      ['b', 'pushed', 1],
      ['b', 'pushed', 1],
    ])
    expect(b.outbox.waiting).toBe(1)
  })

  it('behind what waits for credit', () => {
    b.outbox.ready = [{ kind: 'pushed', body: new Uint8Array(10), items: [one.item] }]
    pushing.push([merged(two)], false)
    expect(sent()).toEqual([['c', 'pushed', 1]])
    expect(b.outbox.waiting).toBe(2)
  })
})

describe('sending goes on', () => {
  it('while there is credit for a frame', () => {
    b.outbox.queuePush(one.item)
    b.outbox.credit = 59_999
    pushing.pump(b)
    expect(shared.take()).toEqual([])
    b.outbox.credit = 60_000
    pushing.pump(b)
    expect(shared.take()).toMatchObject([{ type: 'readRecords' }])
    expect(settled).toEqual([])
  })

  it('with what is ready first', () => {
    const frames = [one, two].map(({ item }) => ({
      kind: 'healed' as const,
      body: Uint8Array.of(0, 1, 0),
      items: [item],
    }))
    b.outbox.ready = [...frames]
    b.outbox.queuePush(three.item)
    b.outbox.credit = frameCost(new Uint8Array(5))
    pushing.pump(b)
    expect(sent()).toEqual([['b', 'healed', 1]])
    expect(b.outbox.ready).toEqual([frames[1]])
    b.outbox.credit = 100_000
    pushing.pump(b)
    expect(shared.effects.map(({ type }) => type)).toEqual(['send', 'readRecords'])
  })

  it('and says when all is sent that was found missing', () => {
    b.owesDrained = true
    b.outbox.queueMissing([{ kind: 'keys', keys: [] }])
    b.outbox.queuePush(three.item)
    pushing.pump(b)
    expect(sent()).toEqual([['b', 'drained', 0]])
    expect(b.owesDrained).toBe(false)
    pushing.pump(b)
    expect(sent()).toEqual([])
  })

  it('past records that can’t be read', () => {
    b.outbox.queuePush(one.item)
    b.outbox.queuePush(two.item)
    pushing.pump(b)
    shared.take()
    pushing.recordsRead(1, [null])
    expect(shared.take()).toMatchObject([{ type: 'readRecords', items: [two.item] }])
    const [token] = [b.outbox.reading?.token ?? 0]
    pushing.recordsRead(token, [])
    expect(shared.take()).toEqual([])
    expect([b.outbox.idle, settled]).toEqual([true, ['b']])
  })

  it('not for who is gone, or linked anew', () => {
    b.outbox.queuePush(one.item)
    c.outbox.queuePush(one.item)
    pushing.pump(b)
    pushing.pump(c)
    const [first, second] = [b, c].map(({ outbox }) => outbox.reading?.token ?? 0)
    shared.take()
    pushing.forget(b)
    pushing.recordsRead(first!, [one])
    expect([b.outbox.reading === null, shared.take()]).toEqual([false, []])
    // What is read for others is theirs still.
    pushing.recordsRead(second!, [one])
    expect(sent()).toEqual([['c', 'pushed', 1]])
    c.outbox.queuePush(two.item)
    pushing.pump(c)
    const third = c.outbox.reading?.token ?? 0
    shared.take()
    shared.greeted('c')
    pushing.recordsRead(third, [two])
    expect(shared.take()).toEqual([])
  })
})

describe('receipts', () => {
  it('give the credit back, once, and settle whoever has taken in all', () => {
    const { credit } = b.outbox
    pushing.push([merged(one), merged(two, 'c')], true)
    shared.take()
    expect([b.outbox.credit < credit, settled]).toEqual([true, []])
    acknowledge(b, 0)
    expect([b.outbox.credit, settled]).toEqual([credit, ['b']])
    acknowledge(b, 0)
    expect(b.outbox.credit).toBe(credit)
    expect([b.knows(one.item), b.knows(two.item), shared.take()]).toEqual([true, true, []])
  })

  it('that name what is missing are followed by another try, ever later', () => {
    pushing.push([merged(one), merged(two)], false)
    shared.take()
    acknowledge(b, 0, [1])
    expect(shared.take()).toEqual([{ type: 'setTimer', id: 'again b', afterMs: 5000 }])
    expect([b.knows(one.item), b.knows(two.item)]).toEqual([true, false])
    const waits = Array.from({ length: 6 }, (_, i) => {
      pushing.push([merged(recordAt(100 + i))], false)
      shared.take()
      acknowledge(b, i + 1, [0])
      const [effect] = shared.take()
      return effect?.type === 'setTimer' ? effect.afterMs : 0
    })
    expect(waits).toEqual([10_000, 20_000, 40_000, 60_000, 60_000, 60_000])
  })

  it('for what was not sent are refused', () => {
    acknowledge(b, 0)
    expect(shared.refused).toEqual(['b: it acknowledges what was not sent'])
    expect(settled).toEqual([])
  })

  it('that do not come for a minute keep the credit, and what was sent is compared', () => {
    pushing.push([merged(one)], false)
    const { credit } = b.outbox
    shared.take()
    shared.nowMs += 60_000
    pushing.giveUpLost()
    expect([b.outbox.dropped, settled]).toEqual([false, []])
    shared.nowMs += 1
    pushing.giveUpLost()
    expect([b.outbox.dropped, b.outbox.credit, settled]).toEqual([true, credit, ['b', 'c']])
  })
})
