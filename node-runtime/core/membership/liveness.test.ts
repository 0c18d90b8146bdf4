import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Liveness, OFTEN_MS, SELDOM_MS } from './liveness.ts'
import type { Beat, LivenessDeed, LivenessOptions } from './liveness.ts'
import { Stalls } from './stalls.ts'

const ONE_WAY_MS = 10

const options = (more: Partial<LivenessOptions> = {}): LivenessOptions => ({
  random: () => 0.5,
  obliges: () => true,
  ownStalls: new Stalls(),
  ...more,
})
const newLiveness = (more?: Partial<LivenessOptions>): Liveness => new Liveness(0, options(more))

/** Two ends of a link, on a clock of their own; what one says comes to the other after 10 ms. */
class Pair {
  nowMs = 0
  readonly ends = [newLiveness(), newLiveness()] as const
  readonly log: { end: 0 | 1; type: string; atMs: number }[] = []
  /** What this end says does not arrive. */
  readonly mute = [false, false]
  /** This end does nothing, and hears at its end what came. */
  readonly stalled = [false, false]
  readonly #under: {
    atMs: number
    to: 0 | 1
    deed: LivenessDeed | { type: 'pong'; number: number }
  }[] = []

  constructor() {
    for (const end of [0, 1] as const) this.do(end, this.ends[end].begin(0))
  }

  do(end: 0 | 1, deeds: readonly LivenessDeed[]): void {
    for (const deed of deeds) {
      this.log.push({ end, type: deed.type, atMs: this.nowMs })
      if (deed.type === 'beat' || deed.type === 'ping') this.#send(end, deed)
    }
  }

  run(forMs: number): void {
    for (const endMs = this.nowMs + forMs; this.nowMs < endMs; this.nowMs += 5) {
      const arrived = this.#under.filter(({ atMs, to }) => atMs <= this.nowMs && !this.stalled[to])
      for (const one of arrived) {
        this.#under.splice(this.#under.indexOf(one), 1)
        this.#arrive(one.to, one.deed)
      }
      for (const end of [0, 1] as const) {
        const liveness = this.ends[end]
        if (!this.stalled[end] && liveness.dueMs <= this.nowMs) {
          this.do(end, liveness.look(this.nowMs))
        }
      }
    }
  }

  /** When that was first done since a moment, by the first end. */
  firstOf(type: string, sinceMs: number): number | null {
    const found = this.log.find((one) => one.end === 0 && one.type === type && one.atMs >= sinceMs)
    return found === undefined ? null : found.atMs - sinceMs
  }

  count(type: string, sinceMs: number): number {
    return this.log.filter((one) => one.end === 0 && one.type === type && one.atMs >= sinceMs)
      .length
  }

  #send(end: 0 | 1, deed: LivenessDeed | { type: 'pong'; number: number }): void {
    const to = end === 0 ? 1 : 0
    if (!this.mute[end]) this.#under.push({ atMs: this.nowMs + ONE_WAY_MS, to, deed })
  }

  #arrive(to: 0 | 1, deed: LivenessDeed | { type: 'pong'; number: number }): void {
    const liveness = this.ends[to]
    if (deed.type === 'beat') this.do(to, liveness.heard(deed.beat, this.nowMs)?.deeds ?? [])
    else if (deed.type === 'pong') liveness.ponged(deed.number, this.nowMs)
    else if (deed.type === 'ping') {
      liveness.pinged(this.nowMs)
      this.#send(to, { type: 'pong', number: deed.number })
    }
  }
}

/** A pair that has been calm for a minute; the first end watches the other closely, or not. */
function calm(isWatched: boolean): Pair {
  const pair = new Pair()
  pair.ends[0].watch(isWatched, 0)
  pair.run(60_000)
  return pair
}

const beat = (more: Partial<Beat> & Pick<Beat, 'number'>): Beat => ({
  echo: 0,
  heldMs: 0,
  nextMs: OFTEN_MS,
  watches: false,
  asks: false,
  ...more,
})

describe('the liveness of a link', () => {
  it('beats often on both sides where one of them watches, and seldom elsewhere', () => {
    const often = calm(true)
    const beats = (pair: Pair, end: 0 | 1): number =>
      pair.log.filter((one) => one.end === end && one.type === 'beat' && one.atMs > 20_000).length
    expect(beats(often, 0)).toBeCloseTo(40_000 / OFTEN_MS, -1)
    expect(beats(often, 1)).toBeCloseTo(40_000 / OFTEN_MS, -1)
    const seldom = calm(false)
    expect(beats(seldom, 0)).toBeLessThanOrEqual(1 + 40_000 / SELDOM_MS)
    expect(beats(seldom, 1)).toBeGreaterThanOrEqual(40_000 / SELDOM_MS - 1)
    // In calm times nobody is asked but at the beginning.
    for (const pair of [often, seldom]) {
      expect(pair.count('doubt', 5_000)).toBe(0)
      expect(pair.count('ping', 5_000)).toBe(0)
    }
  })

  it('says when it hears the other side what is due soon, and keeps one beat with it', () => {
    for (const [isWatched, paceMs] of [
      [true, OFTEN_MS],
      [false, SELDOM_MS],
    ] as const) {
      const end = newLiveness()
      end.watch(isWatched, 0)
      end.begin(0)
      const hear = (number: number, atMs: number): string[] => {
        const beat = { number, echo: 0, heldMs: 0, nextMs: paceMs, watches: isWatched, asks: false }
        const heard = end.heard(beat, atMs)
        return [...(heard?.deeds ?? []), ...end.look(atMs)].map(({ type }) => type)
      }
      expect(hear(1, paceMs / 2 - 1)).toEqual([])
      expect(hear(2, paceMs / 2)).toEqual(['beat'])
      expect(end.dueMs).toBe(1.5 * paceMs)
      expect(hear(3, 1.5 * paceMs - 1)).toEqual(['beat'])
      expect(hear(4, 1.5 * paceMs)).toEqual([])
    }
  })

  it('goes over to the other pace at once, when it is told', () => {
    const pair = calm(false)
    pair.ends[0].watch(true, pair.nowMs)
    pair.run(1_000)
    pair.mute[1] = true
    const sinceMs = pair.nowMs
    pair.run(2_000)
    expect(pair.firstOf('doubt', sinceMs)).toBeLessThanOrEqual(700)
    pair.mute[1] = false
    pair.ends[0].watch(false, pair.nowMs)
    pair.run(2_000)
    const calmMs = pair.nowMs
    pair.run(40_000)
    expect(pair.count('beat', calmMs)).toBeLessThanOrEqual(6)
  })

  it('does not beat often for whoever wants it, if it may not', () => {
    const liveness = newLiveness({ obliges: () => false })
    liveness.begin(0)
    liveness.heard(beat({ number: 1, watches: true }), 10)
    expect(liveness.isOnlyWatched).toBe(true)
    const [sent] = liveness.look(SELDOM_MS)
    expect(sent).toMatchObject({ type: 'beat', beat: { nextMs: SELDOM_MS } })
  })

  it('asks for a machine that it watches within 0.7 s of its last word, and gives it up five seconds later', () => {
    const pair = calm(true)
    pair.mute[1] = true
    const sinceMs = pair.nowMs
    pair.run(7_000)
    expect(pair.firstOf('doubt', sinceMs)).toBeLessThanOrEqual(700)
    expect(pair.firstOf('tell', sinceMs)).toBeGreaterThan(2_000)
    expect(pair.firstOf('tell', sinceMs)).toBeLessThanOrEqual(2_800)
    const goneMs = pair.firstOf('gone', sinceMs)
    expect(goneMs).toBeGreaterThan(5_000)
    expect(goneMs).toBeLessThanOrEqual(5_800)
    // It asked several times meanwhile.
    expect(pair.count('ping', sinceMs)).toBe(1)
    expect(
      pair.log.filter((one) => one.end === 0 && one.type === 'beat' && one.atMs >= sinceMs).length,
    ).toBeGreaterThan(8)
  })

  it('finds out about others within some seconds, and at once when it is told to look', () => {
    const pair = calm(false)
    pair.mute[1] = true
    const sinceMs = pair.nowMs
    pair.do(0, pair.ends[0].check(pair.nowMs, 'told'))
    expect(pair.count('ping', sinceMs)).toBe(1)
    pair.run(12_000)
    expect(pair.firstOf('doubt', sinceMs)).toBe(100)
    expect(pair.firstOf('gone', sinceMs)).toBeLessThanOrEqual(10_500)
    const other = calm(false)
    other.mute[1] = true
    const fromMs = other.nowMs
    other.run(17_000)
    expect(other.firstOf('gone', fromMs)).toBeLessThanOrEqual(15_000)
  })

  it('has less patience after this computer has moved: old links have mostly ended then', () => {
    for (const [isWatched, asked] of [
      [true, false],
      [true, true],
      [false, false],
    ] as const) {
      const pair = calm(isWatched)
      pair.mute[1] = true
      if (asked) pair.do(0, pair.ends[0].check(pair.nowMs, 'told'))
      const sinceMs = pair.nowMs
      pair.do(0, pair.ends[0].check(pair.nowMs, 'moved'))
      expect(pair.ends[0].check(pair.nowMs, 'moved')).toEqual([])
      pair.run(2_500)
      const goneMs = pair.firstOf('gone', sinceMs)
      expect(goneMs).toBeGreaterThanOrEqual(750)
      expect(goneMs).toBeLessThanOrEqual(850)
    }
  })

  it('has as little where the link went through a machine that is gone, until it goes by another way', () => {
    for (const [reroutes, leastMs, mostMs] of [
      [false, 750, 850],
      [true, 5_000, 6_000],
    ] as const) {
      const pair = calm(false)
      pair.mute[1] = true
      pair.do(0, pair.ends[0].check(pair.nowMs, 'told'))
      expect(pair.ends[0].isCut).toBe(false)
      pair.run(1_000)
      const sinceMs = pair.nowMs
      pair.do(0, pair.ends[0].check(pair.nowMs, 'cut'))
      expect(pair.ends[0].isCut).toBe(true)
      expect(pair.firstOf('doubt', sinceMs)).toBe(0)
      if (reroutes) pair.ends[0].rerouted(pair.nowMs)
      expect(pair.ends[0].isCut).toBe(!reroutes)
      pair.run(17_000)
      const goneMs = pair.firstOf('gone', sinceMs)
      expect(goneMs).toBeGreaterThanOrEqual(leastMs)
      expect(goneMs).toBeLessThanOrEqual(mostMs)
    }
    // Who answers was not cut off.
    const pair = calm(false)
    pair.do(0, pair.ends[0].check(pair.nowMs, 'cut'))
    const sinceMs = pair.nowMs
    pair.run(2_000)
    expect(pair.ends[0].isCut).toBe(false)
    expect(pair.firstOf('gone', sinceMs)).toBeNull()
  })

  it('doubts nobody for a word of others: who answers is not late', () => {
    for (const isWatched of [true, false]) {
      const pair = calm(isWatched)
      const sinceMs = pair.nowMs
      for (let times = 0; times < 50; times++) {
        pair.do(0, pair.ends[0].check(pair.nowMs, 'told'))
        pair.run(100)
      }
      expect(pair.count('ping', sinceMs)).toBe(50)
      expect(pair.count('doubt', sinceMs)).toBe(0)
    }
    // Who was killed is doubted as soon as without that word.
    const doubtMs = (isTold: boolean): number | null => {
      const pair = calm(true)
      pair.mute[1] = true
      const sinceMs = pair.nowMs
      pair.run(200)
      expect(pair.ends[0].isDoubted).toBe(false)
      if (isTold) pair.do(0, pair.ends[0].check(pair.nowMs, 'told'))
      pair.run(1_000)
      return pair.firstOf('doubt', sinceMs)
    }
    expect(doubtMs(true)).toBe(doubtMs(false))
  })

  it('lets nobody who says all the time that others are gone shorten what they may stand still', () => {
    for (const isWatched of [true, false]) {
      const pair = calm(isWatched)
      pair.stalled[1] = true
      const sinceMs = pair.nowMs
      while (pair.nowMs < sinceMs + 4_900) {
        pair.do(0, pair.ends[0].check(pair.nowMs, 'told'))
        pair.run(50)
      }
      pair.stalled[1] = false
      pair.run(5_000)
      expect(pair.firstOf('gone', sinceMs)).toBeNull()
      expect(pair.ends[0].isDoubted).toBe(false)
      // It was asked as often as without them.
      expect(pair.count('ping', sinceMs)).toBeLessThanOrEqual(1)
      expect(pair.count('doubt', sinceMs)).toBeLessThanOrEqual(1)
    }
    // Where the next beat is not due yet, their word alone ends nothing.
    const pair = calm(false)
    pair.run(SELDOM_MS - (pair.nowMs % SELDOM_MS) + 100)
    pair.mute[1] = true
    const sinceMs = pair.nowMs
    pair.do(0, pair.ends[0].check(pair.nowMs, 'told'))
    pair.run(7_500)
    expect(pair.firstOf('gone', sinceMs)).toBeNull()
    expect(pair.ends[0].isDoubted).toBe(true)
  })

  it('waits longer for who has stood still before, and less so with each minute', () => {
    const goneAfter = (calmMs: number): number | null => {
      const pair = calm(true)
      pair.stalled[1] = true
      pair.run(4_000)
      pair.stalled[1] = false
      pair.run(calmMs)
      pair.mute[1] = true
      const sinceMs = pair.nowMs
      pair.run(20_000)
      return pair.firstOf('gone', sinceMs)
    }
    const soonMs = goneAfter(1_000)
    expect(soonMs).toBeGreaterThan(11_000)
    expect(soonMs).toBeLessThan(14_000)
    expect(goneAfter(3 * 60_000)).toBeLessThan(6_900)
  })

  it('waits longer where this process stands still itself, which all links tell each other', () => {
    const ownStalls = new Stalls()
    const other = newLiveness({ ownStalls })
    other.begin(0)
    other.heard(beat({ number: 1 }), 10)
    other.look(3_000)
    expect(ownStalls.worstMs(3_000)).toBeGreaterThan(1_300)
    const goneMs = (stalls: Stalls): number => {
      const liveness = new Liveness(3_000, options({ ownStalls: stalls }))
      liveness.begin(3_000)
      liveness.heard(beat({ number: 1 }), 3_000)
      for (let nowMs = 3_000; ; nowMs = liveness.dueMs) {
        if (liveness.look(nowMs).some(({ type }) => type === 'gone')) return nowMs - 3_000
      }
    }
    expect(goneMs(new Stalls())).toBeLessThan(6_200)
    expect(goneMs(ownStalls)).toBeGreaterThan(8_000)
    // A closed lid is no busy processor, and whatever was seen, patience ends.
    const closedLid = new Stalls()
    const slept = newLiveness({ ownStalls: closedLid })
    slept.begin(0)
    slept.look(3_600_000)
    expect(closedLid.worstMs(3_600_000)).toBe(0)
    const worst = new Stalls()
    worst.note(3_600_000, 3_000)
    expect(goneMs(worst)).toBeLessThan(21_200)
  })

  it('gives up who leaves a question unanswered for twenty seconds, however late it is used to be', () => {
    const liveness = newLiveness()
    liveness.begin(0)
    let nowMs = 0
    let number = 0
    const wait = (forMs: number): boolean => {
      const endMs = nowMs + forMs
      while (liveness.dueMs < endMs) {
        nowMs = liveness.dueMs
        if (liveness.look(nowMs).some(({ type }) => type === 'gone')) return true
      }
      nowMs = endMs
      return false
    }
    // In turns punctual and later than ever before, and never so late that it is given up.
    for (let lateMs = 100; lateMs < 18_000; lateMs *= 1.125) {
      liveness.heard(beat({ number: ++number }), nowMs)
      expect(wait(OFTEN_MS)).toBe(false)
      liveness.heard(beat({ number: ++number }), nowMs)
      expect(wait(OFTEN_MS + lateMs)).toBe(false)
    }
    liveness.heard(beat({ number: ++number }), nowMs)
    const heardMs = nowMs
    expect(wait(3_600_000)).toBe(true)
    expect(nowMs - heardMs).toBeGreaterThan(20_000)
    expect(nowMs - heardMs).toBeLessThan(21_500)
  })

  it('has new patience, and asks anew, once the link goes by another way', () => {
    const pair = calm(true)
    pair.mute[1] = true
    pair.run(4_000)
    expect(pair.ends[0].isDoubted).toBe(true)
    pair.ends[0].rerouted(pair.nowMs)
    const sinceMs = pair.nowMs
    pair.run(10)
    expect(pair.log.filter((one) => one.end === 0 && one.atMs >= sinceMs)).toMatchObject([
      { type: 'beat' },
    ])
    pair.run(4_900)
    expect(pair.firstOf('gone', sinceMs)).toBeNull()
    pair.run(500)
    expect(pair.firstOf('gone', sinceMs)).not.toBeNull()
    // Who is not asked needs no patience.
    const quiet = calm(true)
    const { dueMs } = quiet.ends[0]
    quiet.ends[0].rerouted(quiet.nowMs)
    expect(quiet.ends[0].dueMs).toBe(dueMs)
    expect(quiet.ends[0].isDoubted).toBe(false)
  })

  it('asks again each 0.4 s, and beats back only when it is asked', () => {
    const liveness = newLiveness()
    liveness.begin(0)
    expect(liveness.heard(beat({ number: 1 }), 10)?.deeds).toEqual([])
    expect(liveness.heard(beat({ number: 2, asks: true }), 20)?.deeds).toMatchObject([
      { type: 'beat', beat: { asks: false, echo: 2, heldMs: 0 } },
    ])
    const asking = { type: 'beat', beat: { asks: true } }
    expect(liveness.check(100, 'told')).toMatchObject([{ type: 'ping' }, asking])
    expect([liveness.isDoubted, liveness.isQuiet(100)]).toEqual([true, true])
    expect(liveness.look(199)).toEqual([])
    expect(liveness.look(200)).toEqual([{ type: 'doubt' }])
    expect(liveness.look(400)).toEqual([])
    expect(liveness.look(500)).toMatchObject([asking])
    expect(liveness.look(600)).toEqual([])
  })

  it('says before it has heard anything that it has not, and when it beats again, not all at one time', () => {
    for (const [random, nextMs] of [
      [0, 7_200],
      [0.5, 8_000],
      [1, 8_800],
    ] as const) {
      const [, first] = newLiveness({ random: () => random }).begin(0)
      expect(first).toMatchObject({ type: 'beat', beat: { echo: 0, heldMs: 0 } })
      expect(first?.type === 'beat' && first.beat.nextMs).toBeCloseTo(nextMs)
    }
  })

  it('knows which side wants to be told often', () => {
    const liveness = newLiveness()
    liveness.begin(0)
    expect(liveness.isOnlyWatched).toBe(false)
    liveness.heard(beat({ number: 1, watches: true }), 10)
    expect(liveness.isOnlyWatched).toBe(true)
    liveness.watch(true, 20)
    expect(liveness.isOnlyWatched).toBe(false)
    // Told the same again, it has nothing to say.
    liveness.look(20)
    const { dueMs } = liveness
    liveness.watch(true, 30)
    expect(liveness.dueMs).toBe(dueMs)
  })

  it('knows the round trip of the last eight beats alone', () => {
    for (const [echo, isMeasured] of [
      [2, false],
      [3, true],
    ] as const) {
      const liveness = newLiveness()
      liveness.watch(true, 0)
      liveness.begin(0)
      for (let number = 2; number <= 10; number++) {
        liveness.heard(beat({ number }), liveness.dueMs)
        liveness.look(liveness.dueMs)
      }
      expect(liveness.heard(beat({ number: 20, echo }), 4_000)?.isMeasured).toBe(isMeasured)
    }
  })

  it('gives four round trips to who is far away', () => {
    const liveness = newLiveness()
    liveness.begin(0)
    liveness.heard(beat({ number: 1 }), 10)
    liveness.ponged(1, 2_000)
    liveness.check(2_000, 'told')
    let nowMs = 2_000
    while (!liveness.look(nowMs).some(({ type }) => type === 'gone')) nowMs = liveness.dueMs
    expect(nowMs).toBeGreaterThanOrEqual(10_000)
    expect(nowMs).toBeLessThan(12_000)
  })

  it('counts from the first beat on, and from no ping what a beat has promised', () => {
    const liveness = newLiveness()
    liveness.begin(0)
    liveness.heard(beat({ number: 1 }), 5_000)
    expect(liveness.isQuiet(5_700)).toBe(true)
    liveness.heard(beat({ number: 2, nextMs: SELDOM_MS }), 5_800)
    liveness.pinged(6_000)
    expect(liveness.isQuiet(6_000 + SELDOM_MS)).toBe(false)
    expect(liveness.isQuiet(6_000 + SELDOM_MS + 2_000)).toBe(true)
  })

  it('takes from a silence what it has itself stood still in it, and no more', () => {
    const liveness = newLiveness()
    liveness.watch(true, 0)
    liveness.begin(0)
    liveness.heard(beat({ number: 1 }), 0)
    // It was to look at 400, and that beat came 400 before.
    expect(liveness.look(5_000).map(({ type }) => type)).toEqual(['beat'])
    expect(liveness.isQuiet(5_200)).toBe(false)
    expect(liveness.isQuiet(5_300)).toBe(true)
  })

  it('hears no more beats than an honest machine sends, and answers no more', () => {
    const liveness = newLiveness()
    liveness.begin(0)
    let answers = 0
    for (let number = 1; number <= 10_000; number++) {
      const heard = liveness.heard(beat({ number, asks: true }), number / 10)
      answers += heard?.deeds.length ?? 0
    }
    // A burst, and ten a second.
    expect(answers).toBeGreaterThanOrEqual(40)
    expect(answers).toBeLessThanOrEqual(60)
    expect(liveness.heard(beat({ number: 20_000 }), 2_000)).not.toBeNull()
  })

  it('does not ask all the time whoever promises to be heard at once', () => {
    const liveness = newLiveness()
    liveness.begin(0)
    liveness.heard(beat({ number: 1, nextMs: 0 }), 10)
    expect(liveness.isQuiet(10 + OFTEN_MS)).toBe(false)
    expect(liveness.isQuiet(10 + 700)).toBe(true)
  })

  it('is content with an answer by whatever way, and does not ask twice at once', () => {
    const pair = calm(true)
    pair.do(0, pair.ends[0].check(pair.nowMs, 'told'))
    expect(pair.ends[0].check(pair.nowMs, 'told')).toEqual([])
    expect(pair.ends[0].isDoubted).toBe(true)
    pair.run(100)
    expect(pair.ends[0].isDoubted).toBe(false)
    const liveness = newLiveness()
    liveness.begin(0)
    // A machine of before: it asks once a second, and beats never.
    for (let atMs = 1_000; atMs < 30_000; atMs += 1_000) {
      liveness.pinged(atMs)
      for (const deed of liveness.look(atMs)) expect(deed.type).toBe('beat')
    }
    expect(liveness.isQuiet(30_000)).toBe(false)
    expect(liveness.isQuiet(32_000)).toBe(true)
  })

  it('does not take its own standstill for the silence of others', () => {
    const pair = calm(true)
    pair.stalled[0] = true
    const sinceMs = pair.nowMs
    pair.run(10_000)
    pair.stalled[0] = false
    pair.run(10_000)
    expect(pair.firstOf('gone', sinceMs)).toBeNull()
    // And what it learned of the other's rhythm is as it was.
    pair.mute[1] = true
    const goneMs = pair.nowMs
    pair.run(4_000)
    expect(pair.firstOf('doubt', goneMs)).toBeLessThanOrEqual(700)
  })

  it('nor a standstill while it asks: the other has the whole time to answer', () => {
    const pair = calm(true)
    pair.mute[1] = true
    pair.run(800)
    expect(pair.ends[0].isDoubted).toBe(true)
    pair.stalled[0] = true
    pair.run(30_000)
    pair.stalled[0] = false
    const sinceMs = pair.nowMs
    pair.run(4_000)
    expect(pair.firstOf('gone', sinceMs)).toBeNull()
    pair.run(2_000)
    expect(pair.firstOf('gone', sinceMs)).not.toBeNull()
  })

  it('still finds a machine that died during its own standstill', () => {
    const pair = calm(true)
    pair.stalled[0] = true
    pair.mute[1] = true
    pair.run(60_000)
    pair.stalled[0] = false
    const sinceMs = pair.nowMs
    pair.run(7_000)
    expect(pair.firstOf('gone', sinceMs)).toBeLessThanOrEqual(6_000)
  })

  it('asks 0.4 s after a beat was due at the latest, and has no less patience for that with who is often late', () => {
    /** After the last word of one that was late by so much each second time: when each was done first. */
    const after = (lateMs: number): Map<string, number> => {
      const liveness = newLiveness()
      liveness.begin(0)
      let nowMs = 0
      for (let number = 1; number <= 60; number++) {
        const heardMs = nowMs + OFTEN_MS + (number % 2 === 0 ? 0 : lateMs)
        for (; nowMs < heardMs; nowMs += 10) if (liveness.dueMs <= nowMs) liveness.look(nowMs)
        liveness.heard(beat({ number }), nowMs)
      }
      const first = new Map<string, number>()
      const heardMs = nowMs
      while (!first.has('gone')) {
        nowMs = liveness.dueMs
        for (const { type } of liveness.look(nowMs)) {
          if (!first.has(type)) first.set(type, nowMs - heardMs)
        }
      }
      return first
    }
    const [calm, often] = [after(0), after(2_000)]
    expect(calm.get('doubt')).toBeLessThanOrEqual(OFTEN_MS + 250)
    expect(calm.get('tell')).toBeLessThan(3_000)
    expect(calm.get('gone')).toBeLessThan(6_000)
    expect(often.get('doubt')).toBe(OFTEN_MS + 400)
    // Its silence counts, and is told to others, only where it is longer than it often was.
    const unusualMs = OFTEN_MS + 1_000 + 3.1 * 1_000
    expect(often.get('tell')).toBeGreaterThan(unusualMs + 1_900)
    // Nor is what is usual a standstill, for which it would be waited still longer.
    expect(often.get('gone')).toBeGreaterThan(unusualMs + 4_900)
    expect(often.get('gone')).toBeLessThan(unusualMs + 6_800)
  })

  it('measures the round trip without what the other side kept, by beats and by answers', () => {
    const pair = calm(true)
    expect(pair.ends[0].latencyMs).toBeGreaterThanOrEqual(20)
    expect(pair.ends[0].latencyMs).toBeLessThanOrEqual(30)
    const liveness = newLiveness()
    expect(liveness.latencyMs).toBeNull()
    liveness.begin(0)
    expect(liveness.ponged(2, 5)).toBe(false)
    expect(liveness.ponged(1, 40)).toBe(true)
    expect(liveness.ponged(1, 900)).toBe(false)
    expect(liveness.latencyMs).toBe(40)
    const heard = liveness.heard(beat({ number: 1, echo: 1, heldMs: 60 }), 200)
    expect(heard?.isMeasured).toBe(true)
    expect(liveness.latencyMs).toBeCloseTo(40 + 0.3 * 100)
    // Of one beat once, and of one that it did not send never.
    expect(liveness.heard(beat({ number: 2, echo: 1 }), 300)?.isMeasured).toBe(false)
    expect(liveness.heard(beat({ number: 3, echo: 99 }), 400)?.isMeasured).toBe(false)
  })

  it('does not hear a beat that was copied on its way', () => {
    const liveness = newLiveness()
    liveness.begin(0)
    expect(liveness.heard(beat({ number: 5 }), 400)).not.toBeNull()
    const { dueMs } = liveness
    expect(liveness.heard(beat({ number: 5 }), 600)).toBeNull()
    expect(liveness.heard(beat({ number: 4 }), 600)).toBeNull()
    expect(liveness.dueMs).toBe(dueMs)
    expect(liveness.isQuiet(400 + 660)).toBe(true)
  })

  it('is shaken by no order of beats, pings and answers, however odd', () => {
    const step = fc.tuple(
      fc.constantFrom('look', 'beat', 'ping', 'pong', 'check', 'watch'),
      fc.nat(3_000),
      fc.nat(20),
    )
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const liveness = newLiveness()
        let nowMs = 0
        liveness.begin(0)
        for (const [kind, passedMs, number] of steps) {
          nowMs += passedMs
          if (kind === 'look') liveness.look(nowMs)
          else if (kind === 'beat')
            liveness.heard(beat({ number, echo: number, heldMs: 50 }), nowMs)
          else if (kind === 'ping') liveness.pinged(nowMs)
          else if (kind === 'pong') liveness.ponged(number, nowMs)
          else if (kind === 'check') liveness.check(nowMs, number % 2 === 0 ? 'told' : 'moved')
          else liveness.watch(number % 2 === 0, nowMs)
          expect(liveness.latencyMs ?? 0).toBeGreaterThanOrEqual(0)
          // Whatever was said, it looks again before long.
          expect(liveness.dueMs).toBeLessThanOrEqual(nowMs + 2 * SELDOM_MS)
        }
      }),
    )
  })
})
