import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WAY_NAMES } from '../../contract/connection.ts'
import { WaysCore } from './ways-core.ts'
import type { WayName, WaysEffect, WaysEvent, WayStatus } from './ways-core.ts'

const FAULT = { step: 'NO_NODE', message: 'No node answered.' }

/** A core on a clock of its own; `until` rings its timers. */
function world(on: readonly WayName[] = WAY_NAMES, random = () => 0) {
  const core = new WaysCore({ on, random })
  const timers = new Map<string, number>()
  const asks: [way: WayName, atMs: number][] = []
  let nowMs = 0
  const post = (event: WaysEvent): WaysEffect[] => {
    const effects = core.step(event, nowMs)
    for (const effect of effects) {
      if (effect.type === 'setTimer') timers.set(effect.id, nowMs + effect.afterMs)
      if (effect.type === 'clearTimer') timers.delete(effect.id)
      if (effect.type === 'ask') asks.push([effect.way, nowMs])
    }
    return effects
  }
  /** Until then; each way that is asked answers at once, if there is an answer for it. */
  const until = (endMs: number, answer: (way: WayName) => WaysEvent | null = () => null): void => {
    for (;;) {
      const next = [...timers].sort((a, b) => a[1] - b[1])[0]
      if (next === undefined || next[1] > endMs) break
      timers.delete(next[0])
      nowMs = Math.max(nowMs, next[1])
      for (const effect of post({ type: 'timer', id: next[0] })) {
        const event = effect.type === 'ask' ? answer(effect.way) : null
        if (event !== null) post(event)
      }
    }
    nowMs = endMs
  }
  const times = (way: WayName): number[] =>
    asks.filter(([name]) => name === way).map(([, atMs]) => atMs)
  const of = (way: WayName): WayStatus | undefined =>
    core.status.find((status) => status.way === way)
  return { core, post, until, times, of, asks }
}

describe('the ways of finding machines', () => {
  it('begin all at once, but for public places, which are asked a little later', () => {
    const { post, until, asks } = world()
    post({ type: 'started' })
    until(1_000)
    expect(asks).toEqual([
      ['memory', 0],
      ['lan', 0],
      ['dht', 0],
      ['list', 300],
    ])
  })

  it('that are off are never asked, and say so', () => {
    const { post, until, asks, core } = world(['lan'])
    post({ type: 'started' })
    post({ type: 'networkChanged' })
    until(1_000)
    expect(asks).toEqual([['lan', 0]])
    expect(core.status.map(({ way, state }) => [way, state])).toEqual([
      ['memory', 'off'],
      ['lan', 'asking'],
      ['list', 'off'],
      ['dht', 'off'],
    ])
  })

  it('are asked again ever more rarely while nobody is linked', () => {
    const { post, until, times } = world(['dht'])
    post({ type: 'started' })
    post({ type: 'answered', way: 'dht' })
    until(130_000, (way) => ({ type: 'answered', way }))
    expect(times('dht')).toEqual([0, 1_000, 3_000, 7_000, 15_000, 31_000, 61_000, 91_000, 121_000])
  })

  it('spare a public host: no more than two times an hour in the long run', () => {
    const { post, until, times } = world(['list'])
    post({ type: 'started' })
    until(24 * 3_600_000, (way) => ({ type: 'failed', way, fault: FAULT }))
    expect(times('list').length).toBeLessThan(60)
  })

  it('go on slowly while somebody is linked; from memory there is nothing more to gain', () => {
    const { post, until, times } = world(['memory', 'dht'])
    post({ type: 'started' })
    post({ type: 'linkOpened', machine: 'a' })
    post({ type: 'answered', way: 'dht' })
    post({ type: 'answered', way: 'memory' })
    until(100_000, (way) => ({ type: 'answered', way }))
    expect(times('memory')).toEqual([0])
    expect(times('dht')).toEqual([0, 30_000, 60_000, 90_000])
  })

  it('from memory nobody is looked for once somebody is linked, whatever was planned', () => {
    const { post, until, times } = world(['memory'])
    post({ type: 'started' })
    post({ type: 'answered', way: 'memory' })
    post({ type: 'linkOpened', machine: 'a' })
    until(100_000)
    expect(times('memory')).toEqual([0])
    post({ type: 'linkClosed', machine: 'a' })
    until(103_000)
    expect(times('memory')).toEqual([0, 102_000])
  })

  it('begin anew when the last link has gone', () => {
    const { post, until, times } = world(['memory'])
    post({ type: 'started' })
    post({ type: 'linkOpened', machine: 'a' })
    post({ type: 'linkOpened', machine: 'b' })
    post({ type: 'answered', way: 'memory' })
    post({ type: 'linkClosed', machine: 'a' })
    until(50_000)
    expect(times('memory')).toEqual([0])
    post({ type: 'linkClosed', machine: 'b' })
    until(60_000)
    expect(times('memory')).toEqual([0, 52_000])
  })

  it('are not put off by a link that comes and goes', () => {
    const { post, until, times } = world(['dht'])
    post({ type: 'started' })
    post({ type: 'answered', way: 'dht' })
    for (let atMs = 900; atMs < 600_000; atMs += 900) {
      until(atMs, (way) => ({ type: 'answered', way }))
      post({ type: 'linkOpened', machine: 'a' })
      post({ type: 'linkClosed', machine: 'a' })
    }
    expect(times('dht').length).toBeGreaterThan(15)
  })

  it('are not hastened by a link and a network that come and go', () => {
    const { post, until, times } = world(['dht', 'list'])
    const answer = (way: WayName): WaysEvent => ({ type: 'answered', way })
    post({ type: 'started' })
    post(answer('dht'))
    for (let atMs = 900; atMs < 3_600_000; atMs += 900) {
      until(atMs, answer)
      post({ type: 'linkOpened', machine: 'a' })
      post({ type: 'linkClosed', machine: 'a' })
      post({ type: 'networkChanged' })
      for (const way of ['dht', 'list'] as const) post(answer(way))
    }
    expect(times('dht').length).toBeGreaterThan(100)
    expect(times('list').length).toBeGreaterThan(2)
    expect(times('list').length).toBeLessThan(60)
  })

  it('are all asked at once when the network is another', () => {
    const { post, until, times } = world(['dht'])
    post({ type: 'started' })
    post({ type: 'answered', way: 'dht' })
    until(40_000, (way) => ({ type: 'answered', way }))
    post({ type: 'networkChanged' })
    expect(times('dht').at(-1)).toBe(40_000)
    post({ type: 'answered', way: 'dht' })
    until(41_500, (way) => ({ type: 'answered', way }))
    expect(times('dht').at(-1)).toBe(41_000)
  })

  it('are asked at once when there is something new to ask, and once more if they are under way', () => {
    const { post, until, times } = world(['list'])
    post({ type: 'started' })
    until(300)
    post({ type: 'wanted', way: 'list' })
    post({ type: 'wanted', way: 'list' })
    expect(times('list')).toEqual([300])
    until(500)
    post({ type: 'answered', way: 'list' })
    post({ type: 'answered', way: 'list' })
    expect(times('list')).toEqual([300, 500])
    until(5_000)
    post({ type: 'wanted', way: 'list' })
    expect(times('list')).toEqual([300, 500, 5_000])
    post({ type: 'wanted', way: 'dht' })
    expect(times('dht')).toEqual([])
  })

  it('are not asked twice at once; one that never answers is given up, and asked again', () => {
    const { post, until, times, of } = world(['lan'])
    post({ type: 'started' })
    post({ type: 'networkChanged' })
    expect(times('lan')).toEqual([0])
    until(10_500)
    expect(of('lan')).toMatchObject({ state: 'failed', tookMs: 10_000 })
    expect(of('lan')?.fault?.step).toBe('TIMED_OUT')
    // What it says now is too late.
    expect(post({ type: 'answered', way: 'lan' })).toEqual([])
    until(11_500)
    expect(times('lan')).toEqual([0, 11_000])
  })

  it('say how long they took, whom they named, who was linked for it, and what failed', () => {
    const { post, until, of } = world(['lan', 'dht'])
    post({ type: 'started' })
    expect(of('lan')).toMatchObject({ state: 'asking', tookMs: null, found: 0, fault: null })
    post({ type: 'named', way: 'lan', machine: 'a' })
    post({ type: 'named', way: 'lan', machine: 'a' })
    post({ type: 'named', way: 'lan', machine: 'b' })
    post({ type: 'named', way: 'dht', machine: 'a' })
    until(250)
    expect(post({ type: 'answered', way: 'lan' }).at(-1)).toEqual({ type: 'changed' })
    post({ type: 'failed', way: 'dht', fault: FAULT })
    post({ type: 'linkOpened', machine: 'a' })
    post({ type: 'linkOpened', machine: 'stranger' })
    expect(of('lan')).toEqual({
      way: 'lan',
      state: 'answered',
      tookMs: 250,
      found: 2,
      reached: 1,
      fault: null,
    })
    expect(of('dht')).toMatchObject({ state: 'failed', found: 1, reached: 0, fault: FAULT })
  })

  it('count a machine once, however often it was lost and linked again', () => {
    const { post, of } = world(['lan'])
    post({ type: 'started' })
    for (let round = 0; round < 3; round++) {
      post({ type: 'named', way: 'lan', machine: 'a' })
      post({ type: 'linkOpened', machine: 'a' })
      post({ type: 'linkClosed', machine: 'a' })
    }
    expect(of('lan')?.reached).toBe(1)
  })

  it('vary their times by up to a fifth', () => {
    const { post } = world(['dht'], () => 1)
    post({ type: 'started' })
    expect(post({ type: 'answered', way: 'dht' })[0]).toEqual({
      type: 'setTimer',
      id: 'dht',
      afterMs: 1_200,
    })
  })

  it('are given the time that they need, and asked once at a time', () => {
    const { post, until, of } = world(['dht'])
    expect(post({ type: 'started' })).toEqual([
      { type: 'ask', way: 'dht' },
      { type: 'setTimer', id: 'dht', afterMs: 120_000 },
      { type: 'changed' },
    ])
    expect(post({ type: 'wanted', way: 'lan' })).toEqual([])
    until(5_000)
    expect(post({ type: 'networkChanged' })).toEqual([])
    until(120_000)
    expect(of('dht')?.fault?.message).toBe('No answer came within 120 seconds. It is tried again.')
    until(121_500)
    post({ type: 'answered', way: 'dht' })
    expect(of('dht')?.tookMs).toBe(500)
  })

  it('are asked no sooner than their least time when the network changes', () => {
    const { post, until, times } = world(['dht'])
    post({ type: 'started' })
    post({ type: 'answered', way: 'dht' })
    until(1_500, (way) => ({ type: 'answered', way }))
    expect(times('dht')).toEqual([0, 1_000])
    until(1_999)
    expect(post({ type: 'networkChanged' })).toEqual([])
    until(2_000)
    expect(post({ type: 'networkChanged' })[0]).toEqual({ type: 'ask', way: 'dht' })
  })

  it('plan nothing from memory while somebody is linked, and public places every six hours', () => {
    const { post, until } = world(['memory', 'list'])
    post({ type: 'started' })
    until(300)
    expect(post({ type: 'linkOpened', machine: 'a' })).toEqual([])
    expect(post({ type: 'answered', way: 'memory' })).toEqual([
      { type: 'clearTimer', id: 'memory' },
      { type: 'changed' },
    ])
    expect(post({ type: 'answered', way: 'list' })).toEqual([
      { type: 'setTimer', id: 'list', afterMs: 6 * 3_600_000 },
      { type: 'changed' },
    ])
  })

  describe('when the last link has gone', () => {
    /** Asked three times in vain, so that the next wait would be 8 s; then somebody is linked at 3 s. */
    function linked() {
      const made = world(['dht'])
      const answer = (way: WayName): WaysEvent => ({ type: 'answered', way })
      made.post({ type: 'started' })
      made.post(answer('dht'))
      made.until(3_000, answer)
      made.post({ type: 'linkOpened', machine: 'a' })
      made.until(7_000, answer)
      expect(made.times('dht')).toEqual([0, 1_000, 3_000, 7_000])
      return { ...made, leave: () => made.post({ type: 'linkClosed', machine: 'a' }) }
    }
    const wait = (afterMs: number): WaysEffect[] => [{ type: 'setTimer', id: 'dht', afterMs }]

    it('the first wait is short again if it was one for 15 seconds', () => {
      const { until, leave } = linked()
      until(18_000)
      expect(leave()).toEqual(wait(1_000))
    })

    it('and goes on where it was otherwise', () => {
      const { until, leave } = linked()
      until(17_999)
      expect(leave()).toEqual(wait(8_000))
    })

    it('it counts since when anybody was linked', () => {
      const { post, until, leave } = linked()
      until(17_000)
      post({ type: 'linkOpened', machine: 'b' })
      expect(leave()).toEqual([])
      until(18_000)
      expect(post({ type: 'linkClosed', machine: 'b' })).toEqual(wait(1_000))
    })

    it('what is planned for then anyway stays as it is', () => {
      const { until, leave } = linked()
      until(36_000)
      expect(leave()).toEqual([])
    })

    it('what has not begun, or is under way, goes on', () => {
      for (const way of ['dht', 'list'] as const) {
        const { post } = world([way])
        post({ type: 'started' })
        post({ type: 'linkOpened', machine: 'a' })
        expect(post({ type: 'linkClosed', machine: 'a' }), way).toEqual([])
      }
    })
  })

  it('remember a limited number of those they named, the newest', () => {
    const { post, of } = world(['lan'])
    post({ type: 'started' })
    for (let n = 0; n <= 1_024; n++) {
      expect(post({ type: 'named', way: 'lan', machine: `m${n}` })).toEqual([])
    }
    post({ type: 'answered', way: 'lan' })
    expect(of('lan')?.found).toBe(1_024)
    expect(post({ type: 'linkOpened', machine: 'm0' })).toEqual([])
    expect(post({ type: 'linkOpened', machine: 'm1' })).toEqual([{ type: 'changed' }])
    expect(of('lan')?.reached).toBe(1)
  })

  it('whatever happens: never throws, one question at a time, and something is always planned', () => {
    const way = fc.constantFrom(...WAY_NAMES)
    const machine = fc.constantFrom('a', 'b', 'c')
    const event = fc.oneof(
      fc.record({ type: fc.constant('named' as const), way, machine }),
      fc.record({ type: fc.constant('answered' as const), way }),
      fc.record({ type: fc.constant('failed' as const), way, fault: fc.constant(FAULT) }),
      fc.record({ type: fc.constantFrom('linkOpened' as const, 'linkClosed' as const), machine }),
      fc.record({ type: fc.constant('wanted' as const), way }),
      fc.constant<WaysEvent>({ type: 'networkChanged' }),
    )
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(100_000), event), { maxLength: 60, size: 'max' }),
        (events) => {
          const { core, post, until, times } = world()
          post({ type: 'started' })
          let atMs = 0
          for (const [afterMs, happened] of events) {
            atMs += afterMs
            until(atMs)
            post(happened)
          }
          for (const name of ['memory', 'lan', 'dht', 'list'] as const) {
            const before = times(name).length
            for (const gone of ['a', 'b', 'c']) post({ type: 'linkClosed', machine: gone })
            until((atMs += 2 * 3_600_000))
            expect(times(name).length).toBeGreaterThan(before)
          }
          expect(core.status).toHaveLength(WAY_NAMES.length)
        },
      ),
      { numRuns: 50 },
    )
  })
})
