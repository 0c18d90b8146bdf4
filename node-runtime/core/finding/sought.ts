// Whom to dial of those that the ways of finding name. A few links are enough to hear of all others; after that the
// rings know whom this machine lacks (`core/rings`), and the ways are there for those of whom the rings know nothing,
// such as the other part of a cloud that was torn. Names are free, and nothing of them is proved: whoever invents some
// gets no more than its share of the way by which it does.
import { Budget } from '../budget.ts'
import { Penalties } from './penalties.ts'
import type { WayName } from './ways-core.ts'

/** With fewer links whoever is named is dialled: it may know the rest. */
export const FEW_LINKS = 4
/** All of a small cloud at once; then now and then one, in a large one of which the rings know a part only. */
const UNKNOWN = { burst: 12, perSecond: 1 / 60 }
/** Those that are named in this time draw lots: two look-ups of the DHT, so that who wins is named again. */
const DRAW_MS = 60_000
/** Who was dialled in vain, or found no room, makes way for others: each time twice as long. */
const WAITS = { firstMs: 60_000, longestMs: 60 * 60_000 }

/** A machine that a way names, and that has no link. */
export interface NamedMachine {
  machine: string
  way: WayName
  /** Is it known on the rings? */
  isThere: boolean
  /** Is its entry known here? That is more than a name: a machine with a link has told it. */
  isMember: boolean
}

export class Sought {
  readonly #random: () => number
  readonly #dialled = new Penalties(WAITS)
  /** By way, so that none silences another; those with an entry have their own. */
  readonly #draws = new Map<WayName | 'member', Draw>()

  constructor(random: () => number) {
    this.#random = random
  }

  /** Is this machine to be dialled now? It counts as dialled if so. */
  take({ machine, way, isThere, isMember }: NamedMachine, links: number, nowMs: number): boolean {
    if (links < FEW_LINKS) return true
    if (isThere || this.#dialled.isWaiting(machine, nowMs)) return false
    const kind = isMember ? 'member' : way
    const draw = this.#draws.get(kind) ?? new Draw(this.#random, nowMs)
    this.#draws.set(kind, draw)
    if (!draw.take(machine, nowMs)) return false
    this.#dialled.note(machine, nowMs)
    return true
  }
}

/**
 * All are taken while there is enough for all. Else one of those that were passed over is drawn by lot, whoever came
 * first, and has its turn when it is named the next time.
 */
class Draw {
  readonly #random: () => number
  readonly #budget: Budget
  #sinceMs: number
  #passedOver = 0
  /** The lot of those so far. */
  #lot: string | null = null
  /** Whose turn it is; whoever comes first has it if nobody was passed over. */
  #turn: string | null = null

  constructor(random: () => number, nowMs: number) {
    this.#random = random
    this.#budget = new Budget(UNKNOWN, nowMs)
    this.#sinceMs = nowMs
  }

  take(machine: string, nowMs: number): boolean {
    if (nowMs - this.#sinceMs >= DRAW_MS) {
      this.#turn = this.#lot
      this.#lot = null
      this.#passedOver = 0
      this.#sinceMs = nowMs
    }
    const isItsTurn = this.#turn === null || this.#turn === machine
    if (isItsTurn && this.#budget.tryUse(1, nowMs)) return true
    this.#passedOver++
    // Each of those so far has the same chance.
    if (this.#random() * this.#passedOver < 1) this.#lot = machine
    return false
  }
}
