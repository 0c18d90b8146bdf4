// What a caller may do, over every transport: `caller.ts` decides it, and no transport lets anybody around it.
import { describe, expect, test } from 'vitest'
import type { Permission } from '../contract/permissions.ts'
import type { Caller } from './caller.ts'
import { failure, start, until } from './testing/test-service.ts'
import { transports } from './testing/transports.ts'

describe.each(Object.entries(transports))('a system, over %s', (_, openLink) => {
  const granted = new Set<Permission>()
  const system: Caller = {
    kind: 'system',
    system: 'org.example.notes',
    hasPermission: (permission) => granted.has(permission),
  }
  const own = { system: 'org.example.notes' }

  test('may not make calls of the owner', async () => {
    const { client } = await start(openLink, system)
    expect((await failure(client.ownerOnly({}))).code).toBe('FORBIDDEN')
    expect(await client.echo({ value: 1 })).toEqual({ value: 1 })
  })

  test('needs the permission', async () => {
    granted.clear()
    const { client } = await start(openLink, system)
    const error = await failure(client.records(own))
    expect(error.code).toBe('FORBIDDEN')
    expect(error.details).toEqual({ permission: 'db' })
    granted.add('db')
    expect(await client.records(own)).toEqual({})
  })

  test('reaches only what is its own', async () => {
    granted.add('db')
    const { client } = await start(openLink, system)
    const strangers = [
      client.records({ system: 'org.example.other' }),
      client.moves({ session: 'theirs' }),
      client.verdict({ result: { descriptor: { system: 'org.example.other' } } }),
    ]
    for (const call of strangers) expect((await failure(call)).code).toBe('FORBIDDEN')
    expect(await client.moves({ session: 'ours' })).toEqual({})
    expect(await client.verdict({ result: { descriptor: own } })).toEqual({})
  })

  test('loses a running stream when the permission is taken back', async () => {
    granted.add('db')
    const { client, world } = await start(openLink, system)
    const stream = (await client.ticks(own))[Symbol.asyncIterator]()
    expect((await stream.next()).done).toBe(false)
    granted.delete('db')
    const error = await failure(
      (async () => {
        while ((await stream.next()).done !== true);
      })(),
    )
    expect(error.code).toBe('FORBIDDEN')
    await until(() => world.ended === 1)
  })
})
