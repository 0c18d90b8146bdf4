// Whose transcripts and rules this machine keeps, within one budget: everybody has a share, and whoever
// has most gives way. So what one person lays claim to, however much, never pushes out what others have
// within an equal share. Claiming another's part takes nothing from it: it goes with its last claim.

/** So many claims to one part are noted; it stays as long as one of them has room. */
const MAX_CLAIMS = 16

interface Part {
  sizeBytes: number
  owners: Set<string>
}

interface Share {
  /** All it has a claim to, in full, whoever else has one, too. */
  bytes: number
  /** In the order of their last use. */
  hashes: Set<string>
}

export class PartShares {
  readonly #parts = new Map<string, Part>()
  readonly #shares = new Map<string, Share>()
  #totalBytes = 0

  has(hash: string): boolean {
    return this.#parts.has(hash)
  }

  ownersOf(hash: string): string[] {
    return [...(this.#parts.get(hash)?.owners ?? [])]
  }

  /** A part is here now. */
  add(hash: string, sizeBytes: number): void {
    if (this.#parts.has(hash)) return
    this.#parts.set(hash, { sizeBytes, owners: new Set() })
    this.#totalBytes += sizeBytes
  }

  /** Counts a part to somebody's share. False if it is counted already, not here, or claimed by many. */
  claim(hash: string, owner: string): boolean {
    const part = this.#parts.get(hash)
    if (part === undefined || part.owners.has(owner) || part.owners.size >= MAX_CLAIMS) return false
    part.owners.add(owner)
    const share = this.#shares.get(owner) ?? { bytes: 0, hashes: new Set() }
    share.bytes += part.sizeBytes
    share.hashes.add(hash)
    this.#shares.set(owner, share)
    return true
  }

  /** It was used just now: of each of its shares it is the last to go. */
  use(hash: string): void {
    for (const owner of this.ownersOf(hash)) {
      const hashes = this.#shares.get(owner)?.hashes
      hashes?.delete(hash)
      hashes?.add(hash)
    }
  }

  /** The part is here no longer. */
  forget(hash: string): void {
    for (const owner of this.ownersOf(hash)) this.#release(hash, owner)
    this.#totalBytes -= this.#parts.get(hash)?.sizeBytes ?? 0
    this.#parts.delete(hash)
  }

  /**
   * Gives up one claim if there is more than the budget: of whoever has most, the writer before others
   * that have as much, what was not used for longest. A part without a claim is here no longer.
   * @returns the claim that was given up; null when all have room
   */
  giveWay(budgetBytes: number, writer: string): { hash: string; owner: string } | null {
    if (this.#totalBytes <= budgetBytes) return null
    let most = writer
    for (const [owner, { bytes }] of this.#shares) {
      if (bytes > (this.#shares.get(most)?.bytes ?? 0)) most = owner
    }
    const [hash] = this.#shares.get(most)?.hashes ?? []
    if (hash === undefined) return null
    this.#release(hash, most)
    if (this.ownersOf(hash).length === 0) this.forget(hash)
    return { hash, owner: most }
  }

  #release(hash: string, owner: string): void {
    const part = this.#parts.get(hash)
    const share = this.#shares.get(owner)
    if (part === undefined || share === undefined || !part.owners.delete(owner)) return
    share.hashes.delete(hash)
    share.bytes -= part.sizeBytes
    if (share.hashes.size === 0) this.#shares.delete(owner)
  }
}
