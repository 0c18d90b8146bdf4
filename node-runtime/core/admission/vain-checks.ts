// Signatures that the door checks for strangers. What has held once is not checked again: whoever shows what others
// were let in by, with something made up at its end, costs the end alone. And from where much came that does not hold,
// nothing is checked for a while: keys are free. Behind one router, or one relay, are many, so what held before holds
// there all the same.
import { Budget } from '../budget.ts'
import type { VerifySignature } from '../forms/signed-form.ts'
import { hash, toHex, verify } from '../keys.ts'

/** Signatures that were checked in vain, of one address: of the longest chain eight at once, then one in eight seconds. */
const IN_VAIN = { burst: 256, perSecond: 4 }
/** About 200 kB. */
const MAX_ADDRESSES = 1_024
/** The links of all persons that most clouds have; about 500 kB. */
const MAX_HELD = 4_096

export class VainChecks {
  readonly #check: VerifySignature
  /** Of each address that anything was in vain from; who was heard of last stands last. */
  readonly #budgets = new Map<string, Budget>()
  /** Hashes of what has held. */
  readonly #held = new Set<string>()

  constructor(check: VerifySignature = verify) {
    this.#check = check
  }

  /**
   * Judges what somebody at an address shows.
   * @param nowMs  monotonic
   * @returns what `judge` says: why it does not hold, or null; or `TOO_BUSY`, when something was not checked
   */
  judge<F>(
    address: string,
    nowMs: number,
    judge: (check: VerifySignature) => F | null,
  ): F | 'TOO_BUSY' | null {
    const budget = this.#budgets.get(address) ?? new Budget(IN_VAIN, nowMs)
    const isSpent = budget.left(nowMs) <= 0
    let checked = 0
    const fault = judge((message, signature, key) => {
      const name = toHex(hash(Buffer.concat([key, signature, message])))
      if (this.#held.delete(name)) return this.#hold(name)
      checked++
      return !isSpent && this.#check(message, signature, key) && this.#hold(name)
    })
    if (isSpent) return checked > 0 ? 'TOO_BUSY' : fault
    if (fault !== null && checked > 0) this.#charge(address, budget, checked, nowMs)
    return fault
  }

  #hold(name: string): true {
    this.#held.add(name)
    const [first] = this.#held
    if (this.#held.size > MAX_HELD && first !== undefined) this.#held.delete(first)
    return true
  }

  #charge(address: string, budget: Budget, checked: number, nowMs: number): void {
    budget.use(checked, nowMs)
    this.#budgets.delete(address)
    this.#budgets.set(address, budget)
    const [first] = this.#budgets.keys()
    if (this.#budgets.size > MAX_ADDRESSES && first !== undefined) this.#budgets.delete(first)
  }
}
