// A bounded set of threads for work on what strangers sent: fair between those who ask, each piece of
// work with a deadline after which its thread is ended, and no thread without work for long.
import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import { workerShell } from './worker-shell.ts'
import type { Material, WorkerMessage, WorkerReply } from './worker-shell.ts'

/** A thread costs about 10 MB; all that it keeps can be sent again. */
const IDLE_MS = 30_000
/** Loading an engine takes 0.1 s alone; this ends a start that hangs, also on a machine that is busy. */
const START_LIMIT_MS = 30_000
/** How much one worker keeps. Then it forgets all and is sent again what it needs. */
const MAX_MATERIAL = 16
/** Waiting requests of one owner: a burst of moves in all its games, and no flood. */
const MAX_WAITING_PER_OWNER = 256
/** What all waiting requests may hold in memory. */
const MAX_WAITING_CHARS = 32 * 1024 * 1024
/** Whoever cost a worker its life is kept from taking the last one for so long. */
const SUSPICION_MS = 60_000

/** Work for a worker. */
export interface Job<Request> {
  request: Request
  /** Who asks: fairness is between owners, such as systems. */
  owner: string
  /** How long it may run, in ms; waiting for its turn does not count. */
  limitMs: number
  /** Sent along where the worker does not have it yet. */
  material?: Material
  /** Its size while it waits, in characters. */
  chars?: number
}

/** Why there is no reply. Only `time`, `memory` and `broken` say something about the job itself. */
export type LossCause = 'time' | 'memory' | 'broken' | 'ended' | 'full' | 'closed'

const SUSPICIOUS: readonly LossCause[] = ['time', 'memory', 'broken']

export type Exchange<Reply> =
  | { kind: 'reply'; reply: Reply }
  | { kind: 'lost'; cause: LossCause; reason: string }

export interface WorkerPoolOptions {
  /** At most so many threads. */
  size: number
  /** The text that the workers are started from: see `workerText`. */
  text: () => string
  /** A worker whose heap grows beyond this is ended. */
  memoryMb: number
  idleMs?: number
}

interface Waiting<Request, Reply> {
  job: Job<Request>
  settle: (exchange: Exchange<Reply>) => void
}

interface Slot<Request, Reply> {
  worker: Worker
  ready: boolean
  kept: Set<string>
  current: Waiting<Request, Reply> | null
  timer: NodeJS.Timeout | null
}

/** The text of a worker: the shell around a body, which is made of the named packages. */
export function workerText(
  body: (...packages: never[]) => unknown,
  packages: readonly string[],
  parts: readonly ((...args: never[]) => unknown)[] = [],
): string {
  const { resolve } = createRequire(import.meta.url)
  const args = [
    ...packages.map((name) => `require(${JSON.stringify(resolve(name))})`),
    ...parts.map((part) => `(${part.toString()})`),
  ]
  // Some build tools wrap functions in a call of `__name`, which the text would lack.
  return `const __name = (target) => target;
    (${workerShell.toString()})(require('node:worker_threads'), (${body.toString()})(${args.join(', ')}))`
}

/** Never rejects: work that was lost is a value, because it says nothing about what was asked. */
export class WorkerPool<Request, Reply> {
  readonly #options: WorkerPoolOptions
  readonly #slots = new Set<Slot<Request, Reply>>()
  /** By owner, the one whose turn is next first. */
  readonly #queues = new Map<string, Waiting<Request, Reply>[]>()
  readonly #suspectUntilMs = new Map<string, number>()
  #waitingChars = 0
  #text: string | null = null
  #closed = false

  constructor(options: WorkerPoolOptions) {
    this.#options = options
  }

  /** How many threads there are now. */
  get threads(): number {
    return this.#slots.size
  }

  run(job: Job<Request>): Promise<Exchange<Reply>> {
    const lost = (cause: LossCause, reason: string): Exchange<Reply> => ({
      kind: 'lost',
      cause,
      reason,
    })
    if (this.#closed) return Promise.resolve(lost('closed', 'the machine is stopping'))
    const queue = this.#queues.get(job.owner) ?? []
    if (
      queue.length >= MAX_WAITING_PER_OWNER ||
      this.#waitingChars + charsOf(job) > MAX_WAITING_CHARS
    ) {
      return Promise.resolve(lost('full', 'too much work is waiting already'))
    }
    return new Promise((settle) => {
      queue.push({ job, settle })
      this.#queues.set(job.owner, queue)
      this.#waitingChars += charsOf(job)
      this.#assign()
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const { settle } of [...this.#queues.values()].flat()) {
      settle({ kind: 'lost', cause: 'closed', reason: 'the machine is stopping' })
    }
    this.#queues.clear()
    this.#waitingChars = 0
    await Promise.all(
      [...this.#slots].map((slot) => this.#end(slot, 'closed', 'the machine is stopping')),
    )
  }

  #assign(): void {
    for (;;) {
      const owner = this.#nextOwner()
      if (owner === null) return
      const waiting = this.#queues.get(owner)?.[0]
      if (waiting === undefined) return
      let slot: Slot<Request, Reply> | null
      try {
        slot = this.#freeSlot(waiting.job)
      } catch (error) {
        this.#take(owner)
        const reason = error instanceof Error ? error.message : String(error)
        waiting.settle({ kind: 'lost', cause: 'ended', reason: `no worker could start: ${reason}` })
        continue
      }
      if (slot === null) return
      this.#take(owner)
      this.#give(slot, waiting)
    }
  }

  /** The first owner who may have a worker now. One worker is always left to the others. */
  #nextOwner(): string | null {
    const busy = [...this.#slots].flatMap(({ current }) => (current === null ? [] : current.job))
    const share = Math.max(1, this.#options.size - 1)
    const suspectsBusy = busy.filter((job) => this.#isSuspect(job.owner)).length
    for (const owner of this.#queues.keys()) {
      if (this.#isSuspect(owner) && suspectsBusy >= share) continue
      if (busy.filter((job) => job.owner === owner).length < share) return owner
    }
    return null
  }

  #isSuspect(owner: string): boolean {
    const untilMs = this.#suspectUntilMs.get(owner)
    if (untilMs === undefined) return false
    if (untilMs > performance.now()) return true
    this.#suspectUntilMs.delete(owner)
    return false
  }

  /** Takes the owner's first request; the owner's next one waits for all other owners' turns. */
  #take(owner: string): void {
    const queue = this.#queues.get(owner) ?? []
    const taken = queue.shift()
    if (taken !== undefined) this.#waitingChars -= charsOf(taken.job)
    this.#queues.delete(owner)
    if (queue.length > 0) this.#queues.set(owner, queue)
  }

  #freeSlot(job: Job<Request>): Slot<Request, Reply> | null {
    const idle = [...this.#slots].filter(({ current }) => current === null)
    const prepared = idle.find(
      ({ kept }) => job.material === undefined || kept.has(job.material.key),
    )
    if (prepared !== undefined) return prepared
    if (idle[0] !== undefined) return idle[0]
    return this.#slots.size < this.#options.size ? this.#start() : null
  }

  #start(): Slot<Request, Reply> {
    this.#text ??= this.#options.text()
    const worker = new Worker(this.#text, {
      eval: true,
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: this.#options.memoryMb },
    })
    const slot: Slot<Request, Reply> = {
      worker,
      ready: false,
      kept: new Set(),
      current: null,
      timer: null,
    }
    this.#slots.add(slot)
    worker.on('message', (message: WorkerReply<Reply>) => this.#heard(slot, message))
    worker.on('messageerror', (error) => void this.#end(slot, 'ended', error.message))
    worker.on('exit', () => void this.#end(slot, 'ended', 'its process ended'))
    worker.on('error', (error: Error & { code?: string }) => {
      const isMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY'
      void this.#end(slot, isMemory ? 'memory' : 'ended', error.message)
    })
    return slot
  }

  #give(slot: Slot<Request, Reply>, waiting: Waiting<Request, Reply>): void {
    const { request, material, limitMs } = waiting.job
    const isNew = material !== undefined && !slot.kept.has(material.key)
    const forget = isNew && slot.kept.size >= MAX_MATERIAL
    if (forget) slot.kept.clear()
    if (isNew) slot.kept.add(material.key)
    const message: WorkerMessage<Request> = { forget, material: isNew ? material : null, request }
    slot.current = waiting
    slot.worker.ref()
    slot.worker.postMessage(message)
    if (slot.ready) this.#limit(slot, limitMs, 'time', 'it took too long')
    else this.#limit(slot, START_LIMIT_MS, 'ended', 'its worker did not start')
  }

  #limit(slot: Slot<Request, Reply>, limitMs: number, cause: LossCause, reason: string): void {
    if (slot.timer !== null) clearTimeout(slot.timer)
    slot.timer = setTimeout(() => void this.#end(slot, cause, reason), limitMs)
  }

  #heard(slot: Slot<Request, Reply>, message: WorkerReply<Reply>): void {
    if (!this.#slots.has(slot)) return
    const { current } = slot
    if (message.kind === 'broken') {
      void this.#end(slot, slot.ready ? 'broken' : 'ended', message.reason)
    } else if (message.kind === 'ready') {
      slot.ready = true
      if (current !== null) this.#limit(slot, current.job.limitMs, 'time', 'it took too long')
    } else if (current !== null) {
      slot.current = null
      this.#rest(slot)
      current.settle({ kind: 'reply', reply: message.reply })
      this.#assign()
    }
  }

  #rest(slot: Slot<Request, Reply>): void {
    if (slot.timer !== null) clearTimeout(slot.timer)
    slot.worker.unref()
    slot.timer = setTimeout(
      () => void this.#end(slot, 'ended', 'it had no work'),
      this.#options.idleMs ?? IDLE_MS,
    )
    slot.timer.unref()
  }

  /** Whatever state the worker is in, the next job gets another one. */
  async #end(slot: Slot<Request, Reply>, cause: LossCause, reason: string): Promise<void> {
    if (!this.#slots.delete(slot)) return
    if (slot.timer !== null) clearTimeout(slot.timer)
    const { current } = slot
    slot.current = null
    if (current !== null) {
      if (SUSPICIOUS.includes(cause)) this.#suspect(current.job.owner)
      current.settle({ kind: 'lost', cause, reason })
    }
    this.#assign()
    await slot.worker.terminate()
  }

  #suspect(owner: string): void {
    for (const known of this.#suspectUntilMs.keys()) this.#isSuspect(known)
    this.#suspectUntilMs.set(owner, performance.now() + SUSPICION_MS)
  }
}

function charsOf(job: Job<unknown>): number {
  return job.chars ?? 0
}
