import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keysOf } from '../../testing/session-tables.ts'
import { Audience } from './audience.ts'
import type { AudienceEvent } from './audience.ts'
import type { AudienceMessage } from './audience-messages.ts'
import type { AudienceEffect } from './audience-scene.ts'
import { compare, follow, have, redirect, serving, SESSION } from './fixtures/stage.ts'
import { unavailable, unfollow } from './fixtures/stage.ts'

const DELAY_MS = 5

/** The same numbers in every run. Source: mulberry32. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Answers in a machine's place. */
type Liar = (from: string, message: AudienceMessage) => AudienceMessage[]

interface Node {
  name: string
  core: Audience
  length: number
  seated: boolean
  partners: string[]
  /** What it got from players. */
  fromPlayers: number
  liar: Liar | null
  reached: string[]
}

/** A world of machines with one session, in virtual time. */
class World {
  readonly nodes = new Map<string, Node>()
  readonly #random: () => number
  #queue: { atMs: number; order: number; run: () => void }[] = []
  #timers = new Map<string, number>()
  #order = 0
  nowMs = 0
  players: string[] = []

  constructor(seed: number) {
    this.#random = seeded(seed)
  }

  add(name: string, options: { seated?: boolean; liar?: Liar } = {}): Node {
    const { seated = false, liar = null } = options
    const machine = keysOf(name).key
    const node: Node = {
      name: machine,
      core: new Audience({ machine, random: this.#random }),
      length: 0,
      seated,
      partners: [],
      fromPlayers: 0,
      liar,
      reached: [],
    }
    for (const other of this.nodes.keys()) {
      this.feed(node, { type: 'peerOpened', machine: other })
      this.feed(this.node(other), { type: 'peerOpened', machine })
    }
    this.nodes.set(machine, node)
    if (seated) this.players.push(machine)
    return node
  }

  node(name: string): Node {
    const node = this.nodes.get(name)
    if (node === undefined) throw new Error(`no ${name}`)
    return node
  }

  follow(node: Node): void {
    const { length, seated } = node
    const followed = { session: SESSION, seated, seatMachines: this.players, length }
    this.feed(node, {
      type: 'followed',
      followed: { ...followed, seatMachines: this.players.filter((name) => name !== node.name) },
    })
  }

  feed(node: Node, event: AudienceEvent): void {
    for (const effect of node.core.step(event, this.nowMs)) this.#do(node, effect)
  }

  #do(node: Node, effect: AudienceEffect): void {
    switch (effect.type) {
      case 'send': {
        const { to, message } = effect
        const target = this.nodes.get(to)
        if (target === undefined) return
        this.#after(DELAY_MS, () => {
          if (target.liar === null) {
            this.feed(target, { type: 'received', from: node.name, message })
          } else {
            for (const answer of target.liar(node.name, message)) {
              this.feed(node, { type: 'received', from: target.name, message: answer })
            }
          }
        })
        return
      }
      case 'setTimer': {
        const key = `${node.name} ${effect.id}`
        const number = (this.#timers.get(key) ?? 0) + 1
        this.#timers.set(key, number)
        this.#after(effect.afterMs, () => {
          if (this.#timers.get(key) === number) this.feed(node, { type: 'timer', id: effect.id })
        })
        return
      }
      case 'clearTimer': {
        const key = `${node.name} ${effect.id}`
        this.#timers.set(key, (this.#timers.get(key) ?? 0) + 1)
        return
      }
      case 'replicate':
        node.partners = effect.machines
        return
      case 'reach':
        node.reached.push(effect.machine)
    }
  }

  #after(ms: number, run: () => void): void {
    this.#queue.push({ atMs: this.nowMs + ms, order: this.#order++, run })
  }

  /** Lets time pass; what is replicated both ways flows every 10 ms. */
  run(forMs: number): void {
    const endMs = this.nowMs + forMs
    while (this.nowMs < endMs) {
      const untilMs = Math.min(endMs, this.nowMs + 10)
      for (;;) {
        this.#queue.sort((a, b) => a.atMs - b.atMs || a.order - b.order)
        const [next] = this.#queue
        if (next === undefined || next.atMs > untilMs) break
        this.#queue.shift()
        this.nowMs = next.atMs
        next.run()
      }
      this.nowMs = untilMs
      this.#flow()
    }
  }

  #flow(): void {
    for (const node of this.nodes.values()) {
      for (const name of node.partners) {
        const other = this.nodes.get(name)
        if (other === undefined || other.liar !== null || node.liar !== null) continue
        if (!other.partners.includes(node.name) || other.length <= node.length) continue
        if (other.seated && !node.seated) node.fromPlayers++
        node.length = other.length
        this.follow(node)
      }
    }
  }
}

function players(world: World): [Node, Node] {
  const pair: [Node, Node] = [
    world.add('player 0', { seated: true }),
    world.add('player 1', { seated: true }),
  ]
  for (const player of pair) {
    player.length = 1
    world.follow(player)
  }
  return pair
}

function play(world: World, pair: [Node, Node], toLength: number): void {
  const [first] = pair
  for (let length = first.length + 1; length <= toLength; length++) {
    first.length = length
    world.follow(first)
    world.run(100)
  }
}

const count = 12

describe('an audience', () => {
  test('serves itself: each player serves one, and all see everything', () => {
    const world = new World(1)
    const pair = players(world)
    const spectators = Array.from({ length: count }, (_, i) => world.add(`spectator ${i}`))
    for (const spectator of spectators) world.follow(spectator)
    world.run(3_000)
    play(world, pair, 31)
    expect(spectators.map(({ length }) => length)).toEqual(spectators.map(() => 31))
    for (const player of pair) {
      expect(player.core.placeOf(SESSION)?.children.length).toBeLessThanOrEqual(1)
    }
    expect(spectators.filter(({ fromPlayers }) => fromPlayers > 5).length).toBeLessThanOrEqual(2)
  })

  test('finds another source when the one it had goes', () => {
    const world = new World(2)
    const pair = players(world)
    const spectators = Array.from({ length: count }, (_, i) => world.add(`spectator ${i}`))
    for (const spectator of spectators) world.follow(spectator)
    world.run(3_000)
    const [relay] = pair[0].core.placeOf(SESSION)?.children ?? []
    if (relay === undefined) throw new Error('nobody is served')
    world.nodes.delete(relay)
    for (const node of world.nodes.values())
      world.feed(node, { type: 'peerClosed', machine: relay })
    world.run(3_000)
    play(world, pair, 10)
    for (const node of world.nodes.values()) expect(node.length).toBe(10)
  })
})

/** Takes every place it can get, says that it serves, and delivers nothing. */
const silent: Liar = (_from, message) => {
  if (message.type === 'follow') {
    return [{ type: 'serving', session: SESSION, path: [keysOf('liar 0').key], length: 0 }]
  }
  return message.type === 'compare' ? [{ type: 'have', session: SESSION, length: 0 }] : []
}
/** The same, and claims to have more than there is. */
const boasting: Liar = (_from, message) => {
  if (message.type === 'follow') {
    return [{ type: 'serving', session: SESSION, path: [keysOf('liar 0').key], length: 900 }]
  }
  return message.type === 'compare' ? [{ type: 'have', session: SESSION, length: 900 }] : []
}

describe('a source that does not deliver', () => {
  test.each([
    ['one that says little', silent, 1],
    ['one that boasts', boasting, 1],
    ['four that say little', silent, 4],
    ['four that boast', boasting, 4],
  ])('%s, in the players’ places, blinds nobody', (_what, liar, liars) => {
    const world = new World(3)
    const pair = players(world)
    for (let i = 0; i < liars; i++) {
      const { name } = world.add(`liar ${i}`, { liar })
      for (const player of pair) {
        world.feed(player, {
          type: 'received',
          from: name,
          message: { type: 'follow', session: SESSION, failed: true },
        })
      }
    }
    const spectators = Array.from({ length: 6 }, (_, i) => world.add(`spectator ${i}`))
    for (const spectator of spectators) world.follow(spectator)
    play(world, pair, 31)
    world.run(60_000)
    expect(spectators.map(({ length }) => length)).toEqual(spectators.map(() => 31))
  })

  test('is avoided once it has been shown up', () => {
    const world = new World(4)
    const pair = players(world)
    const liar = world.add('liar 0', { liar: boasting })
    const spectator = world.add('spectator')
    world.follow(spectator)
    play(world, pair, 31)
    world.run(20_000)
    expect(spectator.length).toBe(31)
    expect(spectator.core.placeOf(SESSION)?.source).not.toBe(liar.name)
  })

  test('an honest source is not left for good because another boasts', () => {
    const world = new World(5)
    const pair = players(world)
    world.add('liar 0', { liar: boasting })
    const spectators = Array.from({ length: 4 }, (_, i) => world.add(`spectator ${i}`))
    for (const spectator of spectators) world.follow(spectator)
    world.run(10_000)
    play(world, pair, 60)
    world.run(10_000)
    expect(spectators.map(({ length }) => length)).toEqual(spectators.map(() => 60))
  })
})

describe('a machine that boasts and serves nobody', () => {
  /** Claims to have more than there is, and is of no help to whoever believes it. */
  const claiming =
    (refusal: AudienceMessage[]): Liar =>
    (_from, message) =>
      message.type === 'follow' ? refusal : message.type === 'compare' ? [have(900)] : []

  test.each([
    ['says that it has nothing', [unavailable], 1],
    ['names nobody', [redirect()], 1],
    ['does not answer', [], 1],
    ['says that it has nothing, four times', [unavailable], 4],
  ])('keeps nobody behind for long: one that %s', (_, refusal, liars) => {
    const world = new World(9)
    const pair = players(world)
    for (let i = 0; i < liars; i++) world.add(`liar ${i}`, { liar: claiming(refusal) })
    const spectators = Array.from({ length: 4 }, (_liar, i) => world.add(`spectator ${i}`))
    for (const spectator of spectators) world.follow(spectator)
    world.run(3_000)
    let behind = 0
    for (let length = 2; length < 400; length++) {
      play(world, pair, length)
      world.run(200)
      behind = Math.max(behind, ...spectators.map((spectator) => length - spectator.length))
    }
    // Of actions that come three times a second.
    expect(behind).toBeLessThan(20)
  })
})

describe('a session that is not followed here', () => {
  const [SELF, OTHER] = [keysOf('self').key, keysOf('other').key]
  const answers = (core: Audience, message: AudienceMessage): AudienceEffect[] =>
    core.step({ type: 'received', from: OTHER, message }, 0)
  const sends = (message: AudienceMessage): AudienceEffect[] => [
    { type: 'send', to: OTHER, message },
  ]

  test('is served to nobody, and taken from nobody', () => {
    const core = new Audience({ machine: SELF, random: seeded(1) })
    expect(core.placeOf(SESSION)).toBeNull()
    expect(answers(core, follow())).toEqual(sends(unavailable))
    expect(answers(core, serving([OTHER], 3))).toEqual(sends(unfollow))
    for (const message of [redirect(OTHER), unavailable, unfollow, compare, have(3)]) {
      expect(answers(core, message)).toEqual([])
    }
  })

  test('is left as if it never was, once it is followed no more', () => {
    const core = new Audience({ machine: SELF, random: seeded(1) })
    const followed = { session: SESSION, seated: true, seatMachines: [], length: 1 }
    core.step({ type: 'peerOpened', machine: OTHER }, 0)
    core.step({ type: 'followed', followed }, 0)
    answers(core, follow())
    expect(core.placeOf(SESSION)).toEqual({ source: null, children: [OTHER] })
    expect(core.step({ type: 'unfollowed', session: SESSION }, 0)).toContainEqual(
      sends(unavailable)[0],
    )
    expect(core.placeOf(SESSION)).toBeNull()
    expect(core.step({ type: 'unfollowed', session: SESSION }, 0)).toEqual([])
    expect(core.step({ type: 'timer', id: `watch ${SESSION}` }, 9_000)).toEqual([])
    expect(answers(core, follow())).toEqual(sends(unavailable))
  })
})

test('machines are online while they are linked', () => {
  const core = new Audience({ machine: 'self', random: seeded(1) })
  const isOnline = (): boolean[] => ['a', 'b'].map((machine) => core.isOnline(machine))
  expect(isOnline()).toEqual([false, false])
  core.step({ type: 'peerOpened', machine: 'a' }, 0)
  expect(isOnline()).toEqual([true, false])
  core.step({ type: 'peerClosed', machine: 'a' }, 0)
  expect(isOnline()).toEqual([false, false])
})

describe('what strangers can make a machine do is bounded', () => {
  test('invented machines are dialled a few at a time', () => {
    const world = new World(6)
    const inventor: Liar = (_from, message) =>
      message.type === 'follow'
        ? [
            {
              type: 'redirect',
              session: SESSION,
              machines: Array.from(
                { length: 16 },
                () => keysOf(`invented ${Math.floor(world.nowMs)} ${invented++}`).key,
              ),
            },
          ]
        : []
    let invented = 0
    world.add('liar 0', { liar: inventor })
    const spectator = world.add('spectator')
    world.follow(spectator)
    world.run(50_000)
    expect(invented).toBeGreaterThan(100)
    expect(spectator.reached.length).toBeGreaterThan(0)
    expect(spectator.reached.length).toBeLessThanOrEqual(8)
  })

  test('any messages in any order are answered, and nothing throws', () => {
    const machines = ['a', 'b', 'c', 'd'].map((name) => keysOf(name).key)
    const machine = fc.constantFrom(...machines)
    const session = fc.constantFrom(SESSION, 'b'.repeat(64))
    const message: fc.Arbitrary<AudienceMessage> = fc.oneof(
      fc.record({ type: fc.constant('follow' as const), session, failed: fc.boolean() }),
      fc.record({
        type: fc.constant('serving' as const),
        session,
        path: fc.array(machine, { maxLength: 64, size: 'max' }),
        length: fc.nat(),
      }),
      fc.record({
        type: fc.constant('redirect' as const),
        session,
        machines: fc.array(machine, { maxLength: 16, size: 'max' }),
      }),
      fc.record({ type: fc.constantFrom('unavailable' as const, 'unfollow', 'compare'), session }),
      fc.record({ type: fc.constant('have' as const), session, length: fc.nat() }),
    ) as fc.Arbitrary<AudienceMessage>
    const event: fc.Arbitrary<AudienceEvent> = fc.oneof(
      fc.record({ type: fc.constant('received' as const), from: machine, message }),
      fc.record({ type: fc.constantFrom('peerOpened' as const, 'peerClosed'), machine }),
      fc.record({
        type: fc.constant('timer' as const),
        id: fc.constantFrom(`seek ${SESSION}`, `watch ${SESSION}`, `guest ${SESSION}`, 'x'),
      }),
      fc.record({
        type: fc.constant('followed' as const),
        followed: fc.record({
          session,
          seated: fc.boolean(),
          seatMachines: fc.array(machine, { maxLength: 4, size: 'max' }),
          length: fc.nat(40),
        }),
      }),
      fc.record({ type: fc.constant('unfollowed' as const), session }),
    ) as fc.Arbitrary<AudienceEvent>
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60, size: 'max' }), (events) => {
        const core = new Audience({ machine: keysOf('self').key, random: seeded(1) })
        for (const [at, one] of events.entries()) {
          for (const effect of core.step(one, at * 700)) {
            if (effect.type !== 'replicate') continue
            expect(effect.machines).not.toContain(keysOf('self').key)
          }
        }
        expect(core.placeOf(SESSION)?.children.length ?? 0).toBeLessThanOrEqual(4)
      }),
      { numRuns: 500, seed: 11 },
    )
  })
})
