import { SerialQueue } from './serial-queue.ts'

/** Runs steps of one key one after the other; those of different keys side by side. */
export class KeyedQueue {
  readonly #queues = new Map<string, { queue: SerialQueue; waiting: number }>()

  async run<T>(key: string, step: () => Promise<T>): Promise<T> {
    const entry = this.#queues.get(key) ?? { queue: new SerialQueue(), waiting: 0 }
    this.#queues.set(key, entry)
    entry.waiting++
    try {
      return await entry.queue.run(step)
    } finally {
      entry.waiting--
      if (entry.waiting === 0) this.#queues.delete(key)
    }
  }
}
