// A small LevelDB for lists that can be made again: it begins anew when it can't be read, and is opened
// again after the disk was full.
import { rm } from 'node:fs/promises'
import { ClassicLevel } from 'classic-level'
import { CloudError } from '../contract/errors.ts'
import type { Log } from '../ports/log.ts'
import { diskError, isDiskFull } from './disk-errors.ts'

export class SmallLevel<Value> {
  readonly #folder: string
  readonly #valueEncoding: 'utf8' | 'json'
  #level: ClassicLevel<string, Value> | null = null
  #opening: Promise<void> | null = null
  #failed = false
  #closed = false

  private constructor(folder: string, valueEncoding: 'utf8' | 'json') {
    this.#folder = folder
    this.#valueEncoding = valueEncoding
  }

  /**
   * @param check  reads all of it that must be readable
   * @throws CloudError DISK_FULL, DISK_FAILED
   */
  static async open<Value>(
    folder: string,
    valueEncoding: 'utf8' | 'json',
    log: Log,
    check: (level: ClassicLevel<string, Value>) => Promise<void> = async () => {},
  ): Promise<SmallLevel<Value>> {
    const small = new SmallLevel<Value>(folder, valueEncoding)
    try {
      await check(await small.#usable())
    } catch (error) {
      if (isDiskFull(error)) throw diskError(error, folder)
      log.warn('a list can not be read and begins anew', { folder, error })
      await small.#level?.close()
      small.#level = null
      await rm(folder, { recursive: true, force: true })
      await small.#usable()
    }
    return small
  }

  async read<T>(use: (level: ClassicLevel<string, Value>) => Promise<T>): Promise<T> {
    return use(await this.#usable())
  }

  /** @throws CloudError DISK_FULL, DISK_FAILED; the next one tries again */
  async write(use: (level: ClassicLevel<string, Value>) => Promise<void>): Promise<void> {
    try {
      if (this.#failed) await this.#reopen()
      await use(await this.#usable())
    } catch (error) {
      if (error instanceof CloudError) throw error
      // It takes nothing more until it is opened again.
      this.#failed = true
      throw diskError(error, this.#folder)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#opening?.catch(() => {
      // Who asked for it has the error.
    })
    await this.#level?.close()
  }

  async #usable(): Promise<ClassicLevel<string, Value>> {
    while (this.#opening !== null) await this.#opening
    if (this.#closed) throw new CloudError('UNAVAILABLE', 'The list is closed already.')
    if (this.#level === null) await this.#reopen()
    return this.#level ?? this.#usable()
  }

  #reopen(): Promise<void> {
    this.#opening ??= this.#openAgain().finally(() => {
      this.#opening = null
    })
    return this.#opening
  }

  async #openAgain(): Promise<void> {
    const before = this.#level
    this.#level = null
    await before?.close()
    const level = new ClassicLevel<string, Value>(this.#folder, {
      valueEncoding: this.#valueEncoding,
    })
    await level.open()
    this.#level = level
    this.#failed = false
  }
}
