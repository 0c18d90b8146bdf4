import { describe, expect, test } from 'vitest'
import type { Permission } from '../contract/permissions.ts'
import type { CallMeta, Scope } from '../contract/procedure.ts'
import { OWNER_BUDGET, SYSTEM_BUDGET } from './budget.ts'
import { createCallerCheck, createInputReader, noSessions } from './caller.ts'
import type { Caller } from './caller.ts'

const OWN = 'org.example.notes'
const OTHER = 'org.example.other'
const FORMER = 'the key that ours had before'

const { beforeCall, beforeEvent, shareOf } = createCallerCheck({
  systemOfSession: async (session) =>
    session === 'ours' ? OWN : session === 'ours before' ? FORMER : OTHER,
  ownerOf: (key) => (key === FORMER ? OWN : null),
})

function system(...granted: Permission[]): { caller: Caller } {
  const hasPermission = (permission: Permission): boolean => granted.includes(permission)
  return { caller: { kind: 'system', system: OWN, hasPermission } }
}
const owner: { caller: Caller } = { caller: { kind: 'owner' } }

function forSystems(scope?: Scope, permission?: Permission): CallMeta {
  return {
    access: 'system',
    ...(scope === undefined ? {} : { scope }),
    ...(permission === undefined ? {} : { permission }),
  }
}

const refused = { name: 'CloudError', code: 'FORBIDDEN' }

test('the owner may make any call, on anything', async () => {
  await beforeCall(owner, { access: 'owner' }, null)
  await beforeCall(owner, forSystems('own-system', 'db'), { system: OTHER })
  await beforeCall(owner, forSystems(), {})
  expect(() => beforeEvent(owner, { access: 'owner' })).not.toThrow()
})

test('each system has a share of its own, and the person another', () => {
  expect(shareOf(owner)).toEqual({ name: 'owner', budget: OWNER_BUDGET })
  expect(shareOf(system())).toEqual({ name: `system ${OWN}`, budget: SYSTEM_BUDGET })
})

describe('a system', () => {
  test('makes no call of the owner', async () => {
    await expect(beforeCall(system(), { access: 'owner' }, {})).rejects.toMatchObject({
      ...refused,
      message: 'Only the person at this machine may do this.',
    })
    expect(() => beforeEvent(system(), { access: 'owner' })).toThrow('Only the person')
  })

  test('makes no call that forgot to say whose data it touches', async () => {
    await expect(beforeCall(system(), forSystems(), { system: OWN })).rejects.toMatchObject({
      ...refused,
      message: 'A system can reach only what is its own.',
      details: { system: null },
    })
    await expect(beforeCall(system(), forSystems(), { session: 'ours' })).rejects.toMatchObject({
      ...refused,
      details: { system: null },
    })
  })

  test('needs the permission, before the call and before each event', async () => {
    const meta = forSystems('own-system', 'db')
    const denied = {
      ...refused,
      message: 'This system has no permission "db". It can be given on the Systems page.',
      details: { permission: 'db' },
    }
    await expect(beforeCall(system('identity'), meta, { system: OWN })).rejects.toMatchObject(
      denied,
    )
    expect(() => beforeEvent(system('identity'), meta)).toThrow(denied.message)
    await beforeCall(system('db'), meta, { system: OWN })
    expect(() => beforeEvent(system('db'), meta)).not.toThrow()
    expect(() => beforeEvent(system(), forSystems('own-system'))).not.toThrow()
  })

  test.each([
    ['own-system', { system: OWN }],
    ['own-session', { session: 'ours' }],
    ['own-result', { result: { descriptor: { system: OWN } } }],
    ['own-session', { session: 'ours before' }],
    ['own-result', { result: { descriptor: { system: FORMER } } }],
    ['none', {}],
    ['none', null],
  ] as const)('reaches what is its own: %s %j', async (scope, input) => {
    await expect(beforeCall(system(), forSystems(scope), input)).resolves.toBeUndefined()
  })

  test.each([
    ['own-system', { system: OTHER }, OTHER],
    ['own-system', { system: FORMER }, FORMER],
    ['own-system', {}, null],
    ['own-system', null, null],
    ['own-system', OWN, null],
    ['own-system', undefined, null],
    ['own-system', { system: [OWN] }, null],
    ['own-system', { session: 'ours' }, null],
    ['own-system', Object.create({ system: OWN }), null],
    ['own-session', { session: 'theirs' }, OTHER],
    ['own-session', { system: OWN }, null],
    ['own-session', { session: 7 }, null],
    ['own-result', { result: { descriptor: { system: OTHER } } }, OTHER],
    ['own-result', { system: OWN, result: {} }, null],
    ['own-result', { descriptor: { system: OWN } }, null],
    ['own-result', { result: { descriptor: null } }, null],
    ['own-result', { result: { system: OWN } }, null],
  ] as const)('reaches nothing else: %s %j', async (scope, input, named) => {
    await expect(beforeCall(system(), forSystems(scope), input)).rejects.toMatchObject({
      ...refused,
      details: { system: named },
    })
  })

  test('is told when there is no such session', async () => {
    const check = createCallerCheck(noSessions)
    await expect(
      check.beforeCall(system(), forSystems('own-session'), { session: 'ours' }),
    ).rejects.toMatchObject({ code: 'SESSION_UNKNOWN', message: 'There are no sessions here.' })
  })
})

describe('the name of a system in a call', () => {
  const read = createInputReader((name) => {
    if (name === 'twice') throw new Error('ambiguous')
    return name === 'org.example.notes' ? 'its-key' : null
  })

  test('becomes its key when the owner gives it', () => {
    const input = { system: 'org.example.notes', collection: 'notes' }
    expect(read(owner, input)).toEqual({ system: 'its-key', collection: 'notes' })
    expect(input.system).toBe('org.example.notes')
    expect(() => read(owner, { system: 'twice' })).toThrow('ambiguous')
  })

  test('stays as it is when nothing has it, and where there is none', () => {
    expect(read(owner, { system: 'unknown' })).toEqual({ system: 'unknown' })
    for (const input of [{ system: 7 }, {}, null, undefined, 'system']) {
      expect(read(owner, input)).toBe(input)
    }
  })

  test('stays as it is when a system gives it: a system knows its key', () => {
    const input = { system: 'org.example.notes' }
    expect(read(system(), input)).toBe(input)
  })
})
