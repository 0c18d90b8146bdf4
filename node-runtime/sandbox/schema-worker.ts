// JSON Schemas and values of strangers, in a worker: is a schema usable, and which values fit it?
import type { schemaApplicators } from './schema-applicators.ts'
import type { schemaAssertions } from './schema-assertions.ts'
import type { CompiledSchema, schemaEvaluator } from './schema-evaluator.ts'
import type { schemaFaults } from './schema-faults.ts'
import type { schemaFormats } from './schema-formats.ts'
import type { SchemaError, schemaRun } from './schema-run.ts'
import type { WorkerBody } from './worker-shell.ts'

/** `schema` is the key of the material, or the schema's JSON text. Values are JSON texts. */
export type SchemaRequest =
  | { kind: 'check'; schema: string }
  | { kind: 'judge'; schema: string; values: string[]; sliceMs: number }

export type SchemaReply =
  | { kind: 'faults'; faults: string[] }
  /** For each value judged its errors, null if it fits; fewer than asked when the time was over. */
  | { kind: 'judged'; errors: (SchemaError[] | null)[] }
  | { kind: 'unusable'; fault: string }

/** The whole of the worker's body; it uses nothing from outside itself. */
export function schemaWorker(
  re2: typeof import('re2js'),
  newEvaluator: typeof schemaEvaluator,
  newFaults: typeof schemaFaults,
  newRun: typeof schemaRun,
  newAssertions: typeof schemaAssertions,
  newApplicators: typeof schemaApplicators,
  newFormats: typeof schemaFormats,
): WorkerBody<SchemaRequest, SchemaReply> {
  /**
   * A quarter of a megabyte of numbers with a schema for each takes half of it; a hostile schema ends
   * here, on all machines with the same verdict.
   */
  const MOST_STEPS = 1_000_000
  const TOO_MANY_STEPS: SchemaError[] = [
    { at: '#', error: 'takes too many steps to check against the schema' },
  ]

  const { findSchemaFaults } = newFaults(re2, Object.keys(newFormats()))
  const evaluator = newEvaluator(
    (pattern) => re2.RE2JS.compile(re2.RE2JS.translateRegExp(pattern)),
    { newRun, newAssertions, newApplicators, newFormats },
  )
  const compiled = new Map<string, CompiledSchema | string>()
  const compile = (json: string): CompiledSchema | string => {
    const fault = findSchemaFaults(json)[0]
    return fault ?? evaluator.compile(JSON.parse(json), MOST_STEPS)
  }
  return (request, material) => {
    if (request.kind === 'check') {
      return { kind: 'faults', faults: findSchemaFaults(request.schema) }
    }
    for (const key of compiled.keys()) if (!material.has(key)) compiled.delete(key)
    const errorsOf = compiled.get(request.schema) ?? compile(material.get(request.schema) ?? '')
    compiled.set(request.schema, errorsOf)
    if (typeof errorsOf === 'string') return { kind: 'unusable', fault: errorsOf }
    const untilMs = performance.now() + request.sliceMs
    const errors: (SchemaError[] | null)[] = []
    for (const value of request.values) {
      const found = errorsOf(value)
      errors.push(found === undefined ? TOO_MANY_STEPS : found)
      if (performance.now() > untilMs) break
    }
    return { kind: 'judged', errors }
  }
}
