// Lets something be said at once, and then not again before a while has passed.

/** Calls `act` now, or once when `gapMs` have passed since the last time; never more often. */
export class Pace {
  readonly #gapMs: number
  readonly #act: () => void
  #timer: ReturnType<typeof setTimeout> | null = null
  #again = false

  constructor(gapMs: number, act: () => void) {
    this.#gapMs = gapMs
    this.#act = act
  }

  request(): void {
    if (this.#timer !== null) {
      this.#again = true
      return
    }
    this.#timer = setTimeout(() => {
      this.#timer = null
      if (!this.#again) return
      this.#again = false
      this.request()
    }, this.#gapMs)
    this.#act()
  }

  /** Nothing is said any more. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#again = false
  }
}
