import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TokenCore } from './token-core.ts'
import type { TokenEffect, TokenEvent } from './token-core.ts'
import { isOutdone, tokenSchema } from './token.ts'
import type { Token } from './token.ts'

const HOP_MS = 20

/** A ring of cores, each on a clock of its own. */
function ring(count: number) {
  const names = Array.from({ length: count }, (_, i) => `m${i}`)
  const cores = new Map(
    names.map((own, i) => [own, new TokenCore({ own, random: () => i / count })]),
  )
  const timers = new Map<string, { atMs: number; run: () => void }>()
  const due: { atMs: number; run: () => void }[] = []
  const passed: { from: string; token: Token }[] = []
  const deltas: { at: string; text: string }[] = []
  const dead = new Set<string>()
  let nowMs = 0
  const clock = (own: string): number => nowMs + 1_000 * Number(own.slice(1))
  const post = (own: string, event: TokenEvent): void => {
    if (dead.has(own)) return
    for (const effect of cores.get(own)!.step(event, clock(own))) perform(own, effect)
  }
  const perform = (own: string, effect: TokenEffect): void => {
    if (effect.type === 'setTimer') {
      const run = (): void => post(own, { type: 'timer', id: effect.id })
      timers.set(`${own} ${effect.id}`, { atMs: nowMs + effect.afterMs, run })
    } else if (effect.type === 'pass') {
      passed.push({ from: own, token: effect.token })
      const event = { type: 'received', from: own, token: effect.token, hopMs: HOP_MS } as const
      due.push({ atMs: nowMs + HOP_MS, run: () => post(effect.to, event) })
    } else if (effect.type === 'take') {
      due.push({
        atMs: nowMs + HOP_MS,
        run: () => post(effect.to, { type: 'taken', from: own, mark: effect.mark }),
      })
    } else if (effect.type === 'delta') {
      deltas.push({ at: own, text: effect.delta.text })
    }
  }
  const wait = (ms: number): void => {
    for (const endMs = nowMs + ms; ; ) {
      const timed = [...timers].map(([key, timer]) => ({ key, ...timer }))
      const [next] = [...due.map((one) => ({ key: null, ...one })), ...timed].toSorted(
        (a, b) => a.atMs - b.atMs,
      )
      if (next === undefined || next.atMs > endMs) {
        nowMs = endMs
        return
      }
      nowMs = next.atMs
      if (next.key === null)
        due.splice(
          due.findIndex(({ run }) => run === next.run),
          1,
        )
      else timers.delete(next.key)
      next.run()
    }
  }
  const close = (order: readonly string[]): void => {
    order.forEach((own, i) => {
      const successor = order[(i + 1) % order.length]!
      post(own, {
        type: 'ring',
        successor: successor === own ? null : successor,
        machines: order.length,
      })
    })
  }
  /** Who made the tokens that were passed since the last time this was asked. */
  const makers = (): Set<string> =>
    new Set(passed.splice(0).map(({ token }) => `${token.epoch} ${token.maker}`))
  for (const own of names) post(own, { type: 'started' })
  close(names)
  return { names, cores, post, wait, close, makers, deltas, dead, clock, passed }
}

describe('the token', () => {
  it('is one after a while, and tells how long a lap takes, its hops, and the time of one', () => {
    const { wait, makers, cores, clock } = ring(10)
    // Ten hops of 20 ms, and ten times a tenth of the lap, which takes longer in the calm.
    for (const [afterMs, lapMs] of [
      [20_000, 2_200],
      [80_000, 10_200],
    ] as const) {
      wait(afterMs)
      for (const core of cores.values()) {
        expect(core.measured).toMatchObject({ hops: 10, hopMs: HOP_MS })
        expect(core.measured?.lapMs).toBeCloseTo(lapMs, -2)
        expect(core.measured?.skewMs).toBeLessThan(1)
      }
    }
    makers()
    wait(60_000)
    expect(makers().size).toBe(1)
    const times = [...cores].map(([own, core]) => core.timeAt(clock(own))!)
    expect(Math.max(...times) - Math.min(...times)).toBeLessThan(5)
  })

  it('goes another way when the next machine dies with it, or before it comes', () => {
    const { wait, makers, names, dead, close } = ring(6)
    wait(60_000)
    dead.add('m3')
    wait(5_000)
    close(names.filter((own) => own !== 'm3'))
    wait(60_000)
    makers()
    wait(10_000)
    expect(makers().size).toBe(1)
  })

  it('goes on at once when the machine dies that holds it, and nobody knows that', () => {
    const { wait, makers, names, dead, close, cores, passed } = ring(6)
    wait(90_000)
    const holder = names.find((own) => cores.get(own)!.holds !== null)!
    dead.add(holder)
    // Its link is closed a second later.
    wait(1_000)
    passed.splice(0)
    close(names.filter((own) => own !== holder))
    wait(3_000)
    expect(makers().size).toBe(1)
  })

  it('is one after two rings have become one', () => {
    const { wait, makers, names, close } = ring(8)
    close(names.slice(0, 4))
    close(names.slice(4))
    wait(90_000)
    makers()
    wait(10_000)
    expect(makers().size).toBe(2)
    close(names)
    wait(20_000)
    makers()
    wait(20_000)
    expect(makers().size).toBe(1)
  })

  it('carries a delta to all others, once', () => {
    const { wait, post, deltas } = ring(5)
    wait(60_000)
    post('m2', { type: 'delta', kind: 'load', text: '0.7' })
    wait(30_000)
    expect(deltas.map(({ at }) => at).toSorted()).toEqual(['m0', 'm1', 'm3', 'm4'])
  })

  it('lets a delta go whose author has gone', () => {
    const { wait, post, deltas, dead, close, names, passed } = ring(5)
    wait(60_000)
    post('m2', { type: 'delta', kind: 'load', text: '0.7' })
    wait(2_500)
    dead.add('m2')
    close(names.filter((own) => own !== 'm2'))
    wait(60_000)
    expect(deltas.length).toBeLessThan(20)
    expect(passed.at(-1)?.token.deltas).toEqual([])
  })

  it('stays where there is nobody to pass it to', () => {
    const { wait, makers } = ring(1)
    wait(120_000)
    expect(makers().size).toBe(0)
  })
})

describe('a liar on the ring', () => {
  const token = { epoch: 3, maker: 'y'.repeat(52), step: 1, hopsMs: 0, timeMs: 0, deltas: [] }
  const started = (): TokenCore => {
    const core = new TokenCore({ own: 'own', random: () => 0 })
    core.step({ type: 'started' }, 0)
    core.step({ type: 'ring', successor: 'next', machines: 9 }, 0)
    return core
  }
  const MOST = 2 ** 50

  it.each([{ step: MOST }, { epoch: MOST }, { hopsMs: MOST }, { timeMs: MOST }])(
    'has nobody pass on what the next machine takes for no token: %o',
    (changes) => {
      const core = started()
      const lie = { ...token, ...changes }
      expect(tokenSchema.safeParse(lie).success).toBe(true)
      core.step({ type: 'received', from: 'liar', token: lie, hopMs: 9 }, 1)
      let passed = 0
      for (let nowMs = 500; nowMs < 60_000; nowMs += 500) {
        for (const id of ['pass', 'taken', 'lost']) {
          for (const effect of core.step({ type: 'timer', id }, nowMs)) {
            if (effect.type !== 'pass') continue
            passed += 1
            expect(tokenSchema.safeParse({ ...effect.token, maker: token.maker }).success).toBe(
              true,
            )
          }
        }
      }
      expect(passed).toBeGreaterThan(0)
    },
  )

  it('has nobody wait for ever, nor longer than a timer can', () => {
    for (const [machines, hopsMs] of [
      [9, 2 ** 48],
      [2 ** 48, 0],
    ] as const) {
      const core = started()
      core.step({ type: 'ring', successor: 'next', machines }, 0)
      core.step({ type: 'received', from: 'liar', token, hopMs: 9 }, 1)
      const lie = { ...token, step: 2, hopsMs }
      core.step({ type: 'received', from: 'liar', token: lie, hopMs: 9 }, 2)
      const effects = core.step({ type: 'timer', id: 'lost' }, 3)
      const waits = effects.flatMap((effect) =>
        effect.type === 'setTimer' && effect.id === 'lost' ? [effect.afterMs] : [],
      )
      expect(waits).toHaveLength(1)
      expect(waits[0]).toBeLessThan(2 ** 31)
      expect(core.measured?.hopMs).toBeLessThanOrEqual(60_000)
    }
  })

  it('keeps who has just come from the ring’s token for a while, and not for good', () => {
    const core = started()
    const lie = { ...token, epoch: 2 ** 48 }
    core.step({ type: 'received', from: 'liar', token: lie, hopMs: 9 }, 1)
    let taken = 0
    for (let step = 2; step < 60; step++) {
      const nowMs = 1_000 * step
      const effects = core.step(
        { type: 'received', from: 'ada', token: { ...token, step }, hopMs: 9 },
        nowMs,
      )
      if (effects.some(({ type }) => type === 'setTimer')) taken += 1
      for (const id of ['pass', 'lost']) core.step({ type: 'timer', id }, nowMs)
    }
    expect(taken).toBeGreaterThan(20)
  })
})

describe('which token counts', () => {
  const mark = { epoch: 5, maker: 'm', step: 7 }
  it.each([
    [{ epoch: 4, maker: 'z', step: 99 }, true],
    [{ epoch: 6, maker: 'a', step: 0 }, false],
    [{ epoch: 5, maker: 'a', step: 99 }, true],
    [{ epoch: 5, maker: 'z', step: 0 }, false],
    [{ epoch: 5, maker: 'm', step: 7 }, true],
    [{ epoch: 5, maker: 'm', step: 8 }, false],
    // Made up: nobody lost a million tokens.
    [{ epoch: 5 + 1_000_001, maker: 'm', step: 8 }, true],
  ])('%o is outdone: %s', (token, outdone) => {
    expect(isOutdone(token, mark)).toBe(outdone)
    expect(isOutdone(token, null)).toBe(false)
  })

  it('is bounded in what it carries', () => {
    const key = 'y'.repeat(52)
    const token = { epoch: 1, maker: key, step: 0, hopsMs: 0, timeMs: 0 }
    const delta = { from: key, step: 0, kind: 'load', text: 'x'.repeat(256) }
    const reads = (deltas: unknown[]): boolean =>
      tokenSchema.safeParse({ ...token, deltas }).success
    expect(reads(Array.from({ length: 16 }, () => delta))).toBe(true)
    expect(reads(Array.from({ length: 17 }, () => delta))).toBe(false)
    expect(reads([{ ...delta, text: 'x'.repeat(257) }])).toBe(false)
  })
})

it('no order of events makes it throw, or pass more than it got and made', () => {
  const name = fc.constantFrom('a', 'b', 'own')
  const mark = fc.record({ epoch: fc.nat(5), maker: name, step: fc.nat(5) })
  const event: fc.Arbitrary<TokenEvent> = fc.oneof(
    fc.record({
      type: fc.constant('ring' as const),
      successor: fc.constantFrom(null, 'a', 'b'),
      machines: fc.nat(9),
    }),
    fc.record({
      type: fc.constant('received' as const),
      from: name,
      token: mark.map((one) => ({ ...one, hopsMs: 5, timeMs: 5, deltas: [] })),
      hopMs: fc.nat(50),
    }),
    fc.record({ type: fc.constant('taken' as const), from: name, mark }),
    fc.record({
      type: fc.constant('timer' as const),
      id: fc.constantFrom('pass', 'taken', 'lost'),
    }),
    fc.constant({ type: 'delta' as const, kind: 'load', text: '1' }),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(event, fc.nat(9_000)), { maxLength: 60 }), (events) => {
      const core = new TokenCore({ own: 'own', random: () => 0.5 })
      let nowMs = 0
      core.step({ type: 'started' }, nowMs)
      for (const [happened, afterMs] of events) {
        nowMs += afterMs
        const passes = core.step(happened, nowMs).filter(({ type }) => type === 'pass')
        expect(passes.length).toBeLessThanOrEqual(1)
        for (const effect of passes) {
          if (effect.type === 'pass') expect(effect.token.deltas.length).toBeLessThanOrEqual(16)
        }
      }
    }),
  )
})

it('a token is not taken for lost because an earlier one came by sooner than a lap takes', () => {
  const core = new TokenCore({ own: 'own', random: () => 0 })
  const token = { maker: 'b', hopsMs: 0, timeMs: 0, deltas: [], step: 1 }
  core.step({ type: 'started' }, 0)
  core.step({ type: 'ring', successor: 'b', machines: 200 }, 0)
  core.step({ type: 'received', from: 'b', token: { ...token, epoch: 1 }, hopMs: 80 }, 0)
  const again = { ...token, epoch: 1, step: 2, hopsMs: 80 }
  core.step({ type: 'received', from: 'b', token: again, hopMs: 80 }, 1_000)
  core.step({ type: 'timer', id: 'pass' }, 2_000)
  expect(core.step({ type: 'timer', id: 'lost' }, 40_000).map(({ type }) => type)).toEqual([
    'setTimer',
  ])
  expect(core.step({ type: 'timer', id: 'lost' }, 62_000)).toHaveLength(2)
})
