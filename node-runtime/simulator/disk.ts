// A simulated disk: what was written stays, through crashes; unless a seed has drawn a disk that fails,
// is full, or loses the end of what it acknowledged.
import type { Random } from './random.ts'

export interface DiskFaults {
  /** Share of writes that fail. */
  failedWrites: number
  /** Share of crashes in which the end of what was acknowledged is lost. */
  lostSuffixes: number
  /** How long a write takes, at most. */
  writeMs: number
}

export const SOUND_DISK: DiskFaults = { failedWrites: 0, lostSuffixes: 0, writeMs: 2 }

/** The longest end that is lost. */
const MOST_LOST = 8

interface Change<V> {
  key: string
  before: V | undefined
}

/** Values by key, all writes in order. */
export class SimulatedDisk<V> {
  faults: DiskFaults
  isFull = false
  readonly #values = new Map<string, V>()
  readonly #random: Random
  /** The last changes, so that they can be lost. */
  #changes: Change<V>[] = []
  /** Writes of a machine's earlier life never arrive. */
  #life = 0

  constructor(random: Random, faults: DiskFaults) {
    this.#random = random
    this.faults = faults
  }

  get values(): ReadonlyMap<string, V> {
    return this.#values
  }

  get life(): number {
    return this.#life
  }

  /** How long the next write takes. */
  writeMs(): number {
    return this.#random.next() * this.faults.writeMs
  }

  /** Does the write that is asked for now fail? */
  fails(): boolean {
    return this.isFull || this.#random.chance(this.faults.failedWrites)
  }

  put(key: string, value: V | undefined): void {
    this.#changes.push({ key, before: this.#values.get(key) })
    if (this.#changes.length > MOST_LOST) this.#changes.shift()
    if (value === undefined) this.#values.delete(key)
    else this.#values.set(key, value)
  }

  /**
   * The machine crashes: what is being written is lost, and with a bad disk some of what was.
   * @returns the values that are lost
   */
  crash(): V[] {
    this.#life += 1
    const lost: V[] = []
    if (!this.#random.chance(this.faults.lostSuffixes)) return lost
    const count = this.#random.whole(1, MOST_LOST)
    for (const { key, before } of this.#changes.splice(-count).toReversed()) {
      const value = this.#values.get(key)
      if (value !== undefined) lost.push(value)
      if (before === undefined) this.#values.delete(key)
      else this.#values.set(key, before)
    }
    return lost
  }
}
