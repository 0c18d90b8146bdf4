// Whose call is next. Each caller has a share of the machine; a queue that is long makes its own share
// wait, and no other's. Deficit round robin, after Shreedhar and Varghese 1995: shares take turns, and
// a turn is worth so many bytes, so that large calls do not count as little as small ones.

/** What one share may have of everything. */
export interface ShareLimits {
  /** Turns are worth this many times as much as those of a share with weight 1. */
  weight: number
  /** Calls that are being worked on. */
  runningCalls: number
  /**
   * What they and their answers may take together, as far as the last answers tell; one call may always
   * run. Who moves much does so call by call, and leaves thread and disk to others in between.
   */
  runningLength: number
  queuedCalls: number
  queuedLength: number
}

/** What a call costs beside its length: about the work of a short one, in characters. */
export const CALL_COST = 4 * 1024
/** Two short calls a turn: a share that has just come waits for no more of any other. */
export const TURN_WORTH = 2 * CALL_COST
/** What is left of what is expected after a large answer, with each short one: half after twenty. */
const FADING = 31 / 32
/** A share that had large answers waits for at most so much of others before its next call. */
export const MAX_DEBT = 1024 * 1024

/** A place in the queue. */
export interface Waiting<J> {
  readonly job: J
  readonly share: string
  readonly length: number
}

interface Share<J> {
  name: string
  limits: ShareLimits
  queue: Set<Waiting<J>>
  queuedLength: number
  running: number
  runningLength: number
  /** How long the longest of the last answers was; older ones count for less and less. */
  answerLength: number
  /** What it may still spend in this turn; a debt when negative. */
  credit: number
  isInTurn: boolean
}

/** The queue of one machine. Decides only: who calls it runs the jobs, and says when they are done. */
export class FairShare<J> {
  readonly #maxRunning: number
  readonly #shares = new Map<string, Share<J>>()
  /** Those with calls waiting, the next first. */
  #turns: Share<J>[] = []
  #running = 0
  /** What each call that is being worked on is reckoned to take. */
  readonly #reckoned = new Map<Waiting<J>, number>()

  /** @param maxRunning  calls of all shares together that are being worked on */
  constructor(maxRunning: number) {
    this.#maxRunning = maxRunning
  }

  /** Queues a call; null if the share has too many waiting already. */
  offer(name: string, limits: ShareLimits, job: J, length: number): Waiting<J> | null {
    const share = this.#shareOf(name, limits)
    const isFull =
      share.queue.size >= limits.queuedCalls || share.queuedLength + length > limits.queuedLength
    // A share with nothing queued takes any call, for else it could never be made.
    if (isFull && share.queue.size > 0) return null
    const waiting: Waiting<J> = { job, share: name, length }
    if (share.queue.size === 0) this.#turns.push(share)
    share.queue.add(waiting)
    share.queuedLength += length
    return waiting
  }

  /** Is what waits of a share at most half of what may wait? */
  isHalfEmpty(name: string): boolean {
    const share = this.#shares.get(name)
    if (share === undefined) return true
    const { queue, queuedLength, limits } = share
    return queue.size <= limits.queuedCalls / 2 && queuedLength <= limits.queuedLength / 2
  }

  /** The next call to work on; null if none may begin now. */
  next(): Waiting<J> | null {
    if (this.#running >= this.#maxRunning) return null
    let passed = 0
    while (passed < this.#turns.length) {
      const share = this.#turns[0]!
      const [first] = share.queue
      if (first === undefined || !hasRoom(share, first)) {
        this.#endTurn(share)
        passed++
        continue
      }
      passed = 0
      if (!share.isInTurn) {
        share.isInTurn = true
        share.credit += TURN_WORTH * share.limits.weight
      }
      if (share.credit < costOf(first)) this.#endTurn(share)
      else {
        share.credit -= costOf(first)
        this.#remove(share, first)
        share.running++
        share.runningLength += reckon(share, first)
        this.#reckoned.set(first, reckon(share, first))
        this.#running++
        return first
      }
    }
    return null
  }

  /** Takes a call out of the queue. Does nothing if it is not there any more. */
  withdraw(waiting: Waiting<J>): void {
    const share = this.#shares.get(waiting.share)
    if (share?.queue.has(waiting) !== true) return
    this.#remove(share, waiting)
    this.#forget(share)
  }

  /** A call that `next` gave is done. */
  finish(waiting: Waiting<J>): void {
    const share = this.#shares.get(waiting.share)
    if (share === undefined) return
    share.running--
    share.runningLength -= this.#reckoned.get(waiting) ?? 0
    this.#reckoned.delete(waiting)
    this.#running--
    this.#forget(share)
  }

  /** An answer of this length was sent: it counts as what was asked does. */
  charge(name: string, length: number): void {
    const share = this.#shares.get(name)
    if (share === undefined) return
    share.credit = Math.max(share.credit - length, -MAX_DEBT)
    share.answerLength = Math.max(length, share.answerLength * FADING)
  }

  /** Is nothing queued, and nothing being worked on? */
  get isIdle(): boolean {
    return this.#turns.length === 0 && this.#running === 0
  }

  #shareOf(name: string, limits: ShareLimits): Share<J> {
    let share = this.#shares.get(name)
    if (share === undefined) {
      share = {
        name,
        limits,
        queue: new Set(),
        queuedLength: 0,
        running: 0,
        runningLength: 0,
        answerLength: 0,
        credit: 0,
        isInTurn: false,
      }
      this.#shares.set(name, share)
    }
    return share
  }

  #endTurn(share: Share<J>): void {
    share.isInTurn = false
    this.#turns = [...this.#turns.slice(1), share]
  }

  #remove(share: Share<J>, waiting: Waiting<J>): void {
    share.queue.delete(waiting)
    share.queuedLength -= waiting.length
    if (share.queue.size > 0) return
    this.#turns = this.#turns.filter((other) => other !== share)
    share.isInTurn = false
    // Nobody saves up turns.
    share.credit = Math.min(share.credit, 0)
  }

  /** Debts are remembered; there are no more of them than there are callers. */
  #forget(share: Share<J>): void {
    if (share.queue.size === 0 && share.running === 0 && share.credit >= 0) {
      this.#shares.delete(share.name)
    }
  }
}

function hasRoom<J>(share: Share<J>, first: Waiting<J>): boolean {
  const { running, runningLength, limits } = share
  if (running === 0) return true
  return (
    running < limits.runningCalls && runningLength + reckon(share, first) <= limits.runningLength
  )
}

function reckon<J>({ answerLength }: Share<J>, { length }: Waiting<J>): number {
  return length + answerLength
}

function costOf({ length }: Waiting<unknown>): number {
  return CALL_COST + length
}
