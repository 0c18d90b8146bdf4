/** Sealed runs of records, which everybody who holds the same records makes alike. */
export interface SegmentStore {
  /**
   * Seals blocks; the same blocks always get the same key. From then on others can read them here.
   * @returns the key, 32 bytes
   */
  seal(blocks: AsyncIterable<Uint8Array>): Promise<Uint8Array>
  /**
   * The blocks of a segment, in order, from any machine that has them; kept, so that others can read
   * them here. Rejects if nobody delivers any more.
   */
  read(key: Uint8Array): AsyncIterable<Uint8Array>
}
