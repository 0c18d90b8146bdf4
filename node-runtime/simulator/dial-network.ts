// A network in which machines dial each other: each pair as far apart as they stand on a map, cut in parts and lossy as
// a seed has drawn it. A machine that stops is noticed as `core/membership/liveness.ts` does: soon by who watches it closely,
// late by others unless they are asked to look.
import type { Random } from './random.ts'
import type { World } from './world.ts'

export interface DialFaults {
  /** Across the map, one way. */
  delayMs: number
  jitterMs: number
  loss: number
  /** All pairs are equally far apart. */
  isEven?: boolean
}

/** After what time one is asked that is not heard, if it is watched closely, and if not. */
const CLOSE_MS = [400, 750] as const
const SELDOM_MS = [1_000, 10_000] as const
/** A doubt is told after this, and after that who does not answer is gone. */
const TOLD_MS = 2_000
const ANSWER_MS = 5_000
/** Computers that say so when a process has ended, and are heard. */
const TELLING_SHARE = 0.5

export interface Caller<M> {
  readonly key: string
  /** Its /16. */
  readonly network: string
  readonly isUp: boolean
  readonly isStalled: boolean
  opened(peer: string, dialled: boolean, network: string): void
  closed(peer: string, silent: boolean): void
  /** It was not heard for a while, and does not answer. */
  doubted(peer: string): void
  received(peer: string, message: M): void
}

interface Line<M> {
  ends: readonly [Caller<M>, Caller<M>]
  open: boolean
  /** One end has crashed; it may come back, and dial anew. */
  dead: boolean
  /** Which end asks whether the other is there. */
  asked: [boolean, boolean]
  /** Which end has seen that it is over. */
  over: [boolean, boolean]
  /** When the last message arrives at each end: links keep the order. */
  arrivesMs: [number, number]
}

export class DialNetwork<M> {
  faults: DialFaults
  /** Messages that are under way. */
  readonly underWay = new Set<M>()
  readonly #world: World
  readonly #random: Random
  readonly #lines = new Map<string, Map<string, Line<M>>>()
  readonly #spots = new Map<string, readonly [number, number]>()
  /** In which part a machine is; all in one if absent. */
  readonly #parts = new Map<string, number>()
  readonly #watched = new Map<string, ReadonlySet<string>>()
  readonly #telling = new Map<string, boolean>()
  messages = 0

  constructor(world: World, random: Random, faults: DialFaults) {
    this.#world = world
    this.#random = random
    this.faults = faults
  }

  /** One way, ms, without jitter. */
  delayOf(a: string, b: string): number {
    if (this.faults.isEven === true) return this.faults.delayMs
    const [[x1, y1], [x2, y2]] = [this.#spotOf(a), this.#spotOf(b)]
    return this.faults.delayMs * (0.1 + Math.hypot(x1 - x2, y1 - y2))
  }

  isCut(a: string, b: string): boolean {
    return (this.#parts.get(a) ?? 0) !== (this.#parts.get(b) ?? 0)
  }

  dial(from: Caller<M>, to: Caller<M>): void {
    this.#world.after(2 * this.delayOf(from.key, to.key), () => {
      if (!from.isUp || !to.isUp || from === to || this.isCut(from.key, to.key)) return
      const earlier = this.#lineOf(from.key, to.key)
      if (earlier?.dead === false) return
      // A later link replaces an earlier one, of which nothing more is said.
      if (earlier !== undefined) {
        earlier.open = false
        earlier.over = [true, true]
      }
      const { nowMs } = this.#world
      const line: Line<M> = {
        ends: [from, to],
        open: true,
        dead: false,
        asked: [false, false],
        over: [false, false],
        arrivesMs: [nowMs, nowMs],
      }
      this.#linesOf(from.key).set(to.key, line)
      this.#linesOf(to.key).set(from.key, line)
      from.opened(to.key, true, to.network)
      if (line.open) to.opened(from.key, false, from.network)
    })
  }

  hangUp(from: string, to: string): void {
    const line = this.#lineOf(from, to)
    if (line === undefined) return
    // What was said before still arrives.
    const side = line.ends[0].key === from ? 0 : 1
    const other = line.ends[1 - side]!
    const afterMs = Math.max(0, line.arrivesMs[side] - this.#world.nowMs)
    line.over[side] = true
    line.ends[side]!.closed(to, false)
    this.#world.after(afterMs, () => this.#close(line, other, false))
  }

  /** It stopped without a word. */
  crashed(key: string): void {
    this.#watched.delete(key)
    for (const [peer, line] of this.#linesOf(key)) {
      line.dead = true
      const other = line.ends.find((end) => end.key === peer)!
      this.#closeLate(line, [other])
    }
  }

  /** Cuts all between two parts, until `heal`. */
  cut(partOf: (key: string) => number, keys: Iterable<string>): void {
    for (const key of keys) this.#parts.set(key, partOf(key))
    for (const lines of this.#lines.values()) {
      for (const line of lines.values()) {
        const [a, b] = line.ends
        if (this.isCut(a.key, b.key)) this.#closeLate(line, line.ends)
      }
    }
  }

  heal(): void {
    this.#parts.clear()
  }

  send(from: string, to: string, message: M): void {
    const line = this.#lineOf(from, to)
    if (line?.open !== true) return
    this.messages += 1
    if (this.isCut(from, to) || this.#random.chance(this.faults.loss)) return
    const side = line.ends[0].key === from ? 0 : 1
    const delayMs = this.delayOf(from, to) + this.#random.next() * this.faults.jitterMs
    const arrivesMs = Math.max(this.#world.nowMs + delayMs, line.arrivesMs[side])
    line.arrivesMs[side] = arrivesMs
    this.underWay.add(message)
    this.#world.after(arrivesMs - this.#world.nowMs, () => {
      this.underWay.delete(message)
      const receiver = line.ends[1 - side]!
      if (line.open && receiver.isUp && !this.isCut(from, to)) receiver.received(from, message)
    })
  }

  /** Whom a machine watches closely. */
  watch(key: string, machines: readonly string[]): void {
    this.#watched.set(key, new Set(machines))
  }

  /** Asks over the link, and calls back when the other side, which may stand still, has answered. */
  ping(from: string, to: string, answered: () => void): void {
    const line = this.#lineOf(from, to)
    if (line === undefined) return
    const side = line.ends[0].key === from ? 0 : 1
    this.#world.after(2 * this.delayOf(from, to), () => {
      if (this.#answers(line, side)) answered()
      else this.#ask(line, side)
    })
  }

  #closeLate(line: Line<M>, ends: readonly Caller<M>[]): void {
    const [a, b] = line.ends
    const isClose =
      this.#watched.get(a.key)?.has(b.key) === true || this.#watched.get(b.key)?.has(a.key) === true
    for (const end of ends) {
      const [leastMs, mostMs] = isClose ? CLOSE_MS : SELDOM_MS
      // A short cut is not noticed; a machine that was started again has a link of its own.
      this.#world.after(this.#random.between(leastMs, mostMs), () => {
        this.#ask(line, end === a ? 0 : 1)
      })
    }
  }

  /** The other side was not heard: it is gone if it does not answer either, or if its computer says so. */
  #ask(line: Line<M>, side: 0 | 1): void {
    const end = line.ends[side]
    const other = line.ends[1 - side]!
    if (line.over[side] || line.asked[side] || !end.isUp || this.#answers(line, side)) return
    line.asked[side] = true
    const isTold = line.dead && !this.isCut(end.key, other.key) && this.#tells(other.key)
    const roundTripMs = 2 * this.delayOf(end.key, other.key)
    this.#world.after(isTold ? roundTripMs : TOLD_MS, () => {
      if (line.over[side] || this.#answers(line, side)) line.asked[side] = false
      else if (isTold) this.#close(line, end, true)
      else if (end.isUp) end.doubted(other.key)
    })
    if (isTold) return
    this.#world.after(Math.max(ANSWER_MS, 2 * roundTripMs), () => {
      line.asked[side] = false
      if (line.over[side] || this.#answers(line, side)) return
      this.#close(line, end, true)
      // Who stood still hears that the link was ended; who is cut off has to find out.
      if (line.dead || this.isCut(end.key, other.key)) return
      this.#world.after(roundTripMs / 2, () => this.#close(line, other, false))
    })
  }

  #answers({ ends, dead, open }: Line<M>, side: 0 | 1): boolean {
    const other = ends[1 - side]!
    return open && !dead && other.isUp && !other.isStalled && !this.isCut(ends[0].key, ends[1].key)
  }

  #tells(key: string): boolean {
    let tells = this.#telling.get(key)
    if (tells === undefined) {
      tells = this.#random.chance(TELLING_SHARE)
      this.#telling.set(key, tells)
    }
    return tells
  }

  #close(line: Line<M>, told: Caller<M>, silent: boolean): void {
    const [a, b] = line.ends
    const side = told === a ? 0 : 1
    // Both may have hung up at once: then it is over for both, and there is nobody to tell.
    const wasOver = line.over[side]
    line.open = false
    line.over[side] = true
    if (this.#lineOf(a.key, b.key) === line) {
      this.#linesOf(a.key).delete(b.key)
      this.#linesOf(b.key).delete(a.key)
    }
    const gone = told === a ? b : a
    if (wasOver) return
    if (told.isUp && this.#lineOf(a.key, b.key) === undefined) told.closed(gone.key, silent)
  }

  #linesOf(key: string): Map<string, Line<M>> {
    let lines = this.#lines.get(key)
    if (lines === undefined) this.#lines.set(key, (lines = new Map()))
    return lines
  }

  #lineOf(a: string, b: string): Line<M> | undefined {
    return this.#lines.get(a)?.get(b)
  }

  #spotOf(key: string): readonly [number, number] {
    let spot = this.#spots.get(key)
    if (spot === undefined) {
      spot = [this.#random.next(), this.#random.next()]
      this.#spots.set(key, spot)
    }
    return spot
  }
}
