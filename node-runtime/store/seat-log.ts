// The log of one seat in one session, open.
import { EventEmitter } from 'node:events'
import type Hypercore from 'hypercore'
import { encodeKey } from '../core/keys.ts'
import { MAX_LOG_BLOCKS } from '../core/sessions/block.ts'
import { SerialQueue } from '../flow/serial-queue.ts'
import type { LinkMux } from '../ports/link-mux.ts'
import { diskError } from './disk-errors.ts'

/** A block is one action; the longest games have some thousand. */
const LOG_LIMITS = { maxBlocks: MAX_LOG_BLOCKS, maxBlockBytes: 1024 * 1024 }

/** What one log has given to other machines since it was opened. */
export interface UploadCount {
  blocks: number
  bytes: number
}

interface SeatLogEvents {
  /** What is being appended is on the disk, and will be in the log whatever happens. */
  kept: []
  /** The log has become longer. */
  grown: []
  /** Its owner signed two different logs of one length: proof of cheating. It can't be read on. */
  conflicted: [length: number]
}

/** What an own log needs beside its core, so that what is appended stays. */
export interface Journal {
  /** On the disk when it resolves. */
  keep(begin: number, texts: readonly string[]): Promise<void>
  /** The blocks below `end` are in the core. */
  settle(end: number): void
}

export interface Keeper {
  /** Of an own log. */
  journal: Journal | null
  /** The engine failed to write: it takes nothing more until it is opened again. */
  failed: () => void
  /**
   * Opens the engine again if it has failed, and gives the logs new cores.
   * @throws CloudError DISK_FULL, DISK_FAILED
   */
  recover: () => Promise<void>
  closed: () => void
  /** Removes a closed log from the disk. */
  remove: () => Promise<void>
}

/** The log of one seat in one session: its own (writable), or another's. */
export class SeatLog extends EventEmitter<SeatLogEvents> {
  #core: Hypercore
  #closed = false
  #isForked = false
  readonly #links = new Set<LinkMux>()
  readonly #keeper: Keeper
  readonly #appends = new SerialQueue()
  readonly #uploaded: UploadCount = { blocks: 0, bytes: 0 }

  constructor(core: Hypercore, keeper: Keeper) {
    super()
    this.setMaxListeners(0)
    this.#core = core
    this.#keeper = keeper
    this.#listen(core)
  }

  /** Goes on with the same log, whose engine was opened again. */
  renew(core: Hypercore): void {
    this.#core = core
    this.#listen(core)
    for (const mux of this.#links) this.replicate(mux)
  }

  /** The log's public key, under which others find it. */
  get key(): string {
    return encodeKey(this.#core.key)
  }

  /** Blocks that are known to exist, here or elsewhere. */
  get length(): number {
    return this.#core.length
  }

  /** It can't be read on, ever: it is closed, or its owner has forked it. */
  get isOver(): boolean {
    return this.#closed || this.#isForked
  }

  get uploaded(): Readonly<UploadCount> {
    return this.#uploaded
  }

  /**
   * The text of a block; waits until it is here, also if it was not written yet: then it comes at once
   * when it is. Rejects when the log is over by then, and when the disk does not let it be read now.
   */
  async read(index: number): Promise<string> {
    for (;;) {
      const core = this.#core
      try {
        const block = await core.get(index)
        if (!(block instanceof Uint8Array)) throw new Error(`block ${index} could not be read`)
        return Buffer.from(block).toString('utf8')
      } catch (error) {
        if (this.isOver) throw error
        // Its engine may be being opened again.
        await this.#keeper.recover()
        if (core === this.#core) throw error
      }
    }
  }

  /** The text of a block that is here; null if it is elsewhere. */
  async readLocal(index: number): Promise<string | null> {
    const block = await this.#core.get(index, { wait: false })
    return block instanceof Uint8Array ? Buffer.from(block).toString('utf8') : null
  }

  /**
   * Adds blocks. They are on the disk before they leave this machine, at `kept`, and when this resolves:
   * what others have seen is never signed differently, whenever the power goes. When this rejects after
   * `kept`, the very same blocks must be appended next; if they are not, the next start does it.
   * @throws CloudError DISK_FULL, DISK_FAILED
   */
  append(...texts: string[]): Promise<void> {
    const { journal } = this.#keeper
    if (journal === null) throw new TypeError('not an own log')
    return this.#appends.run(async () => {
      await this.#keeper.recover()
      const begin = this.#core.length
      await journal.keep(begin, texts)
      this.emit('kept')
      try {
        await this.#core.append(texts.map((text) => Buffer.from(text, 'utf8')))
      } catch (error) {
        this.#keeper.failed()
        throw diskError(error, 'sessions')
      }
      journal.settle(begin + texts.length)
    })
  }

  /**
   * Replicates this log over a link, both ways, as soon as the other side does so too. Each side may
   * begin first: the channel is paired under the log's own id, beside other stores' logs on the link.
   */
  replicate(mux: LinkMux): void {
    if (this.#core.closed || this.#core.replicator.attached(mux)) return
    if (!this.#links.has(mux)) {
      this.#links.add(mux)
      mux.onClosed(() => this.#links.delete(mux))
    }
    mux.allowCore(this.#core.discoveryKey, LOG_LIMITS)
    this.#core.replicate(mux)
  }

  stopReplicating(mux: LinkMux): void {
    this.#links.delete(mux)
    if (this.#core.closed) return
    const { replicator } = this.#core
    replicator.detachFrom(mux)
    mux.forgetCore(this.#core.discoveryKey)
    for (const peer of [...replicator.peers]) {
      if (peer.protomux === mux) peer.channel.close()
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.removeAllListeners()
    await this.#appends.run(async () => {})
    await this.#core.close()
    this.#keeper.closed()
  }

  /** Closes it and removes it from the disk. Nobody can ever read it from here again. */
  async remove(): Promise<void> {
    await this.close()
    await this.#keeper.remove()
  }

  #listen(core: Hypercore): void {
    core.on('append', () => this.emit('grown'))
    core.on('conflict', (length: number) => {
      this.#isForked = true
      this.emit('conflicted', length)
    })
    core.on('upload', (_index: number, byteLength: number) => {
      this.#uploaded.blocks++
      this.#uploaded.bytes += byteLength
    })
  }
}
