import { expect, test } from 'vitest'
import { findSchemaFaults } from './collection-schema.ts'
import { readManifest } from './manifest.ts'
import { notesFiles, notesManifest } from '../../testing/notes-repository.ts'

function read(
  manifest: unknown,
  more: Record<string, string> = {},
): ReturnType<typeof readManifest> {
  const content = typeof manifest === 'string' ? manifest : JSON.stringify(manifest)
  const files = { ...notesFiles, 'dharma.json': content, ...more }
  return readManifest(
    new Map(Object.entries(files).map(([path, text]) => [path, new TextEncoder().encode(text)])),
  )
}

/** The issues by path. */
async function issuesOf(
  manifest: unknown,
  more?: Record<string, string>,
): Promise<Record<string, string>> {
  try {
    await read(manifest, more)
  } catch (error) {
    const { code, details, message } = error as {
      code: string
      message: string
      details: { issues: { path: string; message: string }[] }
    }
    expect(code).toBe('MANIFEST_INVALID')
    for (const issue of details.issues) expect(message).toContain(issue.message)
    return Object.fromEntries(details.issues.map((issue) => [issue.path, issue.message]))
  }
  throw new Error('the manifest was accepted')
}

test('a valid manifest is read with its defaults', async () => {
  expect((await read(notesManifest)).collections['notes']).toMatchObject({
    write: 'author',
    maxBytes: 65_536,
  })
  const { manifestVersion, id, name, version, ui } = notesManifest
  expect(await read({ manifestVersion, id, name, version, ui })).toEqual({
    manifestVersion,
    id,
    name,
    version,
    ui,
    permissions: [],
    collections: {},
    sessions: {},
  })
})

test('no manifest, no system', async () => {
  await expect(readManifest(new Map())).rejects.toThrowError(
    expect.objectContaining({ code: 'MANIFEST_MISSING' }),
  )
})

test('all that is wrong is told at once', async () => {
  const { name: _name, ...nameless } = notesManifest
  expect(
    Object.keys(await issuesOf({ ...nameless, version: 'one', permissions: ['everything'] })),
  ).toEqual(['name', 'version', 'permissions.0'])
  expect(await issuesOf(nameless)).toEqual({ name: 'is missing' })
})

test.each([
  ['not JSON', '{ "id": ', '', "can't be read as JSON"],
  ['a list', [], '', 'expected object'],
  ['an unknown field', { ...notesManifest, extra: 1 }, '', 'extra'],
  ['a reserved id', { ...notesManifest, id: 'settings' }, 'id', 'reserved'],
  ['a path out of the repository', { ...notesManifest, ui: '../x.html' }, 'ui', 'not a path'],
  ['a missing page', { ...notesManifest, ui: 'ui/no.html' }, 'ui', 'no file "ui/no.html"'],
  ['a missing icon', { ...notesManifest, icon: 'no.svg' }, 'icon', 'no file "no.svg"'],
  [
    'missing rules',
    { ...notesManifest, sessions: { duel: { rules: 'no.ts', seats: 2, results: 'results' } } },
    'sessions.duel.rules',
    'no file "no.ts"',
  ],
  [
    'results that nobody co-signs',
    {
      ...notesManifest,
      sessions: { duel: { rules: 'rules/duel.ts', seats: 2, results: 'notes' } },
    },
    'sessions.duel.results',
    'co-signed',
  ],
  [
    'an unusable schema',
    { ...notesManifest, sessions: {}, collections: { notes: { schema: { type: 'strnig' } } } },
    'collections.notes.schema',
    'type',
  ],
  ['brackets without end', '['.repeat(100_000), '', 'JSON'],
])('%s is refused', async (_name, manifest, path, message) => {
  expect((await issuesOf(manifest))[path]).toContain(message)
})

test('nesting beyond the stack is refused, not fatal', async () => {
  const schema = `${'{"not":'.repeat(20_000)}{}${'}'.repeat(20_000)}`
  const manifest = JSON.stringify({
    ...notesManifest,
    sessions: {},
    collections: { notes: { schema: 1 } },
  })
  const issues = await issuesOf(manifest.replace('"schema":1', `"schema":${schema}`))
  expect(Object.values(issues).join()).toMatch(/nested too deeply/)
})

test('rules that can not lose their types are refused', async () => {
  const issues = await issuesOf(notesManifest, { 'rules/duel.ts': 'enum A { B }' })
  expect(issues['sessions.duel.rules']).toMatch(/rules\/duel\.ts:1:1: .*enum/)
})

test.each([
  {},
  { type: 'object', properties: { id: { type: 'string', pattern: '^a+$' } }, required: ['id'] },
  { $defs: { a: { type: ['string', 'null'] } }, items: { $ref: '#/$defs/a' } },
  { oneOf: [{ const: 1 }, { enum: ['a'] }], additionalProperties: false, title: 'x', default: 3 },
  { type: 'object', properties: { children: { type: 'array', items: { $ref: '#' } } } },
])('the schema %j can be used', (schema) => {
  expect(findSchemaFaults(schema as never)).toEqual([])
})

test.each([
  [{ type: 'strnig' }, 'type'],
  [{ properties: { a: 3 } }, 'properties/a'],
  [{ required: 'a' }, 'required'],
  [{ $ref: '#/$defs/missing' }, 'points at nothing'],
  [{ $ref: 'https://host.example/schema.json' }, 'points at nothing'],
  [{ pattern: '(' }, 'not a regular expression'],
  [{ patternProperties: { '[': true } }, 'not a regular expression'],
  [{ minLength: -1 }, 'minLength'],
  [{ $defs: { a: { $id: 'x' }, b: { $id: 'x' } } }, 'Duplicate'],
])('the schema %j can not be used', (schema, reason) => {
  expect(findSchemaFaults(schema as never).join()).toContain(reason)
})

test('checking a schema leaves it as it was', () => {
  const schema = { $ref: '#/$defs/a', $defs: { a: {} } }
  findSchemaFaults(schema)
  expect(Object.getOwnPropertyNames(schema)).toEqual(['$ref', '$defs'])
})
