// Few values of one schema, asked for one by one: while one message is with the worker the next one
// gathers, so that a message is as full as there is to do, and nobody waits for others to come.

/** What one message may gather, in values and characters; more waits for the next. */
const MOST_VALUES = 2_000
const MOST_CHARS = 256 * 1024

interface Asker<Verdict> {
  value: string
  answer: (verdict: Verdict) => void
}

export interface GatheredJudgingOptions<Verdict> {
  /** A verdict for each value, in order. Never rejects. */
  judge: (values: readonly string[]) => Promise<Verdict[]>
  /** Could this verdict be another value's fault? Then the value is judged again, alone. */
  isDoubtful: (verdict: Verdict) => boolean
  /** Called when there is nothing to do any more. */
  onIdle: () => void
}

export class GatheredJudging<Verdict> {
  readonly #options: GatheredJudgingOptions<Verdict>
  #waiting: Asker<Verdict>[] = []
  #running = false

  constructor(options: GatheredJudgingOptions<Verdict>) {
    this.#options = options
  }

  /** Never rejects. */
  judge(value: string): Promise<Verdict> {
    return new Promise((answer) => {
      this.#waiting.push({ value, answer })
      if (!this.#running) void this.#run()
    })
  }

  async #run(): Promise<void> {
    this.#running = true
    // Who asks in the same turn shares the message.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const askers = this.#take()
      const verdicts = await this.#options.judge(askers.map(({ value }) => value))
      for (const [at, { value, answer }] of askers.entries()) {
        const verdict = verdicts[at] as Verdict
        if (askers.length === 1 || !this.#options.isDoubtful(verdict)) answer(verdict)
        else answer((await this.#options.judge([value]))[0] as Verdict)
      }
    }
    this.#running = false
    this.#options.onIdle()
  }

  #take(): Asker<Verdict>[] {
    let chars = 0
    let count = 0
    for (const { value } of this.#waiting) {
      chars += value.length
      if (count > 0 && (chars > MOST_CHARS || count === MOST_VALUES)) break
      count++
    }
    return this.#waiting.splice(0, count)
  }
}
