// What was opened, to be closed in reverse: at the end, or when opening the next thing fails.

type Close = () => void | Promise<void>

export class Disposal {
  readonly #closers: Close[] = []

  /** Remembers how to close something; gives it back. */
  add<T>(opened: T, close: (opened: T) => void | Promise<void>): T {
    this.#closers.push(() => close(opened))
    return opened
  }

  /**
   * Closes everything, the last opened first, each though another failed.
   * @throws AggregateError of what failed, or the one error
   */
  async close(): Promise<void> {
    const errors: unknown[] = []
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) {
      try {
        await close()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length === 1) throw errors[0]
    if (errors.length > 1) throw new AggregateError(errors, 'several things could not be closed')
  }
}

/**
 * Opens things that depend on each other: if a later one fails, the earlier ones are closed, and the
 * failure is thrown.
 */
export async function opening<T>(open: (opened: Disposal) => Promise<T>): Promise<T> {
  const opened = new Disposal()
  try {
    return await open(opened)
  } catch (error) {
    await opened.close()
    throw error
  }
}
