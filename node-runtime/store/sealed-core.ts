// One sealed core, open: read, fetched from links, given to others.
import type Hypercore from 'hypercore'
import { CloudError } from '../contract/errors.ts'
import type { LinkMux } from '../ports/link-mux.ts'
import { isStaticCore } from './static-core.ts'

/** Whoever seals records cuts blocks of 60 kB, longer only for one record; no block is larger than this. */
const MAX_BLOCK_BYTES = 1024 * 1024
/** A run of records has some hundred blocks, and some thousand where records are large. */
const MAX_BLOCKS = 65_536

/** What is known of a sealed core without opening it. */
export interface SealedEntry {
  key: string
  blocks: number
  /** Of all blocks, here or not. */
  sizeBytes: number
  /** Are all blocks here? */
  complete: boolean
}

export interface DownloadOptions {
  /** A core that has more is not fetched. */
  maxBytes: number
  signal?: AbortSignal
}

interface Keeper {
  sync: () => Promise<void>
  enter: (entry: SealedEntry) => Promise<void>
  closed: () => void
}

export class SealedCore {
  static readonly MAX_BLOCK_BYTES = MAX_BLOCK_BYTES
  readonly key: string
  readonly #core: Hypercore
  readonly #keeper: Keeper
  #closed = false

  constructor(core: Hypercore, key: string, keeper: Keeper) {
    this.#core = core
    this.key = key
    this.#keeper = keeper
    // Another machine's fault never concerns this one: blocks that do not fit the key are refused.
    core.on('error', () => {})
  }

  /** Blocks; 0 until that is known. */
  get length(): number {
    return this.#core.length
  }

  get sizeBytes(): number {
    return this.#core.byteLength
  }

  get complete(): boolean {
    return this.length > 0 && this.#core.contiguousLength === this.length
  }

  /** A block; fetches it and waits until it is here. Rejects when the core is closed meanwhile. */
  async read(index: number): Promise<Uint8Array> {
    const block = await this.#core.get(index)
    if (!(block instanceof Uint8Array)) throw new Error(`block ${index} could not be read`)
    return block
  }

  /** A block that is here; null if it is elsewhere. */
  async readLocal(index: number): Promise<Uint8Array | null> {
    const block = await this.#core.get(index, { wait: false })
    return block instanceof Uint8Array ? block : null
  }

  /**
   * Fetches all blocks from every link it is replicated over, at once. Resolves when they are on the
   * disk; then the core is served to others. Waits for as long as nobody has it.
   * @throws CloudError CORE_REFUSED if it is no sealed core, or too large; CANCELLED, DISK_FULL, DISK_FAILED
   */
  async download({ maxBytes, signal }: DownloadOptions): Promise<void> {
    await this.#whenKnown(signal)
    const { length: blocks, byteLength: sizeBytes } = this.#core
    if (!isStaticCore(this.#core) || blocks > MAX_BLOCKS || sizeBytes > maxBytes) {
      throw new CloudError(
        'CORE_REFUSED',
        `The data under ${this.key} was not fetched: it is not sealed, or larger than expected.`,
        { key: this.key, blocks, sizeBytes, maxBytes },
      )
    }
    const entry = { key: this.key, blocks, sizeBytes }
    if (!this.complete) {
      await this.#keeper.enter({ ...entry, complete: false })
      await this.#fetch(blocks, signal)
    }
    await this.#keeper.sync()
    await this.#keeper.enter({ ...entry, complete: true })
  }

  /** Fetches from and gives to the other side of a link, as soon as that does so, too. */
  replicate(mux: LinkMux): void {
    if (this.#closed) return
    const { length, replicator } = this.#core
    if (replicator.peers.some(({ protomux }) => protomux === mux)) return
    // The store itself attaches what it fetches to the links that it serves, allowed there or not.
    if (replicator.attached(mux)) replicator.detachFrom(mux)
    mux.allowCore(this.#core.discoveryKey, {
      maxBlocks: length > 0 ? length : MAX_BLOCKS,
      maxBlockBytes: MAX_BLOCK_BYTES,
    })
    this.#core.replicate(mux)
  }

  /** Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#keeper.closed()
    await this.#core.close()
  }

  /** Resolves when it is known how much there is; that comes with the proof that it is so. */
  async #whenKnown(signal: AbortSignal | undefined): Promise<void> {
    while (this.#core.length === 0) {
      await this.#interruptible(signal, (done) => {
        this.#core.once('append', done)
        return () => this.#core.off('append', done)
      })
    }
  }

  async #fetch(blocks: number, signal: AbortSignal | undefined): Promise<void> {
    const range = this.#core.download({ start: 0, end: blocks })
    try {
      await this.#interruptible(signal, (done) => {
        range.done().then(done, done)
        return () => {}
      })
      if (!(await this.#core.has(0, blocks))) throw this.#cancelled()
    } finally {
      range.destroy()
    }
  }

  /** Waits for something, for the signal, or for the core to close. */
  #interruptible(
    signal: AbortSignal | undefined,
    subscribe: (done: () => void) => () => void,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        unsubscribe()
        this.#core.off('close', settle)
        signal?.removeEventListener('abort', settle)
        if (signal?.aborted === true || this.#closed) reject(this.#cancelled())
        else resolve()
      }
      const unsubscribe = subscribe(settle)
      this.#core.once('close', settle)
      signal?.addEventListener('abort', settle)
      if (signal?.aborted === true || this.#closed) settle()
    })
  }

  #cancelled(): CloudError {
    return new CloudError('CANCELLED', `Fetching ${this.key} was given up.`, { key: this.key })
  }
}
