// Does the work that an open cloud asks of each machine, a little at a time.
import { isWork, searchWork } from '../../core/admission/work.ts'
import type { WorkTask } from '../../core/admission/work.ts'
import { nextTurn } from '../../flow/next-turn.ts'
import type { Log } from '../../ports/log.ts'

/** Hashes in one go: about 5 ms, so that calls do not wait for the work. */
const HASHES_AT_ONCE = 2_000

interface DoorWorkOptions {
  /** What was found before; null if nothing was. */
  nonce: () => string | null
  /** Resolves once it is kept. */
  found: (nonce: string) => Promise<void>
  done: () => void
  log: Log
}

export class DoorWork {
  readonly #options: DoorWorkOptions
  #working = false
  #closed = false

  constructor(options: DoorWorkOptions) {
    this.#options = options
  }

  /** Is it under way? */
  get working(): boolean {
    return this.#working
  }

  /** Begins it, unless it is done or under way. */
  begin(task: WorkTask): void {
    const { nonce, log } = this.#options
    const held = nonce()
    if (this.#working || (held !== null && isWork(task, held))) return
    this.#working = true
    this.#search(task).catch((error: unknown) => {
      this.#working = false
      log.error('the work that lets this machine in could not be done', { error })
    })
  }

  close(): void {
    this.#closed = true
  }

  async #search(task: WorkTask): Promise<void> {
    for (let from = 0; !this.#closed; from += HASHES_AT_ONCE) {
      const nonce = searchWork(task, from, HASHES_AT_ONCE)
      if (nonce !== null) {
        await this.#options.found(nonce)
        this.#working = false
        return this.#options.done()
      }
      await nextTurn()
    }
  }
}
