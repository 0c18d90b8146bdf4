// What holds for a stream, over every transport.
import { describe, expect, test } from 'vitest'
import { collect, failure, start, until } from './testing/test-service.ts'
import { transports } from './testing/transports.ts'

describe.each(Object.entries(transports))('over %s', (_, openLink) => {
  test('the events of a stream arrive in order, then it ends', async () => {
    const { client, world } = await start(openLink)
    const events = await collect(await client.count({ to: 200 }))
    expect(events.map(({ n }) => n)).toEqual(Array.from({ length: 200 }, (_value, n) => n))
    expect(world.ended).toBe(1)
  })

  test('an error within a stream keeps its code and details', async () => {
    const { client } = await start(openLink)
    const events: { n: number }[] = []
    const stream = await client.count({ to: 5, failAt: 2 })
    const error = await failure(collect(stream, events))
    expect(error.toJSON()).toEqual({ code: 'SESSION_OVER', message: 'Over.', details: { n: 2 } })
    expect(events).toEqual([{ n: 0 }, { n: 1 }])
  })

  test('leaving the loop early stops the generator', async () => {
    const { client, world } = await start(openLink)
    for await (const { n } of await client.count({ to: 100_000 })) {
      if (n === 3) break
    }
    await until(() => world.ended === 1)
    expect(world.counted).toBeLessThan(10_000)
  })

  test('a stream can be ended while it waits for an event', async () => {
    const { client, world } = await start(openLink)
    const stream = await client.linger({})
    const iterator = stream[Symbol.asyncIterator]()
    expect(await iterator.next()).toEqual({ done: false, value: { n: 0 } })
    const waiting = iterator.next()
    await iterator.return?.()
    expect((await waiting).done).toBe(true)
    await until(() => world.ended === 1)
  })
})
