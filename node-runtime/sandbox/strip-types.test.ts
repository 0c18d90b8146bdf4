import { expect, test } from 'vitest'
import { stripTypes } from './strip-types.ts'

test('types go, and every remaining character stays where it was', async () => {
  const source = 'const a: number = 1\nexport const b = a as number\n'
  const code = await stripTypes(source, 'a.ts')
  expect(code).toBe('const a         = 1\nexport const b = a          \n')
  expect(code).toHaveLength(source.length)
})

test('imports of types vanish, imports of values stay', async () => {
  const code = await stripTypes(
    "import type { A } from './a.ts'\nimport { b } from './b.ts'\n",
    'c.ts',
  )
  expect(code).not.toContain('a.ts')
  expect(code).toContain("import { b } from './b.ts'")
})

test.each([
  ['a syntax error', 'const a: = 3', 1, 10],
  ['an enum', '\nenum A { B }', 2, 1],
  ['a parameter property', 'class A { constructor(private y) {} }', 1, 31],
])('%s is refused with its place', async (_name, source, line, column) => {
  await expect(stripTypes(source, 'ui/a.ts')).rejects.toThrowError(
    expect.objectContaining({
      code: 'SYSTEM_CODE_INVALID',
      message: expect.stringContaining(`ui/a.ts:${line}:${column}: `),
      details: expect.objectContaining({ path: 'ui/a.ts', line, column }),
    }),
  )
})

const POISON = [
  `const a = ${'('.repeat(20_000)}`,
  `const a = ${'['.repeat(20_000)}1${']'.repeat(20_000)}`,
  `type A = ${'('.repeat(50_000)}1${')'.repeat(50_000)}`,
]

test('source that breaks the compiler harms nobody who comes after', async () => {
  for (const source of [...POISON, ...POISON]) {
    await expect(stripTypes(source, 'poison.ts')).rejects.toMatchObject({
      code: 'SYSTEM_CODE_INVALID',
    })
    expect(await stripTypes('const a: number = 1', 'a.ts')).toBe('const a         = 1')
  }
})

test('source beyond a megabyte is refused unread', async () => {
  await expect(stripTypes('/'.repeat(2 << 20), 'large.ts')).rejects.toMatchObject({
    code: 'SYSTEM_CODE_INVALID',
    message: expect.stringContaining('large.ts: it is larger') as string,
  })
})
