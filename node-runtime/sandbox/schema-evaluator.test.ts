// Against the published test suite of the standard, in this process: the same text runs in the worker.
import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import * as re2 from 're2js'
import { describe, expect, it } from 'vitest'
import { schemaApplicators } from './schema-applicators.ts'
import { schemaAssertions } from './schema-assertions.ts'
import { schemaEvaluator } from './schema-evaluator.ts'
import { schemaFaults } from './schema-faults.ts'
import { schemaFormats } from './schema-formats.ts'
import { schemaRun } from './schema-run.ts'

interface Group {
  keyword: string
  description: string
  schema: unknown
  tests: [description: string, value: unknown, valid: boolean][]
}

// The first line names the source.
const [, ...groups] = readFileSync(
  new URL('./fixtures/json-schema-2020-12.ndjson', import.meta.url),
  'utf8',
)
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Group)

const { findSchemaFaults } = schemaFaults(re2, Object.keys(schemaFormats()))
const evaluator = schemaEvaluator(
  (pattern) => re2.RE2JS.compile(re2.RE2JS.translateRegExp(pattern)),
  {
    newRun: schemaRun,
    newAssertions: schemaAssertions,
    newApplicators: schemaApplicators,
    newFormats: schemaFormats,
  },
)
const MOST_STEPS = 1_000_000

describe.each([...new Set(groups.map(({ keyword }) => keyword))])('%s', (keyword) => {
  it.each(groups.filter((group) => group.keyword === keyword))(
    'does what the standard says: $description',
    ({ schema, tests }) => {
      expect(findSchemaFaults(JSON.stringify(schema))).toEqual([])
      const errorsOf = evaluator.compile(schema, MOST_STEPS)
      for (const [description, value, valid] of tests) {
        const errors = errorsOf(JSON.stringify(value))
        expect(errors === null, `${description}: ${JSON.stringify(errors)}`).toBe(valid)
        // Whoever is refused hears why.
        if (!valid) expect(errors).not.toHaveLength(0)
      }
    },
  )
})

describe('a format', () => {
  it.each([
    ['date', '2024-02-29', '2023-02-29'],
    ['time', '23:59:60Z', '12:00:60Z'],
    ['date-time', '2026-01-31T10:00:00.5+02:00', '2026-01-31 10:00'],
    ['duration', 'P1DT2H', 'P'],
    ['email', 'ada.l@host.example', 'ada..l@host.example'],
    ['hostname', 'host.example', '-host.example'],
    ['ipv4', '127.0.0.1', '127.0.0.01'],
    ['ipv6', '::ffff:127.0.0.1', ':::1'],
    ['uri', 'https://host.example/a?b#c', '/a b'],
    ['uri-reference', '../a', 'a%zz'],
    ['uuid', '2eb8aa08-aa98-11ea-b4aa-73b441d16380', '2eb8aa08'],
  ])('%s takes %s and refuses %s', (format, good, bad) => {
    const errorsOf = evaluator.compile({ format }, MOST_STEPS)
    expect(errorsOf(JSON.stringify(good))).toBeNull()
    expect(errorsOf(JSON.stringify(bad))).toEqual([{ at: '#', error: `is not a ${format}` }])
    expect(errorsOf('17')).toBeNull()
  })

  it('is looked at in no time, however long the text', () => {
    const texts = [
      'a'.repeat(200_000),
      'a.'.repeat(100_000),
      '1'.repeat(200_000),
      ':'.repeat(200_000),
    ]
    const begunMs = performance.now()
    for (const format of Object.values(schemaFormats())) {
      for (const text of texts) format(`${text}!`)
    }
    expect(performance.now() - begunMs).toBeLessThan(2_000)
  })
})

describe('a stranger', () => {
  const word = fc.constantFrom(
    'a',
    'constructor',
    '__proto__',
    '#',
    '#/properties/a',
    '%',
    '^(a|b)+$',
  )
  const names = [
    'type',
    'properties',
    'patternProperties',
    'items',
    'prefixItems',
    '$ref',
    '$id',
    'if',
  ]
  names.push('then', 'not', 'allOf', 'enum', 'required', 'minLength', 'unevaluatedItems', '$anchor')
  names.push(
    'format',
    'pattern',
    'contains',
    'dependentSchemas',
    'unevaluatedProperties',
    '__proto__',
  )
  const { schema } = fc.letrec((tie) => ({
    schema: fc.oneof(
      { maxDepth: 4 },
      fc.boolean(),
      word,
      fc.integer(),
      fc.constantFrom('string', 'object', 'date'),
      fc.array(tie('schema'), { maxLength: 3 }),
      fc.dictionary(fc.oneof(word, fc.constantFrom(...names)), tie('schema'), { maxKeys: 5 }),
    ),
  }))

  it('finds no schema and no value that break the judge', () => {
    fc.assert(
      fc.property(schema, fc.json(), fc.string(), (made, value, broken) => {
        const json = JSON.stringify(made)
        if (findSchemaFaults(json).length > 0) return
        const errorsOf = evaluator.compile(JSON.parse(json), MOST_STEPS)
        for (const text of [value, broken, json]) {
          const errors = errorsOf(text)
          if (errors !== null) expect(errors?.length).toBeGreaterThan(0)
        }
      }),
      { numRuns: 3_000 },
    )
  })
})
