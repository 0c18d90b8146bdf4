import { isContractProcedure } from '@orpc/contract'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { contract } from './index.ts'
import { call } from './procedure.ts'
import type { CallMeta } from './procedure.ts'
import { emptySchema } from './values.ts'

const calls = Object.entries(contract).flatMap(([service, procedures]) =>
  Object.entries(procedures)
    .filter(([, procedure]) => isContractProcedure(procedure))
    .map(([name, procedure]) => {
      const { meta, inputSchema } = procedure['~orpc']
      return {
        call: `${service}.${name}`,
        meta: meta as CallMeta,
        input: z.toJSONSchema(inputSchema as unknown as z.ZodType, { io: 'input' }),
      }
    }),
)

const FIELDS = { 'own-system': 'system', 'own-session': 'session', 'own-result': 'result' }

test('there are calls', () => {
  expect(calls.length).toBeGreaterThan(20)
})

test.each(calls)('$call says whose things a system reaches by it', ({ meta, input }) => {
  if (meta.access === 'owner') {
    expect(meta).toEqual({ access: 'owner' })
    return
  }
  expect(meta.scope).toBeDefined()
  if (meta.scope === undefined || meta.scope === 'none') return
  expect(input.required).toContain(FIELDS[meta.scope])
})

test('a call that touches nobody’s data is one of these', () => {
  const open = calls.filter(({ meta }) => meta.scope === 'none').map(({ call: name }) => name)
  expect(open).toEqual(['identity.whoami', 'db.verify'])
})

test('a call for systems without a scope does not pass the type check', () => {
  // @ts-expect-error The scope is missing.
  const forgotten = call({ input: emptySchema, output: emptySchema, access: 'system' })
  expect(forgotten['~orpc'].meta.scope).toBeUndefined()
})
