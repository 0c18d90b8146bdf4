import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatVersion, MAX_DRIFT_MS, versionTimeMs } from '../db/hybrid-clock.ts'
import { hash, toHex } from '../keys.ts'
import { FingerprintTree } from './fingerprint-tree.ts'
import { sameFingerprint } from './fingerprint.ts'
import type { Item } from './item.ts'
import { decodeMessage, encodeFrame, encodeMessage, frameRecords } from './messages.ts'
import { WINDOW } from './peer.ts'
import type {
  Happening,
  OutgoingRecord,
  RecordStatus,
  ReplicationEffect,
} from './replication-events.ts'
import { ReplicationCore } from './replication-core.ts'

const START_MS = 1_700_000_000_000

/** A record of these tests: its item and some filling, as text; 'forged' in it makes it so. */
function record(timeMs: number, name: string, sizeBytes = 100): OutgoingRecord {
  const item: Item = {
    version: formatVersion({ timeMs, counter: 0 }),
    id: toHex(hash(Buffer.from(`${timeMs} ${name}`))),
  }
  const text = `${item.version} ${item.id} ${name} `
  return { item, bytes: Buffer.from(text.padEnd(sizeBytes, '.')), attestations: [] }
}

function itemOf(bytes: Uint8Array): Item {
  const [version = '', id = ''] = Buffer.from(bytes).toString().split(' ')
  return { version, id }
}

interface Node {
  key: string
  core: ReplicationCore
  held: Map<string, OutgoingRecord>
  effects: ReplicationEffect[]
  timers: Map<string, number>
}

/** Cores that are linked by a perfect network, one step after the other. */
class World {
  nowMs = 1000
  readonly nodes = new Map<string, Node>()
  readonly #links = new Set<string>()
  readonly segments = new Map<string, OutgoingRecord[]>()
  #queue: (() => void)[] = []
  /** Messages that get lost. */
  lose: (from: string, to: string, bytes: Uint8Array) => boolean = () => false
  /** Whether a machine takes records in; otherwise it never answers. */
  takesIn: (key: string) => boolean = () => true
  sent = 0
  sentBytes = 0

  add(key: string, records: readonly OutgoingRecord[] = []): Node {
    const held = new Map(records.map((one) => [one.item.id, one]))
    const tree = FingerprintTree.of(records.map(({ item }) => item))
    let state = key.charCodeAt(0)
    const random = (): number => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31
      return state / 2 ** 31
    }
    const core = new ReplicationCore({ self: key, tree, random })
    const node: Node = { key, core, held, effects: [], timers: new Map() }
    this.nodes.set(key, node)
    return node
  }

  link(a: string, b: string): void {
    this.#links.add(`${a} ${b}`).add(`${b} ${a}`)
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const) {
      this.step(one, { type: 'peerOpened', peer: other })
    }
  }

  unlink(a: string, b: string): void {
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const) {
      this.#links.delete(`${one} ${other}`)
      this.step(one, { type: 'peerClosed', peer: other })
    }
  }

  step(key: string, event: Happening): void {
    const node = this.nodes.get(key)!
    const whole = { ...event, wallMs: START_MS + this.nowMs }
    for (const effect of node.core.step(whole, this.nowMs)) {
      node.effects.push(effect)
      this.#apply(node, effect)
    }
  }

  write(key: string, one: OutgoingRecord): void {
    this.nodes.get(key)!.held.set(one.item.id, one)
    this.step(key, {
      type: 'merged',
      records: [{ item: one.item, from: null, healed: false, outgoing: one }],
    })
  }

  /** Delivers what is on its way, without any time passing. */
  settle(): void {
    for (let i = 0; this.#queue.length > 0; i++) {
      if (i > 1_000_000) throw new Error('it never ends')
      this.#queue.shift()!()
    }
  }

  /** Lets time pass, timer by timer. */
  run(durationMs: number): void {
    const endMs = this.nowMs + durationMs
    this.settle()
    for (;;) {
      const due = [...this.nodes.values()]
        .flatMap((node) => [...node.timers].map(([id, atMs]) => ({ node, id, atMs })))
        .filter(({ atMs }) => atMs <= endMs)
        .sort((a, b) => a.atMs - b.atMs)[0]
      if (due === undefined) break
      this.nowMs = due.atMs
      due.node.timers.delete(due.id)
      this.step(due.node.key, { type: 'timer', id: due.id })
      this.settle()
    }
    this.nowMs = endMs
  }

  equal(): boolean {
    const [first, ...others] = [...this.nodes.values()]
    return others.every(({ core }) =>
      sameFingerprint(core.tree.fingerprint(), first!.core.tree.fingerprint()),
    )
  }

  #apply(node: Node, effect: ReplicationEffect): void {
    const { key, held } = node
    switch (effect.type) {
      case 'send':
        this.sent += 1
        this.sentBytes += effect.bytes.length
        if (this.lose(key, effect.peer, effect.bytes)) return
        this.#queue.push(() => {
          if (!this.#links.has(`${key} ${effect.peer}`)) return
          this.step(effect.peer, { type: 'received', peer: key, bytes: effect.bytes })
        })
        break
      case 'acceptRecords':
        if (!this.takesIn(key)) return
        this.#queue.push(() => this.#accept(node, effect))
        break
      case 'readRecords': {
        const records = effect.items.map(({ id }) => held.get(id) ?? null)
        let sizeBytes = 0
        const fitting = records.filter((one, i) => {
          sizeBytes += one?.bytes.length ?? 0
          return i === 0 || sizeBytes <= effect.mostBytes
        })
        this.#queue.push(() =>
          this.step(key, { type: 'recordsRead', token: effect.token, records: fitting }),
        )
        break
      }
      case 'sealSegment': {
        const segment = hash(Buffer.from(effect.items.map(({ id }) => id).join()))
        this.segments.set(
          toHex(segment),
          effect.items.map(({ id }) => held.get(id)!),
        )
        this.#queue.push(() =>
          this.step(key, { type: 'segmentSealed', token: effect.token, key: segment }),
        )
        break
      }
      case 'fetchSegment': {
        const records = this.segments.get(toHex(effect.key)) ?? []
        this.#queue.push(() => {
          this.#merge(node, records, 'segment', true)
          this.step(key, { type: 'segmentFetched', token: effect.token })
        })
        break
      }
      case 'setTimer':
        node.timers.set(effect.id, this.nowMs + effect.afterMs)
        break
      case 'refuse':
        this.#queue.push(() => this.unlink(key, effect.peer))
        break
      default:
        break
    }
  }

  #accept(node: Node, effect: Extract<ReplicationEffect, { type: 'acceptRecords' }>): void {
    const good: OutgoingRecord[] = []
    const statuses = effect.records.map((bytes): RecordStatus => {
      if (Buffer.from(bytes).toString().includes('forged')) return 'forged'
      const item = itemOf(bytes)
      if (versionTimeMs(item.version) > START_MS + this.nowMs + MAX_DRIFT_MS) return 'future'
      good.push({ item, bytes, attestations: [] })
      return 'held'
    })
    this.#merge(node, good, effect.peer, effect.healed)
    this.step(node.key, { type: 'accepted', token: effect.token, statuses })
  }

  #merge(node: Node, records: readonly OutgoingRecord[], from: string, healed: boolean): void {
    const fresh = records.filter(({ item }) => !node.held.has(item.id))
    for (const one of fresh) node.held.set(one.item.id, one)
    if (fresh.length === 0) return
    this.step(node.key, {
      type: 'merged',
      records: fresh.map((outgoing) => ({ item: outgoing.item, from, healed, outgoing })),
    })
  }
}

function many(count: number, name: string, fromMs = START_MS - 10_000_000): OutgoingRecord[] {
  return Array.from({ length: count }, (_, i) => record(fromMs + i * 50, `${name}${i}`))
}

function effectsOf<T extends ReplicationEffect['type']>(
  node: Node,
  type: T,
): Extract<ReplicationEffect, { type: T }>[] {
  return node.effects.filter(
    (effect): effect is Extract<ReplicationEffect, { type: T }> => effect.type === type,
  )
}

function full(...keys: string[]): World {
  const world = new World()
  for (const key of keys) world.add(key)
  for (const [i, a] of keys.entries()) for (const b of keys.slice(i + 1)) world.link(a, b)
  world.settle()
  return world
}

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
