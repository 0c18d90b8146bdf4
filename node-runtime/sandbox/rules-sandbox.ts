// The host side of the rules sandbox: gathers a rules module and its imports, keeps the worker that
// runs them, and checks the shape of what comes back.
import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import * as z from 'zod'
import { CloudError } from '../contract/errors.ts'
import { outcomeSchema } from '../contract/sessions.ts'
import type { SessionDescriptor } from '../contract/sessions.ts'
import { jsonSchema } from '../contract/values.ts'
import type { Json } from '../contract/values.ts'
import { SerialQueue } from '../flow/serial-queue.ts'
import type { Position, RulesRunner } from '../core/sessions/session-chain.ts'
import { stripTypes } from './strip-types.ts'
import { rulesWorker } from './rules-worker.ts'
import type { RulesLimits, RulesReply, RulesRequest, RulesWorkerData } from './rules-worker.ts'

/** Generous for a game's rules, and the same on all machines, so that all agree on what fails. */
const LIMITS: RulesLimits = {
  memoryBytes: 64 * 1024 * 1024,
  stackBytes: 256 * 1024,
  interrupts: 3_000,
}
/** Fuel ends honest rules long before; this ends what takes no fuel. */
const CALL_LIMIT_MS = 10_000
const MAX_FILES = 64
const MAX_SOURCE_CHARS = 2_000_000
/** A position or a view as JSON text. */
const MAX_OUTPUT_CHARS = 262_144
/** A worker without work is ended; all state is with the callers. */
const IDLE_MS = 30_000

const positionSchema = z.object({
  state: jsonSchema,
  outcome: outcomeSchema.nullable(),
  legal: z.array(z.array(jsonSchema)),
})

export interface RulesSource {
  /** The rules module's path in the repository. */
  entry: string
  /** A file of the same repository; rejects when there is none. */
  readFile: (path: string) => Promise<string>
}

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never

function failed(reason: string): CloudError {
  return new CloudError('RULES_FAILED', `The rules of this session failed: ${reason}.`, { reason })
}

/** One rules module in its sandbox. */
export class RulesSandbox implements RulesRunner {
  readonly #source: RulesSource
  readonly #callLimitMs: number
  readonly #calls = new SerialQueue()
  readonly #files: Record<string, string> = {}
  #worker: Worker | null = null
  #loaded = false
  #idleTimer: NodeJS.Timeout | null = null
  #nextId = 0
  #closed = false

  constructor(source: RulesSource, callLimitMs = CALL_LIMIT_MS) {
    this.#source = source
    this.#callLimitMs = callLimitMs
  }

  /** Reads the module and its imports, and checks that it exports the rules' functions. */
  load(): Promise<void> {
    return this.#calls.run(() => this.#load())
  }

  start({ seed, options, seats }: SessionDescriptor): Promise<Position> {
    return this.#settle('start', [seed, options, seats.length], seats.length)
  }

  advance(
    { seats }: SessionDescriptor,
    state: Json,
    seat: number,
    action: Json,
  ): Promise<Position> {
    return this.#settle('advance', [state, seat, action, seats.length], seats.length)
  }

  view(state: Json, seat: number | 'spectator'): Promise<Json> {
    return this.#call('view', [state, seat])
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#stop()
  }

  async #settle(call: 'start' | 'advance', args: Json[], seats: number): Promise<Position> {
    const parsed = positionSchema.safeParse(await this.#call(call, args))
    if (!parsed.success) throw failed('they gave back no proper position')
    const position = parsed.data
    if (position.outcome === null) {
      const acting = position.legal.filter((actions) => actions.length > 0).length
      if (acting === 0) throw failed('nobody can move, and it is not over')
      if (acting > 1) throw failed('several seats could move at once')
    } else if (position.outcome.scores.length !== seats) {
      throw failed('they give not one score per seat')
    }
    return position
  }

  #call(call: 'start' | 'advance' | 'view', args: Json[]): Promise<Json> {
    return this.#calls.run(async () => {
      if (!this.#loaded) await this.#load()
      const reply = await this.#ask({ kind: 'call', call, args: JSON.stringify(args) })
      if ('missing' in reply) throw failed(`there is no file ${reply.missing}`)
      if (reply.output.length > MAX_OUTPUT_CHARS) throw failed('a position takes too much room')
      return jsonSchema.parse(JSON.parse(reply.output))
    })
  }

  /** The interpreter says which import it lacks; that file is read, and it tries again. */
  async #load(): Promise<void> {
    let chars = 0
    await this.#addFile(this.#source.entry)
    for (let count = 1; count <= MAX_FILES; count++) {
      const reply = await this.#ask({ kind: 'call', call: 'load', args: '[]' })
      if (!('missing' in reply)) {
        this.#loaded = true
        return
      }
      chars += await this.#addFile(reply.missing)
      if (chars > MAX_SOURCE_CHARS) break
    }
    throw failed('they consist of too many or too large files')
  }

  async #addFile(path: string): Promise<number> {
    let source: string
    try {
      source = await stripTypes(await this.#source.readFile(path), path)
    } catch (error) {
      throw failed(
        `${path} could not be read (${error instanceof Error ? error.message : 'unknown'})`,
      )
    }
    this.#files[path] = source
    if (this.#worker !== null) await this.#ask({ kind: 'addFile', path, source })
    return source.length
  }

  async #ask(request: WithoutId<RulesRequest>): Promise<{ output: string } | { missing: string }> {
    if (this.#closed) throw new CloudError('CANCELLED', 'The session was closed.')
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer)
    const worker = this.#worker ?? this.#startWorker()
    const id = this.#nextId++
    try {
      const reply = await exchange(worker, { ...request, id }, this.#callLimitMs)
      if ('error' in reply) throw failed(reply.error)
      this.#idleTimer = setTimeout(() => void this.#stop(), IDLE_MS)
      this.#idleTimer.unref()
      return reply
    } catch (error) {
      // Whatever state the worker is in, the next call gets a new one.
      await this.#stop()
      throw error
    }
  }

  #startWorker(): Worker {
    const library = createRequire(import.meta.url).resolve('quickjs-emscripten')
    const workerData: RulesWorkerData = {
      entry: this.#source.entry,
      files: this.#files,
      limits: LIMITS,
    }
    // Some build tools wrap functions in a call of `__name`, which the text would lack.
    const worker = new Worker(
      `const __name = (target) => target;
       (${rulesWorker.toString()})(require('node:worker_threads'), require(${JSON.stringify(library)}))`,
      { eval: true, workerData, env: {}, resourceLimits: { maxOldGenerationSizeMb: 128 } },
    )
    worker.unref()
    const forget = (): void => {
      if (this.#worker === worker) this.#worker = null
    }
    // An error between two calls must not end the runtime; the call in progress hears of it too.
    worker.on('error', forget)
    worker.on('exit', forget)
    this.#worker = worker
    return worker
  }

  async #stop(): Promise<void> {
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer)
    const worker = this.#worker
    this.#worker = null
    await worker?.terminate()
  }
}

function exchange(worker: Worker, request: RulesRequest, limitMs: number): Promise<RulesReply> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      clearTimeout(timer)
      worker.off('message', onMessage)
      worker.off('error', onError)
      worker.off('exit', onExit)
      finish()
    }
    const onMessage = (reply: RulesReply): void => {
      if (reply.id === request.id) settle(() => resolve(reply))
    }
    const onError = (error: Error): void => settle(() => reject(failed(error.message)))
    const onExit = (): void => settle(() => reject(failed('their process ended')))
    const timer = setTimeout(() => settle(() => reject(failed('they took too long'))), limitMs)
    worker.on('message', onMessage)
    worker.on('error', onError)
    worker.on('exit', onExit)
    worker.postMessage(request)
  })
}
