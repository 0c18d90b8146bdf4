/**
 * Runs asynchronous steps one after the other, in the order they were asked for. A step that fails
 * fails for its caller only.
 */
export class SerialQueue {
  #tail: Promise<unknown> = Promise.resolve()

  run<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(step)
    this.#tail = result.catch(() => {
      // Its caller has the error; the queue goes on.
    })
    return result
  }
}
