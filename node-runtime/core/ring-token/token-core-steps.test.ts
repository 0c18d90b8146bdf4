// What one core does with each token, and what it reads from it: step by step, on a clock that the test sets.
import { describe, expect, it } from 'vitest'
import { TokenCore } from './token-core.ts'
import type { TokenEffect, TokenEvent } from './token-core.ts'
import { deltaSchema, isMadeUp, isOfOthers, isOutdone, markSchema } from './token.ts'
import type { Delta, Token, TokenMark } from './token.ts'

function start({ successor = 'next' as string | null, machines = 5, chance = 0 } = {}) {
  const random = { next: chance }
  const core = new TokenCore({ own: 'm', random: () => random.next })
  const clock = { nowMs: 10_000 }
  const post = (event: TokenEvent): TokenEffect[] => core.step(event, clock.nowMs)
  const timer = (id: string): TokenEffect[] => post({ type: 'timer', id })
  const receive = (changes: Partial<Token> = {}, { from = 'before', hopMs = 20 } = {}) =>
    post({ type: 'received', from, token: tokenOf(changes), hopMs })
  const ring = (next: string | null, count = machines): TokenEffect[] =>
    post({ type: 'ring', successor: next, machines: count })
  const started = post({ type: 'started' })
  ring(successor)
  return { core, clock, random, post, timer, receive, ring, started }
}

function tokenOf(changes: Partial<Token> = {}): Token {
  return { epoch: 5, maker: 'a', step: 1, hopsMs: 0, timeMs: 50_000, deltas: [], ...changes }
}

const passes = (effects: readonly TokenEffect[]): { to: string; token: Token }[] =>
  effects.flatMap((effect) => (effect.type === 'pass' ? [effect] : []))
const passed = (effects: readonly TokenEffect[]): Token => {
  const [one, ...others] = passes(effects)
  if (one === undefined || others.length > 0) throw new Error('one token is passed')
  return one.token
}
const timersOf = (effects: readonly TokenEffect[]): [string, number][] =>
  effects.flatMap((effect) =>
    effect.type === 'setTimer' ? [[effect.id, effect.afterMs] as [string, number]] : [],
  )
const deltaOf = (from: string, step: number, text = '1'): Delta => ({
  from,
  step,
  kind: 'load',
  text,
})
const mark = (epoch: number, maker: string, step: number): TokenMark => ({ epoch, maker, step })

describe('a token that comes', () => {
  it('is said to be here, held for its share of the least lap, and passed on a step further', () => {
    const { core, clock, receive, timer } = start()
    expect(receive()).toEqual([
      { type: 'take', to: 'before', mark: mark(5, 'a', 1) },
      { type: 'setTimer', id: 'pass', afterMs: 400 },
    ])
    expect(core.holds).toMatchObject(mark(5, 'a', 1))
    clock.nowMs += 400
    const effects = timer('pass')
    // Its time went on while it was held, and while it came.
    const token = { ...tokenOf({ step: 2 }), hopsMs: 20, timeMs: 50_420 }
    expect(effects).toEqual([
      { type: 'pass', to: 'next', token },
      { type: 'setTimer', id: 'taken', afterMs: 4_000 },
    ])
    expect(core.holds).toBeNull()
    expect(timer('pass')).toEqual([])
  })

  it('is held no longer than half a second, in however small a ring', () => {
    const { receive, ring } = start({ machines: 2 })
    expect(timersOf(receive())).toEqual([['pass', 500]])
    ring('next', 0)
    expect(timersOf(receive({ step: 2 }))).toEqual([['pass', 500]])
    ring('next', 1_000)
    expect(timersOf(receive({ step: 3 }))).toEqual([['pass', 2]])
  })

  it('is held longer once nothing has changed for half a minute, if nothing rides along', () => {
    const { clock, receive, ring, timer } = start({ machines: 5 })
    receive()
    clock.nowMs += 29_999
    expect(timersOf(receive({ step: 2 })).at(-1)).toEqual(['pass', 400])
    clock.nowMs += 1
    expect(timersOf(receive({ step: 3 })).at(-1)).toEqual(['pass', 2_000])
    expect(timersOf(receive({ step: 4, deltas: [deltaOf('a', 4)] })).at(-1)).toEqual(['pass', 400])
    ring('next', 2)
    expect(timersOf(receive({ step: 5 })).at(-1)).toEqual(['pass', 500])
    clock.nowMs += 30_000
    expect(timersOf(receive({ step: 6 })).at(-1)).toEqual(['pass', 2_500])
    // Another token: somebody has gone somewhere.
    expect(timersOf(receive({ step: 1, epoch: 6 })).at(-1)).toEqual(['pass', 500])
    clock.nowMs += 30_000
    ring('other')
    expect(timersOf(receive({ step: 3, epoch: 6 })).at(-1)).toEqual(['pass', 400])
    ring('next')
    clock.nowMs += 90_000
    // One of its own.
    expect(timersOf(timer('lost'))[0]).toEqual(['pass', 400])
  })

  it('stays until there is somebody to pass it to, and goes at once to who is there now', () => {
    const { core, receive, timer, ring } = start({ successor: null })
    receive()
    expect(timer('pass')).toEqual([])
    expect(core.holds).not.toBeNull()
    expect(passes(ring('other')).map(({ to }) => to)).toEqual(['other'])
    // The same again is no news.
    expect(ring('other')).toEqual([])
  })

  it('is not passed on sooner because the next machine is said to be the next one again', () => {
    const { core, receive, ring } = start()
    receive()
    expect(ring('next', 9)).toEqual([])
    expect(core.holds).not.toBeNull()
  })

  it('that is outdone is said to be here all the same, and dropped', () => {
    const { core, receive, timer } = start()
    receive({ step: 7 })
    timer('pass')
    for (const changes of [{ step: 7 }, { step: 6 }, { epoch: 4, step: 99 }]) {
      expect(receive(changes)).toEqual([
        { type: 'take', to: 'before', mark: { ...mark(5, 'a', 1), ...changes } },
      ])
    }
    expect(core.holds).toBeNull()
  })
})

describe('a token that was passed', () => {
  const late = (effects: readonly TokenEffect[]): Token[] =>
    passes(effects).map(({ token }) => token)

  it('is let go of when the next machine says that it has it', () => {
    const { clock, receive, timer, post } = start()
    receive()
    timer('pass')
    expect(post({ type: 'taken', from: 'next', mark: mark(5, 'a', 2) })).toEqual([])
    clock.nowMs += 4_000
    expect(timer('taken')).toEqual([])
  })

  it.each([
    ['of another machine', 'other', mark(5, 'a', 2)],
    ['of another epoch', 'next', mark(6, 'a', 2)],
    ['of another maker', 'next', mark(5, 'b', 2)],
    ['of another step', 'next', mark(5, 'a', 1)],
  ])(
    'is made anew if nobody says so in four seconds; the word %s says nothing',
    (_, from, said) => {
      const { clock, receive, timer, post } = start()
      receive({ deltas: [deltaOf('a', 1)] })
      timer('pass')
      post({ type: 'taken', from, mark: said })
      clock.nowMs += 3_999
      expect(timer('taken')).toEqual([])
      clock.nowMs += 1
      expect(timersOf(timer('taken'))).toEqual([['pass', 400]])
      // Before which the other one gives way, should it have come all the same. Its time went on.
      expect(passed(timer('pass'))).toEqual({
        epoch: 6,
        maker: 'm',
        step: 1,
        hopsMs: 0,
        timeMs: 50_000 + 20 + 4_000,
        deltas: [deltaOf('a', 0)],
      })
      expect(timer('taken')).toEqual([])
    },
  )

  it('says nothing where none was passed', () => {
    const { post, timer, clock } = start()
    expect(post({ type: 'taken', from: 'next', mark: mark(5, 'a', 2) })).toEqual([])
    clock.nowMs += 4_000
    expect(timer('taken')).toEqual([])
  })

  it('is made anew at once when another machine comes next, and not for one that did', () => {
    const { receive, timer, ring } = start()
    receive()
    timer('pass')
    expect(ring('next', 6)).toEqual([])
    expect(timersOf(ring('other'))[0]?.[0]).toBe('pass')
    const effects = timer('pass')
    expect(passes(effects)).toMatchObject([{ to: 'other', token: { epoch: 6, maker: 'm' } }])
  })

  it('is of the past once a newer one came', () => {
    const { clock, receive, timer } = start()
    receive()
    timer('pass')
    receive({ step: 6 })
    timer('pass')
    clock.nowMs += 3_000
    receive({ step: 11 })
    clock.nowMs += 2_000
    expect(late(timer('taken'))).toEqual([])
  })

  it('is made anew above all that was seen', () => {
    const { clock, receive, timer } = start()
    receive()
    timer('pass')
    clock.nowMs += 4_000
    timer('taken')
    expect(passed(timer('pass')).epoch).toBe(6)
    clock.nowMs += 4_000
    timer('taken')
    expect(passed(timer('pass')).epoch).toBe(7)
  })
})

describe('the time of the ring', () => {
  it('is unknown at first, and then what the token says, with the way it came', () => {
    const { core, clock, receive } = start()
    expect(core.timeAt(clock.nowMs)).toBeNull()
    receive()
    expect(core.timeAt(clock.nowMs)).toBe(50_020)
    expect(core.timeAt(clock.nowMs + 300)).toBe(50_320)
  })

  it('meets in the middle with what the same token says later, and tells how far it was off', () => {
    const { core, clock, receive, timer } = start()
    receive()
    timer('pass')
    clock.nowMs += 2_000
    // 52,020 is expected; it says 52,120.
    const effects = receive({ step: 6, timeMs: 52_100, hopsMs: 80 })
    expect(core.timeAt(clock.nowMs)).toBe(52_070)
    expect(effects).toContainEqual({ type: 'lap' })
    expect(core.measured).toEqual({ epoch: 5, lapMs: 2_000, hops: 5, hopMs: 16, skewMs: 100 })
    // What is passed on says what this machine makes of it.
    expect(passed(timer('pass')).timeMs).toBe(52_070)
  })

  it('is another ring’s if it is off by more than a second, and taken as it is', () => {
    for (const [offMs, takenMs] of [
      [1_000, 500],
      [1_001, 1_001],
      [-1_000, -500],
      [-1_001, -1_001],
    ] as const) {
      const { core, clock, receive, timer } = start()
      receive()
      timer('pass')
      clock.nowMs += 2_000
      receive({ step: 6, timeMs: 52_000 + offMs })
      expect(core.timeAt(clock.nowMs)).toBe(52_020 + takenMs)
      expect(core.measured?.skewMs).toBe(Math.abs(offMs))
    }
  })

  it.each([{ epoch: 6 }, { maker: 'b' }])('is that of a new token as it is: %o', (changes) => {
    const { core, clock, receive, timer } = start()
    receive()
    timer('pass')
    clock.nowMs += 2_000
    const effects = receive({ ...changes, step: 6, timeMs: 52_100 })
    expect(core.timeAt(clock.nowMs)).toBe(52_120)
    // Between two tokens there is no lap.
    expect(effects.some(({ type }) => type === 'lap')).toBe(false)
    expect(core.measured).toBeNull()
  })

  it('goes on by this machine’s clock in a token that it makes itself', () => {
    const { core, clock, receive, timer } = start()
    receive()
    timer('pass')
    clock.nowMs += 4_000
    timer('taken')
    expect(core.timeAt(clock.nowMs)).toBe(54_020)
    // It comes around, and the lap is that of the token made here.
    timer('pass')
    clock.nowMs += 2_500
    receive({ epoch: 6, maker: 'm', step: 5, hopsMs: 80, timeMs: 56_500 })
    expect(core.measured).toMatchObject({ epoch: 6, lapMs: 2_500, hops: 5, hopMs: 20, skewMs: 0 })
  })
})

describe('news', () => {
  it('ride along from this machine, as many as there is room for, in their order', () => {
    const { post, receive, timer } = start()
    for (let i = 0; i < 10; i++) post({ type: 'delta', kind: 'load', text: `${i}` })
    const others = Array.from({ length: 12 }, (_, i) => deltaOf('a', 1, `other ${i}`))
    receive({ step: 3, deltas: others })
    // No more than eight wait: four of them find room.
    const own = (texts: string[], step: number) => texts.map((text) => deltaOf('m', step, text))
    expect(passed(timer('pass')).deltas).toEqual([...others, ...own(['0', '1', '2', '3'], 3)])
    receive({ step: 8 })
    expect(passed(timer('pass')).deltas).toEqual(own(['4', '5', '6', '7'], 8))
    receive({ step: 13 })
    expect(passed(timer('pass')).deltas).toEqual([])
  })

  it('of others are told each time they come by; its own have been around', () => {
    const { receive, timer } = start()
    const effects = receive({ step: 3, deltas: [deltaOf('a', 1), deltaOf('m', 1)] })
    expect(effects.filter(({ type }) => type === 'delta')).toEqual([
      { type: 'delta', delta: deltaOf('a', 1) },
    ])
    expect(passed(timer('pass')).deltas).toEqual([deltaOf('a', 1)])
  })

  it('get off after two laps, and if they come from the future', () => {
    const { receive, timer } = start({ machines: 5 })
    const step = 20
    const deltas = [10, 11, 20, 21].map((at) => deltaOf('a', at, `${at}`))
    receive({ step, deltas })
    expect(passed(timer('pass')).deltas.map(({ text }) => text)).toEqual(['11', '20'])
  })

  it('get off after two laps as long as they were measured', () => {
    const { clock, receive, timer } = start({ machines: 2 })
    receive({ step: 1 })
    timer('pass')
    clock.nowMs += 2_000
    // Nine hops, in a ring that was said to have two.
    receive({ step: 10, timeMs: 52_000, deltas: [] })
    timer('pass')
    clock.nowMs += 2_000
    receive({
      step: 19,
      timeMs: 54_000,
      deltas: [deltaOf('a', 2, 'young'), deltaOf('a', 1, 'old')],
    })
    expect(passed(timer('pass')).deltas.map(({ text }) => text)).toEqual(['young'])
  })
})

describe('a token that the next machine took', () => {
  const take = () => {
    const started = start()
    started.receive()
    started.timer('pass')
    started.post({ type: 'taken', from: 'next', mark: mark(5, 'a', 2) })
    return started
  }

  it('is another one at once when that machine goes while it may have it still', () => {
    const { clock, ring, timer } = take()
    clock.nowMs += 5_500
    expect(timersOf(ring('other', 4))).toEqual([['pass', 500]])
    clock.nowMs += 500
    expect(passed(timer('pass'))).toEqual({
      ...tokenOf({ epoch: 6, maker: 'm', step: 1, timeMs: 56_020 }),
    })
  })

  it('is left to it when that machine goes later, or had passed it on, or another one came between', () => {
    const later = take()
    later.clock.nowMs += 5_501
    expect(later.ring('other', 4)).toEqual([])
    const around = take()
    around.receive({ step: 6 })
    around.timer('pass')
    around.post({ type: 'taken', from: 'next', mark: mark(5, 'a', 7) })
    around.receive({ step: 11 })
    expect(passed(around.ring('other', 4)).epoch).toBe(5)
    const joined = take()
    expect(joined.ring('between', 6)).toEqual([])
  })
})

describe('a token that is lost', () => {
  it('is looked for after two seconds where none was ever seen, each machine at a time of its own', () => {
    expect(timersOf(start({ chance: 0 }).started)).toEqual([['lost', 2_001]])
    const { clock, timer, started, core } = start({ chance: 0.5 })
    expect(timersOf(started)).toEqual([['lost', 3_001]])
    clock.nowMs += 1_999
    expect(timersOf(timer('lost'))).toEqual([['lost', 1 + 1 + 1_000]])
    clock.nowMs += 1
    expect(timersOf(timer('lost'))).toEqual([
      ['pass', 400],
      ['lost', 30_000 + 1 + 5_000],
    ])
    expect(core.timeAt(clock.nowMs)).toBe(0)
    expect(passed(timer('pass'))).toEqual({
      epoch: 1,
      maker: 'm',
      step: 1,
      hopsMs: 0,
      timeMs: 0,
      deltas: [],
    })
  })

  it('is made anew above the last one when that did not come for three laps, those of the calm at least', () => {
    const { clock, receive, timer, post } = start()
    receive()
    timer('pass')
    post({ type: 'taken', from: 'next', mark: mark(5, 'a', 2) })
    clock.nowMs += 29_999
    expect(timersOf(timer('lost'))).toEqual([['lost', 2]])
    clock.nowMs += 1
    timer('lost')
    expect(passed(timer('pass'))).toMatchObject({ epoch: 6, maker: 'm', timeMs: 80_020 })
  })

  it('is waited for three laps as they were measured, or as long as so many hops take', () => {
    const after = (hopsMs: number, lapMs: number, machines: number): number => {
      const { clock, receive, timer, ring } = start({ machines })
      ring('next', machines)
      receive({ step: 1 })
      timer('pass')
      clock.nowMs += lapMs
      receive({ step: 11, hopsMs, timeMs: 50_000 + lapMs })
      timer('pass')
      return timersOf(timer('lost'))[0]![1] - 1
    }
    // Laps of twelve seconds; hops of a tenth of a second at least; hops that take longer.
    expect(after(0, 12_000, 10)).toBe(36_000)
    expect(after(0, 2_000, 110)).toBe(33_000)
    expect(after(2_000 - 20, 2_000, 100)).toBeCloseTo(3 * 100 * 198, -2)
  })

  it('is not lost while it is here, nor made where there is nobody to pass it to', () => {
    const held = start({ successor: null })
    held.receive()
    held.clock.nowMs += 60_000
    expect(held.timer('lost').map(({ type }) => type)).toEqual(['setTimer'])
    expect(held.core.holds).toMatchObject(mark(5, 'a', 1))
    const alone = start({ successor: null })
    alone.clock.nowMs += 60_000
    expect(timersOf(alone.timer('lost'))).toEqual([['lost', 1]])
    expect(alone.core.holds).toBeNull()
  })

  it('is not lost while it is here, however late it is passed on', () => {
    const { clock, receive, timer } = start()
    receive()
    clock.nowMs += 60_000
    expect(timer('lost').map(({ type }) => type)).toEqual(['setTimer'])
    expect(passed(timer('pass'))).toMatchObject(mark(5, 'a', 2))
  })

  it('is waited for once more after one that was made up, and made anew then', () => {
    const { clock, receive, timer } = start()
    receive({ epoch: 2_000_000 })
    timer('pass')
    receive({ step: 9 })
    const makes = (): boolean => {
      clock.nowMs += 60_000
      return timersOf(timer('lost')).some(([id]) => id === 'pass')
    }
    expect(makes()).toBe(false)
    expect(makes()).toBe(true)
    timer('pass')
    expect(makes()).toBe(true)
  })

  it('is looked for at no other timer', () => {
    const { clock, timer } = start()
    clock.nowMs += 60_000
    expect(timer('other')).toEqual([])
  })
})

describe('the form of a token', () => {
  it('says what is news of a kind with a short name', () => {
    const reads = (kind: string): boolean =>
      deltaSchema.safeParse({ from: 'y'.repeat(52), step: 0, kind, text: '' }).success
    for (const kind of ['load', 'a', 'x-2', 'a'.repeat(40)]) expect(reads(kind)).toBe(true)
    for (const kind of ['', 'Load', '2x', 'a b', ' load', 'load\n', 'load!', 'a'.repeat(41)]) {
      expect(reads(kind)).toBe(false)
    }
  })

  it('has a mark, which is all of epoch, maker and step', () => {
    const whole = { epoch: 1, maker: 'y'.repeat(52), step: 2 }
    expect(markSchema.parse({ ...whole, hopsMs: 3 })).toEqual(whole)
    for (const field of ['epoch', 'maker', 'step'] as const) {
      const { [field]: _, ...rest } = whole
      expect(markSchema.safeParse(rest).success).toBe(false)
    }
  })

  it('counts as far ahead as a million epochs, and not further', () => {
    const seen = mark(5, 'a', 7)
    expect(isOutdone(mark(1_000_005, 'a', 0), seen)).toBe(false)
    expect(isOutdone(mark(1_000_006, 'a', 0), seen)).toBe(true)
    const ahead = mark(1_000_005, 'a', 0)
    expect(isOfOthers(mark(5, 'a', 0), ahead)).toBe(false)
    expect(isOfOthers(mark(4, 'a', 0), ahead)).toBe(true)
    expect(isOfOthers(mark(4, 'a', 0), null)).toBe(false)
  })

  it('is made up from half of what a count can be', () => {
    for (const field of ['epoch', 'step', 'hopsMs', 'timeMs']) {
      expect(isMadeUp(tokenOf({ [field]: 2 ** 49 - 1 }))).toBe(false)
      expect(isMadeUp(tokenOf({ [field]: 2 ** 49 }))).toBe(true)
    }
  })
})
