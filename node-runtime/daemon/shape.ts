// JSON Schemas of calls in words that are short enough to read: the notation of TypeScript.

/** The parts of JSON Schema that the contract's schemas come out as. */
export interface JsonSchema {
  $ref?: string
  type?: string
  const?: unknown
  enum?: unknown[]
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
  items?: JsonSchema
  properties?: Record<string, JsonSchema>
  required?: string[]
  additionalProperties?: JsonSchema | boolean
  default?: unknown
  minimum?: number
  maximum?: number
}

const INDENT = '  '

function describeRange({ minimum, maximum }: JsonSchema): string {
  // What every safe integer is says nothing.
  const from = minimum === undefined || minimum === Number.MIN_SAFE_INTEGER ? '' : String(minimum)
  const to = maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? '' : String(maximum)
  return from === '' && to === '' ? '' : ` (${from}…${to})`
}

function describeObject(
  { properties = {}, required = [], additionalProperties }: JsonSchema,
  indent: string,
): string {
  const inner = indent + INDENT
  const lines = Object.entries(properties).map(([name, schema]) => {
    const absent =
      schema.default === undefined ? '' : `  (${JSON.stringify(schema.default)} if absent)`
    const isNeeded = required.includes(name) && schema.default === undefined
    return `${inner}${name}${isNeeded ? '' : '?'}: ${describeShape(schema, inner)}${absent}`
  })
  if (typeof additionalProperties === 'object' && Object.keys(additionalProperties).length > 0) {
    lines.push(`${inner}[name]: ${describeShape(additionalProperties, inner)}`)
  }
  return lines.length === 0 ? '{}' : `{\n${lines.join('\n')}\n${indent}}`
}

/** A schema as a type. Only JSON values, which hold themselves, come as references. */
export function describeShape(schema: JsonSchema, indent = ''): string {
  const { $ref, type, enum: values, items } = schema
  if ($ref !== undefined) return 'JSON'
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (values !== undefined) return values.map((value) => JSON.stringify(value)).join(' | ')
  const parts = schema.anyOf ?? schema.oneOf
  // A JSON value whose outermost level is written out.
  if (parts?.some(({ items: inner }) => inner?.$ref !== undefined) === true) return 'JSON'
  if (parts !== undefined) return parts.map((part) => describeShape(part, indent)).join(' | ')
  if (type === 'object') return describeObject(schema, indent)
  if (type === 'array') {
    const item = describeShape(items ?? {}, indent)
    const isUnion = (items?.enum ?? items?.anyOf ?? items?.oneOf) !== undefined && item !== 'JSON'
    return isUnion ? `(${item})[]` : `${item}[]`
  }
  return type === undefined ? 'JSON' : `${type}${describeRange(schema)}`
}
