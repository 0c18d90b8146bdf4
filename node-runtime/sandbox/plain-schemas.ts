// Small values under plain schemas, judged where they are: so closely bounded that asking a worker costs more than the
// answer. All else is left to the workers, and they are the first to look at any schema.
import { schemaApplicators } from './schema-applicators.ts'
import { schemaAssertions } from './schema-assertions.ts'
import { schemaEvaluator } from './schema-evaluator.ts'
import type { CompiledSchema } from './schema-evaluator.ts'
import { schemaFormats } from './schema-formats.ts'
import { schemaRun } from './schema-run.ts'
import type { SchemaError } from './schema-run.ts'

/** Of a schema that is compiled here, and of all values of one call. */
const MOST_CHARS = 4_096
const MOST_VALUES = 8
/** For each value: about 0.05 ms, and 0.3 ms for the worst that was found. To ask a worker takes 0.2 ms and more. */
const MOST_STEPS = 500
/** Schemas that are kept; the one that came first goes first. */
const MOST_SCHEMAS = 128
/**
 * Patterns can be slow to compile. The others have one place of a value looked at by many schemas, and where those say
 * nothing that is not counted: without them each place is looked at by one.
 */
const NOT_PLAIN = new RegExp(
  `"(?:${[
    'pattern',
    'patternProperties',
    '\\$ref',
    'allOf',
    'anyOf',
    'oneOf',
    'not',
    'if',
    'then',
    'else',
    'contains',
    'dependentSchemas',
    'propertyNames',
    'unevaluatedItems',
    'unevaluatedProperties',
  ].join('|')})"`,
)

const evaluator = schemaEvaluator(
  (pattern) => {
    throw new TypeError(`a plain schema has no pattern such as ${pattern}`)
  },
  {
    newRun: schemaRun,
    newAssertions: schemaAssertions,
    newApplicators: schemaApplicators,
    newFormats: schemaFormats,
  },
)

export class PlainSchemas {
  /** By what names them; null if it is not plain. */
  readonly #compiled = new Map<string, CompiledSchema | null>()

  /** A worker found nothing wrong with this schema, given as JSON text. */
  add(name: string, text: string): void {
    if (this.#compiled.has(name)) return
    const [oldest] = this.#compiled.keys()
    if (this.#compiled.size >= MOST_SCHEMAS && oldest !== undefined) this.#compiled.delete(oldest)
    const isPlain = text.length <= MOST_CHARS && !NOT_PLAIN.test(text)
    this.#compiled.set(name, isPlain ? evaluator.compile(JSON.parse(text), MOST_STEPS) : null)
  }

  /** The errors of each value, null for one that fits; undefined if that is a worker's to say. */
  errorsOf(name: string, values: readonly string[]): (SchemaError[] | null)[] | undefined {
    const errorsOf = this.#compiled.get(name)
    if (errorsOf === undefined || errorsOf === null || values.length > MOST_VALUES) return undefined
    if (values.reduce((sum, { length }) => sum + length, 0) > MOST_CHARS) return undefined
    const found: (SchemaError[] | null)[] = []
    for (const value of values) {
      const errors = errorsOf(value)
      if (errors === undefined) return undefined
      found.push(errors)
    }
    return found
  }
}
