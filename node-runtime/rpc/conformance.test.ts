// What holds for a call, over every transport. Streams, faults of either end and the rights of callers have
// suites of their own beside this one.
import { describe, expect, test } from 'vitest'
import { connect } from './client.ts'
import { failure, collect, start, testContract, until } from './testing/test-service.ts'
import { transports } from './testing/transports.ts'

describe.each(Object.entries(transports))('over %s', (_, openLink) => {
  test('a call gets its answer', async () => {
    const { client } = await start(openLink)
    const value = { text: 'Grüße 🎲', list: [1, 2.5, null, true], nested: { a: {} } }
    expect(await client.echo({ value })).toEqual({ value })
  })

  test('answers find their calls whatever the order', async () => {
    const { client, world } = await start(openLink)
    const slow = client.echo({ value: 'slow', held: true })
    expect(await client.echo({ value: 'fast' })).toEqual({ value: 'fast' })
    world.letGo()
    expect(await slow).toEqual({ value: 'slow' })
  })

  test('1,000 calls at once are all answered', async () => {
    const { client } = await start(openLink)
    const numbers = Array.from({ length: 1000 }, (_value, index) => index)
    const answers = await Promise.all(numbers.map((value) => client.echo({ value })))
    expect(answers.map(({ value }) => value)).toEqual(numbers)
  })

  test('a megabyte goes there and back', async () => {
    const { client } = await start(openLink)
    const value = 'é'.repeat(2 ** 19)
    expect((await client.echo({ value })).value).toBe(value)
  })

  test('an error keeps its code, message and details', async () => {
    const { client, world } = await start(openLink)
    const error = await failure(client.fail({}))
    expect(error.toJSON()).toEqual({
      code: 'DB_SCHEMA',
      message: 'The title is missing.',
      details: { path: ['title'] },
    })
    expect(world.internalErrors).toEqual([])
  })

  test('an internal error is logged and says nothing of itself', async () => {
    const { client, world } = await start(openLink)
    const error = await failure(client.crash({}))
    expect(error.code).toBe('INTERNAL')
    expect(JSON.stringify(error)).not.toContain('secret')
    expect(String(world.internalErrors[0])).toContain('secret')
  })

  test('an unknown call is refused by the client and by the server', async () => {
    const { link, client } = await start(openLink)
    const loose = client as unknown as Record<string, (input: object) => Promise<unknown>>
    const error = await failure(loose['nothing']!({}))
    expect(error.code).toBe('UNKNOWN_CALL')
    expect(error.details).toEqual({ call: 'test.nothing' })
    expect((await failure(loose['constructor']!({}))).code).toBe('UNKNOWN_CALL')
    const widened = { test: { ...testContract.test, newer: testContract.test.fail } }
    const newer = connect(widened, link.client).test
    expect((await failure(newer.newer({}))).code).toBe('UNKNOWN_CALL')
  })

  test('a call can be cancelled', async () => {
    const { client, world } = await start(openLink)
    const controller = new AbortController()
    const pending = failure(client.forever({}, { signal: controller.signal }))
    await until(() => world.calls.length === 1)
    controller.abort()
    expect((await pending).code).toBe('CANCELLED')
    await until(() => world.ended === 1)
  })

  test('when the port closes, all that is open fails with UNAVAILABLE, and so do later calls', async () => {
    const { client, link, world } = await start(openLink)
    const stream = (await client.linger({}))[Symbol.asyncIterator]()
    await stream.next()
    const idle = await client.linger({})
    const pending = [failure(client.forever({})), failure(stream.next())]
    await until(() => world.calls.length === 1)
    link.cut()
    for (const error of await Promise.all(pending)) expect(error.code).toBe('UNAVAILABLE')
    expect((await failure(collect(idle))).code).toBe('UNAVAILABLE')
    expect((await failure(client.echo({ value: 1 }))).code).toBe('UNAVAILABLE')
    await until(() => world.ended === 3)
  })

  test('a call made as the port closes does not hang', async () => {
    const { client, link } = await start(openLink)
    const pending = failure(client.echo({ value: 1, held: true }))
    link.cut()
    expect((await pending).code).toBe('UNAVAILABLE')
  })
})
