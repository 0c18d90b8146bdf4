// Keeps what results need to be checked for ever: their moves and their rules, on every machine that
// holds the result, installed or not. Fetched one after the other, in no hurry, within limits.
import type { CloudRecord } from '../../contract/db.ts'
import { CloudError } from '../../contract/errors.ts'
import type { ResultValue } from '../../contract/sessions.ts'
import type { Log } from '../../ports/log.ts'
import type { Parts } from './parts.ts'
import { readResult } from './results.ts'

/** A longer game is fetched by those who want to see it. */
const MAX_KEPT_BYTES = 1024 * 1024
/** Results that wait; more are kept by others. */
const MAX_WAITING = 1_000
/** So many of one person's: nobody fills the queue alone. */
const MAX_WAITING_OF_PERSON = 50
/** When no machine in reach has it: how often, and how long in between. */
const MAX_TRIES = 4
const TRY_AGAIN_MS = 15_000

interface Wanted {
  result: ResultValue
  author: string
  tries: number
}

export class ResultKeeper {
  readonly #parts: Parts
  readonly #log: Log
  readonly #waiting = new Map<string, Wanted>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #kept = 0
  #working = false
  #closed = false

  constructor(parts: Parts, log: Log) {
    this.#parts = parts
    this.#log = log
  }

  /** How many were completed since the start. */
  get kept(): number {
    return this.#kept
  }

  /** How many results wait for their parts. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** A record has come in. If it is a result, what belongs to it is fetched by and by. */
  consider(record: CloudRecord): void {
    const result = record.deleted === true ? null : readResult(record)
    if (result === null || result.value.transcript.length > MAX_KEPT_BYTES) return
    this.#want({ result: result.value, author: result.author, tries: 0 })
  }

  close(): void {
    this.#closed = true
    for (const timer of this.#timers) clearTimeout(timer)
  }

  #want(wanted: Wanted): void {
    const { hash } = wanted.result.transcript
    if (this.#closed || this.#waiting.has(hash) || this.#waiting.size >= MAX_WAITING) return
    const own = [...this.#waiting.values()].filter(({ author }) => author === wanted.author)
    if (own.length >= MAX_WAITING_OF_PERSON) return
    this.#waiting.set(hash, wanted)
    if (!this.#working) void this.#work()
  }

  async #work(): Promise<void> {
    this.#working = true
    for (;;) {
      const [next] = this.#waiting
      if (next === undefined || this.#closed) break
      const [hash, wanted] = next
      const isHere = await this.#fetch(wanted.result)
      this.#waiting.delete(hash)
      if (isHere) this.#kept++
      else if (wanted.tries + 1 < MAX_TRIES) this.#tryAgain(wanted)
    }
    this.#working = false
  }

  async #fetch({ transcript, descriptor }: ResultValue): Promise<boolean> {
    try {
      const moves = await this.#parts.get('transcript', transcript.hash)
      const rules = await this.#parts.get('rules', descriptor.rules)
      return moves !== null && rules !== null
    } catch (error) {
      if (this.#closed) return false
      const isFull = error instanceof CloudError && error.code === 'DISK_FULL'
      if (!isFull) this.#log.warn('the moves of a result could not be kept', { error })
      return false
    }
  }

  #tryAgain(wanted: Wanted): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      this.#want({ ...wanted, tries: wanted.tries + 1 })
    }, TRY_AGAIN_MS)
    timer.unref()
    this.#timers.add(timer)
  }
}
