// The keywords of JSON Schema that hold schemas: for the same place of the value, or for its parts.
import type { Check, Marks, SchemaRun } from './schema-run.ts'

/** The schema that is being made into checks. */
export interface SchemaContext {
  root: unknown
  checks: Map<object, Check>
  /** Is there an `unevaluated…` keyword anywhere? */
  needsMarks: boolean
}

/** Makes the check of a keyword from its value and the schema that it stands in. */
export type Applicator = (
  argument: never,
  schema: Record<string, unknown>,
  context: SchemaContext,
) => Check | null

/** A part of the worker's text; it uses nothing from outside itself. The `unevaluated…` come last. */
export function schemaApplicators(
  on: SchemaRun,
  checkOf: (schema: unknown, context: SchemaContext) => Check,
): Record<string, Applicator> {
  const { spend, fail, isEntries, within, branch, quietly, matcherOf } = on

  type Value = unknown
  type Entries = Record<string, Value>

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

  const checksOf = (list: Value[], context: SchemaContext): Check[] =>
    list.map((schema) => checkOf(schema, context))
  const checkMap = (map: Entries, context: SchemaContext): Map<string, Check> =>
    new Map(Object.entries(map).map(([name, schema]) => [name, checkOf(schema, context)]))

  return {
    $ref: (ref: string, _schema, context) => {
      const target = resolve(context.root, ref)
      let check: Check | null = null
      return (value, run, marks) => branch(run, (check ??= checkOf(target, context)), value, marks)
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
}
