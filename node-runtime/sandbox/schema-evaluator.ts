// JSON Schema (draft 2020-12) as an interpreter that counts its steps: every machine comes to the same
// verdict on the same value, and none takes long over it. It runs in a worker, from its text.
import type { schemaFormats } from './schema-formats.ts'

/** Where in the value, as `#/a/0`, and what is wrong there. */
export interface SchemaError {
  at: string
  error: string
}

/** The errors of a value given as JSON text; null if it fits. */
export type CompiledSchema = (json: string) => SchemaError[] | null

export interface SchemaEvaluator {
  /** @param schema  one in which `findSchemaFaults` found nothing */
  compile(schema: unknown): CompiledSchema
}

/** A part of the worker's text; it uses nothing from outside itself. */
export function schemaEvaluator(
  re2: typeof import('re2js'),
  newFormats: typeof schemaFormats,
): SchemaEvaluator {
  /**
   * What a value may cost, in steps of about 0.1 µs. A quarter of a megabyte of numbers with a schema
   * for each takes half of it; a hostile schema ends here, on all machines with the same verdict.
   */
  const MAX_STEPS = 1_000_000
  /** Beyond this, people can't follow, and interpreters run out of stack. */
  const MAX_VALUE_DEPTH = 64
  /** References within references at one place of the value; the check of schemas refuses circles. */
  const MAX_CALL_DEPTH = 1_000
  const MAX_ERRORS = 10
  const MAX_PLACE_CHARS = 300
  /** A linear engine takes (length of text × length of program) small steps at worst. */
  const PATTERN_STEPS = 16
  const TEXT_STEPS = 64
  const formats = newFormats()

  type Value = unknown
  type Entries = Record<string, Value>
  /** What of the value has been looked at by a keyword, for the `unevaluated…` ones. */
  interface Marks {
    names: Set<string>
    items: Set<number>
  }
  interface Run {
    steps: number
    depth: number
    path: (string | number)[]
    errors: SchemaError[]
    /** Above 0, only yes or no is asked for. */
    quiet: number
  }
  type Check = (value: Value, run: Run, marks: Marks | null) => boolean

  class StepsExceeded extends Error {}
  const spend = (run: Run, steps: number): void => {
    run.steps += steps
    if (run.steps > MAX_STEPS || run.depth > MAX_CALL_DEPTH) throw new StepsExceeded()
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
  const freshRun = (): Run => ({ steps: 0, depth: 0, path: [], errors: [], quiet: 0 })
  const fixedText = (value: Value): string => textOf(value, { ...freshRun(), steps: -Infinity })
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
    const compiled = re2.RE2JS.compile(re2.RE2JS.translateRegExp(pattern))
    const size = compiled.programSize()
    return (text, run) => {
      spend(run, 1 + (text.length * size) / PATTERN_STEPS)
      return compiled.test(text)
    }
  }

  type Context = { root: Value; checks: Map<object, Check>; needsMarks: boolean }
  type Keyword = (argument: never, schema: Entries, context: Context) => Check | null

  const checksOf = (list: Value[], context: Context): Check[] =>
    list.map((schema) => checkOf(schema, context))
  const checkMap = (map: Entries, context: Context): Map<string, Check> =>
    new Map(Object.entries(map).map(([name, schema]) => [name, checkOf(schema, context)]))

  const KEYWORDS: Record<string, Keyword> = {
    $ref: (ref: string, _schema, context) => {
      const target = resolve(context.root, ref)
      let check: Check | null = null
      return (value, run, marks) => branch(run, (check ??= checkOf(target, context)), value, marks)
    },
    type: (types: string | string[]) => {
      const allowed = new Set(Array.isArray(types) ? types : [types])
      const error = `is not of the type ${[...allowed].join(' or ')}`
      return (value, run) => {
        if (allowed.has(typeOf(value))) return true
        return (allowed.has('integer') && Number.isInteger(value)) || fail(run, error)
      }
    },
    enum: (values: Value[]) => {
      const texts = new Set(values.map(fixedText))
      const error = `is none of ${shown(values)}`
      return (value, run) => texts.has(textOf(value, run)) || fail(run, error)
    },
    const: (wanted: Value) => {
      const text = fixedText(wanted)
      return (value, run) => textOf(value, run) === text || fail(run, `is not ${shown(wanted)}`)
    },
    allOf: (list: Value[], _schema, context) => {
      const checks = checksOf(list, context)
      return (value, run, marks) => {
        let fits = true
        for (const check of checks) {
          if (!branch(run, check, value, marks)) fits = false
          if (!fits && run.quiet > 0) return false
        }
        return fits
      }
    },
    anyOf: (list: Value[], _schema, context) => {
      const checks = checksOf(list, context)
      return (value, run, marks) => {
        let fits = false
        for (const check of checks) {
          if (quietly(run, check, value, marks)) fits = true
          if (fits && marks === null) return true
        }
        return fits || fail(run, `fits none of ${checks.length} alternatives (anyOf)`)
      }
    },
    oneOf: (list: Value[], _schema, context) => {
      const checks = checksOf(list, context)
      return (value, run, marks) => {
        const count = checks.filter((check) => quietly(run, check, value, marks)).length
        if (count === 1) return true
        return fail(run, `fits ${count} of ${checks.length} alternatives, not one (oneOf)`)
      }
    },
    not: (schema: Value, _schema, context) => {
      const check = checkOf(schema, context)
      const apart = (): Marks | null =>
        context.needsMarks ? { names: new Set(), items: new Set() } : null
      return (value, run) =>
        !quietly(run, check, value, apart()) || fail(run, 'is what it must not be (not)')
    },
    if: (condition: Value, schema, context) => {
      const check = checkOf(condition, context)
      const yes = Object.hasOwn(schema, 'then') ? checkOf(schema['then'], context) : null
      const no = Object.hasOwn(schema, 'else') ? checkOf(schema['else'], context) : null
      return (value, run, marks) => {
        const next = quietly(run, check, value, marks) ? yes : no
        return next === null || branch(run, next, value, marks)
      }
    },
    dependentSchemas: (map: Entries, _schema, context) => {
      const checks = checkMap(map, context)
      return (value, run, marks) => {
        if (!isEntries(value)) return true
        let fits = true
        for (const [name, check] of checks) {
          if (Object.hasOwn(value, name) && !branch(run, check, value, marks)) fits = false
        }
        return fits
      }
    },
    dependentRequired: (map: Record<string, string[]>) => {
      const wanted = Object.entries(map)
      return (value, run) => {
        if (!isEntries(value)) return true
        let fits = true
        for (const [name, others] of wanted) {
          if (!Object.hasOwn(value, name)) continue
          for (const other of others) {
            if (Object.hasOwn(value, other)) continue
            fits = fail(run, `"${other}" is missing (because there is "${name}")`)
          }
        }
        return fits
      }
    },
    properties: (map: Entries, _schema, context) => {
      const checks = checkMap(map, context)
      return (value, run, marks) => {
        if (!isEntries(value)) return true
        spend(run, checks.size)
        let fits = true
        for (const [name, check] of checks) {
          if (!Object.hasOwn(value, name)) continue
          marks?.names.add(name)
          if (!within(run, name, check, value[name])) fits = false
          if (!fits && run.quiet > 0) return false
        }
        return fits
      }
    },
    patternProperties: (map: Entries, _schema, context) => {
      const checks = Object.entries(map).map(
        ([pattern, schema]) => [matcherOf(pattern), checkOf(schema, context)] as const,
      )
      return (value, run, marks) => {
        if (!isEntries(value)) return true
        let fits = true
        for (const name of Object.keys(value)) {
          for (const [matches, check] of checks) {
            if (!matches(name, run)) continue
            marks?.names.add(name)
            if (!within(run, name, check, value[name])) fits = false
          }
        }
        return fits
      }
    },
    additionalProperties: (extra: Value, schema, context) => {
      const check = checkOf(extra, context)
      const known = new Set(Object.keys((schema['properties'] ?? {}) as Entries))
      const patterns = Object.keys((schema['patternProperties'] ?? {}) as Entries).map(matcherOf)
      return (value, run, marks) => {
        if (!isEntries(value)) return true
        let fits = true
        for (const name of Object.keys(value)) {
          spend(run, 1)
          if (known.has(name) || patterns.some((matches) => matches(name, run))) continue
          marks?.names.add(name)
          if (!within(run, name, check, value[name])) fits = false
        }
        return fits
      }
    },
    propertyNames: (names: Value, _schema, context) => {
      const check = checkOf(names, context)
      return (value, run) => {
        if (!isEntries(value)) return true
        let fits = true
        for (const name of Object.keys(value)) {
          if (quietly(run, check, name, null)) continue
          fits = fail(run, `"${name.slice(0, 60)}" is not a name that it may have`)
        }
        return fits
      }
    },
    required: (names: string[]) => (value, run) => {
      if (!isEntries(value)) return true
      spend(run, names.length)
      let fits = true
      for (const name of names) {
        if (!Object.hasOwn(value, name)) fits = fail(run, `"${name}" is missing`)
      }
      return fits
    },
    minProperties: (least: number) => (value, run) =>
      !isEntries(value) ||
      Object.keys(value).length >= least ||
      fail(run, `has fewer than ${least} properties`),
    maxProperties: (most: number) => (value, run) =>
      !isEntries(value) ||
      Object.keys(value).length <= most ||
      fail(run, `has more than ${most} properties`),
    prefixItems: (list: Value[], _schema, context) => {
      const checks = checksOf(list, context)
      return (value, run, marks) => {
        if (!Array.isArray(value)) return true
        let fits = true
        for (const [index, check] of checks.entries()) {
          if (index >= value.length) break
          marks?.items.add(index)
          if (!within(run, index, check, value[index])) fits = false
        }
        return fits
      }
    },
    items: (schema: Value, parent, context) => {
      const check = checkOf(schema, context)
      const first = Array.isArray(parent['prefixItems']) ? parent['prefixItems'].length : 0
      return (value, run, marks) => {
        if (!Array.isArray(value)) return true
        let fits = true
        for (let index = first; index < value.length; index++) {
          marks?.items.add(index)
          if (!within(run, index, check, value[index])) fits = false
          if (!fits && run.quiet > 0) return false
        }
        return fits
      }
    },
    contains: (schema: Value, parent, context) => {
      const check = checkOf(schema, context)
      const least = (parent['minContains'] ?? 1) as number
      const most = (parent['maxContains'] ?? Infinity) as number
      return (value, run, marks) => {
        if (!Array.isArray(value)) return true
        let count = 0
        for (const [index, item] of value.entries()) {
          if (!quietly(run, check, item, null)) continue
          marks?.items.add(index)
          count++
        }
        if (count < least) return fail(run, `has fewer than ${least} of the items it must contain`)
        return count <= most || fail(run, `has more than ${most} of the items it may contain`)
      }
    },
    minItems: (least: number) => (value, run) =>
      !Array.isArray(value) || value.length >= least || fail(run, `has fewer than ${least} items`),
    maxItems: (most: number) => (value, run) =>
      !Array.isArray(value) || value.length <= most || fail(run, `has more than ${most} items`),
    uniqueItems: (wanted: boolean) =>
      wanted
        ? (value, run) =>
            !Array.isArray(value) ||
            new Set(value.map((item) => textOf(item, run))).size === value.length ||
            fail(run, 'has an item twice')
        : null,
    minLength: (least: number) => (value, run) =>
      typeof value !== 'string' ||
      pointsOf(value, run) >= least ||
      fail(run, `is shorter than ${least} characters`),
    maxLength: (most: number) => (value, run) =>
      typeof value !== 'string' ||
      pointsOf(value, run) <= most ||
      fail(run, `is longer than ${most} characters`),
    pattern: (pattern: string) => {
      const matches = matcherOf(pattern)
      return (value, run) =>
        typeof value !== 'string' ||
        matches(value, run) ||
        fail(run, `does not match the pattern ${pattern.slice(0, 100)}`)
    },
    format: (name: string) => {
      const isFormat = Object.hasOwn(formats, name) ? formats[name] : undefined
      if (isFormat === undefined) return null
      return (value, run) => {
        if (typeof value !== 'string') return true
        spend(run, value.length / TEXT_STEPS)
        return isFormat(value) || fail(run, `is not a ${name}`)
      }
    },
    minimum: (least: number) => (value, run) =>
      typeof value !== 'number' || value >= least || fail(run, `is less than ${least}`),
    maximum: (most: number) => (value, run) =>
      typeof value !== 'number' || value <= most || fail(run, `is more than ${most}`),
    exclusiveMinimum: (below: number) => (value, run) =>
      typeof value !== 'number' || value > below || fail(run, `is not more than ${below}`),
    exclusiveMaximum: (above: number) => (value, run) =>
      typeof value !== 'number' || value < above || fail(run, `is not less than ${above}`),
    multipleOf: (factor: number) => (value, run) => {
      if (typeof value !== 'number') return true
      const times = value / factor
      // 0.0075 is 75 times 0.0001 for people, and almost so for floating point.
      return Math.abs(times - Math.round(times)) < 1e-9 || fail(run, `is no multiple of ${factor}`)
    },
    unevaluatedItems: (schema: Value, _schema, context) => {
      const check = checkOf(schema, context)
      return (value, run, marks) => {
        if (!Array.isArray(value)) return true
        let fits = true
        for (const [index, item] of value.entries()) {
          if (marks?.items.has(index) === true) continue
          marks?.items.add(index)
          if (!within(run, index, check, item)) fits = false
        }
        return fits
      }
    },
    unevaluatedProperties: (schema: Value, _schema, context) => {
      const check = checkOf(schema, context)
      return (value, run, marks) => {
        if (!isEntries(value)) return true
        let fits = true
        for (const name of Object.keys(value)) {
          if (marks?.names.has(name) === true) continue
          marks?.names.add(name)
          if (!within(run, name, check, value[name])) fits = false
        }
        return fits
      }
    },
  }

  const checkOf = (schema: Value, context: Context): Check => {
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
    for (const [name, keyword] of Object.entries(KEYWORDS)) {
      if (!Object.hasOwn(schema, name)) continue
      const made = keyword(schema[name] as never, schema, context)
      if (made !== null) keywords.push(made)
    }
    return check
  }

  const anchorOf = (schema: Value, name: string): Value => {
    const waiting = [schema]
    while (waiting.length > 0) {
      const part = waiting.pop()
      if (typeof part !== 'object' || part === null) continue
      if ((part as Entries)['$anchor'] === name) return part
      waiting.push(...Object.values(part))
    }
    return undefined
  }
  const resolve = (root: Value, ref: string): Value => {
    const id = isEntries(root) ? root['$id'] : undefined
    const local = typeof id === 'string' && ref.startsWith(id) ? ref.slice(id.length) : ref
    const fragment = decodeURIComponent(local.replace(/^#/, ''))
    if (fragment !== '' && !fragment.startsWith('/')) return anchorOf(root, fragment)
    let part = root
    for (const step of fragment.split('/').slice(1)) {
      const name = step.replaceAll('~1', '/').replaceAll('~0', '~')
      if (typeof part !== 'object' || part === null || !Object.hasOwn(part, name)) return undefined
      part = (part as Entries)[name]
    }
    return part
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
    compile(schema) {
      const needsMarks = JSON.stringify(schema).includes('"unevaluated')
      const check = checkOf(schema, { root: schema, checks: new Map(), needsMarks })
      return (json) => {
        if (isTooDeep(json)) {
          return [{ at: '#', error: `is nested deeper than ${MAX_VALUE_DEPTH} levels` }]
        }
        let value: Value
        try {
          value = JSON.parse(json)
        } catch {
          return [{ at: '#', error: 'is not JSON' }]
        }
        const run = freshRun()
        try {
          if (check(value, run, null)) return null
        } catch (error) {
          if (!(error instanceof StepsExceeded)) throw error
          return [{ at: '#', error: 'takes too many steps to check against the schema' }]
        }
        return run.errors
      }
    },
  }
}
