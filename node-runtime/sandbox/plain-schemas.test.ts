import { readFileSync } from 'node:fs'
import * as re2 from 're2js'
import { describe, expect, it } from 'vitest'
import { PlainSchemas } from './plain-schemas.ts'
import { schemaApplicators } from './schema-applicators.ts'
import { schemaAssertions } from './schema-assertions.ts'
import { schemaEvaluator } from './schema-evaluator.ts'
import { schemaFaults } from './schema-faults.ts'
import { schemaFormats } from './schema-formats.ts'
import { schemaRun } from './schema-run.ts'
import { schemaWorker } from './schema-worker.ts'

const NOTE = '{"type":"object","properties":{"text":{"type":"string"}},"required":["text"]}'

function knowing(text: string): PlainSchemas {
  const plain = new PlainSchemas()
  plain.add('schema', text)
  return plain
}

describe('a plain schema', () => {
  it('has the verdicts that the workers have, errors and all', async () => {
    const [, ...lines] = readFileSync(
      new URL('./fixtures/json-schema-2020-12.ndjson', import.meta.url),
      'utf8',
    )
      .trim()
      .split('\n')
    const parts = [schemaRun, schemaAssertions, schemaApplicators, schemaFormats] as const
    const worker = schemaWorker(re2, schemaEvaluator, schemaFaults, ...parts)
    const material = new Map<string, string>()
    let judged = 0
    for (const [number, line] of lines.entries()) {
      const { schema, tests } = JSON.parse(line) as { schema: unknown; tests: unknown[][] }
      const text = JSON.stringify(schema)
      const plain = knowing(text)
      const name = String(number)
      material.set(name, text)
      for (const [, value] of tests) {
        const values = [JSON.stringify(value)]
        const here = plain.errorsOf('schema', values)
        if (here === undefined) continue
        const request = { kind: 'judge', schema: name, values, sliceMs: 10_000 } as const
        expect(await worker(request, material)).toEqual({ kind: 'judged', errors: here })
        judged++
      }
    }
    expect(judged).toBeGreaterThan(400)
  })

  it('is known once a worker has looked at it', () => {
    expect(new PlainSchemas().errorsOf('schema', ['{}'])).toBeUndefined()
    expect(knowing(NOTE).errorsOf('schema', ['{"text":"a"}', '{}'])).toEqual([
      null,
      [{ at: '#', error: '"text" is missing' }],
    ])
  })

  it.each([
    ['a pattern', '{"pattern":"a"}'],
    ['patterns of names', '{"patternProperties":{"a":true}}'],
    ['references', '{"$defs":{"a":{}},"items":{"$ref":"#/$defs/a"}}'],
    ['a long text', JSON.stringify({ description: 'x'.repeat(4_096) })],
  ])('has not %s', (_what, text) => {
    expect(knowing(text).errorsOf('schema', ['1'])).toBeUndefined()
  })

  it.each([
    ...['allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else', 'contains', 'propertyNames'],
    ...['dependentSchemas', 'unevaluatedItems', 'unevaluatedProperties'],
  ])('has no "%s", by which one place is looked at many times', (name) => {
    expect(knowing(JSON.stringify({ [name]: {} })).errorsOf('schema', ['1'])).toBeUndefined()
  })

  it('leaves what is large, or takes many steps, to a worker', () => {
    const plain = knowing(NOTE)
    const fits = '{"text":"a"}'
    expect(plain.errorsOf('schema', Array<string>(8).fill(fits))).toHaveLength(8)
    expect(plain.errorsOf('schema', Array<string>(9).fill(fits))).toBeUndefined()
    const long = JSON.stringify({ text: 'x'.repeat(4_096) })
    expect(plain.errorsOf('schema', [long])).toBeUndefined()
    const numbers = knowing('{"items":{"type":"number","minimum":0}}')
    expect(numbers.errorsOf('schema', ['[1,2,3]'])).toEqual([null])
    expect(numbers.errorsOf('schema', [JSON.stringify(Array(500).fill(1))])).toBeUndefined()
  })

  it('is forgotten when there are many later ones', () => {
    const plain = new PlainSchemas()
    for (let number = 0; number <= 128; number++) plain.add(`schema ${number}`, '{}')
    expect(plain.errorsOf('schema 0', ['1'])).toBeUndefined()
    expect(plain.errorsOf('schema 1', ['1'])).toEqual([null])
  })
})
