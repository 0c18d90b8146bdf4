// Is this computer in another network? The stack below looks every five seconds, and a game that goes on has less time.

/** How often the addresses are read. */
export const LOOK_MS = 500

export class NetworkDetector {
  #addresses: string
  #isAway = false

  /** @param addresses  of this computer, to which others can come */
  constructor(addresses: readonly string[]) {
    this.#addresses = textOf(addresses)
  }

  /**
   * To be called every `LOOK_MS`.
   * @returns whether what was linked may be linked no more, and can be linked anew; not while there is no network at all
   */
  look(addresses: readonly string[]): boolean {
    const wasAway = this.#isAway
    this.#isAway = addresses.length === 0
    if (this.#isAway) return false
    const text = textOf(addresses)
    const isOther = wasAway || text !== this.#addresses
    this.#addresses = text
    return isOther
  }
}

function textOf(addresses: readonly string[]): string {
  return addresses.toSorted().join()
}
