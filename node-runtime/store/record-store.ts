// Records of the cloud on this machine: one log of its own, copies of the other machines' logs, and
// the index in which all of them are merged.
import { EventEmitter } from 'node:events'
import { join } from 'node:path'
import Corestore from 'corestore'
import type Hypercore from 'hypercore'
import * as z from 'zod'
import { recordSchema } from '../contract/db.ts'
import type { CloudRecord } from '../contract/db.ts'
import { CloudError } from '../contract/errors.ts'
import { HybridClock, isTooFarAhead } from '../core/db/hybrid-clock.ts'
import { decodeKey, encodeKey } from '../core/keys.ts'
import type { Log } from '../ports/log.ts'
import { recordOwner, replaces, verifyRecord } from '../core/db/record.ts'
import { SerialQueue } from '../flow/serial-queue.ts'
import type { LinkMux } from '../ports/link-mux.ts'
import { discoveryKeyOf } from './discovery-key.ts'
import { openRecordIndex } from './record-index.ts'
import type { RecordIndex } from './record-index.ts'

/** The largest record as JSON text: the largest value a manifest may allow, and its envelope. */
const MAX_RECORD_BYTES = 300_000
/** What a machine's log may be, on the wire. */
const LOG_LIMITS = { maxBlocks: 1_048_576, maxBlockBytes: 8 * 1024 * 1024 }
/** How often a log that waits for a version's time to come is tried again. */
const TOO_EARLY_RETRY_MS = 30_000

const blockSchema = z.object({ records: z.array(z.unknown()) })

interface FollowedLog {
  core: Hypercore
  nextBlock: number
}

export interface RecordStoreEvents {
  recordMerged: [record: CloudRecord]
}

export class RecordStore extends EventEmitter<RecordStoreEvents> {
  readonly #corestore: Corestore
  readonly #index: RecordIndex
  readonly #ownLog: Hypercore
  readonly #logs = new Map<string, FollowedLog>()
  readonly #writes = new SerialQueue()
  readonly #merges = new SerialQueue()
  readonly #log: Log
  readonly #now: () => number
  readonly clock: HybridClock
  #refused = 0
  #closing = false
  readonly #links = new Set<LinkMux>()
  readonly #wakers = new Set<() => void>()

  private constructor(
    parts: { corestore: Corestore; index: RecordIndex; ownLog: Hypercore },
    log: Log,
    now: () => number,
  ) {
    super()
    this.setMaxListeners(0)
    this.#corestore = parts.corestore
    this.#index = parts.index
    this.#ownLog = parts.ownLog
    this.#log = log
    this.#now = now
    this.clock = new HybridClock(now)
  }

  /** Opens or creates the store in `folder`, and reads what its index has not seen yet. */
  static async open(folder: string, log: Log, now: () => number): Promise<RecordStore> {
    const corestore = new Corestore(join(folder, 'cores'))
    await corestore.ready()
    const ownLog = corestore.get({ name: 'records', valueEncoding: 'json' })
    await ownLog.ready()
    const index = await openRecordIndex(join(folder, 'index'))
    const store = new RecordStore({ corestore, index, ownLog }, log, now)
    const newest = await index.newestVersion()
    if (newest !== undefined) store.clock.see(newest)
    await store.#catchUpOwnLog()
    return store
  }

  /** The key of this machine's own log. */
  get ownLog(): string {
    return encodeKey(this.#ownLog.key)
  }

  get index(): Omit<RecordIndex, 'apply' | 'close'> {
    return this.#index
  }

  /** Records that were turned away since the start. */
  get refusedCount(): number {
    return this.#refused
  }

  /** How many logs this machine reads, and how many of them to their known end. */
  progress(): { logsKnown: number; logsCurrent: number } {
    const logs = [...this.#logs.values()]
    return {
      logsKnown: logs.length + 1,
      logsCurrent: logs.filter(({ core, nextBlock }) => nextBlock >= core.length).length + 1,
    }
  }

  /** Replicates the logs over a verified link. */
  replicate(mux: LinkMux): void {
    if (this.#closing) return
    this.#links.add(mux)
    mux.onClosed(() => this.#links.delete(mux))
    mux.allowCore(this.#ownLog.discoveryKey, LOG_LIMITS)
    for (const key of this.#logs.keys()) mux.allowCore(discoveryKeyOf(decodeKey(key)!), LOG_LIMITS)
    this.#corestore.replicate(mux)
  }

  /** Copies and merges another machine's log from now on. Idempotent. */
  async follow(logKey: string): Promise<void> {
    const key = decodeKey(logKey)
    if (key === null || logKey === this.ownLog || this.#logs.has(logKey) || this.#closing) return
    const core = this.#corestore.get({ key, valueEncoding: 'json', allowFork: false })
    const followed: FollowedLog = { core, nextBlock: 0 }
    this.#logs.set(logKey, followed)
    for (const link of this.#links) link.allowCore(discoveryKeyOf(key), LOG_LIMITS)
    await core.ready()
    followed.nextBlock = await this.#index.checkpointOf(logKey)
    core.download({ start: followed.nextBlock, end: -1 })
    void this.#readOn(logKey, followed)
  }

  /**
   * Writes records that hold. They are on disk when this returns.
   * `prepare` runs alone: nothing is written between what it reads and what it returns.
   */
  write(prepare: () => Promise<CloudRecord[]>): Promise<CloudRecord[]> {
    return this.#writes.run(async () => {
      const records = await prepare()
      if (records.length === 0) return records
      const { length } = await this.#ownLog.append({ records })
      await this.#merge(this.ownLog, length - 1, records)
      return records
    })
  }

  async close(): Promise<void> {
    this.#closing = true
    for (const wake of this.#wakers) wake()
    await this.#writes.run(async () => {})
    await this.#corestore.close()
    await this.#merges.run(async () => {})
    await this.#index.close()
  }

  async #catchUpOwnLog(): Promise<void> {
    let block = await this.#index.checkpointOf(this.ownLog)
    for (; block < this.#ownLog.length; block++) {
      await this.#merge(this.ownLog, block, this.#readBlock(await this.#ownLog.get(block)))
    }
  }

  async #readOn(logKey: string, followed: FollowedLog): Promise<void> {
    const { core } = followed
    try {
      while (!this.#closing) {
        if (followed.nextBlock >= core.length) {
          await this.#appended(core)
          continue
        }
        const records = this.#readBlock(await core.get(followed.nextBlock))
        if (records.some(({ version }) => isTooFarAhead(version, this.#now()))) {
          this.#log.warn('a record from the future has to wait', { log: logKey })
          await this.#pause(TOO_EARLY_RETRY_MS)
          continue
        }
        await this.#merge(logKey, followed.nextBlock, records)
        followed.nextBlock += 1
      }
    } catch (error) {
      if (!this.#closing) this.#log.error('reading a log failed', { log: logKey, error })
    }
  }

  #appended(core: Hypercore): Promise<void> {
    return this.#wait((wake) => {
      core.on('append', wake)
      return () => core.off('append', wake)
    })
  }

  #pause(durationMs: number): Promise<void> {
    return this.#wait((wake) => {
      const timer = setTimeout(wake, durationMs)
      return () => clearTimeout(timer)
    })
  }

  /** Waits for something, or for this store to close. */
  #wait(subscribe: (wake: () => void) => () => void): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        unsubscribe()
        this.#wakers.delete(wake)
        resolve()
      }
      const unsubscribe = subscribe(wake)
      this.#wakers.add(wake)
      if (this.#closing) wake()
    })
  }

  /** The records of a block that hold. The others are counted and logged, and change nothing. */
  #readBlock(raw: unknown): CloudRecord[] {
    const block = blockSchema.safeParse(raw)
    if (!block.success) {
      this.#refuse('a block is not a list of records')
      return []
    }
    const records: CloudRecord[] = []
    for (const candidate of block.data.records) {
      const parsed = recordSchema.safeParse(candidate)
      if (!parsed.success) {
        this.#refuse('it is not a record')
        continue
      }
      try {
        checkRecord(parsed.data)
        records.push(parsed.data)
      } catch (error) {
        if (!(error instanceof CloudError)) throw error
        this.#refuse(error.message)
      }
    }
    return records
  }

  #refuse(reason: string): void {
    this.#refused += 1
    this.#log.warn('a record was refused', { reason })
  }

  #merge(logKey: string, block: number, records: readonly CloudRecord[]): Promise<void> {
    return this.#merges.run(async () => {
      const winners = new Map<string, CloudRecord>()
      for (const record of records) {
        this.clock.see(record.version)
        const { system, collection, id } = record
        const place = JSON.stringify([system, collection, id, recordOwner(record)])
        const holder = winners.get(place) ?? (await this.#index.getHolder(record))
        if (holder === undefined || replaces(record, holder)) winners.set(place, record)
      }
      const merged = [...winners.values()]
      const known = (await this.#index.newestVersion()) ?? ''
      const newestVersion = records.reduce(
        (newest, { version }) => (version > newest ? version : newest),
        known,
      )
      await this.#index.apply({
        records: merged,
        checkpoint: { log: logKey, nextBlock: block + 1 },
        newestVersion,
      })
      for (const record of merged) this.emit('recordMerged', record)
    })
  }
}

/**
 * Checks a record from anywhere: its size, its signatures, its write rule.
 * @throws CloudError DB_TOO_LARGE, DB_RECORD_FORGED
 */
export function checkRecord(record: CloudRecord): void {
  const sizeBytes = Buffer.byteLength(JSON.stringify(record))
  if (sizeBytes > MAX_RECORD_BYTES) {
    throw new CloudError('DB_TOO_LARGE', `The record "${record.id}" is too large.`, {
      sizeBytes,
      limitBytes: MAX_RECORD_BYTES,
    })
  }
  verifyRecord(record)
}
