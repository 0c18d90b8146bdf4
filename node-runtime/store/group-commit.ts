// Many writers, one sync: while a batch is on its way to the disk the next one gathers, and all who
// wait for it are answered together.
import type { Change } from './index-mending.ts'

/** One sync carries at most about so much: more waits for the next, so that nobody waits for long. */
const MAX_GATHERED_BYTES = 4_000_000

/** Changes that belong together, and what they do to the index as a whole. */
export interface Commit {
  changes: readonly Change[]
  added: number
  newestVersion?: string | undefined
}

export interface GroupCommitOptions {
  /** Writes all of it or nothing; it is on the disk when this resolves. */
  write: (commit: Commit) => Promise<void>
  /**
   * A batch could not be written. What was gathered meanwhile may rest on it, and fails with it; this
   * is called before any of the writers hears of it.
   */
  onFailed: () => void
}

interface Batch {
  changes: Change[]
  sizeBytes: number
  added: number
  newestVersion: string | undefined
  settled: { promise: Promise<void>; resolve: () => void; reject: (error: unknown) => void }
  onDurable: (() => void)[]
}

export class GroupCommit {
  readonly #options: GroupCommitOptions
  #gathering: Batch | null = null
  #running: Promise<void> | null = null
  readonly #waitingForRoom: (() => void)[] = []

  constructor(options: GroupCommitOptions) {
    this.#options = options
  }

  /**
   * Resolves when there is room to gather more. Nothing may be awaited between this and `stage` for
   * it to mean anything; a little over is no harm.
   */
  async room(): Promise<void> {
    while ((this.#gathering?.sizeBytes ?? 0) >= MAX_GATHERED_BYTES) {
      await new Promise<void>((resolve) => this.#waitingForRoom.push(resolve))
    }
  }

  /**
   * Takes changes into the next batch, behind those staged before.
   * @param onDurable  called once they are on the disk, in the order of staging, before any writer
   *   hears of it
   */
  stage(commit: Commit, onDurable: () => void): Promise<void> {
    const batch = (this.#gathering ??= newBatch())
    for (const change of commit.changes) {
      batch.changes.push(change)
      batch.sizeBytes += change.key.length + (change.type === 'put' ? change.value.length : 0)
    }
    batch.added += commit.added
    const { newestVersion = '' } = commit
    if (newestVersion > (batch.newestVersion ?? '')) batch.newestVersion = newestVersion
    batch.onDurable.push(onDurable)
    this.#running ??= this.#run()
    return batch.settled.promise
  }

  /**
   * What it was decided by no longer holds: nothing of what is gathered is written. What is on its way
   * to the disk already is left to `write`.
   */
  failGathered(error: unknown): void {
    this.#take()?.settled.reject(error)
  }

  /** Resolves when nothing is on its way. */
  async idle(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    // Who stages in the same turn shares the batch.
    await Promise.resolve()
    for (let batch = this.#take(); batch !== null; batch = this.#take()) {
      try {
        await this.#options.write(batch)
      } catch (error) {
        const failed = [batch, this.#take()]
        this.#options.onFailed()
        for (const each of failed) each?.settled.reject(error)
        continue
      }
      for (const done of batch.onDurable) done()
      batch.settled.resolve()
    }
    this.#running = null
  }

  #take(): Batch | null {
    const batch = this.#gathering
    this.#gathering = null
    for (const wake of this.#waitingForRoom.splice(0)) wake()
    return batch
  }
}

function newBatch(): Batch {
  let resolve!: () => void
  let reject!: (error: unknown) => void
  const promise = new Promise<void>((resolveIt, rejectIt) => {
    resolve = resolveIt
    reject = rejectIt
  })
  return {
    changes: [],
    sizeBytes: 0,
    added: 0,
    newestVersion: undefined,
    settled: { promise, resolve, reject },
    onDurable: [],
  }
}
