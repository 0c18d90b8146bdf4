// A small LevelDB for lists: one that is damaged is put aside and begins anew, and one that the disk did not
// take is opened again.
import { ClassicLevel } from 'classic-level'
import * as z from 'zod'
import { CloudError } from '../contract/errors.ts'
import type { Log } from '../ports/log.ts'
import { diskError } from './disk-errors.ts'
import { putAside } from './put-aside.ts'

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
   * Opens or creates it. One that is damaged begins anew; one that merely does not open is left as it is.
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
      await small.#level?.close()
      small.#level = null
      if (!isDamage(error)) throw diskError(error, folder)
      try {
        const aside = await putAside(folder)
        log.warn('a list is damaged and begins anew', { folder, aside, error })
        await small.#usable()
      } catch (secondError) {
        throw diskError(secondError, folder)
      }
    }
    return small
  }

  /** @throws CloudError DISK_FULL, DISK_FAILED */
  async read<T>(use: (level: ClassicLevel<string, Value>) => Promise<T>): Promise<T> {
    try {
      return await use(await this.#usable())
    } catch (error) {
      throw diskError(error, this.#folder)
    }
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

/** LevelDB's words where a file is gone or too short, which it reports like a disk that does not answer. */
const DAMAGE_WORDS = /no such file|invalid argument/i

/** Does it say that the list is not what was written? The disk may also just not let it be read now. */
function isDamage(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error instanceof z.ZodError) return true
  const { code } = error as { code?: unknown }
  if (code === 'LEVEL_CORRUPTION' || code === 'LEVEL_DECODING_ERROR') return true
  return (code === 'LEVEL_IO_ERROR' && DAMAGE_WORDS.test(error.message)) || isDamage(error.cause)
}
