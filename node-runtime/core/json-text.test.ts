import { expect, it } from 'vitest'
import * as z from 'zod'
import { readJson } from './json-text.ts'

it('a text that is JSON of the shape is what it says, and any other nothing', () => {
  const shape = z.object({ at: z.number() })
  expect(readJson('{"at":7,"more":1}', shape)).toEqual({ at: 7 })
  for (const text of ['', '{', '{"at":"7"}', 'null', '[]']) expect(readJson(text, shape)).toBeNull()
  const deep = `${'['.repeat(65)}${']'.repeat(65)}`
  expect(readJson(deep, z.unknown())).toBeNull()
  expect(readJson(deep.slice(1, -1), z.unknown())).not.toBeNull()
})
