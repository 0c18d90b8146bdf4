import { describe, expect, it } from 'vitest'
import { formatVersion } from '../db/hybrid-clock.ts'
import { hash, toHex } from '../keys.ts'
import { FingerprintTree } from './fingerprint-tree.ts'
import { GREATEST_KEY, LEAST_KEY } from '../../testing/key-ends.ts'
import { itemKey } from './item.ts'
import type { Item } from './item.ts'
import { frameCost, Outbox } from './outbox.ts'
import type { Frame } from './outbox.ts'
import { versionSpan } from './ranges.ts'

const item = (n: number): Item => ({
  version: formatVersion({ timeMs: 1000 + n, counter: 0 }),
  id: toHex(hash(Buffer.from(`${n}`))),
})
const items = (count: number, from = 0): Item[] =>
  Array.from({ length: count }, (_, i) => item(from + i))
const NONE = new FingerprintTree()

const frame = (...of: Item[]): Frame => ({ kind: 'pushed', body: Uint8Array.of(1, 2), items: of })
/** Of a frame as above, with a number below 128. */
const COST = frameCost(new Uint8Array(4))

/** An outbox with so much credit that has sent so many frames, one a millisecond, with an item each. */
function sent(count: number, credit = 100 * COST): Outbox {
  const outbox = new Outbox()
  outbox.credit = credit
  for (let i = 0; i < count; i++) outbox.takeCredit(frame(item(i)), i)
  return outbox
}

describe('credit', () => {
  it('is taken by what is sent, with the cost of each frame', () => {
    expect(COST).toBe(516)
    const outbox = new Outbox()
    expect(outbox.takeCredit(frame(item(0)), 5)).toBeNull()
    outbox.credit = COST - 1
    expect(outbox.takeCredit(frame(item(0)), 5)).toBeNull()
    expect(outbox.inFlight).toEqual([])
    outbox.credit = 2 * COST
    expect(toHex(outbox.takeCredit(frame(item(0)), 5)!)).toBe('01000102')
    expect(toHex(outbox.takeCredit({ ...frame(item(1)), kind: 'healed' }, 6)!)).toBe('02010102')
    expect(outbox.credit).toBe(0)
    expect(outbox.takeCredit(frame(item(2)), 7)).toBeNull()
    expect(outbox.inFlight).toEqual([
      { number: 0, cost: COST, items: [item(0)], atMs: 5, isGivenUp: false },
      { number: 1, cost: COST, items: [item(1)], atMs: 6, isGivenUp: false },
    ])
  })

  it('comes back with the receipt, once', () => {
    const outbox = sent(3, 3 * COST)
    expect(outbox.takeReceipt({ number: 0, missing: [] })).toEqual([item(0)])
    expect([outbox.credit, outbox.dropped]).toEqual([COST, false])
    expect(outbox.takeReceipt({ number: 0, missing: [] })).toEqual([])
    expect([outbox.credit, outbox.dropped]).toEqual([COST, false])
    expect(outbox.takeReceipt({ number: 2, missing: [] })).toEqual([item(2)])
    // The one before it is lost.
    expect([outbox.credit, outbox.dropped, outbox.inFlight]).toEqual([3 * COST, true, []])
    expect(outbox.takeReceipt({ number: 1, missing: [] })).toEqual([])
    expect(outbox.credit).toBe(3 * COST)
  })

  it('is not had for what was never sent', () => {
    const outbox = sent(2, 2 * COST)
    expect(outbox.takeReceipt({ number: 2, missing: [] })).toBeNull()
    expect([outbox.credit, outbox.inFlight.length]).toEqual([0, 2])
  })

  it('does not come back by itself: what was given up may only wait for its receipt', () => {
    const outbox = sent(3, 3 * COST)
    outbox.giveUp(0)
    expect([outbox.credit, outbox.dropped]).toEqual([0, false])
    outbox.giveUp(2)
    expect([outbox.credit, outbox.dropped, outbox.idle]).toEqual([0, true, false])
    outbox.giveUp(3)
    expect([outbox.credit, outbox.idle]).toEqual([0, true])
    outbox.dropped = false
    outbox.giveUp(3)
    expect(outbox.takeReceipt({ number: 0, missing: [] })).toEqual([item(0)])
    expect([outbox.credit, outbox.dropped]).toEqual([COST, false])
  })
})

describe('what waits', () => {
  it('is bounded: 1,024 that are fresh, 8,192 that were found missing, 256 spans', () => {
    const outbox = new Outbox()
    for (const one of items(1024)) outbox.queuePush(one)
    expect([outbox.waiting, outbox.dropped]).toEqual([1024, false])
    outbox.queuePush(item(2000))
    expect([outbox.waiting, outbox.dropped]).toEqual([1024, true])
    const keys = items(8193).map(itemKey)
    const other = new Outbox()
    other.queueMissing([{ kind: 'keys', keys: keys.slice(1) }])
    expect([other.waiting, other.dropped]).toEqual([8192, false])
    other.queueMissing([{ kind: 'keys', keys: keys.slice(0, 1) }])
    expect([other.waiting, other.dropped]).toEqual([8192, true])
    const spans = new Outbox()
    const span = { kind: 'span' as const, span: { from: LEAST_KEY, to: GREATEST_KEY } }
    spans.queueMissing(Array.from({ length: 256 }, () => span))
    expect([spans.waiting, spans.dropped, spans.healed]).toEqual([256, false, false])
    spans.queueMissing([span])
    expect([spans.waiting, spans.dropped]).toEqual([256, true])
  })

  it('does not include what is on its way already', () => {
    const outbox = sent(2)
    outbox.queueMissing([{ kind: 'keys', keys: items(3).map(itemKey) }])
    expect(outbox.nextReading(NONE, 1)?.items).toEqual([item(2)])
  })

  it('includes what was given up and is missing still', () => {
    const outbox = sent(2)
    outbox.giveUp(1)
    outbox.queueMissing([{ kind: 'keys', keys: items(2).map(itemKey) }])
    expect(outbox.nextReading(NONE, 1)?.items).toEqual([item(0)])
  })

  it('is read 256 at a time, one reading after the other, fresh ones first', () => {
    const outbox = new Outbox()
    outbox.queueMissing([{ kind: 'keys', keys: items(300).map(itemKey) }])
    for (const one of items(300, 1000)) outbox.queuePush(one)
    expect(outbox.nextReading(NONE, 7)).toEqual({
      token: 7,
      kind: 'pushed',
      items: items(256, 1000),
    })
    expect(outbox.nextReading(NONE, 8)).toBeNull()
    expect(outbox.waiting).toBe(600)
    // Only the first six were read: the others come first the next time.
    outbox.endReading(6)
    expect(outbox.nextReading(NONE, 9)?.items).toEqual(items(256, 1006))
    outbox.endReading(256)
    expect(outbox.nextReading(NONE, 10)?.items).toEqual(items(38, 1262))
    outbox.endReading(38)
    expect(outbox.nextReading(NONE, 11)).toEqual({ token: 11, kind: 'healed', items: items(256) })
    outbox.endReading(250)
    outbox.ready = [frame(item(0))]
    expect(outbox.nextReading(NONE, 12)).toBeNull()
    outbox.ready = []
    expect(outbox.nextReading(NONE, 12)).toEqual({
      token: 12,
      kind: 'healed',
      items: items(50, 250),
    })
    outbox.endReading(50)
    expect(outbox.nextReading(NONE, 13)).toBeNull()
    expect(outbox.reading).toBeNull()
    outbox.endReading(1)
    expect([outbox.waiting, outbox.idle]).toEqual([0, true])
  })

  it('as a span is read in order, up to its end, also what comes into it', () => {
    const held = items(600)
    const tree = FingerprintTree.of(held)
    const span = versionSpan(held[10]!.version, held[559]!.version)
    const outbox = new Outbox()
    const nothing = { from: LEAST_KEY, to: itemKey(held[0]!) }
    outbox.queueMissing([
      { kind: 'span', span: nothing },
      { kind: 'span', span },
      { kind: 'span', span: nothing },
    ])
    expect(outbox.waiting).toBe(3)
    expect(outbox.nextReading(tree, 1)).toEqual({
      token: 1,
      kind: 'healed',
      items: held.slice(10, 266),
    })
    outbox.endReading(256)
    tree.insert({ version: held[300]!.version, id: 'f'.repeat(64) })
    expect(outbox.nextReading(tree, 2)?.items).toHaveLength(256)
    outbox.endReading(256)
    const rest = outbox.nextReading(tree, 3)
    expect(rest?.items).toEqual(held.slice(521, 560))
    outbox.endReading(39)
    expect(outbox.nextReading(tree, 4)).toBeNull()
    expect(outbox.idle).toBe(true)
  })

  it('as a span that ends with what was read, is over', () => {
    const held = items(10)
    const last = itemKey(held[4]!)
    const to = last.slice()
    to[9] = to[9]! + 1
    const outbox = new Outbox()
    outbox.queueMissing([{ kind: 'span', span: { from: LEAST_KEY, to } }])
    expect(outbox.nextReading(FingerprintTree.of(held), 1)?.items).toEqual(held.slice(0, 5))
    outbox.endReading(5)
    expect(outbox.waiting).toBe(0)
  })

  it('as a span goes on right behind what was read, whatever carry that takes', () => {
    const first = { version: '000000000010-0000', id: 'f'.repeat(64) }
    const second = { version: '000000000010-0001', id: '0'.repeat(64) }
    const tree = FingerprintTree.of([first])
    const outbox = new Outbox()
    outbox.queueMissing([{ kind: 'span', span: { from: LEAST_KEY, to: GREATEST_KEY } }])
    expect(outbox.nextReading(tree, 1)?.items).toEqual([first])
    outbox.endReading(1)
    tree.insert(second)
    expect(outbox.nextReading(tree, 2)?.items).toEqual([second])
  })
})

describe('an outbox is', () => {
  it('idle when nothing waits and nothing is on its way', () => {
    const outbox = sent(1)
    expect([outbox.healed, outbox.idle]).toEqual([true, false])
    outbox.takeReceipt({ number: 0, missing: [] })
    expect(outbox.idle).toBe(true)
    outbox.queuePush(item(1))
    expect([outbox.healed, outbox.idle]).toEqual([true, false])
    outbox.nextReading(NONE, 1)
    expect([outbox.healed, outbox.idle]).toEqual([true, false])
    outbox.endReading(1)
    expect(outbox.idle).toBe(true)
  })

  it('healed when nothing is left of what was found missing', () => {
    const outbox = new Outbox()
    outbox.queueMissing([{ kind: 'keys', keys: [itemKey(item(1))] }])
    expect(outbox.healed).toBe(false)
    outbox.nextReading(NONE, 1)
    expect(outbox.healed).toBe(false)
    outbox.endReading(1)
    expect(outbox.healed).toBe(true)
    outbox.ready = [{ ...frame(item(1)), kind: 'healed' }]
    expect([outbox.healed, outbox.waiting]).toEqual([false, 1])
    outbox.ready = [frame(item(1))]
    expect([outbox.healed, outbox.idle]).toEqual([true, false])
  })
})
