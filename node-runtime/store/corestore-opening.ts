// Opens a Corestore whatever became of its folder, and makes what it wrote stay when the power goes.
import { open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import Corestore from 'corestore'
import type { Log } from '../ports/log.ts'
import { diskError, isDiskFull } from './disk-errors.ts'
import { putAside } from './put-aside.ts'
import { syncFolder } from './synced-files.ts'

/** Corestore's note of the device and the place that the folder was made on. */
const DEVICE_FILE = 'CORESTORE'

export interface CorestoreOpening {
  folder: string
  log: Log
  /**
   * What becomes of a store that was copied or moved. Cores that nobody can append to stay as they are;
   * where this machine appends, a copy that goes on forks what the original wrote: it begins anew.
   */
  whenCopied: 'keep' | 'begin-anew'
}

/**
 * Opens or creates a Corestore.
 * @returns with what happened to what was there, in words, if it could not be kept
 * @throws CloudError DISK_FULL, DISK_FAILED
 */
export async function openCorestore(
  opening: CorestoreOpening,
): Promise<{ corestore: Corestore; words: string | null }> {
  const { folder, log, whenCopied } = opening
  try {
    return { corestore: await tryOpening(folder), words: null }
  } catch (error) {
    if (isDiskFull(error)) throw diskError(error, folder)
    log.warn('a store of logs does not open', { folder, error })
    const copied = isCopied(error)
    if (copied && whenCopied === 'keep') await rm(join(folder, DEVICE_FILE), { force: true })
    if (!copied || whenCopied === 'keep') {
      // The engine sets its damaged journal aside when it fails, and then opens with what is left.
      const again = await tryOpening(folder).catch((secondError: unknown) => {
        log.warn('a store of logs still does not open', { folder, error: secondError })
        return null
      })
      if (again !== null) return { corestore: again, words: null }
    }
    return await beginAnew(opening, copied ? 'was copied from elsewhere' : 'could not be read')
  }
}

async function beginAnew(
  { folder, log }: CorestoreOpening,
  why: string,
): Promise<{ corestore: Corestore; words: string }> {
  try {
    const aside = await putAside(folder)
    const words = `The folder ${folder} ${why}. It was put aside as ${aside}, and a new one was begun.`
    log.warn(words)
    return { corestore: await tryOpening(folder), words }
  } catch (error) {
    throw diskError(error, folder)
  }
}

async function tryOpening(folder: string): Promise<Corestore> {
  const corestore = new Corestore(folder)
  try {
    await corestore.ready()
    return corestore
  } catch (error) {
    await corestore.close().catch(() => {
      // It was never open.
    })
    throw error
  }
}

function isCopied(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'DEVICE_FILE'
}

/**
 * Syncs what a Corestore has written. Its engine, RocksDB, hands each write to the operating system at
 * once, so that it outlives the process, but never asks for a sync and takes no option for it: so its
 * journal is synced from outside. All who wait share one.
 */
export class CorestoreSync {
  readonly #folder: string
  #known = new Set<string>()
  #running: Promise<void> | null = null
  #next: Promise<void> | null = null

  /** @param folder  of the Corestore */
  constructor(folder: string) {
    this.#folder = join(folder, 'db')
  }

  /**
   * Resolves when everything written before this call is on the disk.
   * @throws CloudError DISK_FULL, DISK_FAILED
   */
  sync(): Promise<void> {
    this.#next ??= this.#after(this.#running)
    return this.#next
  }

  async #after(previous: Promise<void> | null): Promise<void> {
    await previous?.catch(() => {
      // Who waited for it has the error.
    })
    // Who comes from here on may have written after the sync has begun.
    this.#running = this.#next
    this.#next = null
    await this.#syncJournals()
  }

  async #syncJournals(): Promise<void> {
    try {
      const names = (await readdir(this.#folder)).filter((name) => name.endsWith('.log'))
      if (names.some((name) => !this.#known.has(name))) await syncFolder(this.#folder)
      await Promise.all(names.map((name) => syncData(join(this.#folder, name))))
      this.#known = new Set(names)
    } catch (error) {
      throw diskError(error, this.#folder)
    }
  }
}

async function syncData(path: string): Promise<void> {
  let file
  try {
    file = await open(path, 'r+')
  } catch (error) {
    // The engine has moved what was in it to a table, which it syncs.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  try {
    await file.datasync()
  } finally {
    await file.close()
  }
}
