// What the pages of systems keep in this window, cookies and databases and all, goes with the system.
// It lies under the system's key, so no other finds it; but what was taken away leaves nothing behind.
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import * as z from 'zod'
import { SerialQueue } from '../../node-runtime/flow/serial-queue.ts'

const FILE = 'system-storage.json'
/** Keys of the systems whose pages may have kept something. */
const keptSchema = z.array(z.string())

export interface SystemStorageOptions {
  folder: string
  /** Ends the pages of a system, so that none of them writes any more. */
  evict: (system: string) => void
  /** Deletes all that pages of this system have kept. */
  clear: (system: string) => Promise<void>
}

function readKept(file: string): string[] {
  try {
    return keptSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    // None yet, or damaged; the next list of systems makes it anew.
    return []
  }
}

/** Follows the list of installed systems, also over the times when nobody looked. */
export class SystemStorage {
  readonly #options: SystemStorageOptions
  readonly #file: string
  readonly #changes = new SerialQueue()
  #kept: string[]

  constructor(options: SystemStorageOptions) {
    this.#options = options
    this.#file = path.join(options.folder, FILE)
    this.#kept = readKept(this.#file)
  }

  /**
   * The list of what is installed, at the start and after every change. What fails is tried again
   * with the next list.
   */
  update(systems: readonly { key: string }[]): Promise<void> {
    return this.#changes.run(async () => {
      const installed = systems.map(({ key }) => key)
      for (const system of this.#kept.filter((key) => !installed.includes(key))) {
        this.#options.evict(system)
        await this.#options.clear(system)
      }
      if (JSON.stringify(installed) === JSON.stringify(this.#kept)) return
      this.#kept = installed
      writeFileSync(`${this.#file}.new`, JSON.stringify(installed))
      renameSync(`${this.#file}.new`, this.#file)
    })
  }
}
