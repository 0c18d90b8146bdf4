/** Kinds of one tally. What strangers can put into a kind must not make it grow without an end. */
const MAX_KINDS = 256

/**
 * Counts what others can cause as often as they like, and says when it is worth a line in the log: at
 * the first time and at each doubling.
 */
export class Tally {
  readonly #times = new Map<string, number>()

  /** How often this kind has come by now, if that is to be told; else null. */
  note(kind: string): number | null {
    if (this.#times.size >= MAX_KINDS && !this.#times.has(kind)) return null
    const times = (this.#times.get(kind) ?? 0) + 1
    this.#times.set(kind, times)
    return (times & (times - 1)) === 0 ? times : null
  }
}
