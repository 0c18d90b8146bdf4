import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_DRIFT_MS } from '../db/hybrid-clock.ts'
import { decodeMessage, encodeFrame, encodeMessage, frameRecords } from './messages.ts'
import { WINDOW } from './peer.ts'
import { START_MS, record, World, many, effectsOf, full } from './fixtures/world.ts'
import type { Node } from './fixtures/world.ts'

const LONG_AGO_MS = START_MS - 400 * 24 * 3_600_000

describe('a record that was written', () => {
  it('is at all linked machines at once', () => {
    const world = full('a', 'b', 'c')
    const one = record(START_MS + 1000, 'one')
    world.write('a', one)
    world.settle()
    expect(world.equal()).toBe(true)
  })

  it.each(['a', 'c'])('that %s writes while it greets another is there at once, too', (writer) => {
    const world = new World()
    const other = writer === 'a' ? 'c' : 'a'
    for (const key of ['a', 'c']) world.add(key)
    world.link('a', 'c')
    // Both have said what they hold, and neither has heard the other.
    const one = record(START_MS, 'in between')
    world.write(writer, one)
    world.settle()
    expect(world.nodes.get(other)?.held.has(one.item.id)).toBe(true)
  })

  it('is passed on where not everybody is linked to everybody', () => {
    const world = new World()
    for (const key of ['a', 'b', 'c', 'd']) world.add(key)
    world.link('a', 'b')
    world.link('b', 'c')
    world.link('c', 'd')
    for (const key of ['a', 'b', 'c', 'd']) {
      world.step(key, { type: 'machinesCounted', count: 3 })
    }
    world.settle()
    world.write('a', record(START_MS, 'one'))
    world.settle()
    expect(world.equal()).toBe(true)
  })

  it('is not passed on where they are', () => {
    const world = full('a', 'b', 'c')
    for (const key of ['a', 'b', 'c']) {
      world.step(key, { type: 'machinesCounted', count: 2 })
    }
    world.sent = 0
    world.write('a', record(START_MS, 'one'))
    world.settle()
    // Two frames, two acknowledgements.
    expect(world.sent).toBe(4)
  })

  it('that got lost on the way is healed, and the credit comes back', () => {
    const world = full('a', 'b')
    world.lose = (from, _, bytes) => from === 'a' && decodeMessage(bytes)?.kind === 'pushed'
    for (const one of many(50, 'lost', START_MS)) world.write('a', one)
    world.settle()
    expect(world.equal()).toBe(false)
    world.lose = () => false
    world.run(300_000)
    expect(world.equal()).toBe(true)
    expect(world.nodes.get('a')!.core.waiting).toBe(0)
  })
})

it('old records that are written in great number come slowly, and nobody is turned away', () => {
  const world = full('a', 'b')
  const [first, second] = [many(1500, 'first', LONG_AGO_MS), many(3000, 'second', LONG_AGO_MS)]
  for (const one of first) world.write('a', one)
  world.run(55_000)
  // What this costs is beyond what was left at once: its receipts take minutes.
  for (const one of second) world.write('a', one)
  world.run(600_000)
  for (const node of world.nodes.values()) expect(effectsOf(node, 'refuse')).toEqual([])
  expect(world.equal()).toBe(true)
  expect(world.nodes.get('a')!.core.waiting).toBe(0)
})

describe('machines that meet', () => {
  it('are in step after what each lacks went both ways, and then keep silent', () => {
    const world = new World()
    const both = many(3000, 'both')
    world.add('a', [...both, ...many(400, 'mine')])
    world.add('b', [...both, ...many(300, 'theirs')])
    world.link('a', 'b')
    world.settle()
    expect(world.equal()).toBe(true)
    expect(world.nodes.get('a')!.core.tree.size).toBe(3700)
    for (const node of world.nodes.values()) {
      expect(effectsOf(node, 'inStep').at(-1)).toMatchObject({ atMs: 1000 })
    }
    world.sentBytes = 0
    world.run(600_000)
    // A comparison a minute by each, and nothing else.
    expect(world.sentBytes).toBeLessThan(2 * 10 * 500)
  })

  it('say that they are in step only if they are', () => {
    const world = new World()
    world.add('a', many(100, 'mine'))
    world.add('b')
    world.takesIn = () => false
    world.link('a', 'b')
    world.run(300_000)
    expect(world.equal()).toBe(false)
    for (const node of world.nodes.values()) expect(effectsOf(node, 'inStep')).toEqual([])
  })

  it('do not take what is from the future, and find it when its time has come', () => {
    const world = full('a', 'b')
    world.write('a', record(START_MS + world.nowMs + MAX_DRIFT_MS + 60_000, 'early'))
    world.write('a', record(START_MS + world.nowMs, 'now'))
    world.settle()
    expect(world.nodes.get('b')!.core.tree.size).toBe(1)
    world.run(30_000)
    expect(world.nodes.get('b')!.core.tree.size).toBe(1)
    world.run(MAX_DRIFT_MS + 300_000)
    expect(world.equal()).toBe(true)
  })

  it('that lack much are offered segments, and a wrong one harms nobody', () => {
    const world = new World()
    world.add('a', many(40_000, 'old'))
    const joiner = world.add('b', many(10, 'own'))
    world.link('a', 'b')
    const seal = world.segments.set.bind(world.segments)
    // The segment holds something else than what was promised: other records, and too few.
    world.segments.set = (key, records) =>
      seal(key, [...records.slice(0, 20_000), ...many(5, 'other')])
    world.settle()
    const fetched = effectsOf(joiner, 'fetchSegment')
    expect(fetched.length).toBeGreaterThan(0)
    expect(joiner.core.tree.size).toBe(40_015)
    expect(world.equal()).toBe(true)
    // Frames carried what the segments did not.
    expect(effectsOf(joiner, 'acceptRecords').length).toBeGreaterThan(10)
  })

  it('get what they lost again', () => {
    const world = new World()
    const items = many(500, 'both')
    world.add('a', items)
    const damaged = world.add('b', items)
    world.link('a', 'b')
    world.settle()
    for (const { item } of items.slice(100, 150)) damaged.held.delete(item.id)
    world.step('b', { type: 'lost', items: items.slice(100, 150).map(({ item }) => item) })
    world.settle()
    expect(world.equal()).toBe(true)
    expect(damaged.held.size).toBe(500)
  })
})

describe('a machine that does not keep up', () => {
  it('is sent no more than the credit it gave, costs bounded memory, and is healed once it does', () => {
    const world = full('a', 'b')
    world.takesIn = (key) => key !== 'b'
    const node = world.nodes.get('a')!
    const { core } = node
    for (let i = 0; i < 5000; i++) {
      world.write('a', record(START_MS + world.nowMs, `flood${i}`, 1000))
      if (i % 100 === 0) world.settle()
    }
    world.settle()
    const sentBytes = effectsOf(node, 'send').reduce((sum, { bytes }) => sum + bytes.length, 0)
    expect(sentBytes).toBeGreaterThan(WINDOW / 2)
    expect(sentBytes).toBeLessThan(WINDOW)
    expect(effectsOf(world.nodes.get('b')!, 'refuse')).toEqual([])
    expect(core.waiting).toBeLessThan(4000)
    world.takesIn = () => true
    world.unlink('a', 'b')
    world.link('a', 'b')
    world.run(120_000)
    expect(world.equal()).toBe(true)
    expect(core.waiting).toBe(0)
  })
})

describe('hostile machines', () => {
  const hello = encodeMessage({
    kind: 'hello',
    capabilities: ['segments'],
    count: 0,
    window: 1_000_000,
    newest: '000000000000-0000',
    greeted: true,
  })

  /** A machine with records, and a stranger that says what a test wants. */
  function stranger(): { world: World; node: Node; say: (bytes: Uint8Array) => void } {
    const world = new World()
    const node = world.add('a', many(200, 'old'))
    world.add('z')
    world.step('a', { type: 'peerOpened', peer: 'z' })
    const say = (bytes: Uint8Array): void => world.step('a', { type: 'received', peer: 'z', bytes })
    say(hello)
    return { world, node, say }
  }

  it('send whatever bytes they like, and nothing is thrown', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc
            .tuple(fc.nat(10), fc.uint8Array({ maxLength: 200, size: 'max' }))
            .map(([kind, bytes]) => Uint8Array.of(kind, ...bytes)),
          { maxLength: 5 },
        ),
        (messages) => {
          const { say } = stranger()
          for (const message of messages) say(message)
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('are turned away if they send forged records', () => {
    const { world, node, say } = stranger()
    const forged = Array.from({ length: 10 }, (_, i) => record(START_MS, `forged${i}`))
    frameRecords(forged).forEach(({ body }, i) => say(encodeFrame('pushed', i, body)))
    world.settle()
    expect(effectsOf(node, 'refuse').map(({ reason }) => reason)).toEqual([
      'it sends forged records',
    ])
    expect(node.core.tree.size).toBe(200)
  })

  it('are turned away if they send more than they were granted', () => {
    const { world, node, say } = stranger()
    world.takesIn = () => false
    const [frame] = frameRecords([record(START_MS, 'big', 50_000)])
    for (let i = 0; i < 30; i++) say(encodeFrame('pushed', i, frame!.body))
    expect(effectsOf(node, 'refuse')).toHaveLength(1)
    expect(effectsOf(node, 'acceptRecords').length).toBeLessThan(22)
  })

  it('are turned away if they acknowledge what was not sent', () => {
    const { node, say } = stranger()
    say(encodeMessage({ kind: 'acknowledge', frames: [{ number: 7, missing: [] }] }))
    expect(effectsOf(node, 'refuse')).toHaveLength(1)
  })

  it('get no more answers than their budget allows', () => {
    const { world, node, say } = stranger()
    const other = new World()
    other.add('z', many(200, 'other'))
    other.step('z', { type: 'peerOpened', peer: 'a' })
    other.step('z', { type: 'received', peer: 'a', bytes: hello })
    other.run(100_000)
    const question = effectsOf(other.nodes.get('z')!, 'send').find(
      ({ bytes }) => decodeMessage(bytes)?.kind === 'question',
    )!
    for (let i = 0; i < 20_000; i++) say(question.bytes)
    const answers = effectsOf(node, 'send').filter(
      ({ bytes }) => decodeMessage(bytes)?.kind === 'answer',
    )
    const answeredBytes = answers.reduce((sum, { bytes }) => sum + bytes.length, 0)
    expect(answeredBytes).toBeLessThan(2_100_000)
    world.nowMs += 60_000
  })

  it('are slowed down, not refused, when they send old records that nobody missed', () => {
    const { world, node, say } = stranger()
    // In step: nothing was missing for a long time.
    world.nowMs += 1_000_000
    const old = many(2000, 'backdated', START_MS - 30 * 24 * 3_600_000)
    frameRecords(old).forEach(({ body }, i) => say(encodeFrame('pushed', i, body)))
    world.settle()
    expect(effectsOf(node, 'refuse')).toEqual([])
    expect(node.core.tree.size).toBe(2200)
    expect(node.timers.has('grant z')).toBe(true)
    const acknowledged = (): number =>
      effectsOf(node, 'send').filter(({ bytes }) => decodeMessage(bytes)?.kind === 'acknowledge')
        .length
    const before = acknowledged()
    world.run(200_000)
    expect(acknowledged()).toBeGreaterThan(before)
  })

  it('do not keep a machine from comparing with others by talking on and on', () => {
    const world = new World()
    world.add('a', many(200, 'mine'))
    world.add('b', many(200, 'theirs'))
    world.add('z')
    const boast = decodeMessage(hello)
    if (boast?.kind !== 'hello') throw new Error('a greeting')
    const talk = encodeMessage({ kind: 'acknowledge', frames: [] })
    for (const key of ['a', 'b']) {
      const say = (bytes: Uint8Array): void => {
        world.step(key, { type: 'received', peer: 'z', bytes })
      }
      world.step(key, { type: 'peerOpened', peer: 'z' })
      say(encodeMessage({ ...boast, count: 1_000_000 }))
    }
    world.run(1000)
    world.link('a', 'b')
    for (let passedMs = 0; passedMs < 300_000; passedMs += 5000) {
      world.run(5000)
      for (const key of ['a', 'b']) world.step(key, { type: 'received', peer: 'z', bytes: talk })
    }
    for (const key of ['a', 'b']) expect(world.nodes.get(key)?.core.tree.size).toBe(400)
  })
})
