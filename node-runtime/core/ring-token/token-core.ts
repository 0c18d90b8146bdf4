// Passes the token of ring 0 on, makes a new one when it is lost, and reads from it what it measures: the time of a
// lap, how many hops it has and how long one takes, and the time of the ring, by which all have one tick.
import type { Core } from '../step.ts'
import { isMadeUp, isOfOthers, isOutdone, MAX_DELTAS } from './token.ts'
import type { Delta, Token, TokenMark } from './token.ts'

/** A lap is not hurried below this: a ring of two would do nothing else. */
const LEAST_LAP_MS = 2_000
/** Longest time that one machine keeps the token. */
const MOST_HELD_MS = 500
/** The same while all is calm: no machine has come or gone for a while, and nothing rides along. */
const CALM_LAP_MS = 10_000
const MOST_CALM_HELD_MS = 2_500
const CALM_AFTER_MS = 30_000
/** The next machine says that it has it within this time, or it gets the next one. */
const TAKEN_MS = 4_000
/** No token for so many laps: it is lost. */
const LOST_LAPS = 3
const LEAST_LOST_MS = LOST_LAPS * CALM_LAP_MS
/** By so much chance machines that wait as long as that differ. */
const LOST_SPREAD_MS = 10_000
/** Who took it and is not the next one any more within this time, beside that for which it is kept, may have died with it. */
const DIED_WITH_IT_MS = 3_000
/** Before a lap is known, one hop is taken to last so long. */
const EXPECTED_HOP_MS = 100
/** No hop takes so long; who says so has others wait for what never comes. */
const MOST_HOP_MS = 60_000
/** The token of the largest ring comes by sooner, and a timer can wait so long. */
const MOST_LOST_MS = 7 * 24 * 3_600_000
/** Who has never seen one waits no longer than this: if there is one already, a new one is of a lower epoch. */
const FIRST_MS = 2_000
/** One tick of the ring. */
export const TICK_MS = 1_000
/** A new reading of the ring's time counts so much against the machine's own going on. */
const GAIN = 0.5
/** A ring's time that is off by more is another ring's: it is taken as it is. */
const MOST_SKEW_MS = 1_000
const MAX_WAITING = 8

export type TokenEvent =
  | { type: 'started' }
  /** Whom to pass it to, if to anybody, and how many machines there are. */
  | { type: 'ring'; successor: string | null; machines: number }
  /** @param hopMs  how long messages from there take, one way */
  | { type: 'received'; from: string; token: Token; hopMs: number }
  | { type: 'taken'; from: string; mark: TokenMark }
  /** Rides along for the next lap. */
  | { type: 'delta'; kind: string; text: string }
  | { type: 'timer'; id: string }

export type TokenEffect =
  | { type: 'pass'; to: string; token: Token }
  | { type: 'take'; to: string; mark: TokenMark }
  | { type: 'delta'; delta: Delta }
  /** What `measured` says is new. */
  | { type: 'lap' }
  | { type: 'setTimer'; id: string; afterMs: number }

/** What the last lap showed. */
export interface Lap {
  epoch: number
  lapMs: number
  hops: number
  hopMs: number
  /** By how much the ring's time and this machine's idea of it were apart. */
  skewMs: number
}

/** When the token was here. */
interface Visit extends TokenMark {
  hopsMs: number
  atMs: number
}

export class TokenCore implements Core<TokenEvent, TokenEffect> {
  readonly #own: string
  readonly #random: () => number
  #successor: string | null = null
  #machines = 1
  #seen: TokenMark | null = null
  /** Others pass on one that what was seen outdoes by more than can be. */
  #wasMisled = false
  /** The token while it is here, as it will be passed on. */
  #held: { token: Token; atMs: number } | null = null
  /** The one that was passed and not yet taken. */
  #passed: { token: Token; to: string; atMs: number } | null = null
  /** The one that was passed and taken last, until one comes by again. */
  #given: { token: Token; to: string; atMs: number } | null = null
  /** When the ring or its token was another one last. */
  #changedMs = 0
  #visit: Visit | null = null
  /** What to add to this machine's clock for the ring's time. */
  #offsetMs: number | null = null
  #seenMs = 0
  readonly #waiting: { kind: string; text: string }[] = []
  #effects: TokenEffect[] = []
  #nowMs = 0
  measured: Lap | null = null

  constructor({ own, random }: { own: string; random: () => number }) {
    this.#own = own
    this.#random = random
  }

  /** Does this machine have it now? */
  get holds(): TokenMark | null {
    return this.#held?.token ?? null
  }

  /** The time of the ring, ms; null before a token came. */
  timeAt(nowMs: number): number | null {
    return this.#offsetMs === null ? null : nowMs + this.#offsetMs
  }

  step(event: TokenEvent, nowMs: number): TokenEffect[] {
    this.#nowMs = nowMs
    this.#effects = []
    this.#handle(event)
    return this.#effects
  }

  #handle(event: TokenEvent): void {
    switch (event.type) {
      case 'started':
        this.#seenMs = this.#nowMs
        return this.#watch()
      case 'ring':
        return this.#ring(event.successor, event.machines)
      case 'received':
        return this.#received(event.from, event.token, event.hopMs)
      case 'taken':
        return this.#taken(event.from, event.mark)
      case 'delta':
        if (this.#waiting.length < MAX_WAITING) {
          this.#waiting.push({ kind: event.kind, text: event.text })
        }
        return
      case 'timer':
        if (event.id === 'pass') this.#pass()
        else if (event.id === 'taken') this.#passAgain()
        else if (event.id === 'lost') this.#lost()
    }
  }

  #ring(successor: string | null, machines: number): void {
    const count = Math.max(1, machines)
    const isFewer = count < this.#machines
    const isOther = successor !== this.#successor
    if (count !== this.#machines || isOther) this.#stir()
    this.#machines = count
    if (!isOther) return
    this.#successor = successor
    // Whom it was passed to is not the next one any more, and has not said that it has it.
    if (this.#passed !== null && this.#passed.to !== successor) this.#passAgain(true)
    else if (this.#held !== null) this.#pass()
    else if (isFewer) this.#replaceGiven()
  }

  /** Laps are quick for a while. */
  #stir(): void {
    this.#changedMs = this.#nowMs
  }

  #received(from: string, token: Token, hopMs: number): void {
    const { epoch, maker, step } = token
    const mark = { epoch, maker, step }
    // Said even of one that is dropped: it came, and need not be passed again.
    this.#effects.push({ type: 'take', to: from, mark })
    if (isMadeUp(token)) return
    if (isOfOthers(mark, this.#seen)) this.#wasMisled = true
    if (isOutdone(mark, this.#seen)) return
    if (this.#seen?.epoch !== epoch || this.#seen.maker !== maker) this.#stir()
    this.#seen = mark
    this.#seenMs = this.#nowMs
    // What was passed before is of the past.
    this.#passed = null
    this.#given = null
    const timeMs = token.timeMs + hopMs
    const skewMs = this.#tune(timeMs, epoch, maker)
    const hopsMs = token.hopsMs + hopMs
    this.#measure({ epoch, maker, step, hopsMs, atMs: this.#nowMs }, skewMs)
    for (const delta of token.deltas) {
      if (delta.from !== this.#own) this.#effects.push({ type: 'delta', delta })
    }
    this.#hold({ ...token, hopsMs, timeMs: this.timeAt(this.#nowMs) ?? timeMs })
  }

  /** Its time against this machine's idea of it: they meet in the middle. */
  #tune(timeMs: number, epoch: number, maker: string): number {
    const expectedMs = this.timeAt(this.#nowMs)
    const isKnown = this.#visit?.epoch === epoch && this.#visit.maker === maker
    const skewMs = expectedMs === null ? 0 : timeMs - expectedMs
    if (expectedMs === null || !isKnown || Math.abs(skewMs) > MOST_SKEW_MS) {
      this.#offsetMs = timeMs - this.#nowMs
      return isKnown ? skewMs : 0
    }
    this.#offsetMs = expectedMs + GAIN * skewMs - this.#nowMs
    return skewMs
  }

  #measure(visit: Visit, skewMs: number): void {
    const last = this.#visit
    this.#visit = visit
    if (last === null || last.epoch !== visit.epoch || last.maker !== visit.maker) return
    const hops = visit.step - last.step
    if (hops <= 0) return
    this.measured = {
      epoch: visit.epoch,
      lapMs: visit.atMs - last.atMs,
      hops,
      hopMs: Math.min(MOST_HOP_MS, Math.max(0, visit.hopsMs - last.hopsMs) / hops),
      skewMs: Math.abs(skewMs),
    }
    this.#effects.push({ type: 'lap' })
  }

  #hold(token: Token): void {
    const laps = 2 * Math.max(this.#machines, this.measured?.hops ?? 1)
    const deltas = token.deltas.filter(
      ({ from, step }) => from !== this.#own && token.step - step < laps && step <= token.step,
    )
    while (deltas.length < MAX_DELTAS && this.#waiting.length > 0) {
      const { kind, text } = this.#waiting.shift()!
      deltas.push({ from: this.#own, step: token.step, kind, text })
    }
    this.#held = { token: { ...token, deltas }, atMs: this.#nowMs }
    this.#effects.push({ type: 'setTimer', id: 'pass', afterMs: this.#heldMs(deltas.length > 0) })
  }

  #heldMs(carries: boolean): number {
    const isCalm = !carries && this.#nowMs - this.#changedMs >= CALM_AFTER_MS
    return isCalm
      ? Math.min(MOST_CALM_HELD_MS, CALM_LAP_MS / this.#machines)
      : Math.min(MOST_HELD_MS, LEAST_LAP_MS / this.#machines)
  }

  #pass(): void {
    if (this.#held === null || this.#successor === null) return
    const { token, atMs } = this.#held
    this.#held = null
    const onward: Token = {
      ...token,
      step: token.step + 1,
      timeMs: token.timeMs + (this.#nowMs - atMs),
    }
    this.#send(onward)
  }

  #send(token: Token): void {
    const to = this.#successor
    if (to === null) return
    this.#passed = { token, to, atMs: this.#nowMs }
    this.#effects.push(
      { type: 'pass', to, token },
      { type: 'setTimer', id: 'taken', afterMs: TAKEN_MS },
    )
  }

  #taken(from: string, { epoch, maker, step }: TokenMark): void {
    const token = this.#passed?.token
    if (token === undefined || this.#passed?.to !== from) return
    if (token.epoch !== epoch || token.maker !== maker || token.step !== step) return
    this.#given = this.#passed
    this.#passed = null
  }

  /** The next machine has gone. If it had the token for so short a time that it may have kept it, here is another one. */
  #replaceGiven(): void {
    const given = this.#given
    this.#given = null
    if (given === null) return
    const sinceMs = this.#nowMs - given.atMs
    if (sinceMs > MOST_CALM_HELD_MS + DIED_WITH_IT_MS) return
    this.#makeAfter(given.token, sinceMs)
  }

  /**
   * Nobody said that it has it. It may have it all the same, so what is passed now is a new token, before which
   * the other one gives way.
   */
  #passAgain(atOnce = false): void {
    const passed = this.#passed
    if (passed === null || (!atOnce && this.#nowMs - passed.atMs < TAKEN_MS)) return
    this.#passed = null
    this.#makeAfter(passed.token, this.#nowMs - passed.atMs)
  }

  /** One before which that token gives way, wherever it is. @param sinceMs  since it was passed */
  #makeAfter(token: Token, sinceMs: number): void {
    const { epoch } = this.#seen ?? token
    this.#make(Math.max(epoch, token.epoch) + 1, token.timeMs + sinceMs, token.deltas)
  }

  #lost(): void {
    if (this.#nowMs - this.#seenMs >= this.#patienceMs() && this.#held === null) {
      if (this.#wasMisled) this.#seen = null
      else this.#make((this.#seen?.epoch ?? 0) + 1, this.timeAt(this.#nowMs) ?? 0, [])
      this.#wasMisled = false
    }
    this.#watch()
  }

  #make(epoch: number, timeMs: number, deltas: readonly Delta[]): void {
    if (this.#successor === null) return
    this.#stir()
    const mark = { epoch, maker: this.#own, step: 0 }
    this.#seen = mark
    this.#seenMs = this.#nowMs
    this.#offsetMs ??= timeMs - this.#nowMs
    this.#visit = { ...mark, hopsMs: 0, atMs: this.#nowMs }
    this.#hold({
      ...mark,
      hopsMs: 0,
      timeMs,
      deltas: deltas.map((delta) => ({ ...delta, step: 0 })),
    })
  }

  #patienceMs(): number {
    if (this.#seen === null) return FIRST_MS
    const { lapMs = 0, hopMs = 0 } = this.measured ?? {}
    // While tokens are made anew, they come by sooner than after a lap: whoever believed that would make another one.
    const leastMs = this.#machines * Math.max(EXPECTED_HOP_MS, hopMs)
    const patienceMs = LOST_LAPS * Math.max(lapMs, leastMs)
    return Math.min(MOST_LOST_MS, Math.max(LEAST_LOST_MS, patienceMs))
  }

  /** Looks again when the token would be lost, each machine at another time. */
  #watch(): void {
    const leftMs = Math.max(0, this.#seenMs + this.#patienceMs() - this.#nowMs)
    // All notice at about the same time: a part of the wait is chance, so that few make a new one.
    const spreadMs = this.#seen === null ? FIRST_MS : LOST_SPREAD_MS
    const afterMs = leftMs + 1 + spreadMs * this.#random()
    this.#effects.push({ type: 'setTimer', id: 'lost', afterMs })
  }
}
