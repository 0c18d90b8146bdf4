import { expect, test } from 'vitest'
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
    'results that are not a seat’s own',
    {
      ...notesManifest,
      collections: { notes: { schema: {}, write: 'co-signed' } },
      sessions: { duel: { rules: 'rules/duel.ts', seats: 2, results: 'notes' } },
    },
    'sessions.duel.results',
    '"author"',
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
  ['a pattern that freezes others', { pattern: '^(a+)+$(?=b)' }, 'linear time'],
  ['a word that the standard does not know', { minLenght: 1 }, 'did you mean "minLength"'],
  ['references that double and double', doubling(26), 'when its references are followed'],
  ['a thousand schemas in each other', nested(1_000), 'nested too deeply'],
])('a schema with %s is refused in words', async (_what, schema, words) => {
  const collections = { constructor: { schema } }
  const issues = await issuesOf({ ...notesManifest, sessions: {}, collections })
  expect(issues['collections.constructor.schema']).toContain(words)
})

function doubling(levels: number): unknown {
  const $defs: Record<string, unknown> = { [`d${levels}`]: {} }
  for (let level = 0; level < levels; level++) {
    const next = { $ref: `#/$defs/d${level + 1}` }
    $defs[`d${level}`] = { allOf: [next, next] }
  }
  return { $ref: '#/$defs/d0', $defs }
}

function nested(depth: number): unknown {
  let schema: unknown = {}
  for (let level = 0; level < depth; level++) schema = { not: schema }
  return schema
}
