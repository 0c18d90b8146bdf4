// The keywords of JSON Schema that hold no schemas: types, bounds, patterns, names.
import type { Check, SchemaRun } from './schema-run.ts'

/** Makes the check of a keyword from its value; null if there is nothing to check. */
export type Assertion = (argument: never) => Check | null

/** A part of the worker's text; it uses nothing from outside itself. */
export function schemaAssertions(
  on: SchemaRun,
  formats: Record<string, (text: string) => boolean>,
): Record<string, Assertion> {
  const { spend, fail, isEntries, textOf, fixedText, shown, typeOf, pointsOf, matcherOf } = on
  /** Of a text, to look at each of its characters. */
  const TEXT_STEPS = 64

  type Value = unknown

  return {
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
  }
}
