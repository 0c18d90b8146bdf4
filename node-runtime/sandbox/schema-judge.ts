// Which values fit a system's schema: decided in a bounded number of steps, with the same verdict on every
// machine; in workers, but for what is so small that it is sooner done.
import type { Json } from '../contract/values.ts'
import { GatheredJudging } from './gathered-judging.ts'
import { PlainSchemas } from './plain-schemas.ts'
import { schemaApplicators } from './schema-applicators.ts'
import { schemaAssertions } from './schema-assertions.ts'
import { schemaEvaluator } from './schema-evaluator.ts'
import { schemaFaults } from './schema-faults.ts'
import { schemaFormats } from './schema-formats.ts'
import { schemaRun } from './schema-run.ts'
import type { SchemaError } from './schema-run.ts'
import { schemaWorker } from './schema-worker.ts'
import type { SchemaReply, SchemaRequest } from './schema-worker.ts'
import { WorkerPool, workerText } from './worker-pool.ts'

/** One for the system that has much to judge, one for the others. */
const MAX_WORKERS = 2
const WORKER_MEMORY_MB = 128
/** One message: enough that its own cost does not count, little enough to hold. */
const SLICE_VALUES = 2_000
const SLICE_CHARS = 2 * 1024 * 1024
/** A long list lets others in between. */
const SLICE_MS = 100
/** Steps end every judgement long before; this is for what we overlooked. */
const JUDGE_LIMIT_MS = 10_000
/** As large as a manifest may be. */
const MAX_SCHEMA_CHARS = 256 * 1024

/**
 * `undecided` is about this machine, or about a schema that is not usable, and never about the value;
 * the other two are the same on every machine.
 */
export type Verdict =
  | { ok: true }
  | { ok: false; errors: SchemaError[] }
  | { kind: 'undecided'; reason: string }

/** In the order in which the worker's body takes them. */
const PARTS = [
  schemaEvaluator,
  schemaFaults,
  schemaRun,
  schemaAssertions,
  schemaApplicators,
  schemaFormats,
]

const FITS: Verdict = { ok: true }

export class SchemaJudge {
  readonly #pool: WorkerPool<SchemaRequest, SchemaReply>
  readonly #limitMs: number
  readonly #texts = new WeakMap<object, string>()
  readonly #plain = new PlainSchemas()
  /** By owner and schema, while values are with a worker. */
  readonly #gathered = new Map<string, GatheredJudging<Verdict>>()

  constructor(options: { size?: number; limitMs?: number; idleMs?: number } = {}) {
    this.#limitMs = options.limitMs ?? JUDGE_LIMIT_MS
    this.#pool = new WorkerPool({
      size: options.size ?? MAX_WORKERS,
      memoryMb: WORKER_MEMORY_MB,
      text: () => workerText(schemaWorker, ['re2js'], PARTS),
      ...(options.idleMs === undefined ? {} : { idleMs: options.idleMs }),
    })
  }

  /**
   * A verdict for each value, in order. Never rejects.
   * @param schemaHash  names the schema: the same hash must always come with the same schema
   * @param values  JSON texts
   * @param owner  whose turn it is to wait when there is much to do, such as the system's key
   */
  async judge(
    schemaHash: string,
    schema: Json,
    values: readonly string[],
    owner: string = schemaHash,
  ): Promise<Verdict[]> {
    const text = this.#textOf(schema)
    if (text === null) return values.map(() => undecided('the schema is too large'))
    const known = this.#plain.errorsOf(schemaHash, values)
    if (known !== undefined) return known.map(verdictOf)
    const [value] = values
    if (value === undefined || values.length > 1) {
      return this.#judgeAll(schemaHash, text, values, owner)
    }
    return [await this.#gatheredOf(schemaHash, text, owner).judge(value)]
  }

  #gatheredOf(schemaHash: string, text: string, owner: string): GatheredJudging<Verdict> {
    const name = `${schemaHash} ${owner}`
    let gathered = this.#gathered.get(name)
    if (gathered === undefined) {
      gathered = new GatheredJudging({
        judge: (values) => this.#judgeAll(schemaHash, text, values, owner),
        isDoubtful: (verdict) => 'kind' in verdict,
        onIdle: () => this.#gathered.delete(name),
      })
      this.#gathered.set(name, gathered)
    }
    return gathered
  }

  async #judgeAll(
    schemaHash: string,
    text: string,
    values: readonly string[],
    owner: string,
  ): Promise<Verdict[]> {
    const verdicts: Verdict[] = []
    while (verdicts.length < values.length) {
      const slice = nextSlice(values, verdicts.length)
      const exchange = await this.#pool.run({
        request: { kind: 'judge', schema: schemaHash, values: slice, sliceMs: SLICE_MS },
        owner,
        limitMs: this.#limitMs,
        material: { key: schemaHash, text },
        chars: slice.reduce((sum, value) => sum + value.length, 0),
      })
      if (exchange.kind === 'reply' && exchange.reply.kind === 'judged') {
        this.#plain.add(schemaHash, text)
        verdicts.push(...exchange.reply.errors.map(verdictOf))
        continue
      }
      const verdict = undecided(reasonOf(exchange))
      const isLasting = exchange.kind === 'reply'
      const count = isLasting ? values.length - verdicts.length : slice.length
      for (let index = 0; index < count; index++) verdicts.push(verdict)
    }
    return verdicts
  }

  /** What is wrong with a schema, each with its place and in words; empty if it can be used. */
  async checkSchema(schema: Json, owner = 'preview'): Promise<string[]> {
    const text = this.#textOf(schema)
    if (text === null) return ['# is too large or nested too deeply']
    const exchange = await this.#pool.run({
      request: { kind: 'check', schema: text },
      owner,
      limitMs: this.#limitMs,
      chars: text.length,
    })
    if (exchange.kind === 'reply' && exchange.reply.kind === 'faults') return exchange.reply.faults
    return [`# could not be checked (${reasonOf(exchange)})`]
  }

  close(): Promise<void> {
    return this.#pool.close()
  }

  #textOf(schema: Json): string | null {
    const known =
      typeof schema === 'object' && schema !== null ? this.#texts.get(schema) : undefined
    if (known !== undefined) return known
    try {
      const text = JSON.stringify(schema)
      if (text.length > MAX_SCHEMA_CHARS) return null
      if (typeof schema === 'object' && schema !== null) this.#texts.set(schema, text)
      return text
    } catch (error) {
      // Nested deeper than the stack.
      if (error instanceof RangeError) return null
      throw error
    }
  }
}

function verdictOf(errors: SchemaError[] | null): Verdict {
  return errors === null ? FITS : { ok: false, errors }
}

function undecided(reason: string): Verdict {
  return { kind: 'undecided', reason }
}

function reasonOf(
  exchange: { kind: 'reply'; reply: SchemaReply } | { kind: 'lost'; reason: string },
): string {
  if (exchange.kind === 'lost') return exchange.reason
  const { reply } = exchange
  return reply.kind === 'unusable' ? `the schema can't be used: ${reply.fault}` : reply.kind
}

/** As many values as one message may hold; at least one. */
function nextSlice(values: readonly string[], from: number): string[] {
  const slice: string[] = []
  let chars = 0
  for (let index = from; index < values.length && slice.length < SLICE_VALUES; index++) {
    const value = values[index] ?? ''
    chars += value.length
    if (slice.length > 0 && chars > SLICE_CHARS) break
    slice.push(value)
  }
  return slice
}

let shared: SchemaJudge | null = null

/** The one judge that the process shares. */
export function sharedJudge(): SchemaJudge {
  return (shared ??= new SchemaJudge())
}
