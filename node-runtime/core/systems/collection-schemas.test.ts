import { expect, test } from 'vitest'
import { compareCollections, schemaHash } from './collection-schemas.ts'

const text = { schema: { type: 'object', required: ['text'] } }

test('a schema has one hash, in whatever order it is written', () => {
  expect(schemaHash({ required: ['text'], type: 'object' })).toBe(schemaHash(text.schema))
  expect(schemaHash({ ...text.schema, required: ['text', 'due'] })).not.toBe(
    schemaHash(text.schema),
  )
  // Frozen: records name the form that they were written under.
  expect(schemaHash(text.schema)).toBe(
    '6f67b310126546e07457c53bc4b94930aa674494dd58866b6c884358dd225712',
  )
})

test('what a new version changes is named, what it leaves is not', () => {
  const before = { notes: text, lists: text, gone: text }
  const after = { lists: text, notes: { schema: { type: 'object' } }, fresh: text }
  expect(compareCollections(before, after)).toEqual([
    { collection: 'fresh', change: 'added' },
    { collection: 'gone', change: 'removed' },
    { collection: 'notes', change: 'changed' },
  ])
  expect(compareCollections(before, before)).toEqual([])
})

test('a name that every object has is no collection', () => {
  expect(compareCollections({}, { constructor: text })).toEqual([
    { collection: 'constructor', change: 'added' },
  ])
})
