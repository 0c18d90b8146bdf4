import * as fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { canonicalJson } from '../core/canonical.ts'
import {
  bundleRules,
  contentOf,
  MAX_BUNDLE_BYTES,
  readBundle,
  RULES_LIMITS,
} from './rules-bundle.ts'
import type { RulesBundle } from './rules-bundle.ts'
import { RulesPool } from './rules-pool.ts'

const MODULE = `import { ONE } from './one.ts'
export const init = (): number => ONE
export const legal = (state: number, seat: number) => (seat === 0 ? [state] : [])
export const apply = (state: number) => state
export const outcome = () => null
export const view = (state: number) => state
`
const FILES: Record<string, string> = {
  'rules/main.ts': MODULE,
  'rules/one.ts': 'export const ONE: number = 1\n',
  'ui/index.html': '<!doctype html>',
}

const pool = new RulesPool({ size: 1 })
afterAll(() => pool.close())

function bundle(files: Record<string, string>): Promise<RulesBundle> {
  const readFile = (path: string): Promise<string> => {
    const text = files[path]
    return text === undefined ? Promise.reject(new Error('not found')) : Promise.resolve(text)
  }
  return bundleRules({ entry: 'rules/main.ts', readFile }, pool)
}

function bytesOf(value: unknown): Uint8Array {
  return new TextEncoder().encode(canonicalJson(value))
}

test('a bundle holds the module and what it imports, without types, and nothing else', async () => {
  const { bytes } = await bundle(FILES)
  const { modules, entry, limits } = contentOf(bytes)?.content ?? {}
  expect(Object.keys(modules ?? {}).sort()).toEqual(['rules/main.ts', 'rules/one.ts'])
  expect(modules?.['rules/one.ts']).toBe('export const ONE         = 1\n')
  expect(entry).toBe('rules/main.ts')
  expect(limits).toEqual(RULES_LIMITS)
})

test('the same rules give the same bundle on all machines', async () => {
  const made = await bundle(FILES)
  expect(await bundle({ ...FILES, 'ui/index.html': '' })).toEqual(made)
  // Frozen: a change of it is a change of every session's name.
  expect(made.hash).toBe('29dc5cd9f8b7f547c0886050c702b3dae4e308dbdb37846b5a1313f39e89a86c')
})

test('another module, engine or limit is another bundle', async () => {
  const made = await bundle(FILES)
  const { content } = contentOf(made.bytes) ?? {}
  const hashes = [
    { ...content, engine: 'another' },
    { ...content, limits: { ...RULES_LIMITS, interrupts: 1 } },
    { ...content, modules: { ...content?.modules, 'rules/one.ts': '' } },
    { ...content, later: ['fields', 'survive'] },
  ].map((changed) => readBundle(bytesOf(changed))?.hash)
  expect(new Set([made.hash, ...hashes]).size).toBe(5)
  expect(hashes).not.toContain(undefined)
})

test('a bundle read from its bytes is the one that was made', async () => {
  const made = await bundle(FILES)
  expect(readBundle(made.bytes)).toEqual(made)
  const runner = pool.runner(readBundle(made.bytes) ?? made)
  const begin = { seed: '', options: null, seats: 1, viewer: 0 } as const
  expect(await runner.start(begin)).toMatchObject({ kind: 'ok', state: 1 })
})

test('rules for another engine or other limits are undecided here', async () => {
  const { content } = contentOf((await bundle(FILES)).bytes) ?? {}
  for (const change of [{ engine: 'later' }, { limits: { ...RULES_LIMITS, interrupts: 1 } }]) {
    const other = readBundle(bytesOf({ ...content, ...change }))
    if (other === null) throw new Error('no bundle')
    const answer = await pool.runner(other).view({ state: 1, viewer: 0 })
    expect(answer).toMatchObject({ kind: 'unavailable', lasting: true })
  }
})

test('what is no bundle is null', async () => {
  const { content } = contentOf((await bundle(FILES)).bytes) ?? {}
  const text = canonicalJson(content)
  const wrong = [
    '',
    'null',
    '['.repeat(100_000),
    `${text} `,
    text.replace('{', '{"kind":"rules",'),
    canonicalJson({ ...content, v: 2 }),
    canonicalJson({ ...content, kind: 'other' }),
    canonicalJson({ ...content, entry: 'rules/two.ts' }),
    canonicalJson({ ...content, entry: 'constructor' }),
    canonicalJson({ ...content, modules: { '../rules/main.ts': '' } }),
    canonicalJson({ ...content, x: 'x'.repeat(MAX_BUNDLE_BYTES) }),
  ]
  for (const bytes of wrong) expect(readBundle(new TextEncoder().encode(bytes))).toBeNull()
  expect(readBundle(new Uint8Array([0xff, 0xfe]))).toBeNull()
})

test('no bytes make the reader throw', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), fc.json().map(bytesOf)), (bytes) => {
      expect(readBundle(bytes)).toBeNull()
    }),
  )
})

test.each([
  ['outside the repository', '../../other/secret.ts'],
  ['of a package', 'node:fs'],
  ['of the harness', 'dharma:prelude'],
  ['by an absolute path', '/etc/passwd'],
  ['by an address', 'https://127.0.0.1/rules.js'],
  ['of a missing file', './missing.ts'],
])('an import %s is refused', async (_what, specifier) => {
  const files = { 'rules/main.ts': `import ${JSON.stringify(specifier)}\n${MODULE}` }
  await expect(bundle({ ...FILES, ...files })).rejects.toMatchObject({ code: 'RULES_FAILED' })
})

test.each([
  ['lacks a function', 'export const init = () => 0'],
  ['is not TypeScript', 'export const = 1'],
  ['throws when it is loaded', `${MODULE}\nthrow new Error()`],
  ['never ends loading', `${MODULE}\nfor (;;);`],
  ['is too large', `${MODULE}\n//${'x'.repeat(MAX_BUNDLE_BYTES)}`],
])('a module that %s is refused', async (_what, source) => {
  const files = { ...FILES, 'rules/main.ts': source }
  await expect(bundle(files)).rejects.toMatchObject({ code: 'RULES_FAILED' })
})

test('a chain of too many files is refused', async () => {
  const chain = Array.from({ length: 80 }, (_, link): [string, string] => [
    link === 0 ? 'rules/main.ts' : `rules/${link}.ts`,
    `import './${link + 1}.ts'\n${MODULE.replace("import { ONE } from './one.ts'", 'const ONE = 1')}`,
  ])
  await expect(bundle(Object.fromEntries(chain))).rejects.toMatchObject({ code: 'RULES_FAILED' })
})
