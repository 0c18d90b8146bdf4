// The logs of sessions: one Hypercore per seat per session, in a store of their own. A log is
// replicated over a link only on request, so that who serves it decides whom it serves.
import { EventEmitter } from 'node:events'
import Corestore from 'corestore'
import type Hypercore from 'hypercore'
import { decodeKey, encodeKey } from '../core/keys.ts'
import type { LinkMux } from '../ports/link-mux.ts'

/** A block is one action; the longest games have some thousand. */
const LOG_LIMITS = { maxBlocks: 65_536, maxBlockBytes: 1024 * 1024 }

/** What one log has given to other machines since it was opened. */
export interface UploadCount {
  blocks: number
  bytes: number
}

interface SeatLogEvents {
  /** The log has become longer. */
  grown: []
  /** Its owner signed two different logs of one length: proof of cheating. It can't be read on. */
  conflicted: [length: number]
}

/** The log of one seat in one session: its own (writable), or another's. */
export class SeatLog extends EventEmitter<SeatLogEvents> {
  readonly #core: Hypercore
  readonly #uploaded: UploadCount = { blocks: 0, bytes: 0 }

  constructor(core: Hypercore) {
    super()
    this.setMaxListeners(0)
    this.#core = core
    core.on('append', () => this.emit('grown'))
    core.on('conflict', (length: number) => this.emit('conflicted', length))
    core.on('upload', (_index: number, byteLength: number) => {
      this.#uploaded.blocks++
      this.#uploaded.bytes += byteLength
    })
  }

  /** The log's public key, under which others find it. */
  get key(): string {
    return encodeKey(this.#core.key)
  }

  /** Blocks that are known to exist, here or elsewhere. */
  get length(): number {
    return this.#core.length
  }

  get uploaded(): Readonly<UploadCount> {
    return this.#uploaded
  }

  /**
   * The text of a block; waits until it is here, also if it was not written yet: then it comes at once
   * when it is. Rejects when the log is closed meanwhile.
   */
  async read(index: number): Promise<string> {
    const block = await this.#core.get(index)
    if (!(block instanceof Uint8Array)) throw new Error(`block ${index} could not be read`)
    return Buffer.from(block).toString('utf8')
  }

  /** The text of a block that is here; null if it is elsewhere. */
  async readLocal(index: number): Promise<string | null> {
    const block = await this.#core.get(index, { wait: false })
    return block instanceof Uint8Array ? Buffer.from(block).toString('utf8') : null
  }

  /** Adds blocks, all or none. They are on disk when the promise resolves. */
  async append(...texts: string[]): Promise<void> {
    await this.#core.append(texts.map((text) => Buffer.from(text, 'utf8')))
  }

  /**
   * Replicates this log over a link, both ways, as soon as the other side does so too. Each side may
   * begin first: the channel is paired under the log's own id, beside other stores' logs on the link.
   */
  replicate(mux: LinkMux): void {
    if (this.#core.closed || this.#core.replicator.attached(mux)) return
    mux.allowCore(this.#core.discoveryKey, LOG_LIMITS)
    this.#core.replicate(mux)
  }

  stopReplicating(mux: LinkMux): void {
    if (this.#core.closed) return
    const { replicator } = this.#core
    replicator.detachFrom(mux)
    mux.forgetCore(this.#core.discoveryKey)
    for (const peer of [...replicator.peers]) {
      if (peer.protomux === mux) peer.channel.close()
    }
  }

  async close(): Promise<void> {
    this.removeAllListeners()
    await this.#core.close()
  }

  /** Closes it and removes it from the disk. Nobody can ever read it from here again. */
  async remove(): Promise<void> {
    this.removeAllListeners()
    await this.#core.purge()
  }
}

export class SessionLogs {
  readonly #corestore: Corestore
  readonly #own: Corestore

  private constructor(corestore: Corestore) {
    this.#corestore = corestore
    this.#own = corestore.namespace('own-seats')
  }

  static async open(folder: string): Promise<SessionLogs> {
    const corestore = new Corestore(folder)
    await corestore.ready()
    return new SessionLogs(corestore)
  }

  /** This machine's log of a seat: new, or the one it began earlier. */
  openOwn(session: string, seat: number): Promise<SeatLog> {
    return openLog(this.#own.get({ name: `${session}.${seat}` }))
  }

  /** The key of this machine's log of a seat, whether it was begun or not. */
  async keyOfOwn(session: string, seat: number): Promise<string> {
    const log = await this.openOwn(session, seat)
    const { key } = log
    await log.close()
    return key
  }

  /** Another machine's log. A forked one is never followed. */
  openRemote(key: string): Promise<SeatLog> {
    const publicKey = decodeKey(key)
    if (publicKey === null) throw new TypeError('not the key of a log')
    return openLog(this.#corestore.get({ key: publicKey, allowFork: false }))
  }

  async close(): Promise<void> {
    await this.#corestore.close()
  }
}

async function openLog(core: Hypercore): Promise<SeatLog> {
  await core.ready()
  return new SeatLog(core)
}
