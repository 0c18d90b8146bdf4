import { afterAll, describe, expect, it, test } from 'vitest'
import type { Json } from '../contract/values.ts'
import { SchemaJudge } from './schema-judge.ts'
import type { Verdict } from './schema-judge.ts'

const judge = new SchemaJudge()
afterAll(() => judge.close())

let count = 0
async function verdict(schema: Json, value: Json | string): Promise<Verdict | undefined> {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return (await judge.judge(`schema ${count++}`, schema, [text]))[0]
}

/** What is said about the value, as one text. */
async function errorsOf(schema: Json, value: Json): Promise<string> {
  const said = await verdict(schema, JSON.stringify(value))
  if (said === undefined || 'kind' in said) return `undecided: ${said?.reason}`
  return said.ok ? '' : said.errors.map(({ at, error }) => `${at} ${error}`).join('; ')
}

/** Each names the next twice, so that following them never ends in anybody's life. */
function doubling(levels: number): Json {
  const $defs: Record<string, Json> = { [`d${levels}`]: { type: 'string' } }
  for (let level = 0; level < levels; level++) {
    const next = { $ref: `#/$defs/d${level + 1}` }
    $defs[`d${level}`] = { allOf: [next, next] }
  }
  return { $ref: '#/$defs/d0', $defs }
}

function nested(depth: number): Json {
  let schema: Json = { type: 'string' }
  for (let level = 0; level < depth; level++) schema = { not: schema }
  return schema
}

describe('a schema', () => {
  it.each<Json>([
    {},
    true,
    { type: 'object', properties: { id: { type: 'string', pattern: '^a+$' } }, required: ['id'] },
    { $defs: { a: { type: ['string', 'null'] } }, items: { $ref: '#/$defs/a' } },
    { oneOf: [{ const: 1 }, { enum: ['a'] }], additionalProperties: false, title: 'x', default: 3 },
    { type: 'object', properties: { children: { type: 'array', items: { $ref: '#' } } } },
    { $id: 'note', $defs: { a: { $anchor: 'b' } }, items: { $ref: 'note#b' }, not: { $ref: '#b' } },
    { properties: { constructor: { type: 'string' }, toString: true }, required: ['constructor'] },
    { type: 'string', format: 'date-time', 'x-shown-as': 'calendar' },
    { properties: { 'a/b~': {} }, items: { $ref: '#/properties/a~1b~0' } },
    nested(30),
    doubling(12),
  ])('%j can be used', async (schema) => {
    expect(await judge.checkSchema(schema)).toEqual([])
  })

  it.each<[Json, string]>([
    [{ type: 'strin' }, '#/type "strin" is not a type; did you mean "string"?'],
    [{ type: 'text' }, '#/type "text" is not a type; the types are null, boolean'],
    [{ type: [] }, '#/type is empty'],
    [{ minLenght: 3 }, '#/minLenght is not a keyword of JSON Schema; did you mean "minLength"?'],
    [{ constructor: 3 }, '#/constructor is not a keyword'],
    [{ properties: { a: { Required: [] } } }, '#/properties/a/Required is not a keyword'],
    [{ properties: { a: 3 } }, '#/properties/a is not a schema'],
    [{ items: [{}] }, '#/items is a list; use "prefixItems"'],
    [{ dependencies: {} }, '#/dependencies is not known here; use "dependentRequired"'],
    [{ required: 'a' }, '#/required is not a list of names'],
    [{ $ref: '#/$defs/missing' }, 'points at nothing'],
    [{ $ref: '#/properties', properties: {} }, 'points at nothing'],
    [{ $ref: 'https://host.example/schema.json' }, 'points at nothing'],
    [{ pattern: '(' }, '"(" is not a regular expression'],
    [{ patternProperties: { '[': true } }, 'is not a regular expression'],
    [{ pattern: '(?=a)b' }, "can't be matched in linear time"],
    [{ pattern: '(a)\\1' }, "can't be matched in linear time"],
    [{ pattern: 'a{5000}' }, "can't be matched in linear time"],
    [{ pattern: '(([a-z]{1,30}){1,30}x?){1,1}y{900}' }, 'too large a pattern'],
    [{ pattern: 'a'.repeat(1001) }, 'more than 1000 characters'],
    [{ minLength: -1 }, '#/minLength is not a whole number'],
    [{ format: 'datetime' }, 'did you mean "date-time"?'],
    [{ $defs: { a: { $anchor: 'x' }, b: { $anchor: 'x' } } }, 'is there twice'],
    [{ $defs: { a: { $id: 'x' } } }, '$id can only be at the top'],
    [{ not: { $anchor: 'a' }, const: { $anchor: 'a' } }, '$anchor that is not in a schema'],
    [{ $ref: '#' }, 'refers to itself without end'],
    [
      { $defs: { a: { anyOf: [{ $ref: '#/$defs/b' }] }, b: { not: { $ref: '#/$defs/a' } } } },
      'end',
    ],
    [doubling(26), 'grows to more than 20000 schemas'],
    [nested(40), 'nested deeper than 32 schemas'],
    [nested(1_000), 'nested too deeply'],
    [nested(3_000), 'nested too deeply'],
    [{ enum: [JSON.parse(`${'['.repeat(500)}${']'.repeat(500)}`)] }, 'nested too deeply'],
    [{ anyOf: Array.from({ length: 2_001 }, () => ({})) }, 'more than 2000 schemas'],
    [{ enum: ['x'.repeat(300_000)] }, 'too large'],
  ])('%j is refused in words', async (schema, words) => {
    expect((await judge.checkSchema(schema)).join()).toContain(words)
  })

  it('hears of all its faults at once, within bounds', async () => {
    expect(await judge.checkSchema({ type: 'strin', minLenght: 1 })).toHaveLength(2)
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`wrong${n}`, n]))
    const faults = await judge.checkSchema({ properties: { a: many, b: many } })
    expect(faults.length).toBeLessThanOrEqual(1_001)
  })

  it('stays as it was', async () => {
    const schema = { $ref: '#/$defs/a', $defs: { a: {} } }
    await judge.checkSchema(schema)
    await judge.judge('untouched', schema, ['1'])
    expect(schema).toEqual({ $ref: '#/$defs/a', $defs: { a: {} } })
    expect(Object.getOwnPropertyNames(schema)).toEqual(['$ref', '$defs'])
  })
})

describe('a value', () => {
  it('is refused with the place and the name of what is wrong', async () => {
    const schema = {
      type: 'object',
      properties: { title: { type: 'string', maxLength: 3 }, tags: { items: { type: 'string' } } },
      required: ['title', 'tags'],
      additionalProperties: false,
    }
    expect(await errorsOf(schema, { title: 'abc', tags: [] })).toBe('')
    expect(await errorsOf(schema, { title: 'abcd', tags: ['a', 1], extra: 1 })).toBe(
      '#/title is longer than 3 characters; #/tags/1 is not of the type string; #/extra must not be there',
    )
    expect(await errorsOf(schema, {})).toBe('# "title" is missing; # "tags" is missing')
  })

  it('with the names of built-ins is data', async () => {
    const schema = { properties: { constructor: { type: 'string' } }, required: ['toString'] }
    expect(await errorsOf(schema, {})).toBe('# "toString" is missing')
    expect(await errorsOf(schema, { constructor: 1, toString: 1 })).toBe(
      '#/constructor is not of the type string',
    )
    const proto = JSON.parse('{"properties":{"__proto__":{"type":"string"}}}') as Json
    const [hostile] = await judge.judge('proto', proto, ['{"__proto__":{"admin":true}}'])
    expect(hostile).toMatchObject({ ok: false, errors: [{ at: '#/__proto__' }] })
  })

  it('against a pattern that would hang others is judged at once', async () => {
    const schema = { type: 'string', pattern: '^(a+)+$' }
    expect(await errorsOf(schema, `${'a'.repeat(5_000)}b`)).toContain('does not match')
    expect(await errorsOf(schema, 'a'.repeat(5_000))).toBe('')
  })

  it('that takes too many steps is refused on every machine alike', async () => {
    const twice = { properties: { a: { $ref: '#' } } }
    let value: Json = {}
    for (let level = 0; level < 50; level++) value = { a: value }
    expect(await errorsOf({ allOf: [twice, twice] }, value)).toBe(
      '# takes too many steps to check against the schema',
    )
    const slow = { pattern: '(a|b)*a(a|b){500}c' }
    const text = Array.from({ length: 200_000 }, (_, n) => 'ab'[(n * n) % 2]).join('')
    expect(await errorsOf(slow, `${text}c`)).toContain('too many steps')
  })

  it('that is nested too deeply, or no JSON, is refused', async () => {
    const [deep, broken] = await judge.judge('any', {}, ['['.repeat(100_000), '{'])
    expect(deep).toMatchObject({
      ok: false,
      errors: [{ at: '#', error: expect.stringContaining('deeper') as string }],
    })
    expect(broken).toMatchObject({ ok: false, errors: [{ at: '#', error: 'is not JSON' }] })
    expect(await errorsOf({}, JSON.parse(`${'['.repeat(64)}${']'.repeat(64)}`) as Json)).toBe('')
  })

  it('has at most ten errors, each short', async () => {
    const value = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`${n}`.repeat(500), n]))
    const said = await verdict({ additionalProperties: { type: 'string' } }, value)
    if (said === undefined || 'kind' in said || said.ok) throw new Error('not refused')
    expect(said.errors).toHaveLength(10)
    expect(JSON.stringify(said.errors).length).toBeLessThan(5_000)
  })

  it('against a schema that can not be used is undecided', async () => {
    expect(await verdict(doubling(26), 'x')).toMatchObject({ kind: 'undecided' })
    expect(await verdict({ minLenght: 1 }, 'x')).toMatchObject({
      kind: 'undecided',
      reason: expect.stringContaining('minLength') as string,
    })
  })
})

test('a judge whose worker is ended says undecided, and judges the next', async () => {
  const short = new SchemaJudge({ size: 1, limitMs: 0 })
  try {
    // The first waits for the start of its worker; from then on no time is left to any.
    await short.judge('a', {}, ['1'])
    const many = Array.from({ length: 2_000 }, () => JSON.stringify('x'.repeat(1_000)))
    const verdicts = await short.judge('b', { pattern: '^x*y' }, many)
    expect(verdicts).toHaveLength(2_000)
    expect(verdicts[0]).toMatchObject({ kind: 'undecided' })
  } finally {
    await short.close()
  }
})

test('many small records are judged in one go', async () => {
  const schema = {
    type: 'object',
    properties: {
      title: { type: 'string', minLength: 1, maxLength: 200 },
      done: { type: 'boolean' },
      tags: { type: 'array', items: { type: 'string', pattern: '^[a-z]+$' }, maxItems: 5 },
    },
    required: ['title', 'done'],
    additionalProperties: false,
  }
  const values = Array.from({ length: 20_000 }, (_, n) =>
    JSON.stringify({
      title: `note ${n}`,
      done: n % 2 === 0,
      tags: n % 5 === 4 ? ['UP'] : ['a', 'b'],
    }),
  )
  const verdicts = await judge.judge('many', schema, values)
  expect(verdicts).toHaveLength(20_000)
  expect(verdicts.filter((said) => 'ok' in said && said.ok)).toHaveLength(16_000)
  expect(verdicts[4]).toMatchObject({ ok: false, errors: [{ at: '#/tags/0' }] })
})
