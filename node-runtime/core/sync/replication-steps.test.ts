// Single steps of the core: which part hears what. Whole machines are in replication-core.test.ts.
import { beforeEach, describe, expect, it } from 'vitest'
import { FingerprintTree } from './fingerprint-tree.ts'
import { itemAt, recordAt, WALL_MS } from './fixtures/shared.ts'
import type { Item } from './item.ts'
import { decodeMessage, encodeFrame, encodeMessage, frameRecords } from './messages.ts'
import type { Message } from './messages.ts'
import { ReplicationCore } from './replication-core.ts'
import type { Happening, MergedItem, ReplicationEffect } from './replication-events.ts'

type Hello = Extract<Message, { kind: 'hello' }>
const NOTHING = '000000000000-0000'
const ITEMS = [0, 1, 2].map((i) => itemAt(WALL_MS - 1000 + i))

let core: ReplicationCore
let nowMs: number
beforeEach(() => begin())
function begin(items: readonly Item[] = ITEMS, more: { capabilities?: string[] } = {}): void {
  nowMs = 1000
  const bulk = { muchMissing: 10, runs: { least: 2, endZeroBits: 0, most: 2 } }
  const tree = FingerprintTree.of(items)
  core = new ReplicationCore({ self: 'm', tree, random: () => 0, bulk, ...more })
  // The first step of all sets the timer of the rounds.
  expect(step({ type: 'machinesCounted', count: 9 })).toEqual([
    { type: 'setTimer', id: 'round', afterMs: 45_000 },
  ])
}

function step(event: Happening): ReplicationEffect[] {
  return core.step({ ...event, wallMs: WALL_MS }, nowMs)
}
const timer = (id: string): ReplicationEffect[] => step({ type: 'timer', id })
const hear = (peer: string, bytes: Uint8Array): ReplicationEffect[] =>
  step({ type: 'received', peer, bytes })
const say = (peer: string, message: Parameters<typeof encodeMessage>[0]): ReplicationEffect[] =>
  hear(peer, encodeMessage(message))
const hello = (more: Partial<Hello> = {}): Hello => ({
  kind: 'hello',
  capabilities: ['segments'],
  count: ITEMS.length,
  window: 1_048_576,
  newest: NOTHING,
  greeted: true,
  ...more,
})
/** A linked machine whose greeting came; what follows from that. */
function greeted(peer: string, more: Partial<Hello> = {}): ReplicationEffect[] {
  step({ type: 'peerOpened', peer })
  return say(peer, hello(more))
}
const sent = (effects: readonly ReplicationEffect[]): [peer: string, kind: string][] =>
  effects.flatMap((effect) =>
    effect.type === 'send'
      ? [[effect.peer, decodeMessage(effect.bytes)!.kind] as [string, string]]
      : [],
  )
const merged = (record = recordAt(WALL_MS), more: Partial<MergedItem> = {}): MergedItem => ({
  item: record.item,
  from: null,
  healed: false,
  outgoing: record,
  ...more,
})
/** The number of the one request among them. */
function tokenOf(effects: readonly ReplicationEffect[]): number {
  const [token, ...others] = effects.flatMap((effect) => ('token' in effect ? [effect.token] : []))
  if (token === undefined || others.length > 0) throw new Error('there is not one request')
  return token
}
const refused = (effects: readonly ReplicationEffect[]): string[] =>
  effects.flatMap((effect) => (effect.type === 'refuse' ? [effect.reason] : []))

describe('greetings', () => {
  const theirs = (effects: readonly ReplicationEffect[]): unknown => {
    const [effect, ...others] = effects
    expect(others).toEqual([])
    return effect?.type === 'send' ? decodeMessage(effect.bytes) : null
  }

  it('say what is held, and whether the other’s came', () => {
    const newest = ITEMS[2]!.version
    expect(theirs(step({ type: 'peerOpened', peer: 'b' }))).toEqual(
      hello({ newest, greeted: false }),
    )
    expect(step({ type: 'peerOpened', peer: 'm' })).toEqual([])
    say('b', hello())
    // The other did not get ours.
    expect(theirs(say('b', hello({ greeted: false })))).toEqual(hello({ newest, greeted: true }))
    expect(say('b', hello())).toEqual([])
    begin([], { capabilities: ['other'] })
    expect(theirs(step({ type: 'peerOpened', peer: 'b' }))).toEqual(
      hello({ count: 0, capabilities: ['other'], greeted: false }),
    )
  })

  it('are repeated each round to those whose own did not come', () => {
    greeted('b')
    step({ type: 'peerOpened', peer: 'c' })
    const kinds = sent(timer('round'))
    expect(kinds.filter(([, kind]) => kind === 'hello')).toEqual([['c', 'hello']])
  })

  it.each<[string, string, number, boolean]>([
    ['who holds less', 'a', 4, true],
    ['who holds more', 'z', 2, false],
    ['of two that hold as much the lesser key', 'z', 3, true],
    ['of two that hold as much the greater key', 'a', 3, false],
  ])('%s asks or not', (_, peer, count, asks) => {
    const kinds = sent(greeted(peer, { count })).map(([, kind]) => kind)
    expect(kinds).toEqual(asks ? ['question'] : [])
  })

  it('count what was said, not what is held by now', () => {
    step({ type: 'peerOpened', peer: 'a' })
    step({ type: 'merged', records: [merged()] })
    const kinds = sent(say('a', hello({ count: 4 }))).map(([, kind]) => kind)
    expect(kinds).toContain('question')
  })

  it('give credit, up to a window', () => {
    const big = Array.from({ length: 30 }, (_, i) => recordAt(WALL_MS + i, '', 50_000))
    const pushed = (window: number): number => {
      begin()
      greeted('a', { window, count: 0 })
      const records = big.map((record) => merged(record))
      return sent(step({ type: 'merged', records })).length
    }
    expect(pushed(2 ** 40)).toBe(Math.floor(1_048_576 / 50_518))
    expect(pushed(60_000)).toBe(1)
    expect(pushed(0)).toBe(0)
  })

  it('come first: what comes before them is passed over', () => {
    step({ type: 'peerOpened', peer: 'b' })
    expect(say('b', { kind: 'acknowledge', frames: [{ number: 7, missing: [] }] })).toEqual([])
    expect(say('nobody', hello())).toEqual([])
    greeted('b')
    expect(
      refused(say('b', { kind: 'acknowledge', frames: [{ number: 7, missing: [] }] })),
    ).toHaveLength(1)
  })
})

describe('a machine', () => {
  it('that is gone, or refused, is forgotten', () => {
    greeted('b', { count: 0 })
    step({ type: 'peerClosed', peer: 'b' })
    step({ type: 'peerClosed', peer: 'nobody' })
    expect(step({ type: 'merged', records: [merged()] })).toEqual([])
    greeted('b', { count: 0 })
    expect(hear('b', new Uint8Array(0))).toEqual([
      { type: 'refuse', peer: 'b', reason: 'a message is not understood' },
    ])
    expect(step({ type: 'merged', records: [merged(recordAt(WALL_MS + 1))] })).toEqual([])
  })

  it('that opens again begins anew', () => {
    greeted('b', { count: 0 })
    step({ type: 'merged', records: [merged()] })
    expect(core.waiting).toBe(1)
    step({ type: 'peerOpened', peer: 'b' })
    expect(core.waiting).toBe(0)
  })

  it('may say a hundred unknown words, and then one a second', () => {
    greeted('b', { count: 0 })
    const nonsense = Uint8Array.of(99)
    for (let i = 0; i < 100; i++) expect(hear('b', nonsense)).toEqual([])
    nowMs += 1000
    expect(hear('b', nonsense)).toEqual([])
    expect(refused(hear('b', nonsense))).toEqual(['it talks nonsense'])
  })

  it('may ask for segments as often; more is passed over', () => {
    greeted('b', { count: 0 })
    const asks = (): ReplicationEffect[] => say('b', { kind: 'wantSegments' })
    const token = tokenOf(asks())
    const sealed = step({ type: 'segmentSealed', token, key: new Uint8Array(32) })
    expect(sent(sealed)).toEqual([['b', 'segments']])
    for (let i = 1; i < 100; i++) expect(sent(asks())).toEqual([['b', 'segments']])
    expect(asks()).toEqual([])
  })

  it('is counted with what waits for it, what is on its way, and what is judged of it', () => {
    greeted('b', { count: 0 })
    greeted('c', { count: 0, window: 0 })
    step({ type: 'merged', records: [merged()] })
    expect(core.waiting).toBe(2)
    const [frame] = frameRecords([recordAt(WALL_MS + 5)])
    hear('b', encodeFrame('pushed', 0, frame!.body))
    expect(core.waiting).toBe(3)
  })
})

describe('what is merged', () => {
  it('is held from then on, in the place of what it supersedes', () => {
    const [old] = ITEMS as [Item]
    step({ type: 'merged', records: [merged(recordAt(WALL_MS), { superseded: old })] })
    expect([core.tree.has(old), core.tree.size]).toEqual([false, 3])
    expect(core.tree.has(itemAt(WALL_MS))).toBe(true)
  })

  it('is not sent back to where it came from, now or later', () => {
    greeted('b', { count: 0 })
    greeted('c', { count: 0 })
    const record = recordAt(WALL_MS)
    expect(sent(step({ type: 'merged', records: [merged(record, { from: 'b' })] }))).toEqual([
      ['c', 'pushed'],
    ])
    expect(step({ type: 'merged', records: [merged(record, { from: 'gone' })] })).toEqual([])
  })

  it('is passed on only while not all machines are linked', () => {
    greeted('b', { count: 0 })
    greeted('c', { count: 0 })
    const passedOn = (count: number, i: number): number => {
      step({ type: 'machinesCounted', count })
      const records = [merged(recordAt(WALL_MS + i), { from: 'b' })]
      return sent(step({ type: 'merged', records })).length
    }
    expect([passedOn(3, 0), passedOn(2, 1), passedOn(1, 2)]).toEqual([1, 0, 0])
  })

  it('to heal makes others worth comparing with, soon', () => {
    greeted('a', { count: 0 })
    greeted('b', { count: 0 })
    expect(
      step({ type: 'merged', records: [merged(recordAt(1), { from: 'a' })] }),
    ).not.toContainEqual(expect.objectContaining({ id: 'soon' }))
    const healed = [merged(recordAt(2), { from: 'a', healed: true })]
    expect(step({ type: 'merged', records: healed })).toEqual([
      { type: 'setTimer', id: 'soon', afterMs: 500 },
    ])
    expect(sent(timer('soon'))).toEqual([['b', 'question']])
    expect(timer('soon')).toEqual([])
  })

  it('of long ago costs who sent it', () => {
    greeted('b', { count: 0 })
    const old = Array.from({ length: 1001 }, (_, i) => merged(recordAt(i), { from: 'b' }))
    step({ type: 'machinesCounted', count: 0 })
    step({ type: 'merged', records: old })
    const [frame] = frameRecords([recordAt(WALL_MS)])
    const token = tokenOf(hear('b', encodeFrame('pushed', 0, frame!.body)))
    expect(step({ type: 'accepted', token, statuses: ['held'] })).toEqual([
      { type: 'setTimer', id: 'grant b', afterMs: 100 },
    ])
    nowMs += 100
    expect(sent(timer('grant b'))).toEqual([['b', 'acknowledge']])
  })
})

describe('a timer', () => {
  it('of one machine is for that machine, and for nobody if it is gone', () => {
    greeted('b', { count: 0 })
    for (const id of ['again nobody', 'grant nobody', 'offer nobody', 'question nobody', 'other']) {
      expect(timer(id), id).toEqual([])
    }
    for (const id of ['grant b', 'offer b', 'question b', 'other b']) expect(timer(id)).toEqual([])
    expect(sent(timer('again b'))).toEqual([['b', 'question']])
    expect(timer('watch')).toEqual([{ type: 'setTimer', id: 'watch', afterMs: 5000 }])
  })

  it('of a question that waited answers it', () => {
    greeted('b', { count: 0 })
    const [asked] = timer('again b').filter(({ type }) => type === 'send')
    if (asked?.type !== 'send') throw new Error('a question')
    const question = decodeMessage(asked.bytes)
    if (question?.kind !== 'question') throw new Error('a question')
    let answers = 0
    let waits: ReplicationEffect[] = []
    while (waits.length === 0) {
      const effects = say('b', question)
      answers += sent(effects).length
      waits = effects.filter(({ type }) => type === 'setTimer')
    }
    expect(answers).toBeGreaterThan(10)
    expect(waits).toMatchObject([{ id: 'question b' }])
    nowMs += 10_000
    expect(sent(timer('question b'))).toEqual([['b', 'answer']])
    expect(timer('question b')).toEqual([])
  })

  it('of an offer that did not come lets the turn go on', () => {
    expect(greeted('b', { count: 100 }).map(({ type }) => type)).toEqual([
      'setTimer',
      'setTimer',
      'send',
    ])
    expect(sent(timer('offer b'))).toEqual([['b', 'question']])
  })
})

describe('segments', () => {
  it('come before comparing, and count as progress', () => {
    expect(sent(greeted('b', { count: 100 }))).toEqual([['b', 'wantSegments']])
    const other = FingerprintTree.of([itemAt(1), itemAt(2)])
    const [from, to] = [other.keyAt(0), other.keyAt(1)]
    const segment = { key: new Uint8Array(32), from, to, fingerprint: other.fingerprint() }
    const offered = say('b', { kind: 'segments', segments: [segment] })
    expect(offered).toMatchObject([{ type: 'fetchSegment', peer: 'b', count: 2 }])
    nowMs += 119_000
    expect(timer('watch')).toHaveLength(1)
    nowMs += 119_000
    expect(sent(step({ type: 'segmentFetched', token: tokenOf(offered) }))).toEqual([
      ['b', 'question'],
    ])
    expect(timer('watch')).toEqual([{ type: 'setTimer', id: 'watch', afterMs: 5000 }])
  })
})

describe('what is lost', () => {
  it('is held no more, and asked for', () => {
    greeted('b', { count: 0 })
    step({ type: 'peerOpened', peer: 'a' })
    expect(sent(step({ type: 'lost', items: ITEMS.slice(0, 2) }))).toEqual([['b', 'question']])
    expect(core.tree.size).toBe(1)
    // Who has not greeted is not asked.
    expect(sent(step({ type: 'peerClosed', peer: 'b' }))).toEqual([])
  })

  it('on the way to a machine is found by comparing, once all else is taken in', () => {
    greeted('b', { count: 0 })
    step({ type: 'merged', records: [merged()] })
    nowMs += 60_001
    const kinds = sent(timer('round')).map(([, kind]) => kind)
    expect(kinds).toEqual(['question'])
    step({ type: 'peerClosed', peer: 'b' })
    expect(core.waiting).toBe(0)
  })

  it('on the way is found at once where a later frame has come, and where none is lost nothing is asked', () => {
    greeted('b', { count: 0 })
    const push = (): void =>
      void step({ type: 'merged', records: [merged(recordAt(WALL_MS + nowMs++))] })
    const come = (number: number) =>
      sent(say('b', { kind: 'acknowledge', frames: [{ number, missing: [] }] }))
    for (let frame = 0; frame < 4; frame++) push()
    expect([come(0), come(1)]).toEqual([[], []])
    expect(come(3)).toEqual([['b', 'question']])
  })
})
