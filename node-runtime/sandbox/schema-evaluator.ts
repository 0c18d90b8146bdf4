// JSON Schema (draft 2020-12) as an interpreter that counts its steps: every machine comes to the same
// verdict on the same value, and none takes long over it. It runs in a worker, from its text.
import type { Applicator, schemaApplicators, SchemaContext } from './schema-applicators.ts'
import type { Assertion, schemaAssertions } from './schema-assertions.ts'
import type { schemaFormats } from './schema-formats.ts'
import type { Check, Pattern, SchemaError, schemaRun } from './schema-run.ts'

/** The errors of a value given as JSON text; null if it fits, undefined if the steps did not suffice to say. */
export type CompiledSchema = (json: string) => SchemaError[] | null | undefined

export interface SchemaEvaluator {
  /**
   * @param schema  one in which `findSchemaFaults` found nothing
   * @param mostSteps  what a value may cost, in steps of about 0.1 µs
   */
  compile(schema: unknown, mostSteps: number): CompiledSchema
}

/** The other parts that it is made of. */
export interface SchemaParts {
  newRun: typeof schemaRun
  newAssertions: typeof schemaAssertions
  newApplicators: typeof schemaApplicators
  newFormats: typeof schemaFormats
}

/** A part of the worker's text; it uses nothing from outside itself. */
export function schemaEvaluator(
  compilePattern: (pattern: string) => Pattern,
  { newRun, newAssertions, newApplicators, newFormats }: SchemaParts,
): SchemaEvaluator {
  /** Beyond this, people can't follow, and interpreters run out of stack. */
  const MAX_VALUE_DEPTH = 64

  const on = newRun(compilePattern)
  const { spend, fail, isEntries, freshRun, isStepsExceeded } = on

  const checkOf = (schema: unknown, context: SchemaContext): Check => {
    if (schema === false) return (_value, run) => fail(run, 'must not be there')
    if (!isEntries(schema)) return () => true
    const known = context.checks.get(schema)
    if (known !== undefined) return known
    // In the order above: `unevaluated…` come last.
    const keywords: Check[] = []
    const needsOwn = 'unevaluatedItems' in schema || 'unevaluatedProperties' in schema
    const check: Check = (value, run, marks) => {
      spend(run, 1 + keywords.length)
      run.depth++
      const own =
        needsOwn && marks === null ? { names: new Set<string>(), items: new Set<number>() } : marks
      let fits = true
      for (const keyword of keywords) {
        if (keyword(value, run, own)) continue
        fits = false
        if (run.quiet > 0) break
      }
      run.depth--
      return fits
    }
    context.checks.set(schema, check)
    for (const [name, keyword] of Object.entries(keywordsByName)) {
      if (!Object.hasOwn(schema, name)) continue
      const made = keyword(schema[name] as never, schema, context)
      if (made !== null) keywords.push(made)
    }
    return check
  }

  const keywordsByName: Record<string, Assertion | Applicator> = {
    ...newAssertions(on, newFormats()),
    ...newApplicators(on, checkOf),
  }

  const isTooDeep = (json: string): boolean => {
    let depth = 0
    let inText = false
    for (let i = 0; i < json.length; i++) {
      const code = json.charCodeAt(i)
      if (inText) {
        if (code === 0x5c) i++
        else if (code === 0x22) inText = false
      } else if (code === 0x22) inText = true
      else if (code === 0x5b || code === 0x7b) {
        if (++depth > MAX_VALUE_DEPTH) return true
      } else if (code === 0x5d || code === 0x7d) depth--
    }
    return false
  }

  return {
    compile(schema, mostSteps) {
      const needsMarks = JSON.stringify(schema).includes('"unevaluated')
      const check = checkOf(schema, { root: schema, checks: new Map(), needsMarks })
      return (json) => {
        if (isTooDeep(json)) {
          return [{ at: '#', error: `is nested deeper than ${MAX_VALUE_DEPTH} levels` }]
        }
        let value: unknown
        try {
          value = JSON.parse(json)
        } catch {
          return [{ at: '#', error: 'is not JSON' }]
        }
        const run = freshRun(mostSteps)
        try {
          if (check(value, run, null)) return null
        } catch (error) {
          if (!isStepsExceeded(error)) throw error
          return undefined
        }
        return run.errors
      }
    },
  }
}
