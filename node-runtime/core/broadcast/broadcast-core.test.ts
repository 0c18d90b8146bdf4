import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BroadcastCore, MAX_HEADS, MAX_HOPS, MAX_SEEN } from './broadcast-core.ts'
import type { BroadcastEffect, BroadcastEvent, BroadcastMessage } from './broadcast-core.ts'

const item = (id: string, author = 'ada') => ({ id, author, payload: `what ${id} says` })

/** Cores on links that take 10 ms each. */
function cloud(links: readonly (readonly [number, number])[], count: number) {
  const cores = Array.from({ length: count }, () => new BroadcastCore())
  const heard = cores.map(() => new Map<string, number>())
  const sent: { from: number; to: number; message: BroadcastMessage }[] = []
  const due: { atMs: number; run: () => void }[] = []
  let nowMs = 0
  /** What is lost on the way. */
  let loses: (from: number, to: number, message: BroadcastMessage) => boolean = () => false
  const post = (at: number, event: BroadcastEvent): void => {
    for (const effect of cores[at]!.step(event, nowMs)) perform(at, effect)
  }
  const perform = (at: number, effect: BroadcastEffect): void => {
    if (effect.type === 'deliver') {
      expect(heard[at]!.has(effect.item.id)).toBe(false)
      heard[at]!.set(effect.item.id, effect.hops)
    } else if (effect.type === 'setTimer') {
      due.push({
        atMs: nowMs + effect.afterMs,
        run: () => post(at, { type: 'timer', id: effect.id }),
      })
    } else {
      const to = Number(effect.to)
      sent.push({ from: at, to, message: effect.message })
      if (loses(at, to, effect.message)) return
      const event = { type: 'received', from: String(at), message: effect.message } as const
      due.push({ atMs: nowMs + 10, run: () => post(to, event) })
    }
  }
  const wait = (ms: number): void => {
    for (const endMs = nowMs + ms; ; ) {
      due.sort((a, b) => a.atMs - b.atMs)
      if (due[0] === undefined || due[0].atMs > endMs) {
        nowMs = endMs
        return
      }
      const { atMs, run } = due.shift()!
      nowMs = atMs
      run()
    }
  }
  for (const [a, b] of links) {
    post(a, { type: 'linkOpened', machine: String(b) })
    post(b, { type: 'linkOpened', machine: String(a) })
  }
  const pushes = (): number =>
    sent.splice(0).filter(({ message }) => message.kind === 'push').length
  return { post, wait, heard, sent, pushes, lose: (which: typeof loses) => void (loses = which) }
}

const mesh = (count: number): [number, number][] =>
  Array.from({ length: count }, (_, a) => a).flatMap((a) =>
    Array.from({ length: count - a - 1 }, (_, i): [number, number] => [a, a + i + 1]),
  )

describe('a broadcast', () => {
  it('reaches all, the first over every link and the next ones over a tree', () => {
    const { post, wait, heard, pushes } = cloud(mesh(8), 8)
    post(0, { type: 'publish', item: item('1') })
    wait(100)
    expect(heard.slice(1).map((of) => of.get('1'))).toEqual(Array.from({ length: 7 }, () => 1))
    expect(pushes()).toBeGreaterThan(7)
    post(0, { type: 'publish', item: item('2') })
    wait(2_000)
    expect(heard.slice(1).every((of) => of.get('2') === 1)).toBe(true)
    expect(pushes()).toBe(7)
  })

  it('is asked for by whom it did not reach, once for all who have it', () => {
    const { post, wait, heard, sent, lose } = cloud(mesh(5), 5)
    post(0, { type: 'publish', item: item('1') })
    wait(1_000)
    // The way of the tree is dead from now on.
    lose((from, to, { kind }) => from === 0 && to === 3 && kind === 'push')
    sent.splice(0)
    post(0, { type: 'publish', item: item('2') })
    wait(5_000)
    expect(heard[3]!.has('2')).toBe(true)
    expect(sent.filter(({ from, message }) => from === 3 && message.kind === 'want')).toHaveLength(
      1,
    )
  })

  it('is told to whom a link opens later', () => {
    const { post, wait, heard } = cloud([[0, 1]], 3)
    post(0, { type: 'publish', item: item('1') })
    wait(1_000)
    post(2, { type: 'linkOpened', machine: '1' })
    post(1, { type: 'linkOpened', machine: '2' })
    wait(2_000)
    expect(heard[2]!.get('1')).toBe(2)
  })

  it('takes a way that is shorter, although it was slower', () => {
    const core = new BroadcastCore()
    for (const machine of ['long', 'short']) core.step({ type: 'linkOpened', machine }, 0)
    const hear = (from: string, id: string, hops: number): BroadcastEffect[] =>
      core.step({ type: 'received', from, message: { kind: 'push', item: item(id), hops } }, 0)
    hear('long', '1', 4)
    const prune = { kind: 'prune', author: 'ada' }
    expect(hear('short', '1', 2)).toEqual([{ type: 'send', to: 'long', message: prune }])
    hear('long', '2', 2)
    expect(hear('short', '2', 2)).toEqual([{ type: 'send', to: 'short', message: prune }])
    hear('long', '3', 5)
    const heads = [{ id: '3', hops: 1 }]
    const have = { type: 'received', from: 'short', message: { kind: 'have', heads } } as const
    expect(core.step(have, 0)).toContainEqual({
      type: 'send',
      to: 'short',
      message: { kind: 'graft', author: 'ada' },
    })
  })

  it('floods nobody: one link brings so many at once', () => {
    const core = new BroadcastCore()
    core.step({ type: 'linkOpened', machine: 'a' }, 0)
    let delivered = 0
    for (let i = 0; i < 5_000; i++) {
      const message: BroadcastMessage = { kind: 'push', item: item(`${i}`), hops: 1 }
      const effects = core.step({ type: 'received', from: 'a', message }, 0)
      delivered += effects.filter(({ type }) => type === 'deliver').length
    }
    expect(delivered).toBe(512)
  })
})

describe('what a liar says has', () => {
  const have = (...ids: string[]): BroadcastMessage => ({
    kind: 'have',
    heads: ids.map((id) => ({ id, hops: 1 })),
  })
  /** Every 200 ms for as long: what is asked of whom. */
  const asked = (core: BroadcastCore, fromMs: number, untilMs: number): string[] => {
    const wants: string[] = []
    for (let nowMs = fromMs; nowMs < untilMs; nowMs += 200) {
      for (const effect of core.step({ type: 'timer', id: 'gather' }, nowMs)) {
        if (effect.type !== 'send' || effect.message.kind !== 'want') continue
        wants.push(...effect.message.ids.map((id) => `${effect.to} ${id}`))
      }
    }
    return wants
  }

  it('come from as far away as can be is passed on as such, and no further', () => {
    const core = new BroadcastCore()
    for (const machine of ['liar', 'ada']) core.step({ type: 'linkOpened', machine }, 0)
    const message: BroadcastMessage = { kind: 'push', item: item('1'), hops: MAX_HOPS }
    const effects = core.step({ type: 'received', from: 'liar', message }, 0)
    expect(effects).toContainEqual({
      type: 'send',
      to: 'ada',
      message: { ...message, hops: MAX_HOPS },
    })
  })

  it('many that do not exist keep nobody from hearing what others have', () => {
    const core = new BroadcastCore()
    for (const machine of ['liar', 'ada']) core.step({ type: 'linkOpened', machine }, 0)
    for (let part = 0; part < 40; part++) {
      const ids = Array.from({ length: MAX_HEADS }, (_, i) => `none ${part} ${i}`)
      core.step({ type: 'received', from: 'liar', message: have(...ids) }, 0)
    }
    expect(core.waiting).toBeLessThanOrEqual(MAX_HEADS)
    core.step({ type: 'received', from: 'ada', message: have('real') }, 0)
    expect(asked(core, 200, 2_000)).toContain('ada real')
  })

  it('what it does not give is asked of the others who have it', () => {
    const core = new BroadcastCore()
    const liars = Array.from({ length: 7 }, (_, i) => `liar ${i}`)
    for (const machine of [...liars, 'ada']) core.step({ type: 'linkOpened', machine }, 0)
    for (const from of [...liars, 'ada']) {
      core.step({ type: 'received', from, message: have('real') }, 0)
    }
    expect(asked(core, 200, 10_000)).toEqual([...liars, 'ada'].map((machine) => `${machine} real`))
    expect(core.waiting).toBe(0)
    const closed = have('other')
    for (const from of ['liar 0', 'ada']) {
      core.step({ type: 'received', from, message: closed }, 10_000)
    }
    core.step({ type: 'linkClosed', machine: 'liar 0' }, 10_000)
    expect(asked(core, 10_200, 11_000)).toEqual(['ada other'])
  })
})

it('no order of events makes it throw, deliver twice or grow', () => {
  const machine = fc.constantFrom('a', 'b', 'c')
  const id = fc.nat(30).map(String)
  const author = fc.constantFrom('ada', 'bob', 'cleo')
  const message: fc.Arbitrary<BroadcastMessage> = fc.oneof(
    fc.record({
      kind: fc.constant('push' as const),
      item: fc.tuple(id, author).map(([name, by]) => item(name, by)),
      hops: fc.nat(9),
    }),
    fc.record({
      kind: fc.constant('have' as const),
      heads: fc.array(fc.record({ id, hops: fc.nat(9) }), { maxLength: 40 }),
    }),
    fc.record({ kind: fc.constant('want' as const), ids: fc.array(id) }),
    fc.record({ kind: fc.constantFrom('graft' as const, 'prune' as const), author }),
  )
  const event: fc.Arbitrary<BroadcastEvent> = fc.oneof(
    fc.record({ type: fc.constantFrom('linkOpened' as const, 'linkClosed' as const), machine }),
    fc.record({ type: fc.constant('received' as const), from: machine, message }),
    fc.constant({ type: 'timer' as const, id: 'gather' }),
    id.map((name) => ({ type: 'publish' as const, item: item(name) })),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(event, fc.nat(500)), { maxLength: 80 }), (events) => {
      const core = new BroadcastCore()
      const delivered = new Set<string>()
      let nowMs = 0
      for (const [happened, afterMs] of events) {
        nowMs += afterMs
        for (const effect of core.step(happened, nowMs)) {
          if (effect.type !== 'deliver') continue
          expect(delivered.has(effect.item.id)).toBe(false)
          delivered.add(effect.item.id)
        }
      }
      expect(core.waiting).toBeLessThan(100)
    }),
  )
  expect(MAX_SEEN).toBeGreaterThan(1_000)
})
