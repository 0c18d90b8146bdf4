import { expect, test } from 'vitest'
import * as z from 'zod'
import { CloudError } from '../contract/errors.ts'
import { describeIssues, fromWireError, toWireError } from './errors.ts'

test('an input that a service refuses arrives with the words of the service, whatever its details', () => {
  const refused = new CloudError('BAD_INPUT', 'The ids are computed: give none.', {
    issues: [{ path: 'id', message: 'not allowed' }],
  })
  expect(fromWireError(toWireError(refused)).toJSON()).toEqual(refused.toJSON())
})

test('an input that does not fit is told every reason in one sentence', () => {
  const schema = z.strictObject({
    id: z.string(),
    value: z.json(),
    limit: z.number().max(5).optional(),
    key: z.string().regex(/^a/, 'not a key').optional(),
    list: z.array(z.strictObject({ a: z.string().optional() })).optional(),
    even: z
      .number()
      .refine((number) => number % 2 === 0, 'is odd')
      .optional(),
  })
  const describe = (input: unknown): string =>
    describeIssues(schema.safeParse(input).error?.issues ?? [])
  const begin = 'The arguments do not fit the call: '
  expect(describe({ system: 'notes', value: 1 })).toBe(
    `${begin}"id" is missing; "system" is not known here.`,
  )
  expect(describe({ id: '', sytem: 1, collecton: 2 })).toBe(
    `${begin}"value" is missing; "sytem", "collecton" are not known here.`,
  )
  expect(describe({ id: '', value: 1, limit: 9, key: 'b', list: [{}, { b: 1 }] })).toBe(
    `${begin}"limit": Too big: expected number to be <=5; "key": not a key; "list.1" knows no "b".`,
  )
  expect(describe({ id: '', value: 1, even: 3 })).toBe(`${begin}"even" is odd.`)
  expect(describe(null)).toBe(`${begin}Invalid input: expected object, received null.`)
  const list = Array.from({ length: 7 }, () => ({ b: 1 }))
  expect(describe({ id: '', value: 1, list })).toMatch(/"list\.4" knows no "b"; and 2 more\.$/)
})
