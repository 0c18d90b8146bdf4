// One suite for every transport: what holds for a call must hold over all of them.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { MessageChannel } from 'node:worker_threads'
import { eventIterator } from '@orpc/contract'
import { implement } from '@orpc/server'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import * as z from 'zod'
import { CloudError } from '../contract/errors.ts'
import type { Permission } from '../contract/permissions.ts'
import { call } from '../contract/procedure.ts'
import { jsonSchema, systemIdSchema } from '../contract/values.ts'
import { createCallerCheck } from './caller.ts'
import type { Caller, CallContext } from './caller.ts'
import { connect } from './client.ts'
import type { AnyPort } from './port.ts'
import { createServer, openAccess } from './server.ts'
import { bridge } from './transports/bridge.ts'
import { webSocketPort } from './transports/web-socket.ts'

const testContract = {
  test: {
    echo: call({
      input: z.object({ value: jsonSchema, delayMs: z.number().default(0) }),
      output: z.object({ value: jsonSchema }),
      access: 'system',
      scope: 'none',
    }),
    fail: call({ input: z.object({}), output: z.object({}), errors: ['DB_SCHEMA'] }),
    crash: call({ input: z.object({}), output: z.object({}) }),
    misanswer: call({ input: z.object({}), output: z.object({ count: z.number() }) }),
    forever: call({ input: z.object({}), output: z.object({}) }),
    ownerOnly: call({ input: z.object({}), output: z.object({}) }),
    records: call({
      input: z.object({ system: systemIdSchema }),
      output: z.object({}),
      access: 'system',
      scope: 'own-system',
      permission: 'db',
    }),
    moves: call({
      input: z.object({ session: z.string() }),
      output: z.object({}),
      access: 'system',
      scope: 'own-session',
    }),
    verdict: call({
      input: z.object({ result: z.object({ descriptor: z.object({ system: z.string() }) }) }),
      output: z.object({}),
      access: 'system',
      scope: 'own-result',
    }),
    count: call({
      input: z.object({ to: z.number(), failAt: z.number().optional() }),
      output: eventIterator(z.object({ n: z.number() })),
    }),
    miscount: call({
      input: z.object({}),
      output: eventIterator(z.object({ n: z.number() })),
    }),
    /** One event, then silence until the caller goes. */
    linger: call({ input: z.object({}), output: eventIterator(z.object({ n: z.number() })) }),
    ticks: call({
      input: z.object({ system: systemIdSchema }),
      output: eventIterator(z.object({ n: z.number() })),
      access: 'system',
      scope: 'own-system',
      permission: 'db',
    }),
  },
}

/** As the contract, but an answer may be anything: a server that is wrong. */
const laxContract = {
  test: {
    echo: call({ input: jsonSchema, output: jsonSchema }),
    count: call({ input: jsonSchema, output: eventIterator(jsonSchema) }),
  },
}

/** The two ends of one transport, and how to cut it. */
interface Link {
  client: AnyPort
  server: AnyPort
  /** Sends to the server past the client's checks. */
  sendRaw: (data: string | Uint8Array) => void
  /** Sends to the client past the server's. */
  answerRaw: (data: string) => void
  cut: () => void
}

type Cleanup = () => void
const cleanups: Cleanup[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup()
})

async function openSockets(): Promise<{ near: WebSocket; far: WebSocket }> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  cleanups.push(() => server.close())
  await once(server, 'listening')
  const near = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
  cleanups.push(() => near.terminate())
  const [far] = (await once(server, 'connection')) as [WebSocket]
  return { near, far }
}

function openChannel(): MessageChannel {
  const channel = new MessageChannel()
  cleanups.push(() => channel.port1.close())
  return channel
}

const transports: Record<string, () => Promise<Link>> = {
  'a message port': async () => {
    const { port1, port2 } = openChannel()
    return {
      client: port1 as unknown as AnyPort,
      server: port2 as unknown as AnyPort,
      sendRaw: (data) => port1.postMessage(data),
      answerRaw: (data) => port2.postMessage(data),
      cut: () => port2.close(),
    }
  },
  'a WebSocket': async () => {
    const { near, far } = await openSockets()
    return {
      client: webSocketPort(near),
      server: webSocketPort(far),
      sendRaw: (data) => {
        const send = (): void => near.send(data)
        if (near.readyState === near.OPEN) send()
        else near.once('open', send)
      },
      answerRaw: (data) => far.send(data),
      cut: () => far.terminate(),
    }
  },
  'a message port bridged to a WebSocket': async () => {
    const { near, far } = await openSockets()
    const { port1, port2 } = openChannel()
    bridge(port2 as unknown as MessagePort, near)
    return {
      client: port1 as unknown as AnyPort,
      server: webSocketPort(far),
      sendRaw: (data) => port1.postMessage(data),
      answerRaw: (data) => far.send(data),
      cut: () => far.terminate(),
    }
  },
}

interface World {
  internalErrors: unknown[]
  /** How many generators of the server have come to their end. */
  ended: number
  calls: string[]
  /** Events that `count` has made. */
  counted: number
}

function createWorld(): { world: World; serve: ReturnType<typeof createServer<CallContext>> } {
  const world: World = { internalErrors: [], ended: 0, calls: [], counted: 0 }
  const os = implement(testContract).$context<CallContext>()
  const untilAborted = (signal: AbortSignal | undefined): Promise<void> =>
    new Promise((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }))
  const serve = createServer<CallContext>(
    os.router({
      test: {
        echo: os.test.echo.handler(async ({ input }) => {
          world.calls.push('echo')
          if (input.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, input.delayMs))
          return { value: input.value }
        }),
        fail: os.test.fail.handler(() => {
          throw new CloudError('DB_SCHEMA', 'The title is missing.', { path: ['title'] })
        }),
        crash: os.test.crash.handler(() => {
          throw new Error('secret at /home/someone')
        }),
        misanswer: os.test.misanswer.handler(() => ({ count: 'many' }) as unknown as { count: 1 }),
        forever: os.test.forever.handler(async ({ signal }) => {
          world.calls.push('forever')
          await untilAborted(signal)
          world.ended++
          return {}
        }),
        ownerOnly: os.test.ownerOnly.handler(() => ({})),
        records: os.test.records.handler(() => ({})),
        moves: os.test.moves.handler(() => ({})),
        verdict: os.test.verdict.handler(() => ({})),
        count: os.test.count.handler(async function* ({ input }) {
          try {
            for (let n = 0; n < input.to; n++) {
              if (n === input.failAt) throw new CloudError('SESSION_OVER', 'Over.', { n })
              world.counted++
              yield { n }
            }
          } finally {
            world.ended++
          }
        }),
        miscount: os.test.miscount.handler(async function* () {
          yield { n: 0 }
          yield { n: 'one' } as unknown as { n: number }
        }),
        linger: os.test.linger.handler(async function* ({ signal }) {
          try {
            yield { n: 0 }
            await untilAborted(signal)
          } finally {
            world.ended++
          }
        }),
        ticks: os.test.ticks.handler(async function* () {
          try {
            for (let n = 0; ; n++) {
              yield { n }
              await new Promise((resolve) => setTimeout(resolve, 1))
            }
          } finally {
            world.ended++
          }
        }),
      },
    }),
    {
      access: createCallerCheck({
        systemOfSession: (session) =>
          session === 'ours' ? 'org.example.notes' : 'org.example.other',
        ownerOf: (system) => system,
      }),
      onInternalError: (error) => world.internalErrors.push(error),
    },
  )
  return { world, serve }
}

const owner: Caller = { kind: 'owner' }

/** The error a promise must fail with. */
async function failure(promise: Promise<unknown>): Promise<CloudError> {
  const error = await promise.then(
    (value) => expect.unreachable(`answered ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(CloudError)
  return error as CloudError
}

async function collect<T>(stream: AsyncIterable<T>, into: T[] = []): Promise<T[]> {
  for await (const event of stream) into.push(event)
  return into
}

describe.each(Object.entries(transports))('over %s', (_, openLink) => {
  async function start(caller: Caller = owner) {
    const link = await openLink()
    const { world, serve } = createWorld()
    serve(link.server, { caller })
    return { link, world, client: connect(testContract, link.client).test }
  }
  /** A client whose server we play ourselves, or which breaks the contract. */
  async function startLax() {
    const link = await openLink()
    const os = implement(laxContract)
    const router = os.router({
      test: {
        echo: os.test.echo.handler(() => ({ wrong: true })),
        count: os.test.count.handler(async function* () {
          yield { n: 0 }
          yield { n: 'one' }
        }),
      },
    })
    createServer(router, { access: openAccess, onInternalError: () => undefined })(link.server, {})
    return { link, client: connect(testContract, link.client).test }
  }

  test('a call gets its answer', async () => {
    const { client } = await start()
    const value = { text: 'Grüße 🎲', list: [1, 2.5, null, true], nested: { a: {} } }
    expect(await client.echo({ value })).toEqual({ value })
  })

  test('answers find their calls whatever the order', async () => {
    const { client } = await start()
    const slow = client.echo({ value: 'slow', delayMs: 30 })
    const fast = client.echo({ value: 'fast' })
    expect(await Promise.race([slow, fast])).toEqual({ value: 'fast' })
    expect(await slow).toEqual({ value: 'slow' })
  })

  test('1,000 calls at once are all answered', async () => {
    const { client } = await start()
    const numbers = Array.from({ length: 1000 }, (_value, index) => index)
    const answers = await Promise.all(numbers.map((value) => client.echo({ value })))
    expect(answers.map(({ value }) => value)).toEqual(numbers)
  })

  test('a megabyte goes there and back', async () => {
    const { client } = await start()
    const value = 'é'.repeat(2 ** 19)
    expect((await client.echo({ value })).value).toBe(value)
  })

  test('an error keeps its code, message and details', async () => {
    const { client, world } = await start()
    const error = await failure(client.fail({}))
    expect(error.toJSON()).toEqual({
      code: 'DB_SCHEMA',
      message: 'The title is missing.',
      details: { path: ['title'] },
    })
    expect(world.internalErrors).toEqual([])
  })

  test('an internal error is logged and says nothing of itself', async () => {
    const { client, world } = await start()
    const error = await failure(client.crash({}))
    expect(error.code).toBe('INTERNAL')
    expect(JSON.stringify(error)).not.toContain('secret')
    expect(String(world.internalErrors[0])).toContain('secret')
  })

  test('bad arguments are refused before they are sent', async () => {
    const { client, link, world } = await start()
    let sent = 0
    const post = link.client.postMessage.bind(link.client)
    link.client.postMessage = (message: unknown) => {
      sent++
      post(message as string)
    }
    const error = await failure(client.records({ system: 'Not An Id' }))
    expect(error.code).toBe('BAD_INPUT')
    expect(error.message).toContain('system')
    expect(sent).toBe(0)
    await client.echo({ value: 1 })
    expect(sent).toBe(1)
    expect(world.calls).toEqual(['echo'])
  })

  test('bad arguments that are sent all the same are refused by the server', async () => {
    const { link, client, world } = await start()
    const answers: string[] = []
    listenRaw(link.client, (data) => answers.push(data))
    link.sendRaw(JSON.stringify({ i: 'a', p: { u: '/test/echo', b: { json: { delayMs: 'x' } } } }))
    link.sendRaw(JSON.stringify({ i: 'b', p: { u: '/test/echo', b: 7 } }))
    link.sendRaw(JSON.stringify({ i: 'c', p: { u: '/test/echo', b: null } }))
    await until(() => answers.length === 3)
    for (const answer of answers) expect(answer).toContain('"code":"BAD_')
    expect(world.calls).toEqual([])
    expect(await client.echo({ value: 'still here' })).toEqual({ value: 'still here' })
  })

  test('what is no frame is dropped by either end, which go on', async () => {
    const { link, client } = await start()
    const junk = [
      '',
      'junk',
      '{',
      'null',
      '[]',
      '{"i":1,"p":{}}',
      '{"i":"x"}',
      '{"i":"x","p":null}',
      '{"i":"x","p":{"u":"http://elsewhere/test/echo"}}',
      '{"i":"x","t":3,"p":null}',
      '{"i":"x","t":9,"p":{}}',
      '{"i":"x","t":4}',
    ]
    for (const text of junk) {
      link.sendRaw(text)
      link.answerRaw(text)
    }
    link.sendRaw(new Uint8Array([1, 255, 2]))
    expect(await client.echo({ value: 1 })).toEqual({ value: 1 })
  })

  test('an answer that breaks the contract never reaches the caller', async () => {
    const { client, world } = await start()
    expect((await failure(client.misanswer({}))).code).toBe('INTERNAL')
    expect(world.internalErrors).toHaveLength(1)
    const events: unknown[] = []
    const stream = await client.miscount({})
    expect((await failure(collect(stream, events))).code).toBe('INTERNAL')
    expect(events).toEqual([{ n: 0 }])
  })

  test('a client finds out a server that breaks the contract', async () => {
    const { client, link } = await startLax()
    expect((await failure(client.echo({ value: 1 }))).code).toBe('INTERNAL')
    const events: unknown[] = []
    expect((await failure(collect(await client.count({ to: 2 }), events))).code).toBe('INTERNAL')
    expect(events).toEqual([{ n: 0 }])
    expect((await failure(connect(testContract, link.client).test.misanswer({}))).code).toBe(
      'UNKNOWN_CALL',
    )
  })

  test('an unknown call is refused by the client and by the server', async () => {
    const { link, client } = await start()
    const loose = client as unknown as Record<string, (input: object) => Promise<unknown>>
    const error = await failure(loose['nothing']!({}))
    expect(error.code).toBe('UNKNOWN_CALL')
    expect(error.details).toEqual({ call: 'test.nothing' })
    expect((await failure(loose['constructor']!({}))).code).toBe('UNKNOWN_CALL')
    const widened = { test: { ...testContract.test, newer: testContract.test.fail } }
    const newer = connect(widened, link.client).test
    expect((await failure(newer.newer({}))).code).toBe('UNKNOWN_CALL')
  })

  test('the events of a stream arrive in order, then it ends', async () => {
    const { client, world } = await start()
    const events = await collect(await client.count({ to: 200 }))
    expect(events.map(({ n }) => n)).toEqual(Array.from({ length: 200 }, (_value, n) => n))
    expect(world.ended).toBe(1)
  })

  test('an error within a stream keeps its code and details', async () => {
    const { client } = await start()
    const events: { n: number }[] = []
    const stream = await client.count({ to: 5, failAt: 2 })
    const error = await failure(collect(stream, events))
    expect(error.toJSON()).toEqual({ code: 'SESSION_OVER', message: 'Over.', details: { n: 2 } })
    expect(events).toEqual([{ n: 0 }, { n: 1 }])
  })

  test('leaving the loop early stops the generator', async () => {
    const { client, world } = await start()
    for await (const { n } of await client.count({ to: 100_000 })) {
      if (n === 3) break
    }
    await until(() => world.ended === 1)
    expect(world.counted).toBeLessThan(10_000)
  })

  test('a stream can be ended while it waits for an event', async () => {
    const { client, world } = await start()
    const stream = await client.linger({})
    const iterator = stream[Symbol.asyncIterator]()
    expect(await iterator.next()).toEqual({ done: false, value: { n: 0 } })
    const waiting = iterator.next()
    await iterator.return?.()
    expect((await waiting).done).toBe(true)
    await until(() => world.ended === 1)
  })

  test('a call can be cancelled', async () => {
    const { client, world } = await start()
    const controller = new AbortController()
    const pending = failure(client.forever({}, { signal: controller.signal }))
    await until(() => world.calls.length === 1)
    controller.abort()
    expect((await pending).code).toBe('CANCELLED')
    await until(() => world.ended === 1)
  })

  test('when the port closes, all that is open fails with UNAVAILABLE, and so do later calls', async () => {
    const { client, link, world } = await start()
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
    const { client, link } = await start()
    const pending = failure(client.echo({ value: 1, delayMs: 10_000 }))
    link.cut()
    expect((await pending).code).toBe('UNAVAILABLE')
  })

  describe('a system', () => {
    const granted = new Set<Permission>()
    const system: Caller = {
      kind: 'system',
      system: 'org.example.notes',
      hasPermission: (permission) => granted.has(permission),
    }
    const own = { system: 'org.example.notes' }

    test('may not make calls of the owner', async () => {
      const { client } = await start(system)
      expect((await failure(client.ownerOnly({}))).code).toBe('FORBIDDEN')
      expect(await client.echo({ value: 1 })).toEqual({ value: 1 })
    })

    test('needs the permission', async () => {
      granted.clear()
      const { client } = await start(system)
      const error = await failure(client.records(own))
      expect(error.code).toBe('FORBIDDEN')
      expect(error.details).toEqual({ permission: 'db' })
      granted.add('db')
      expect(await client.records(own)).toEqual({})
    })

    test('reaches only what is its own', async () => {
      granted.add('db')
      const { client } = await start(system)
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
      const { client, world } = await start(system)
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
})

/** Every message that arrives at a port, beside the client. */
function listenRaw(port: AnyPort, listener: (data: string) => void): void {
  if ('addEventListener' in port) {
    port.addEventListener('message', (event) => listener((event as MessageEvent<string>).data))
  } else port.on('message', (event) => listener(String(event?.data)))
}

async function until(condition: () => boolean): Promise<void> {
  await expect.poll(condition, { interval: 2, timeout: 3000 }).toBe(true)
}
