// What one side may use of the other: so much a second, and a reserve for the moment in which much
// comes at once (a token bucket). Going over is possible and leaves a debt, which time pays off.

export interface Allowance {
  perSecond: number
  /** What may be used at once after a rest. */
  burst: number
}

export class Budget {
  readonly #allowance: Allowance
  #left: number
  #readMs: number

  /** A full budget. `nowMs` is monotonic, here and below. */
  constructor(allowance: Allowance, nowMs: number) {
    this.#allowance = allowance
    this.#left = allowance.burst
    this.#readMs = nowMs
  }

  /** How much may be used now; negative while there is a debt. */
  left(nowMs: number): number {
    const { perSecond, burst } = this.#allowance
    const passedMs = Math.max(0, nowMs - this.#readMs)
    this.#readMs = Math.max(this.#readMs, nowMs)
    this.#left = Math.min(burst, this.#left + (passedMs * perSecond) / 1_000)
    return this.#left
  }

  /**
   * Uses so much, in debt if need be.
   * @returns ms until the debt is paid off; 0 if there is none
   */
  use(amount: number, nowMs: number): number {
    this.#left = this.left(nowMs) - amount
    return this.#left >= 0 ? 0 : Math.ceil((-this.#left * 1_000) / this.#allowance.perSecond)
  }

  /** Uses so much if it is there, else nothing. */
  tryUse(amount: number, nowMs: number): boolean {
    if (this.left(nowMs) < amount) return false
    this.#left -= amount
    return true
  }
}
