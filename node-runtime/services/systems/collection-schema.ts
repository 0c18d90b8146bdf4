// Can a collection's JSON Schema be used? Found out when a system is looked at, not when its first
// record is written.
import { dereference, Validator } from '@cfworker/json-schema'
import type { Schema } from '@cfworker/json-schema'

const TYPES = ['null', 'boolean', 'object', 'array', 'number', 'string', 'integer']
const COUNT: Schema = { type: 'integer', minimum: 0 }
const SCHEMA: Schema = { $ref: '#' }
const SCHEMA_LIST: Schema = { type: 'array', minItems: 1, items: SCHEMA }
const SCHEMA_MAP: Schema = { type: 'object', additionalProperties: SCHEMA }
const NAMES: Schema = { type: 'array', items: { type: 'string' } }

/**
 * The shapes of the keywords that the validator knows.
 * Source: the applicator, validation and unevaluated vocabularies of JSON Schema draft 2020-12.
 */
const META_SCHEMA: Schema = {
  type: ['object', 'boolean'],
  properties: {
    $defs: SCHEMA_MAP,
    definitions: SCHEMA_MAP,
    $ref: { type: 'string' },
    allOf: SCHEMA_LIST,
    anyOf: SCHEMA_LIST,
    oneOf: SCHEMA_LIST,
    not: SCHEMA,
    if: SCHEMA,
    // oxlint-disable-next-line no-thenable -- the keyword of the standard
    then: SCHEMA,
    else: SCHEMA,
    properties: SCHEMA_MAP,
    patternProperties: SCHEMA_MAP,
    additionalProperties: SCHEMA,
    unevaluatedProperties: SCHEMA,
    propertyNames: SCHEMA,
    dependentSchemas: SCHEMA_MAP,
    dependentRequired: { type: 'object', additionalProperties: NAMES },
    required: NAMES,
    minProperties: COUNT,
    maxProperties: COUNT,
    prefixItems: SCHEMA_LIST,
    items: SCHEMA,
    unevaluatedItems: SCHEMA,
    contains: SCHEMA,
    minContains: COUNT,
    maxContains: COUNT,
    minItems: COUNT,
    maxItems: COUNT,
    uniqueItems: { type: 'boolean' },
    type: {
      anyOf: [{ enum: TYPES }, { type: 'array', minItems: 1, items: { enum: TYPES } }],
    },
    enum: { type: 'array' },
    multipleOf: { type: 'number', exclusiveMinimum: 0 },
    minimum: { type: 'number' },
    maximum: { type: 'number' },
    exclusiveMinimum: { type: 'number' },
    exclusiveMaximum: { type: 'number' },
    minLength: COUNT,
    maxLength: COUNT,
    pattern: { type: 'string' },
    format: { type: 'string' },
  },
}

const metaValidator = new Validator(META_SCHEMA, '2020-12')

/** What is wrong with the schema, each in words; empty if the validator can use it. */
export function findSchemaFaults(schema: Schema): string[] {
  const { valid, errors } = metaValidator.validate(schema)
  if (!valid) {
    // The last error is the innermost: the place and the reason.
    const innermost = errors.at(-1)
    return [`${innermost?.instanceLocation ?? '#'} ${innermost?.error ?? 'is not a schema'}`]
  }
  try {
    // A copy, because the validator writes its own properties into what it is given.
    const byUri = dereference(structuredClone(schema))
    return Object.values(byUri).flatMap((part) =>
      typeof part === 'boolean' ? [] : [...findRefFaults(part, byUri), ...findPatternFaults(part)],
    )
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)]
  }
}

function findRefFaults(part: Schema, byUri: Record<string, unknown>): string[] {
  // oxlint-disable-next-line no-underscore-dangle -- what the validator itself looks up
  const target = part.__absolute_ref__
  if (target === undefined || byUri[target] !== undefined) return []
  return [`$ref "${part.$ref}" points at nothing inside the schema`]
}

function findPatternFaults(part: Schema): string[] {
  const patterns = Object.keys(part.patternProperties ?? {})
  if (part.pattern !== undefined) patterns.push(part.pattern)
  return patterns
    .filter((pattern) => !isRegExp(pattern))
    .map((pattern) => `"${pattern}" is not a regular expression`)
}

function isRegExp(pattern: string): boolean {
  try {
    return new RegExp(pattern, 'u') instanceof RegExp
  } catch {
    return false
  }
}
