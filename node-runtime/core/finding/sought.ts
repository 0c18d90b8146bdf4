// Whom to dial of those that the ways of finding name. A few links are enough to hear of all others; after that the
// rings know whom this machine lacks (`core/rings`), and the ways are there for those of whom the rings know nothing,
// such as the other part of a cloud that was torn.
import { Budget } from '../budget.ts'
import { Penalties } from './penalties.ts'

/** With fewer links whoever is named is dialled: it may know the rest. */
export const FEW_LINKS = 4
/** All of a small cloud at once; then now and then one, in a large one of which the rings know a part only. */
const UNKNOWN = { burst: 12, perSecond: 1 / 60 }
/** Who was dialled in vain, or found no room, makes way for others: each time twice as long. */
const WAITS = { firstMs: 60_000, longestMs: 60 * 60_000 }

export class Sought {
  readonly #dialled = new Penalties(WAITS)
  #budget: Budget | null = null

  /**
   * Is this machine, which a way names and which has no link, to be dialled now? It counts as dialled if so.
   * @param isThere  is it known on the rings?
   */
  take(machine: string, links: number, isThere: boolean, nowMs: number): boolean {
    if (links < FEW_LINKS) return true
    if (isThere || this.#dialled.isWaiting(machine, nowMs)) return false
    this.#budget ??= new Budget(UNKNOWN, nowMs)
    if (!this.#budget.tryUse(1, nowMs)) return false
    this.#dialled.note(machine, nowMs)
    return true
  }
}
