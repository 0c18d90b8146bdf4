// What every keyword of a JSON Schema is judged with: counted steps, the place in the value, what is
// said about it, and values as texts that can be compared.

/** Where in the value, as `#/a/0`, and what is wrong there. */
export interface SchemaError {
  at: string
  error: string
}

/** What of a value has been looked at by a keyword, for the `unevaluated…` ones. */
export interface Marks {
  names: Set<string>
  items: Set<number>
}

/** One judgement under way. */
export interface Run {
  steps: number
  /** How many it may cost. */
  mostSteps: number
  depth: number
  path: (string | number)[]
  errors: SchemaError[]
  /** Above 0, only yes or no is asked for. */
  quiet: number
}

/** Does the value fit? Marks are kept only where a keyword needs them. */
export type Check = (value: unknown, run: Run, marks: Marks | null) => boolean

export type SchemaRun = ReturnType<typeof schemaRun>

/** Matches texts in linear time. */
export interface Pattern {
  test(text: string): boolean
  /** In instructions: what each character of a text costs at worst. */
  programSize(): number
}

/**
 * A part of the worker's text; it uses nothing from outside itself.
 * @param compilePattern  for a pattern in which `findSchemaFaults` found nothing
 */
export function schemaRun(compilePattern: (pattern: string) => Pattern) {
  /** References within references at one place of the value; the check of schemas refuses circles. */
  const MAX_CALL_DEPTH = 1_000
  const MAX_ERRORS = 10
  const MAX_PLACE_CHARS = 300
  /** A linear engine takes (length of text × length of program) small steps at worst. */
  const PATTERN_STEPS = 16
  const TEXT_STEPS = 64

  type Value = unknown
  type Entries = Record<string, Value>

  class StepsExceeded extends Error {}
  const spend = (run: Run, steps: number): void => {
    run.steps += steps
    if (run.steps > run.mostSteps || run.depth > MAX_CALL_DEPTH) throw new StepsExceeded()
  }
  const placeOf = (path: readonly (string | number)[]): string => {
    const parts = path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    return `#${parts.join('')}`.slice(0, MAX_PLACE_CHARS)
  }
  const fail = (run: Run, error: string): false => {
    if (run.quiet === 0 && run.errors.length < MAX_ERRORS) {
      run.errors.push({ at: placeOf(run.path), error })
    }
    return false
  }
  const isEntries = (value: Value): value is Entries =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
  const within = (run: Run, part: string | number, check: Check, value: Value): boolean => {
    run.path.push(part)
    const fits = check(value, run, null)
    run.path.pop()
    return fits
  }
  const quietly = (run: Run, check: Check, value: Value, marks: Marks | null): boolean => {
    run.quiet++
    const fits = branch(run, check, value, marks)
    run.quiet--
    return fits
  }
  /** What a branch has looked at counts only if the value fits it. */
  const branch = (run: Run, check: Check, value: Value, marks: Marks | null): boolean => {
    if (marks === null) return check(value, run, null)
    const own: Marks = { names: new Set(), items: new Set() }
    if (!check(value, run, own)) return false
    for (const name of own.names) marks.names.add(name)
    for (const item of own.items) marks.items.add(item)
    return true
  }
  /** One text for one value, in linear time. */
  const textOf = (value: Value, run: Run): string => {
    spend(run, 1)
    if (typeof value === 'string') {
      spend(run, value.length / TEXT_STEPS)
      return JSON.stringify(value)
    }
    if (Array.isArray(value)) return `[${value.map((item) => textOf(item, run)).join()}]`
    if (!isEntries(value)) return String(value)
    const names = Object.keys(value).sort()
    return `{${names.map((name) => `${JSON.stringify(name)}:${textOf(value[name], run)}`).join()}}`
  }
  const freshRun = (mostSteps: number): Run => {
    return { steps: 0, mostSteps, depth: 0, path: [], errors: [], quiet: 0 }
  }
  const fixedText = (value: Value): string => textOf(value, freshRun(Infinity))
  const shown = (value: Value): string => {
    const text = JSON.stringify(value)
    return text.length > 60 ? `${text.slice(0, 60)}…` : text
  }
  const typeOf = (value: Value): string => {
    if (value === null) return 'null'
    return Array.isArray(value) ? 'array' : typeof value
  }
  const pointsOf = (text: string, run: Run): number => {
    spend(run, text.length / TEXT_STEPS)
    let points = text.length
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code < 0xd800 || code > 0xdbff) continue
      const next = text.charCodeAt(i + 1)
      if (next >= 0xdc00 && next <= 0xdfff) points--
    }
    return points
  }
  const matcherOf = (pattern: string): ((text: string, run: Run) => boolean) => {
    const compiled = compilePattern(pattern)
    const size = compiled.programSize()
    return (text, run) => {
      spend(run, 1 + (text.length * size) / PATTERN_STEPS)
      return compiled.test(text)
    }
  }

  return {
    spend,
    fail,
    isEntries,
    within,
    branch,
    quietly,
    textOf,
    fixedText,
    shown,
    typeOf,
    pointsOf,
    matcherOf,
    freshRun,
    isStepsExceeded: (error: unknown): boolean => error instanceof StepsExceeded,
  }
}
