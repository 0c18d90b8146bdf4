// The logs of sessions: one Hypercore per seat per session, in a store of their own. A log is
// replicated over a link only on request, so that who serves it decides whom it serves.
import { EventEmitter } from 'node:events'
import { join } from 'node:path'
import type Corestore from 'corestore'
import type Hypercore from 'hypercore'
import { decodeKey, encodeKey } from '../core/keys.ts'
import { SerialQueue } from '../flow/serial-queue.ts'
import type { LinkMux } from '../ports/link-mux.ts'
import type { Log } from '../ports/log.ts'
import { CorestoreSync, openCorestore } from './corestore-opening.ts'
import { diskError } from './disk-errors.ts'
import { SessionList } from './session-list.ts'
import { deleteCore } from './static-core.ts'

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

/** What an own log needs beside its core, so that what is appended stays. */
interface Journal {
  /** On the disk when it resolves. */
  keep(begin: number, texts: readonly string[]): Promise<void>
  /** Blocks from `begin` on were not appended. */
  drop(begin: number): Promise<void>
  /** The blocks below `end` are in the core. */
  settle(end: number): void
}

interface Keeper {
  /** Of an own log. */
  journal: Journal | null
  /** Removes a closed log from the disk. */
  remove: () => Promise<void>
}

/** The log of one seat in one session: its own (writable), or another's. */
export class SeatLog extends EventEmitter<SeatLogEvents> {
  readonly #core: Hypercore
  readonly #keeper: Keeper
  readonly #appends = new SerialQueue()
  readonly #uploaded: UploadCount = { blocks: 0, bytes: 0 }

  constructor(core: Hypercore, keeper: Keeper) {
    super()
    this.setMaxListeners(0)
    this.#core = core
    this.#keeper = keeper
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

  /**
   * Adds blocks. They are on the disk before they leave this machine, and when this resolves: what others
   * have seen is never signed differently, whenever the power goes.
   * @throws CloudError DISK_FULL, DISK_FAILED
   */
  append(...texts: string[]): Promise<void> {
    const { journal } = this.#keeper
    if (journal === null) throw new TypeError('not an own log')
    return this.#appends.run(async () => {
      const begin = this.#core.length
      await journal.keep(begin, texts)
      try {
        await this.#core.append(texts.map((text) => Buffer.from(text, 'utf8')))
      } catch (error) {
        await journal.drop(begin)
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
    await this.#appends.run(async () => {})
    await this.#core.close()
  }

  /** Closes it and removes it from the disk. Nobody can ever read it from here again. */
  async remove(): Promise<void> {
    await this.close()
    await this.#keeper.remove()
  }
}

export interface SessionLogsOptions {
  folder: string
  log: Log
}

export class SessionLogs {
  readonly #corestore: Corestore
  readonly #own: Corestore
  readonly #list: SessionList
  readonly #sync: CorestoreSync
  readonly #log: Log
  readonly #open = new Map<string, Set<SeatLog>>()
  readonly #settling = new Set<Promise<void>>()
  /** What happened to the logs that were here, if they could not be kept; for the person. */
  readonly words: string | null

  private constructor(
    { corestore, words }: { corestore: Corestore; words: string | null },
    list: SessionList,
    { folder, log }: SessionLogsOptions,
  ) {
    this.#corestore = corestore
    this.#own = corestore.namespace('own-seats')
    this.#list = list
    this.#sync = new CorestoreSync(folder)
    this.#log = log
    this.words = words
  }

  /**
   * Opens or creates the logs in a folder. In a folder that was copied they begin anew: two machines that
   * both continue a log would be taken for one that cheats.
   * @throws CloudError DISK_FULL, DISK_FAILED
   */
  static async open(options: SessionLogsOptions): Promise<SessionLogs> {
    const { folder, log } = options
    const opened = await openCorestore({ folder, log, whenCopied: 'begin-anew' })
    const list = await SessionList.open(join(folder, 'list'), log)
    return new SessionLogs(opened, list, options)
  }

  /** This machine's log of a seat: new, or the one it began earlier. */
  async openOwn(session: string, seat: number): Promise<SeatLog> {
    // By its key pair: a name would be remembered after the log was removed.
    const keyPair = await this.#own.createKeyPair(`${session}.${seat}`)
    const core = this.#own.get({ keyPair })
    await core.ready()
    const key = encodeKey(core.key)
    await this.#list.enter(session, key)
    // What the power took from the log is kept in the list, and signs to the very same.
    for (const { index, text } of await this.#list.keptBlocks(key)) {
      if (index === core.length) await core.append(Buffer.from(text, 'utf8'))
    }
    return this.#hold(session, core, {
      keep: (begin, texts) => this.#list.keepBlocks(key, begin, texts),
      drop: (begin) => this.#list.dropBlocksFrom(key, begin),
      settle: (end) => this.#settle(key, end),
    })
  }

  /** The key of this machine's log of a seat, whether it was begun or not. */
  async keyOfOwn(session: string, seat: number): Promise<string> {
    const log = await this.openOwn(session, seat)
    const { key } = log
    await log.close()
    return key
  }

  /**
   * Another machine's log in a session; null if the text is no key. A forked log is never followed.
   * @param key  as it came; it may be anything
   */
  async openRemote(session: string, key: string): Promise<SeatLog | null> {
    const publicKey = decodeKey(key)
    if (publicKey === null) return null
    const core = this.#corestore.get({ key: publicKey, allowFork: false })
    await core.ready()
    await this.#list.enter(session, key)
    return this.#hold(session, core, null)
  }

  /** Forgets all logs of a session that is over. Who has them open can't read on. */
  async remove(session: string): Promise<void> {
    for (const key of await this.#list.logsOf(session)) await this.#remove(session, key)
  }

  async close(): Promise<void> {
    for (const logs of this.#open.values()) for (const log of logs) await log.close()
    await Promise.all(this.#settling)
    await this.#corestore.close()
    await this.#list.close()
  }

  #hold(session: string, core: Hypercore, journal: Journal | null): SeatLog {
    const key = encodeKey(core.key)
    const log = new SeatLog(core, { journal, remove: () => this.#remove(session, key) })
    const logs = this.#open.get(key) ?? new Set()
    this.#open.set(key, logs.add(log))
    core.once('close', () => {
      logs.delete(log)
      if (logs.size === 0 && this.#open.get(key) === logs) this.#open.delete(key)
    })
    return log
  }

  async #remove(session: string, key: string): Promise<void> {
    for (const log of this.#open.get(key) ?? []) await log.close()
    const core = this.#corestore.get({ key: decodeKey(key) as Uint8Array })
    await core.ready()
    await deleteCore(this.#corestore, core)
    await this.#list.remove(session, key)
  }

  /** Once the engine has synced them, blocks need not be kept a second time. */
  #settle(key: string, end: number): void {
    const settling = this.#sync
      .sync()
      .then(() => this.#list.dropBlocks(key, end))
      .catch((error: unknown) => {
        // They stay kept, which is no harm.
        this.#log.warn('the logs of sessions could not be synced', { error })
      })
      .finally(() => this.#settling.delete(settling))
    this.#settling.add(settling)
  }
}
