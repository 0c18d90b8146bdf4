// Questions that are asked at the same time are asked as one.

/**
 * Gathers what is asked while an earlier batch is on its way, and asks that in one go. Alone, a
 * question does not wait.
 */
export class Batches<Q, A> {
  readonly #ask: (questions: readonly Q[]) => Promise<readonly A[]>
  readonly #most: number
  #waiting: { question: Q; resolve: (answer: A) => void; reject: (error: unknown) => void }[] = []
  #asking = false

  /**
   * @param ask  gives an answer for each question, in their order
   * @param most  questions in one batch
   */
  constructor(ask: (questions: readonly Q[]) => Promise<readonly A[]>, most: number) {
    this.#ask = ask
    this.#most = most
  }

  /** The answer. Rejects when the batch that it was asked in does. */
  ask(question: Q): Promise<A> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ question, resolve, reject })
      if (!this.#asking) void this.#askAll()
    })
  }

  async #askAll(): Promise<void> {
    this.#asking = true
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#most)
      try {
        const answers = await this.#ask(batch.map(({ question }) => question))
        batch.forEach(({ resolve, reject }, at) => {
          const answer = answers[at]
          if (answer === undefined) reject(new RangeError('a question was not answered'))
          else resolve(answer)
        })
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    this.#asking = false
  }
}
