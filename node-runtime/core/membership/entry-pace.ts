// How often one machine may say something new of itself to all: news of a machine goes to every other, and keys are
// free, so that whoever changed an entry each second, under a few keys, would use up what all can listen to.
import { Budget } from '../budget.ts'
import type { MachineEntry } from '../forms/machine-form.ts'
import { MAX_KNOWN } from './known-machines.ts'

/** A machine's name, person, addresses and router change now and then, and several at once when it starts. */
const NEWS_OF_ONE = { burst: 8, perSecond: 1 / 30 }
/** Entries that wait, of at most 4,096 characters each. */
const MAX_WAITING = 512

export class EntryPace {
  readonly #paces = new Map<string, Budget>()
  readonly #waiting = new Map<string, MachineEntry>()

  /** Do entries wait for their time? */
  get waits(): boolean {
    return this.#waiting.size > 0
  }

  /**
   * May this entry go to all now? If not, the newest one of its machine waits for `due`.
   * @returns `dropped`, if too many wait
   */
  try(entry: MachineEntry, nowMs: number): 'now' | 'waits' | 'dropped' {
    const { machine, sequence } = entry
    if (this.#paceOf(machine, nowMs).tryUse(1, nowMs)) {
      this.#waiting.delete(machine)
      return 'now'
    }
    const waiting = this.#waiting.get(machine)
    if (waiting === undefined && this.#waiting.size >= MAX_WAITING) return 'dropped'
    if (waiting === undefined || waiting.sequence < sequence) this.#waiting.set(machine, entry)
    return 'waits'
  }

  /** The entries whose time has come; they wait no more. */
  due(nowMs: number): MachineEntry[] {
    const due = [...this.#waiting.values()].filter(({ machine }) =>
      this.#paceOf(machine, nowMs).tryUse(1, nowMs),
    )
    for (const { machine } of due) this.#waiting.delete(machine)
    return due
  }

  /** Those heard of last are kept; one that is forgotten has its burst again. */
  #paceOf(machine: string, nowMs: number): Budget {
    const pace = this.#paces.get(machine) ?? new Budget(NEWS_OF_ONE, nowMs)
    this.#paces.delete(machine)
    this.#paces.set(machine, pace)
    const [oldest] = this.#paces.keys()
    if (this.#paces.size > MAX_KNOWN && oldest !== undefined) this.#paces.delete(oldest)
    return pace
  }
}
