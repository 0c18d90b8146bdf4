// The logs of sessions: one Hypercore per seat per session, in a store of their own. A log is
// replicated over a link only on request, so that who serves it decides whom it serves.
import { join } from 'node:path'
import type Corestore from 'corestore'
import type Hypercore from 'hypercore'
import { decodeKey, encodeKey } from '../core/keys.ts'
import { SerialQueue } from '../flow/serial-queue.ts'
import type { Log } from '../ports/log.ts'
import { CorestoreSync, openCorestore } from './corestore-opening.ts'
import { checkRoom } from './disk-errors.ts'
import { SeatLog } from './seat-log.ts'
import type { Journal } from './seat-log.ts'
import { SessionList } from './session-list.ts'
import { deleteCore } from './static-core.ts'

export type { SeatLog, UploadCount } from './seat-log.ts'

/** What the engine needs to open again after the disk was full. */
const REOPEN_BYTES = 4_000_000
/** Blocks that wait to be synced by the engine are kept twice for so long: one sync for many moves. */
const SETTLE_AFTER_MS = 2_000

/** A core of the store as it is open now. */
type OpenCore = () => Hypercore

export interface SessionLogsOptions {
  folder: string
  log: Log
}

export class SessionLogs {
  readonly #folder: string
  #corestore: Corestore
  #own: Corestore
  #failed = false
  #recovering: Promise<void> | null = null
  readonly #list: SessionList
  readonly #sync: CorestoreSync
  readonly #log: Log
  /** By key, with how their core is had again. */
  readonly #open = new Map<string, Map<SeatLog, OpenCore>>()
  /** Where the blocks end that may be dropped from the list after the next sync, by the log's key. */
  readonly #unsettled = new Map<string, number>()
  readonly #openings = new SerialQueue()
  #settleTimer: NodeJS.Timeout | null = null
  #settling: Promise<void> = Promise.resolve()
  /** What happened to the logs that were here, if they could not be kept; for the person. */
  readonly words: string | null

  private constructor(
    { corestore, words }: { corestore: Corestore; words: string | null },
    list: SessionList,
    { folder, log }: SessionLogsOptions,
  ) {
    this.#folder = folder
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
  openOwn(session: string, seat: number): Promise<SeatLog> {
    // One after the other: two could both put a kept block where it is missing.
    return this.#openings.run(async () =>
      this.#holdOwn(session, await this.#openCore(session, seat)),
    )
  }

  /**
   * The log of a seat that this machine has begun; null if it can't be sure that this has all that was ever
   * written to it, and now or later never will be: other machines may have seen what is missing.
   * @param key  of the log that was begun
   */
  resumeOwn(session: string, seat: number, key: string): Promise<SeatLog | null> {
    return this.#openings.run(async () => {
      const opened = await this.#openCore(session, seat)
      if (encodeKey(opened.core.key) === key && (await this.#list.vouchesFor(session, key))) {
        return this.#holdOwn(session, opened)
      }
      await opened.core.close()
      await this.#list.giveUp(session, key)
      return null
    })
  }

  async #openCore(session: string, seat: number): Promise<{ core: Hypercore; openCore: OpenCore }> {
    // By its key pair: a name would be remembered after the log was removed.
    const keyPair = await this.#own.createKeyPair(`${session}.${seat}`)
    const openCore: OpenCore = () => this.#own.get({ keyPair })
    const core = openCore()
    await core.ready()
    return { core, openCore }
  }

  async #holdOwn(
    session: string,
    { core, openCore }: { core: Hypercore; openCore: OpenCore },
  ): Promise<SeatLog> {
    const key = encodeKey(core.key)
    await this.#list.enterOwn(session, key)
    // What the power took from the log is kept in the list, and signs to the very same. Where the log is
    // open already, what is kept is on its way into it.
    const kept = this.#open.has(key) ? [] : await this.#list.keptBlocks(key)
    for (const { index, text } of kept) {
      if (index === core.length) await core.append(Buffer.from(text, 'utf8'))
    }
    return this.#hold(session, core, openCore, {
      keep: (begin, texts) => this.#list.keepBlocks(key, begin, texts),
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
    const openCore: OpenCore = () => this.#corestore.get({ key: publicKey, allowFork: false })
    const core = openCore()
    await core.ready()
    await this.#list.enter(session, key)
    return this.#hold(session, core, openCore, null)
  }

  /** Forgets all logs of a session that is over. Who has them open can't read on. */
  async remove(session: string): Promise<void> {
    for (const key of await this.#list.logsOf(session)) await this.#remove(session, key)
  }

  async close(): Promise<void> {
    await this.#recovering?.catch(() => {
      // Who asked for it has the error.
    })
    for (const logs of this.#open.values()) for (const log of logs.keys()) await log.close()
    this.#settleNow()
    await this.#settling
    await this.#corestore.close()
    await this.#list.close()
  }

  #hold(session: string, core: Hypercore, openCore: OpenCore, journal: Journal | null): SeatLog {
    const key = encodeKey(core.key)
    const logs = this.#open.get(key) ?? new Map<SeatLog, OpenCore>()
    const log: SeatLog = new SeatLog(core, {
      journal,
      failed: () => (this.#failed = true),
      recover: () => this.#recover(),
      remove: () => this.#remove(session, key),
      closed: () => {
        logs.delete(log)
        if (logs.size === 0 && this.#open.get(key) === logs) this.#open.delete(key)
      },
    })
    this.#open.set(key, logs.set(log, openCore))
    return log
  }

  async #recover(): Promise<void> {
    if (!this.#failed) return
    this.#recovering ??= this.#openAgain().finally(() => {
      this.#recovering = null
    })
    await this.#recovering
  }

  /** After a failed write the engine takes no more until it is opened again. */
  async #openAgain(): Promise<void> {
    await checkRoom(`${this.#folder}.room`, REOPEN_BYTES)
    await this.#corestore.close()
    const opening = { folder: this.#folder, log: this.#log, whenCopied: 'begin-anew' } as const
    const { corestore } = await openCorestore(opening)
    this.#corestore = corestore
    this.#own = corestore.namespace('own-seats')
    for (const logs of this.#open.values()) {
      for (const [log, openCore] of logs) {
        const core = openCore()
        await core.ready()
        log.renew(core)
      }
    }
    this.#failed = false
  }

  async #remove(session: string, key: string): Promise<void> {
    for (const log of this.#open.get(key)?.keys() ?? []) await log.close()
    const core = this.#corestore.get({ key: decodeKey(key) as Uint8Array })
    await core.ready()
    await deleteCore(this.#corestore, core)
    this.#unsettled.delete(key)
    await this.#list.remove(session, key)
  }

  /** Once the engine has synced them, blocks need not be kept a second time. */
  #settle(key: string, end: number): void {
    this.#unsettled.set(key, end)
    this.#settleTimer ??= setTimeout(() => this.#settleNow(), SETTLE_AFTER_MS).unref()
  }

  #settleNow(): void {
    if (this.#settleTimer !== null) clearTimeout(this.#settleTimer)
    this.#settleTimer = null
    const ends = [...this.#unsettled]
    this.#unsettled.clear()
    if (ends.length === 0) return
    const drop = async (): Promise<void> => {
      await this.#sync.sync()
      for (const [key, end] of ends) await this.#list.dropBlocks(key, end)
    }
    this.#settling = this.#settling.then(drop).catch((error: unknown) => {
      // They stay kept, which is no harm.
      this.#log.warn('the logs of sessions could not be synced', { error })
    })
  }
}
