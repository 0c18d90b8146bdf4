// Keeps what results need to be checked for ever: their moves and their rules, on every machine that
// holds the result, installed or not. Fetched in no hurry, a few at a time and of one person one, into
// the share of who wrote the result: nobody's results delay or push out another's.
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
/** Persons whose parts are fetched at a time: one who names what nobody has holds up only their own. */
const MAX_AT_ONCE = 4
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
  /** By person, by transcript; whoever waits for a turn longest comes first. */
  readonly #waiting = new Map<string, Map<string, Wanted>>()
  /** Persons whose first is being fetched. */
  readonly #working = new Set<string>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #kept = 0
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
    return [...this.#waiting.values()].reduce((sum, { size }) => sum + size, 0)
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
    const { author, result } = wanted
    const own = this.#waiting.get(author) ?? new Map<string, Wanted>()
    if (this.#closed || own.has(result.transcript.hash)) return
    if (own.size >= MAX_WAITING_OF_PERSON || this.waiting >= MAX_WAITING) return
    own.set(result.transcript.hash, wanted)
    this.#waiting.set(author, own)
    this.#work()
  }

  #work(): void {
    for (const [author, own] of this.#waiting) {
      if (this.#closed || this.#working.size >= MAX_AT_ONCE) return
      if (!this.#working.has(author)) void this.#keepFirst(author, own)
    }
  }

  async #keepFirst(author: string, own: Map<string, Wanted>): Promise<void> {
    const [first] = own
    if (first === undefined) return
    const [hash, wanted] = first
    this.#working.add(author)
    const isHere = await this.#fetch(wanted)
    this.#working.delete(author)
    own.delete(hash)
    this.#waiting.delete(author)
    if (own.size > 0) this.#waiting.set(author, own)
    if (isHere) this.#kept++
    else if (wanted.tries + 1 < MAX_TRIES) this.#tryAgain(wanted)
    this.#work()
  }

  async #fetch({ result: { transcript, descriptor }, author }: Wanted): Promise<boolean> {
    try {
      const moves = await this.#parts.get('transcript', transcript.hash, [], author)
      const rules = await this.#parts.get('rules', descriptor.rules, [], author)
      return moves !== null && rules !== null
    } catch (error) {
      if (this.#closed) return false
      const isFull = error instanceof CloudError && error.code === 'DISK_FULL'
      if (!isFull) this.#log.warn('the moves of a result could not be kept', { error })
      return false
    }
  }

  #tryAgain(wanted: Wanted): void {
    if (this.#closed || this.#timers.size >= MAX_WAITING) return
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      this.#want({ ...wanted, tries: wanted.tries + 1 })
    }, TRY_AGAIN_MS)
    timer.unref()
    this.#timers.add(timer)
  }
}
