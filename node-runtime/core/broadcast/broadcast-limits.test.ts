// What one core says to each message, and what it remembers no longer or asks for no more.
import { describe, expect, it } from 'vitest'
import { BroadcastCore, MAX_HEADS, MAX_SEEN } from './broadcast-core.ts'
import type { BroadcastEffect, BroadcastMessage, Head, Item } from './broadcast-core.ts'

const itemOf = (id: string, author = 'ada', payload = `what ${id} says`): Item => ({
  id,
  author,
  payload,
})

/** A core with links to these, and what it does. */
function start(...machines: string[]) {
  const core = new BroadcastCore()
  let nowMs = 1_000
  const open = (machine: string): BroadcastEffect[] =>
    core.step({ type: 'linkOpened', machine }, nowMs)
  const hear = (from: string, message: BroadcastMessage): BroadcastEffect[] =>
    core.step({ type: 'received', from, message }, nowMs)
  const push = (from: string, item: Item, hops = 1): BroadcastEffect[] =>
    hear(from, { kind: 'push', item, hops })
  const publish = (item: Item): BroadcastEffect[] => core.step({ type: 'publish', item }, nowMs)
  const tick = (afterMs = 0): BroadcastEffect[] => {
    nowMs += afterMs
    return core.step({ type: 'timer', id: 'gather' }, nowMs)
  }
  const later = (ms: number): void => void (nowMs += ms)
  for (const machine of machines) open(machine)
  return { core, open, hear, push, publish, tick, later }
}

const sent = (to: string, message: BroadcastMessage): BroadcastEffect => ({
  type: 'send',
  to,
  message,
})
const have = (...heads: Head[]): BroadcastMessage => ({ kind: 'have', heads })
const want = (...ids: string[]): BroadcastMessage => ({ kind: 'want', ids })
const pushOf = (item: Item, hops = 1): BroadcastMessage => ({ kind: 'push', item, hops })
const gather: BroadcastEffect = { type: 'setTimer', id: 'gather', afterMs: 200 }

describe('what is published', () => {
  it('goes to all links at once, and once', () => {
    const { publish, core } = start('a', 'b')
    const item = itemOf('1')
    expect(core.hasSeen('1')).toBe(false)
    expect(publish(item)).toEqual([sent('a', pushOf(item)), sent('b', pushOf(item))])
    expect(core.hasSeen('1')).toBe(true)
    expect(publish(item)).toEqual([])
  })

  it('is never delivered to this machine, nor taken by a way of another', () => {
    const { publish, push, hear } = start('a')
    publish(itemOf('1'))
    const prune = { kind: 'prune', author: 'ada' } as const
    expect(push('a', itemOf('1'), 0)).toEqual([sent('a', prune)])
    expect(hear('a', have({ id: '1', hops: 0 }))).toEqual([])
  })
})

describe('over a link that was pruned', () => {
  const prune = { kind: 'prune', author: 'ada' } as const

  it('only ids go, gathered for a while; of other authors all', () => {
    const { hear, publish, tick } = start('a', 'b')
    hear('a', prune)
    const [first, second, other] = [itemOf('1'), itemOf('2'), itemOf('3', 'bob')]
    expect(publish(first)).toEqual([gather, sent('b', pushOf(first))])
    expect(publish(second)).toEqual([sent('b', pushOf(second))])
    expect(publish(other)).toEqual([sent('a', pushOf(other)), sent('b', pushOf(other))])
    const heads = [
      { id: '1', hops: 0 },
      { id: '2', hops: 0 },
    ]
    expect(tick(200)).toEqual([sent('a', have(...heads))])
    expect(tick(200)).toEqual([])
    // The next one is gathered anew.
    expect(publish(itemOf('4'))[0]).toEqual(gather)
  })

  it('what is asked for goes, and from then on all', () => {
    const { hear, publish } = start('a')
    hear('a', prune)
    publish(itemOf('1'))
    expect(hear('a', want('1', 'unknown'))).toEqual([sent('a', pushOf(itemOf('1')))])
    expect(publish(itemOf('2'))).toEqual([sent('a', pushOf(itemOf('2')))])
  })

  it('all goes again once the other side asks for that', () => {
    const { hear, publish } = start('a', 'b')
    // Nothing was pruned yet.
    expect(hear('b', { kind: 'graft', author: 'bob' })).toEqual([])
    hear('a', prune)
    hear('a', { kind: 'graft', author: 'ada' })
    expect(publish(itemOf('1'))).toContainEqual(sent('a', pushOf(itemOf('1'))))
  })

  it('all goes again after it was closed and opened', () => {
    const { hear, publish, core, open } = start('a')
    hear('a', prune)
    core.step({ type: 'linkClosed', machine: 'a' }, 1_000)
    open('a')
    expect(publish(itemOf('1'))).toContainEqual(sent('a', pushOf(itemOf('1'))))
  })

  it('no more ids wait than go into one message', () => {
    const { hear, publish, tick } = start('a')
    hear('a', prune)
    for (let i = 0; i <= MAX_HEADS; i++) publish(itemOf(`${i}`))
    const [effect, ...others] = tick(200)
    expect(others).toEqual([])
    if (effect?.type !== 'send' || effect.message.kind !== 'have') throw new Error('ids')
    expect(effect.message.heads).toHaveLength(MAX_HEADS)
    expect(effect.message.heads[0]).toEqual({ id: '0', hops: 0 })
  })
})

describe('who comes anew', () => {
  it('is told the latest, as many as go into one message; of nothing nothing', () => {
    const { open, push, tick } = start('a')
    expect(open('b')).toEqual([])
    for (let i = 0; i < 200; i++) push('a', itemOf(`${i}`), 3)
    tick(200)
    expect(open('c')).toEqual([gather])
    const [effect] = tick(200)
    if (effect?.type !== 'send' || effect.message.kind !== 'have') throw new Error('ids')
    expect(effect.to).toBe('c')
    expect(effect.message.heads).toHaveLength(200)
    expect(effect.message.heads.at(-1)).toEqual({ id: '199', hops: 3 })
  })
})

describe('the shorter way', () => {
  it('is not taken from who brought it, nor for what is as far', () => {
    const { push } = start('a', 'b')
    push('a', itemOf('1'), 4)
    const prune = { kind: 'prune', author: 'ada' } as const
    expect(push('a', itemOf('1'), 2)).toEqual([sent('a', prune)])
    push('a', itemOf('2'), 4)
    expect(push('b', itemOf('2'), 4)).toEqual([sent('b', prune)])
  })

  it('counts the link that ids came over', () => {
    const graft = { kind: 'graft', author: 'ada' } as const
    for (const [hops, isShorter] of [
      [2, true],
      [3, false],
    ] as const) {
      const { push, hear } = start('a', 'b')
      push('a', itemOf('1'), 4)
      const effects = hear('b', have({ id: '1', hops }))
      expect(effects.some((effect) => effect.type === 'send' && effect.to === 'b')).toBe(isShorter)
      if (isShorter) expect(effects).toContainEqual(sent('b', graft))
      // It is this far now: as far again is not shorter.
      expect(hear('b', have({ id: '1', hops }))).toEqual([])
    }
  })
})

describe('what others have', () => {
  it('is asked for when it does not come, first of who said so first', () => {
    const { hear, tick } = start('a', 'b')
    expect(hear('a', have({ id: '1', hops: 1 }))).toEqual([gather])
    expect(hear('b', have({ id: '1', hops: 1 }))).toEqual([])
    expect(tick(200)).toEqual([gather])
    expect(tick(499)).toEqual([gather])
    expect(tick(1)).toEqual([sent('a', want('1')), gather])
    expect(tick(699)).toEqual([gather])
    expect(tick(1)).toEqual([sent('b', want('1')), gather])
    // Nobody else has it.
    expect(tick(700)).toEqual([])
    expect(tick(700)).toEqual([])
  })

  it('is not asked for once it came', () => {
    const { core, hear, push, tick } = start('a', 'b')
    hear('a', have({ id: '1', hops: 1 }))
    push('b', itemOf('1'))
    expect(tick(1_000)).toEqual([])
    expect(core.waiting).toBe(2)
  })

  it('is asked for together, in messages that are not too long', () => {
    const { hear, tick } = start('a', 'b')
    hear('a', have({ id: '1', hops: 1 }, { id: '2', hops: 1 }))
    hear('b', have({ id: '3', hops: 1 }))
    expect(tick(700)).toEqual([sent('a', want('1', '2')), sent('b', want('3')), gather])
  })

  it('is no more of one link than it says at once, and of another all the same', () => {
    const { core, hear } = start('a', 'b')
    const heads = Array.from({ length: MAX_HEADS + 1 }, (_, i) => ({ id: `${i}`, hops: 1 }))
    hear('a', have(...heads))
    expect(core.waiting).toBe(MAX_HEADS)
    hear('a', have({ id: 'more', hops: 1 }))
    expect(core.waiting).toBe(MAX_HEADS)
    hear('b', have({ id: 'more', hops: 1 }))
    expect(core.waiting).toBe(MAX_HEADS + 1)
  })

  it('frees its place when it was asked for, or came', () => {
    const { core, hear, push, tick } = start('a', 'b')
    const heads = Array.from({ length: MAX_HEADS }, (_, i) => ({ id: `${i}`, hops: 1 }))
    hear('a', have(...heads))
    push('b', itemOf('0'))
    hear('a', have({ id: 'next', hops: 1 }))
    expect(core.waiting).toBe(MAX_HEADS + 2)
    const asked = tick(700)
    expect(asked).toEqual([sent('a', want(...heads.slice(1).map(({ id }) => id), 'next')), gather])
    hear('a', have({ id: 'after', hops: 1 }))
    expect(tick(700)).toContainEqual(sent('a', want('after')))
  })

  it('is not asked of who has left', () => {
    const { core, hear, tick } = start('a')
    hear('a', have({ id: '1', hops: 1 }))
    core.step({ type: 'linkClosed', machine: 'a' }, 1_000)
    expect(tick(700)).toEqual([])
    // Without a link nothing is heard.
    expect(hear('a', pushOf(itemOf('2')))).toEqual([])
  })
})

describe('what is asked for', () => {
  it('is given out of what was there lately: by number, by size and by age', () => {
    const { hear, publish, later } = start('a')
    const isKept = (id: string): boolean => hear('a', want(id)).length > 0
    for (let i = 0; i < 257; i++) publish(itemOf(`${i}`))
    expect([isKept('0'), isKept('1'), isKept('256')]).toEqual([false, true, true])

    const large = 'x'.repeat(1_000_000)
    for (let i = 0; i < 5; i++) publish(itemOf(`large ${i}`, 'ada', large))
    expect([isKept('256'), isKept('large 0'), isKept('large 1'), isKept('large 4')]).toEqual([
      false,
      false,
      true,
      true,
    ])
    // What is let go makes room again.
    for (let i = 5; i < 9; i++) publish(itemOf(`large ${i}`, 'ada', large))
    expect([isKept('large 4'), isKept('large 5'), isKept('large 8')]).toEqual([false, true, true])

    later(119_999)
    publish(itemOf('young', 'ada', ''))
    expect(isKept('large 5')).toBe(true)
    later(1)
    publish(itemOf('younger', 'ada', ''))
    expect([isKept('large 8'), isKept('young')]).toEqual([false, true])
  })

  it('is as much as one link may have, and no more than goes into one message', () => {
    const { hear, publish, later } = start('a', 'b')
    publish(itemOf('1'))
    const ids = Array.from({ length: MAX_HEADS + 10 }, () => '1')
    expect(hear('a', want(...ids))).toHaveLength(MAX_HEADS)
    expect(hear('a', want(...ids))).toHaveLength(512 - MAX_HEADS)
    expect(hear('a', want(...ids))).toEqual([])
    later(1_000)
    expect(hear('a', want(...ids))).toHaveLength(64)
    // What is not there costs nothing.
    for (let i = 0; i < 10; i++) hear('b', want(...ids.map((id) => `not ${id}`)))
    expect(hear('b', want('1'))).toHaveLength(1)
  })
})

describe('what was seen', () => {
  it('and can be given out no more is news to nobody', () => {
    const { push, hear } = start('a', 'b')
    for (let i = 0; i < 300; i++) push('a', itemOf(`${i}`), 4)
    expect(hear('b', have({ id: '0', hops: 1 }))).toEqual([])
    expect(push('b', itemOf('0'), 1)).toEqual([sent('b', { kind: 'prune', author: 'ada' })])
  })

  it('is remembered, of so many the latest', () => {
    const { core, publish } = start()
    for (let i = 0; i < MAX_SEEN; i++) publish(itemOf(`${i}`))
    expect(core.hasSeen('0')).toBe(true)
    publish(itemOf('last'))
    expect([core.hasSeen('0'), core.hasSeen('1'), core.hasSeen('last')]).toEqual([
      false,
      true,
      true,
    ])
  })

  it('is pruned for the latest authors only', () => {
    const { hear, publish } = start('a')
    let count = 0
    const isPruned = (author: string): boolean =>
      !publish(itemOf(`news ${count++}`, author)).some(({ type }) => type === 'send')
    for (let i = 0; i < 256; i++) hear('a', { kind: 'prune', author: `${i}` })
    expect(isPruned('0')).toBe(true)
    // Named again, it is among the latest.
    hear('a', { kind: 'prune', author: '0' })
    hear('a', { kind: 'prune', author: 'new' })
    expect([isPruned('0'), isPruned('1'), isPruned('2'), isPruned('new')]).toEqual([
      true,
      false,
      true,
      true,
    ])
  })
})
