// Virtual time: what is to happen, in order, and a hash over all that happened.

interface Due {
  atMs: number
  /** Of two at the same time, the one that was planned first. */
  order: number
  run: () => void
}

function isBefore(a: Due, b: Due): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}

export class World {
  nowMs = 0
  /** How many things happened. */
  events = 0
  #order = 0
  #low = 0x811c9dc5
  #high = 0x01000193
  /** A binary heap, the next one first. */
  readonly #queue: Due[] = []

  /** A hash of everything that was noted, in hex: equal if and only if two runs were alike. */
  get trace(): string {
    const text = (word: number): string => (word >>> 0).toString(16).padStart(8, '0')
    return text(this.#high) + text(this.#low)
  }

  note(...numbers: number[]): void {
    for (const number of numbers) {
      this.#low = Math.imul(this.#low ^ (number | 0), 0x01000193)
      this.#high = Math.imul(this.#high ^ (this.#low >>> 7), 0x85ebca6b)
    }
  }

  after(delayMs: number, run: () => void): void {
    this.#push({ atMs: this.nowMs + Math.max(0, delayMs), order: this.#order++, run })
  }

  /** Lets time pass. */
  run(durationMs: number): void {
    const endMs = this.nowMs + durationMs
    for (let due = this.#queue[0]; due !== undefined && due.atMs <= endMs; due = this.#queue[0]) {
      this.#pop()
      this.nowMs = due.atMs
      this.events += 1
      due.run()
    }
    this.nowMs = endMs
  }

  #push(due: Due): void {
    const queue = this.#queue
    let at = queue.push(due) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(due, queue[parent]!)) break
      queue[at] = queue[parent]!
      at = parent
    }
    queue[at] = due
  }

  #pop(): void {
    const queue = this.#queue
    const last = queue.pop()
    if (last === undefined || queue.length === 0) return
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= queue.length) break
      if (child + 1 < queue.length && isBefore(queue[child + 1]!, queue[child]!)) child += 1
      if (!isBefore(queue[child]!, last)) break
      queue[at] = queue[child]!
      at = child
    }
    queue[at] = last
  }
}
