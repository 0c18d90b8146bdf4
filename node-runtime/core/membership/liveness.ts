// Is the machine at the other end of a link still there? Each side sends beats, often where one of both watches the
// other closely and seldom elsewhere, and says in each when the next one is to come. Who is late is asked; who does not
// answer is gone: soon where its computer says that its port is closed (`swarm/link.ts`), else only after a
// silence in which no process that lives would have kept still. What one beat says of the last one of the other side gives the round trip, the shown latency.
// All times are monotonic: the clock on the wall may jump.
import { Budget } from '../budget.ts'
import { beginHistory, isSuspect, quietFromMs, recordArrival } from './failure-detector.ts'
import type { ArrivalHistory } from './failure-detector.ts'
import { Stalls } from './stalls.ts'

/** Of a machine that is watched closely: who is killed is asked for after 0.8 s at most, on a calm link after 0.65. */
export const OFTEN_MS = 400
/** Of all others: half a minute is the shortest time for which routers keep a way open. */
export const SELDOM_MS = 8_000
/** Beats that are seldom are sent earlier or later by up to this part, so that not all come at once. */
const SPREAD = 0.1
/**
 * Whoever is later than it said by so much is asked, however late it often is: to ask costs some datagrams, and the word
 * that its port is closed says much. The patience with who says nothing begins only where that is unusual.
 */
const LATE_MS = 400
/** Who is asked before it is late is late when it has not answered for so long, or for four round trips. */
const LATE_ANSWER_MS = 100
/** Before the first word, and of machines of before 0.4, which ask once a second. */
const UNTOLD_MS = 1_000
/**
 * Who was asked and says nothing for so long, or for four round trips, is gone by all odds. Processes that share two
 * cores with a load of 27 stand still for up to 2 s each minute, while no other does, and now and then for twice that.
 */
const ANSWER_MS = 5_000
/**
 * In another network old links have mostly ended, as have those through a relay that is gone, and new ones wait for that,
 * and a game for them. A link that is made anew without need costs little.
 */
const ENDED_ANSWER_MS = 750
const ROUND_TRIPS = 4
/** The worst standstill of late, of this process or the other, may come again, and be worse. */
const STALLS = 2
/** Whoever feigns standstills wins no more, nor does who is ever later: for so long it may leave a question unanswered. */
const MOST_PATIENCE_MS = 20_000
const ASK_AGAIN_MS = 400
/** A doubt that lasts for so long is told, so that others ask, too. Of who was killed, the closed port tells earlier. */
const TELL_MS = 2_000
/** Beats that are heard; an honest machine sends at most 8 a second, when both sides ask. */
const BEATS = { perSecond: 10, burst: 40 }
/**
 * When this machine looks so much later than it meant to, it has itself stood still (a busy processor, a closed
 * lid), and the silence of that time says nothing of the others.
 */
const OWN_STALL_MS = 150
/** Share of a new round trip in the shown latency, so that it does not jump. */
const LATENCY_GAIN = 0.3
/** The beats of this side that may still be echoed. */
const MAX_SENT = 8

/** What one beat says. */
export interface Beat {
  /** Grows by one each time; one that is no greater than the last was copied on its way, and says nothing. */
  number: number
  /** The last beat that came from the other side, and how long ago; 0 if none has. */
  echo: number
  heldMs: number
  /** When the next one is to come. */
  nextMs: number
  /** The other side is to beat often. */
  watches: boolean
  /** The other side is to beat now. */
  asks: boolean
}

export type LivenessDeed =
  | { type: 'beat'; beat: Beat }
  /** Ask by whatever way there is. */
  | { type: 'ping'; number: number }
  /** It is asked, and is late, or what its link went through is gone: somebody's word alone gives no doubt. */
  | { type: 'doubt' }
  /** It has not answered for a while. */
  | { type: 'tell' }
  | { type: 'gone' }

/**
 * Why it is asked. `late`: it was not heard when it was to be. `told`: others do not hear it, which shortens no patience,
 * for they may lie. `moved`: this computer is in another network. `cut`: the machine is gone through which the link goes.
 */
export type AskReason = 'late' | 'told' | 'moved' | 'cut'

interface Asked {
  reason: AskReason
  /** Since when it is asked. */
  fromMs: number
  /** Since when its silence counts: when it was asked, or the silence became unusual, whichever was later. */
  sinceMs: number
  againMs: number
  doubted: boolean
  told: boolean
}

export interface LivenessOptions {
  /** 0 to 1. */
  random: () => number
  /** May the other side have what it wants, frequent beats? */
  obliges: () => boolean
  /** Of this process, on all of its links. */
  ownStalls: Stalls
}

export class Liveness {
  readonly #options: LivenessOptions
  readonly #budget: Budget
  /** Of the other side, as far as it was asked in them. */
  readonly #stalls = new Stalls()
  #history: ArrivalHistory
  #isWatched = false
  /** The last beat that came. */
  #heard: { number: number; atMs: number } | null = null
  #peerWatches = false
  #beats = 0
  readonly #sent = new Map<number, number>()
  #beatMs: number
  #pings = 0
  /** The ping that waits for its answer. */
  #open: { number: number; atMs: number } | null = null
  #asked: Asked | null = null
  #dueMs: number
  #latencyMs: number | null = null

  constructor(nowMs: number, options: LivenessOptions) {
    this.#options = options
    this.#budget = new Budget(BEATS, nowMs)
    this.#history = beginHistory(nowMs, UNTOLD_MS)
    this.#beatMs = nowMs
    this.#dueMs = nowMs
  }

  /** Smoothed round trip; null before the first. */
  get latencyMs(): number | null {
    return this.#latencyMs
  }

  /** When `look` is to be called next. */
  get dueMs(): number {
    return this.#dueMs
  }

  /** Does the other side want frequent beats for a reason of its own? */
  get isOnlyWatched(): boolean {
    return this.#peerWatches && !this.#isWatched
  }

  /** Is it asked, and has not answered yet? */
  get isDoubted(): boolean {
    return this.#asked !== null
  }

  /** Is it asked because what it went through is gone, and has it not answered yet? */
  get isCut(): boolean {
    return this.#asked?.reason === 'cut'
  }

  /** Is it late enough to be asked? What waits in the socket is to be heard before `look` is called. */
  isQuiet(nowMs: number): boolean {
    return this.#asked !== null || nowMs >= this.#lateFromMs
  }

  /** From now on it is watched closely, or not any more. */
  watch(isWatched: boolean, nowMs: number): void {
    if (this.#isWatched === isWatched) return
    this.#isWatched = isWatched
    // Told at once, so that both sides keep one pace.
    this.#beatAt(nowMs)
  }

  /** The first word: asks, so that the latency is known. */
  begin(nowMs: number): LivenessDeed[] {
    return [this.#ping(nowMs), ...this.look(nowMs)]
  }

  /** Asks now, unless it is asked already. */
  check(nowMs: number, reason: Exclude<AskReason, 'late'>): LivenessDeed[] {
    this.#forgiveOwnStall(nowMs)
    const asks =
      this.#asked === null || (hasMostlyEnded(reason) && !hasMostlyEnded(this.#asked.reason))
    const deeds = asks ? this.#ask(nowMs, reason) : []
    this.#dueMs = this.#nextMs()
    return deeds
  }

  /** The link goes by another way from now on: what was said on the old one may be lost, and is asked again. */
  rerouted(nowMs: number): void {
    this.#forgiveOwnStall(nowMs)
    const asked = this.#asked
    if (asked === null) return
    asked.fromMs = nowMs
    asked.sinceMs = nowMs
    asked.againMs = nowMs
    if (asked.reason === 'cut') asked.reason = 'told'
    this.#dueMs = this.#nextMs()
  }

  /** To be called at `dueMs`: what is to be done now. */
  look(nowMs: number): LivenessDeed[] {
    this.#forgiveOwnStall(nowMs)
    const deeds: LivenessDeed[] = []
    if (nowMs >= this.#beatMs) deeds.push(this.#beat(nowMs, false))
    const asked = this.#asked
    if (asked === null) {
      if (nowMs >= this.#lateFromMs) deeds.push(...this.#ask(nowMs, 'late'))
    } else if (this.#isGone(asked, nowMs)) {
      deeds.push({ type: 'gone' })
    } else {
      if (!asked.doubted && nowMs >= this.#doubtMs(asked)) {
        asked.doubted = true
        deeds.push({ type: 'doubt' })
      }
      if (!asked.told && nowMs - asked.sinceMs >= TELL_MS) {
        asked.told = true
        deeds.push({ type: 'tell' })
      }
      if (nowMs >= asked.againMs) {
        asked.againMs = nowMs + ASK_AGAIN_MS
        deeds.push(this.#beat(nowMs, true))
      }
    }
    this.#dueMs = this.#nextMs()
    return deeds
  }

  /**
   * A beat came.
   * @returns what is to be sent back, and whether the latency is known anew; null if it says nothing
   */
  heard(beat: Beat, nowMs: number): { deeds: LivenessDeed[]; isMeasured: boolean } | null {
    if (this.#heard !== null && beat.number <= this.#heard.number) return null
    if (!this.#budget.tryUse(1, nowMs)) return null
    this.#forgiveOwnStall(nowMs)
    // Who promises the next one sooner than anybody sends it would be asked for it all the time.
    const promisedMs = Math.max(OFTEN_MS, beat.nextMs)
    this.#history =
      this.#heard === null
        ? beginHistory(nowMs, promisedMs)
        : recordArrival(this.#history, nowMs, promisedMs)
    this.#heard = { number: beat.number, atMs: nowMs }
    this.#answered(nowMs)
    const paceMs = this.#paceMs
    this.#peerWatches = beat.watches
    // It waits for frequent ones from now on.
    if (this.#paceMs < paceMs) this.#beatAt(nowMs)
    // What is due soon is said now: both sides keep one beat, and neither wakes twice for it.
    if (this.#beatMs - nowMs <= this.#paceMs / 2) this.#beatAt(nowMs)
    const sentMs = this.#sent.get(beat.echo)
    const isMeasured = sentMs !== undefined
    if (isMeasured) {
      this.#sent.delete(beat.echo)
      this.#measure(Math.max(0, nowMs - sentMs - beat.heldMs))
    }
    return { deeds: beat.asks ? [this.#beat(nowMs, false)] : [], isMeasured }
  }

  /** It asked, over the link's stream. */
  pinged(nowMs: number): void {
    this.#forgiveOwnStall(nowMs)
    this.#answered(nowMs)
    // Who beats has said when the next one comes; of who does not, this is all there is.
    this.#history =
      this.#heard === null
        ? recordArrival(this.#history, nowMs, UNTOLD_MS)
        : { ...this.#history, lastMs: nowMs }
  }

  /** It answered, over the link's stream. True if the latency is known anew. */
  ponged(number: number, nowMs: number): boolean {
    this.pinged(nowMs)
    if (number !== this.#open?.number) return false
    this.#measure(nowMs - this.#open.atMs)
    this.#open = null
    return true
  }

  get #paceMs(): number {
    const isOften = this.#isWatched || (this.#peerWatches && this.#options.obliges())
    return isOften ? OFTEN_MS : SELDOM_MS
  }

  get #lateFromMs(): number {
    const { lastMs, promisedMs } = this.#history
    return Math.min(quietFromMs(this.#history), lastMs + promisedMs + LATE_MS)
  }

  #isGone({ reason, fromMs, sinceMs }: Asked, nowMs: number): boolean {
    const silentMs = nowMs - sinceMs
    const roundTripsMs = ROUND_TRIPS * (this.#latencyMs ?? 0)
    if (hasMostlyEnded(reason)) return silentMs >= Math.max(ENDED_ANSWER_MS, roundTripsMs)
    // What is usual of it, it has shown itself.
    if (nowMs - fromMs >= MOST_PATIENCE_MS) return true
    const worstMs = Math.max(this.#options.ownStalls.worstMs(nowMs), this.#stalls.worstMs(nowMs))
    const patienceMs = Math.max(ANSWER_MS, roundTripsMs) + STALLS * worstMs
    return silentMs >= patienceMs && isSuspect(this.#history, nowMs)
  }

  #ask(nowMs: number, reason: AskReason): LivenessDeed[] {
    const sinceMs = reason === 'late' ? Math.max(nowMs, quietFromMs(this.#history)) : nowMs
    const againMs = nowMs + ASK_AGAIN_MS
    const doubted = reason === 'late' || reason === 'cut'
    this.#asked = { reason, fromMs: nowMs, sinceMs, againMs, doubted, told: false }
    const deeds: LivenessDeed[] = [this.#ping(nowMs), this.#beat(nowMs, true)]
    return doubted ? [...deeds, { type: 'doubt' }] : deeds
  }

  /** When who was asked before it was late is late, with its beat or with its answer. */
  #doubtMs({ fromMs }: Asked): number {
    const answerMs = Math.max(LATE_ANSWER_MS, ROUND_TRIPS * (this.#latencyMs ?? 0))
    return Math.min(this.#lateFromMs, fromMs + answerMs)
  }

  /** It is there: how long that took is to be expected again. */
  #answered(nowMs: number): void {
    if (this.#asked !== null) this.#stalls.note(nowMs - this.#asked.sinceMs, nowMs)
    this.#asked = null
  }

  #ping(nowMs: number): LivenessDeed {
    this.#open = { number: ++this.#pings, atMs: nowMs }
    return { type: 'ping', number: this.#pings }
  }

  #beat(nowMs: number, asks: boolean): LivenessDeed {
    const spread = 1 + SPREAD * (2 * this.#options.random() - 1)
    const nextMs = this.#paceMs === OFTEN_MS ? OFTEN_MS : SELDOM_MS * spread
    this.#beatMs = nowMs + nextMs
    const number = ++this.#beats
    this.#sent.set(number, nowMs)
    this.#sent.delete(number - MAX_SENT)
    const { number: echo, atMs } = this.#heard ?? { number: 0, atMs: nowMs }
    const watches = this.#isWatched
    return {
      type: 'beat',
      beat: { number, echo, heldMs: nowMs - atMs, nextMs, watches, asks },
    }
  }

  #beatAt(atMs: number): void {
    this.#beatMs = Math.min(this.#beatMs, atMs)
    this.#dueMs = Math.min(this.#dueMs, this.#beatMs)
  }

  #nextMs(): number {
    const asked = this.#asked
    if (asked === null) return Math.min(this.#beatMs, this.#lateFromMs)
    const tellMs = asked.told ? asked.againMs : asked.sinceMs + TELL_MS
    const doubtMs = asked.doubted ? tellMs : this.#doubtMs(asked)
    return Math.min(this.#beatMs, asked.againMs, tellMs, doubtMs)
  }

  #measure(roundTripMs: number): void {
    this.#latencyMs =
      this.#latencyMs === null
        ? roundTripMs
        : this.#latencyMs + LATENCY_GAIN * (roundTripMs - this.#latencyMs)
  }

  #forgiveOwnStall(nowMs: number): void {
    const stalledMs = nowMs - this.#dueMs
    if (stalledMs < OWN_STALL_MS) return
    this.#dueMs = nowMs
    // Longer ones were a closed lid, and say nothing of how busy the processor is.
    if (stalledMs <= MOST_PATIENCE_MS) this.#options.ownStalls.note(stalledMs, nowMs)
    const { lastMs } = this.#history
    this.#history = { ...this.#history, lastMs: Math.min(nowMs, lastMs + stalledMs) }
    if (this.#asked === null) return
    this.#asked.fromMs += stalledMs
    this.#asked.sinceMs += stalledMs
  }
}

/** Where links have mostly ended, there is little patience. */
function hasMostlyEnded(reason: AskReason): boolean {
  return reason === 'moved' || reason === 'cut'
}
