import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_WANTED } from './dial-list.ts'
import type { MachineAddress } from './dial-list.ts'
import { FindingCore, MAX_LINKS, MAX_LINKS_PER_ADDRESS } from './finding-core.ts'
import type { FindingEffect, FindingEvent, LinkTraits } from './finding-core.ts'

const OWN = 'm'
const GREATER = 'z'
const LESSER = 'a'
const at = (host: string): MachineAddress => ({ host, port: 4_000 })
const link = (openedMs: number, dialled = true): LinkTraits => ({
  openedMs,
  dialled,
  address: null,
})

/** A core on a clock of its own; `until` rings its timers. */
function world(ownMachine = OWN) {
  const core = new FindingCore({ ownMachine, loopback: false, random: () => 0 })
  const timers = new Map<string, number>()
  let nowMs = 0
  const log: [nowMs: number, effect: FindingEffect][] = []
  const post = (event: FindingEvent): FindingEffect[] => {
    const effects = core.step(event, nowMs)
    for (const effect of effects) {
      if (effect.type === 'setTimer') timers.set(effect.id, nowMs + effect.afterMs)
      else log.push([nowMs, effect])
    }
    return effects
  }
  const until = (endMs: number, onEffect: (effect: FindingEffect) => void = () => {}): void => {
    for (;;) {
      const next = [...timers].sort((a, b) => a[1] - b[1])[0]
      if (next === undefined || next[1] > endMs) break
      timers.delete(next[0])
      nowMs = Math.max(nowMs, next[1])
      for (const effect of post({ type: 'timer', id: next[0] })) onEffect(effect)
    }
    nowMs = endMs
  }
  const times = (type: FindingEffect['type']): number[] =>
    log.filter(([, effect]) => effect.type === type).map(([atMs]) => atMs)
  return { core, post, until, times, log, now: () => nowMs }
}

describe('finding', () => {
  it('knocks at the addresses of a machine that was sighted, and dials when somebody answers', () => {
    const { post, until, times, log } = world()
    const addresses = [at('10.0.0.1'), at('10.0.0.2')]
    post({ type: 'sighted', machine: LESSER, addresses })
    expect(log).toEqual([[0, { type: 'knock', machine: LESSER, addresses }]])
    until(100)
    post({ type: 'knockAnswered', machine: LESSER })
    expect(times('dial')).toEqual([100])
    post({ type: 'linkOpened', machine: LESSER, link: link(200) })
    post({ type: 'knockAnswered', machine: LESSER })
    post({ type: 'sighted', machine: LESSER, addresses: [at('10.0.0.3')] })
    expect(times('dial')).toEqual([100])
    expect(times('knock')).toEqual([0])
  })

  it('dials without an answer after a moment, and who has no address at once', () => {
    const { post, until, times } = world()
    post({ type: 'sighted', machine: LESSER, addresses: [at('10.0.0.1')] })
    until(1_000)
    expect(times('dial')).toEqual([300])
    post({ type: 'sighted', machine: 'b', addresses: [] })
    expect(times('dial')).toEqual([300, 1_000])
  })

  it('knocks at one host sixteen times in ten seconds, whoever names it', () => {
    const { post, until, log } = world()
    for (let atMs = 0; atMs < 25_000; atMs += 500) {
      until(atMs)
      for (let n = 0; n < 40; n++) {
        const addresses = [{ host: '10.0.0.1', port: 1_000 + n + atMs }]
        post({ type: 'sighted', machine: `z${n}-${atMs}`, addresses })
      }
    }
    const knocks = log.filter(([, { type }]) => type === 'knock').map(([atMs]) => atMs)
    expect(knocks).toHaveLength(3 * 16)
    expect(new Set(knocks)).toEqual(new Set([0, 10_000, 20_000]))
  })

  it('knocks at four addresses of one machine at most, and at its own never', () => {
    const { post, log } = world()
    const all = Array.from({ length: 9 }, (_, n) => at(`10.0.0.${n}`))
    post({ type: 'sighted', machine: GREATER, addresses: all })
    post({ type: 'sighted', machine: OWN, addresses: all })
    const knocks = log.filter(([, { type }]) => type === 'knock').map(([, knock]) => knock)
    expect(knocks).toEqual([{ type: 'knock', machine: GREATER, addresses: all.slice(0, 4) }])
  })

  it('knocks at no address of many, of nobody, or of this computer', () => {
    const { post, log } = world()
    for (const host of ['0.1.2.3', '127.0.0.1', '224.0.0.1', '255.255.255.255']) {
      post({ type: 'sighted', machine: GREATER, addresses: [at(host)] })
    }
    expect(log).toEqual([])
  })

  it('dials at once who was dialled in vain, when the network is another', () => {
    const { post, until, times } = world()
    post({ type: 'wanted', machine: LESSER })
    until(200_000)
    expect(times('dial').at(-1)).toBe(155_000)
    post({ type: 'networkChanged' })
    expect(times('dial').at(-1)).toBe(200_000)
    until(210_000)
    expect(times('dial').at(-1)).toBe(205_000)
  })

  it('in another network dials at once whose link fell silent, whoever had to dial before', () => {
    for (const machine of [GREATER, LESSER]) {
      const { post, until, times } = world()
      post({ type: 'linkOpened', machine, link: link(0, false) })
      until(100_000)
      post({ type: 'networkChanged' })
      until(100_500)
      post({ type: 'linkClosed', machine, silent: true })
      expect(times('dial')).toEqual([100_500])
      post({ type: 'linkOpened', machine, link: link(101_000) })
      // The other side ended it, which is no matter of the network.
      post({ type: 'linkClosed', machine })
      expect(times('dial')).toEqual([100_500])
      until(110_000)
      const count = times('dial').length
      post({ type: 'linkOpened', machine, link: link(110_000) })
      post({ type: 'linkClosed', machine, silent: true })
      expect(times('dial')).toHaveLength(count)
    }
  })

  it('does not dial for an answer to a knock that nobody wants any more', () => {
    const { post } = world()
    expect(post({ type: 'knockAnswered', machine: LESSER })).toEqual([])
  })

  it('whom it dials through another relay it has wanted since then, whoever began that, and gives up in time', () => {
    const { post, until, log, core } = world()
    const dialling = (machine: string) => ({ type: 'dial', machine })
    expect(post({ type: 'redialled', machine: LESSER })).toContainEqual(dialling(LESSER))
    expect(core.wantedCount).toBe(1)
    post({ type: 'linkOpened', machine: LESSER, link: link(100) })
    expect(log.at(-1)).toEqual([0, { type: 'stopDialling', machine: LESSER }])
    expect(post({ type: 'redialled', machine: LESSER })).toEqual([])
    expect(post({ type: 'redialled', machine: OWN })).toEqual([])
    expect(post({ type: 'redialled', machine: GREATER })).toContainEqual(dialling(GREATER))
    expect(post({ type: 'released', machine: GREATER })).toContainEqual({
      type: 'stopDialling',
      machine: GREATER,
    })
    post({ type: 'turnedAway', machine: 'shut' })
    expect(post({ type: 'redialled', machine: 'shut' })).toEqual([])
    // One that is not there is not dialled for ever.
    post({ type: 'redialled', machine: 'b' })
    until(60 * 60_000)
    expect(log).toContainEqual([expect.any(Number), { type: 'stopDialling', machine: 'b' }])
  })

  it('dials a wanted machine at growing intervals, and stops when nobody wants it any more', () => {
    const { core, post, until, times } = world()
    post({ type: 'wanted', machine: LESSER })
    until(3_600_000)
    const dials = times('dial')
    expect(dials.slice(0, 5)).toEqual([0, 5_000, 15_000, 35_000, 75_000])
    expect(dials.at(-1)).toBeLessThan(30 * 60_000)
    expect(times('stopDialling')).toHaveLength(1)
    expect(core.wantedCount).toBe(0)
  })

  it('comes ever more rarely where it was turned away, until it has something else to show', () => {
    const { post, until, times, log } = world()
    post({ type: 'wanted', machine: LESSER })
    const turnedAway = (effect: FindingEffect): void => {
      if (effect.type === 'dial') post({ type: 'turnedAway', machine: LESSER })
    }
    post({ type: 'turnedAway', machine: LESSER })
    until(100_000, turnedAway)
    expect(times('dial')).toEqual([0, 2_000, 6_000, 14_000, 30_000, 62_000])
    expect(times('leaveAlone')).toEqual(times('dial'))
    // Nobody who names it hastens that.
    const before = log.length
    post({ type: 'wanted', machine: LESSER })
    post({ type: 'sighted', machine: LESSER, addresses: [at('10.0.0.1')] })
    post({ type: 'knockAnswered', machine: LESSER })
    expect(log).toHaveLength(before)
    post({ type: 'passChanged' })
    expect(times('dial').at(-1)).toBe(100_000)
    post({ type: 'turnedAway', machine: LESSER })
    until(102_000, turnedAway)
    expect(times('dial').at(-1)).toBe(102_000)
  })

  it('looks for the others all the same, however many strangers turn it away', () => {
    const { core, post, until, log } = world()
    const others = Array.from({ length: 200 }, (_, i) => `b${i}`)
    for (const machine of others) post({ type: 'wanted', machine })
    until(6_000)
    for (let i = 0; i < 5_000; i++) post({ type: 'turnedAway', machine: `stranger ${i}` })
    const forgotten = log.flatMap(([, effect]) =>
      effect.type === 'stopDialling' ? [effect.machine] : [],
    )
    expect(forgotten.filter((machine) => machine.startsWith('b'))).toEqual([])
    expect(core.wantedCount).toBe(MAX_WANTED)
    // Who was left alone and is not dialled again is not left alone any more.
    const alone = log.flatMap(([, effect]) =>
      effect.type === 'leaveAlone' ? [effect.machine] : [],
    )
    expect(alone.length - forgotten.length).toBe(MAX_WANTED - others.length)
    for (let i = 0; i < 56; i++) post({ type: 'wanted', machine: `c${i}` })
    const before = log.length
    post({ type: 'turnedAway', machine: 'one more' })
    expect(log).toHaveLength(before)
  })

  it('leaves the first dial to the machine with the greater key', () => {
    const { post, until, times } = world()
    post({ type: 'wanted', machine: GREATER })
    expect(times('dial')).toEqual([])
    until(6_000)
    expect(times('dial')).toEqual([5_000])
  })

  it('wanting a machine again does not undo its back-off', () => {
    const { post, until, times } = world()
    post({ type: 'wanted', machine: LESSER })
    for (let atMs = 100; atMs <= 30_000; atMs += 100) {
      until(atMs)
      post({ type: 'wanted', machine: LESSER })
    }
    expect(times('dial')).toEqual([0, 5_000, 15_000])
  })

  it('does not dial who is linked, and begins anew when the link is lost', () => {
    const { post, until, times } = world()
    post({ type: 'wanted', machine: LESSER })
    post({ type: 'linkOpened', machine: LESSER, link: link(0) })
    until(100_000)
    expect(times('dial')).toEqual([0])
    post({ type: 'linkClosed', machine: LESSER })
    until(100_001)
    expect(times('dial')).toEqual([0, 100_000])
  })

  it('does not dial at once who ends each link as soon as it is there', () => {
    const { post, until, times } = world()
    post({ type: 'wanted', machine: LESSER })
    const end = (): void => {
      post({ type: 'linkOpened', machine: LESSER, link: link(0) })
      post({ type: 'linkClosed', machine: LESSER })
    }
    end()
    until(40_000, (effect) => {
      if (effect.type === 'dial') end()
    })
    expect(times('dial')).toEqual([0, 5_000, 15_000, 35_000])
  })

  it('invented machines fill a bounded list, and do not push out one that was linked', () => {
    const { core, post, log } = world()
    post({ type: 'wanted', machine: LESSER })
    post({ type: 'linkOpened', machine: LESSER, link: link(0) })
    post({ type: 'linkClosed', machine: LESSER })
    for (let number = 0; number < 10_000; number++) {
      post({ type: 'wanted', machine: `b${number}` })
    }
    expect(core.wantedCount).toBe(MAX_WANTED)
    const forgotten = log.flatMap(([, effect]) =>
      effect.type === 'stopDialling' ? [effect.machine] : [],
    )
    expect(forgotten.filter((machine) => machine.startsWith('b'))).toHaveLength(10_001 - MAX_WANTED)
    expect(forgotten.filter((machine) => machine === LESSER)).toHaveLength(1)
  })
})

describe('admission', () => {
  it('has an end', () => {
    const { core, post } = world()
    for (let number = 0; number < MAX_LINKS; number++) {
      expect(core.admission(`b${number}`, link(0))).toBe('admit')
      post({ type: 'linkOpened', machine: `b${number}`, link: link(0) })
    }
    expect(core.admission('c', link(0))).toBe('full')
    expect(core.admission('b1', link(9_000))).toBe('replace')
    post({ type: 'wanted', machine: 'c' })
    expect(core.admission('c', link(0))).toBe('admit')
  })

  it('has an end for each address, and none for this computer alone', () => {
    const { core, post } = world()
    const from = (address: string): LinkTraits => ({ ...link(0), address })
    for (let number = 0; number < MAX_LINKS_PER_ADDRESS; number++) {
      post({ type: 'linkOpened', machine: `b${number}`, link: from('10.0.0.1') })
    }
    expect(core.admission('c', from('10.0.0.1'))).toBe('full')
    expect(core.admission('c', from('10.0.0.2'))).toBe('admit')
    expect(core.admission('c', link(0))).toBe('admit')
  })

  it('is not at once for who broke the rules, ever later, and forgiven in the end', () => {
    const { core, post, until, now } = world()
    const waits: number[] = []
    for (let fault = 0; fault < 4; fault++) {
      post({ type: 'misbehaved', machine: 'b' })
      const fromMs = now()
      while (core.admission('b', link(now())) === 'too soon') until(now() + 1_000)
      waits.push(now() - fromMs)
    }
    expect(waits).toEqual([2_000, 4_000, 8_000, 16_000])
    expect(core.admission('c', link(now()))).toBe('admit')
    until(now() + 11 * 60_000)
    post({ type: 'misbehaved', machine: 'b' })
    until(now() + 2_000)
    expect(core.admission('b', link(now()))).toBe('admit')
  })

  it.each([
    [true, 'the one that the greater dialled comes second'],
    [false, 'the one that the greater dialled comes first'],
  ])('of two links at once both ends keep the same (%s: %s)', (greaterSecond) => {
    const dialledBy = greaterSecond ? [LESSER, GREATER] : [GREATER, LESSER]
    const kept = [LESSER, GREATER].map((self) => {
      const other = self === LESSER ? GREATER : LESSER
      const { core, post } = world(self)
      const [first, second] = dialledBy.map((dialler) => link(100, dialler === self))
      post({ type: 'linkOpened', machine: other, link: first! })
      return core.admission(other, { ...second!, openedMs: 400 }) === 'replace' ? 1 : 0
    })
    expect(kept[0]).toBe(kept[1])
    expect(dialledBy[kept[0]!]).toBe(GREATER)
  })

  it('a machine that comes back later, or dials again, has lost its earlier link', () => {
    const { core, post } = world()
    post({ type: 'linkOpened', machine: GREATER, link: link(0, false) })
    expect(core.admission(GREATER, link(10, true))).toBe('duplicate')
    expect(core.admission(GREATER, link(10, false))).toBe('replace')
    expect(core.admission(GREATER, link(60_000, true))).toBe('replace')
  })
})

it('two links are made at once for less than three seconds', () => {
  const { core, post } = world()
  post({ type: 'linkOpened', machine: GREATER, link: link(50_000, false) })
  expect(core.admission(GREATER, link(52_999, true))).toBe('duplicate')
  expect(core.admission(GREATER, link(53_000, true))).toBe('replace')
  // Dialled anew by whom the kept one was dialled, whoever of both is the greater.
  post({ type: 'linkOpened', machine: LESSER, link: link(50_000, false) })
  expect(core.admission(LESSER, link(50_100, false))).toBe('replace')
})

it('a wanted machine gets in beyond the links of all, up to twice as many', () => {
  const { core, post } = world()
  for (let number = 0; number < 2 * MAX_LINKS - 1; number++) {
    post({ type: 'linkOpened', machine: `b${number}`, link: link(0) })
  }
  post({ type: 'wanted', machine: 'c' })
  expect(core.admission('c', link(0))).toBe('admit')
  post({ type: 'linkOpened', machine: 'b-last', link: link(0) })
  expect(core.admission('c', link(0))).toBe('full')
})

it('times are later by up to a fifth, and nobody looks for himself', () => {
  const core = new FindingCore({ ownMachine: OWN, loopback: false, random: () => 1 })
  expect(core.step({ type: 'wanted', machine: OWN }, 0)).toEqual([])
  expect(core.step({ type: 'linkClosed', machine: 'nobody' }, 0)).toEqual([])
  expect(core.step({ type: 'wanted', machine: GREATER }, 0)).toEqual([
    { type: 'setTimer', id: 'dial', afterMs: 6_000 },
  ])
})

it('no order of events makes it throw or grow', () => {
  const machine = fc.constantFrom('a', 'b', 'm', 'y', 'z')
  const event = fc.oneof(
    fc.record({ type: fc.constant('wanted' as const), machine }),
    fc.record({ type: fc.constant('knockAnswered' as const), machine }),
    fc.record({
      type: fc.constant('sighted' as const),
      machine,
      addresses: fc.array(fc.constantFrom(at('10.0.0.1'), at('10.0.0.2')), { maxLength: 9 }),
    }),
    fc.record({
      type: fc.constant('linkOpened' as const),
      machine,
      link: fc.record({
        dialled: fc.boolean(),
        openedMs: fc.nat(),
        address: fc.constantFrom(null, '10.0.0.1'),
      }),
    }),
    fc.record({ type: fc.constant('linkClosed' as const), machine }),
    fc.record({ type: fc.constant('misbehaved' as const), machine }),
    fc.record({ type: fc.constant('turnedAway' as const), machine }),
    fc.record({ type: fc.constant('passChanged' as const) }),
    fc.record({ type: fc.constant('timer' as const), id: fc.constantFrom('dial', 'x') }),
  )
  fc.assert(
    fc.property(
      fc.array(fc.tuple(event, fc.nat(100_000)), { maxLength: 100, size: 'max' }),
      (steps) => {
        const core = new FindingCore({ ownMachine: OWN, loopback: false, random: () => 0.5 })
        let nowMs = 0
        for (const [next, passedMs] of steps) {
          nowMs += passedMs
          core.step(next, nowMs)
          expect(core.wantedCount).toBeLessThanOrEqual(4)
        }
      },
    ),
  )
})
