// Segments of records as sealed cores: made of blocks, fetched from all linked machines at once.
import { CloudError } from '../contract/errors.ts'
import { decodeKey, encodeKey } from '../core/keys.ts'
import type { LinkMux } from '../ports/link-mux.ts'
import type { SegmentStore } from '../ports/segment-store.ts'
import type { SealedCores } from '../store/sealed-cores.ts'

/** A run of ordinary records has 8 to 16 MB; what is larger travels in frames. It is in memory once. */
const MOST_BYTES = 128 * 1024 * 1024
/** Nobody delivers any more: the replication core gives up a little later. */
const FETCH_LIMIT_MS = 100_000
/** Runs of the past are of no use; these are two million records. */
const MOST_KEPT = 64

export class SealedSegments implements SegmentStore {
  readonly #cores: SealedCores
  readonly #links = new Set<LinkMux>()

  constructor(cores: SealedCores) {
    this.#cores = cores
  }

  /** Fetches over this link, too, from now on, and lets its other side fetch. */
  attach(mux: LinkMux): void {
    this.#links.add(mux)
    mux.onClosed(() => this.#links.delete(mux))
    this.#cores.serve(mux)
  }

  /** @throws CloudError CORE_REFUSED if the blocks are too many; DISK_FULL, DISK_FAILED */
  async seal(blocks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
    const all: Uint8Array[] = []
    let sizeBytes = 0
    for await (const block of blocks) {
      sizeBytes += block.length
      if (sizeBytes > MOST_BYTES) {
        throw new CloudError('CORE_REFUSED', 'The records are too large for a segment.', {
          sizeBytes,
          maxBytes: MOST_BYTES,
        })
      }
      all.push(block)
    }
    const core = await this.#cores.seal(all)
    const key = decodeKey(core.key)
    await core.close()
    await this.#forgetOld()
    if (key === null) throw new TypeError('a sealed core without a key')
    return key
  }

  async *read(key: Uint8Array): AsyncGenerator<Uint8Array> {
    const core = await this.#cores.open(encodeKey(key))
    if (core === null) return
    try {
      for (const mux of this.#links) core.replicate(mux)
      await core.download({ maxBytes: MOST_BYTES, signal: AbortSignal.timeout(FETCH_LIMIT_MS) })
      for (let i = 0; i < core.length; i++) yield await core.read(i)
    } finally {
      await core.close()
    }
    await this.#forgetOld()
  }

  async #forgetOld(): Promise<void> {
    const kept = this.#cores.list()
    for (const { key } of kept.slice(0, Math.max(0, kept.length - MOST_KEPT))) {
      await this.#cores.remove(key)
    }
  }
}
