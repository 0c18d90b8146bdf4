// How much a peer may ask for: an allowance that fills up again with time.

export class Budget {
  readonly #most: number
  readonly #perMs: number
  #left: number
  #atMs: number

  /** Full at first. */
  constructor(most: number, perSecond: number, nowMs: number) {
    this.#most = most
    this.#perMs = perSecond / 1000
    this.#left = most
    this.#atMs = nowMs
  }

  /**
   * Takes some, also more than is left.
   * @returns ms until what was taken is made up for: 0 if there was enough
   */
  take(amount: number, nowMs: number): number {
    this.#left = Math.min(this.#most, this.#left + (nowMs - this.#atMs) * this.#perMs) - amount
    this.#atMs = nowMs
    return this.waitMs(nowMs)
  }

  /** How long it takes until there is something left. */
  waitMs(nowMs: number): number {
    const left = this.#left + (nowMs - this.#atMs) * this.#perMs
    return left >= 0 ? 0 : Math.ceil(-left / this.#perMs)
  }
}
