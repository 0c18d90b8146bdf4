// What a port takes in, in which order, and what it refuses; on a port of our own making, so that every
// frame and its order are seen.
import { eventIterator } from '@orpc/contract'
import { implement } from '@orpc/server'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { call } from '../contract/procedure.ts'
import { jsonSchema } from '../contract/values.ts'
import { SYSTEM_BUDGET } from './budget.ts'
import { createCallerCheck, noSessions } from './caller.ts'
import type { Caller, CallContext } from './caller.ts'
import { connect } from './client.ts'
import type { RpcPort, WireMessage } from './port.ts'
import { createServer } from './server.ts'

const open = { access: 'system', scope: 'none' } as const
const testContract = {
  test: {
    /** Ends when the test says so, whether its caller waits or not. */
    work: call({ input: z.object({ name: z.string() }), output: z.object({}), ...open }),
    echo: call({ input: z.object({ value: jsonSchema }), output: jsonSchema, ...open }),
    linger: call({ input: z.object({}), output: eventIterator(z.object({})), ...open }),
  },
}

/** One end of a port in this process: what is posted arrives at once. */
interface TestPort extends RpcPort {
  /** To the server, as it comes off the wire. */
  arrive(data: unknown): void
  close(): void
  sent: string[]
  unsent: number
  /** Is nothing to come in? */
  paused: boolean
}

function createPort(): { server: TestPort; client: RpcPort } {
  const listeners = { server: [] as Listener[], client: [] as Listener[] }
  type Listener = [event: string, listener: (event?: { data: WireMessage }) => void]
  const give = (to: Listener[], event: string, data?: unknown): void => {
    for (const [name, listener] of to)
      if (name === event) listener(data === undefined ? undefined : { data: data as WireMessage })
  }
  const server: TestPort = {
    sent: [],
    unsent: 0,
    paused: false,
    pause: () => void (server.paused = true),
    resume: () => void (server.paused = false),
    postMessage(message) {
      // What is fuzzed may have no text at all.
      if (typeof message === 'string') server.sent.push(message)
      queueMicrotask(() => give(listeners.client, 'message', message))
    },
    on: (event: string, listener: (event?: { data: WireMessage }) => void) =>
      void listeners.server.push([event, listener]),
    unsentBytes: () => server.unsent,
    arrive: (data) => give(listeners.server, 'message', data),
    close: () => {
      give(listeners.server, 'close')
      give(listeners.client, 'close')
    },
  }
  const client: RpcPort = {
    postMessage: (message) => server.arrive(message),
    on: (event: string, listener: (event?: { data: WireMessage }) => void) =>
      void listeners.client.push([event, listener]),
  }
  return { server, client }
}

let begun: string[]
let ends: (() => void)[]
let errors: unknown[]
let streams: number
let serve: ReturnType<typeof createServer<CallContext>>

beforeEach(() => {
  begun = []
  ends = []
  errors = []
  streams = 0
  const os = implement(testContract).$context<CallContext>()
  serve = createServer<CallContext>(
    {
      test: {
        work: os.test.work.handler(async ({ input }) => {
          begun.push(input.name)
          await new Promise<void>((resolve) => ends.push(resolve))
          return {}
        }),
        echo: os.test.echo.handler(({ input }) => input.value),
        linger: os.test.linger.handler(async function* ({ signal }) {
          streams++
          try {
            yield {}
            await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()))
          } finally {
            streams--
          }
        }),
      },
    },
    { access: createCallerCheck(noSessions), onInternalError: (error) => errors.push(error) },
  )
})

const unhandled: unknown[] = []
const note = (error: unknown): void => void unhandled.push(error)
beforeEach(() => void process.on('unhandledRejection', note))
afterEach(() => {
  vi.useRealTimers()
  process.off('unhandledRejection', note)
  expect(unhandled.splice(0)).toEqual([])
})

function start(system: string | null = 'org.example.flood') {
  const port = createPort()
  const caller: Caller =
    system === null ? { kind: 'owner' } : { kind: 'system', system, hasPermission: () => true }
  serve(port.server, { caller })
  return { port: port.server, client: connect(testContract, port.client).test }
}

/** Until nothing more happens by itself. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** Ends what is being worked on, until all is done or `most` rounds are over. */
async function work(most = Infinity): Promise<void> {
  for (let round = 0; round < most; round++) {
    await settle()
    if (ends.length === 0) return
    for (const end of ends.splice(0)) end()
  }
}

describe('the order of service', () => {
  test('a system that floods takes no more than its share, and lets another go before its queue', async () => {
    const flood = start()
    const calm = start('org.example.calm')
    const floods = Array.from({ length: 500 }, () => flood.client.work({ name: 'flood' }))
    await settle()
    expect(begun).toHaveLength(SYSTEM_BUDGET.runningCalls)
    const answer = calm.client.work({ name: 'calm' })
    await settle()
    expect(begun.filter((name) => name === 'flood')).toHaveLength(SYSTEM_BUDGET.runningCalls)
    expect(begun).toContain('calm')
    await work()
    await Promise.all([answer, ...floods])
  })

  test('many ports of one system are one share', async () => {
    const ports = Array.from({ length: 10 }, () => start())
    const calls = ports.map(({ client }) => client.work({ name: 'flood' }))
    await settle()
    expect(begun).toHaveLength(SYSTEM_BUDGET.runningCalls)
    await work()
    await Promise.all(calls)
  })

  test('the person is served while systems flood', async () => {
    const calls = Array.from({ length: 40 }, (_, number) =>
      start(`org.example.s${number}`),
    ).flatMap(({ client }) => Array.from({ length: 20 }, () => client.work({ name: 'flood' })))
    await settle()
    const owner = start(null)
    const answer = owner.client.work({ name: 'owner' })
    await work(2)
    expect(begun).toContain('owner')
    await work()
    await Promise.all([answer, ...calls])
  })

  test('giving calls up makes no room before they have ended', async () => {
    const { client } = start()
    for (let n = 0; n < 50; n++) {
      const abort = new AbortController()
      client.work({ name: 'given up' }, { signal: abort.signal }).catch(() => undefined)
      await settle()
      abort.abort()
    }
    expect(begun).toHaveLength(SYSTEM_BUDGET.runningCalls)
    await work()
  })

  test('a call that is given up while it waits never begins', async () => {
    const { client } = start()
    const first = Array.from({ length: 4 }, () => client.work({ name: 'first' }))
    await settle()
    const abort = new AbortController()
    const second = client.work({ name: 'second' }, { signal: abort.signal })
    await settle()
    abort.abort()
    await expect(second).rejects.toMatchObject({ code: 'CANCELLED' })
    await work()
    await Promise.all(first)
    expect(begun).not.toContain('second')
  })

  test('nothing of a port that has closed begins', async () => {
    const { port, client } = start()
    const calls = Array.from({ length: 20 }, () =>
      client.work({ name: 'late' }).catch((error: unknown) => error),
    )
    await settle()
    port.close()
    await work()
    expect(begun).toHaveLength(SYSTEM_BUDGET.runningCalls)
    for (const error of await Promise.all(calls))
      expect(error).toMatchObject({ code: 'UNAVAILABLE' })
  })
})

describe('what is too much', () => {
  test('calls beyond the queue are refused at once, and those in it are answered', async () => {
    const { client } = start()
    const { runningCalls, queuedCalls } = SYSTEM_BUDGET
    const calls = Array.from({ length: queuedCalls + 50 }, () => client.echo({ value: 1 }))
    const results = await Promise.allSettled(calls)
    const refused = results.filter(({ status }) => status === 'rejected')
    expect(refused.length).toBeGreaterThanOrEqual(50 - runningCalls)
    expect(refused.length).toBeLessThanOrEqual(50)
    for (const result of refused) {
      expect(result).toMatchObject({ reason: { code: 'TOO_BUSY', kind: 'environment' } })
    }
    expect(await client.echo({ value: 'again' })).toBe('again')
  })

  test('who is refused is not listened to until half of the queue is worked on', async () => {
    const { port, client } = start()
    const other = start()
    const { runningCalls, queuedCalls } = SYSTEM_BUDGET
    const begin = (length: number) => Array.from({ length }, () => client.work({ name: '' }))
    const running = begin(runningCalls)
    await settle()
    const calls = [...running, ...begin(queuedCalls)]
    expect(port.paused).toBe(false)
    await expect(client.work({ name: 'too much' })).rejects.toMatchObject({ code: 'TOO_BUSY' })
    expect([port.paused, other.port.paused]).toEqual([true, false])
    await work(Math.ceil(queuedCalls / 2 / runningCalls) - 1)
    await settle()
    expect(port.paused).toBe(true)
    await work(2)
    expect(port.paused).toBe(false)
    await work()
    await Promise.all(calls)
  })

  test('who is not listened to can give up what is worked on after a second', async () => {
    const { port, client } = start()
    const { runningCalls, queuedCalls } = SYSTEM_BUDGET
    const timers = vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const calls = Array.from({ length: queuedCalls + 1 }, () => client.work({ name: '' }))
    await expect(calls.at(-1)).rejects.toMatchObject({ code: 'TOO_BUSY' })
    await settle()
    expect(begun).toHaveLength(runningCalls)
    timers.advanceTimersByTime(999)
    expect(port.paused).toBe(true)
    timers.advanceTimersByTime(1)
    expect(port.paused).toBe(false)
    timers.useRealTimers()
    await work()
    await Promise.all(calls.slice(0, -1))
  })

  test('a frame is measured before it is parsed', async () => {
    const { port } = start()
    const parse = vi.spyOn(JSON, 'parse')
    port.arrive(`{"i":"7","p":${'['.repeat(SYSTEM_BUDGET.frameLength)}`)
    expect(parse).not.toHaveBeenCalled()
    parse.mockRestore()
    await settle()
    expect(port.sent).toHaveLength(1)
    expect(port.sent[0]).toContain('CALL_TOO_LARGE')
  })

  test('a call that is too large is told so, to a system sooner than to the person', async () => {
    const value = 'x'.repeat(SYSTEM_BUDGET.frameLength)
    await expect(start().client.echo({ value })).rejects.toMatchObject({
      code: 'CALL_TOO_LARGE',
      details: { limit: SYSTEM_BUDGET.frameLength },
    })
    expect(await start(null).client.echo({ value })).toBe(value)
    const fits = 'x'.repeat(SYSTEM_BUDGET.frameLength - 100)
    expect(await start().client.echo({ value: fits })).toBe(fits)
  })

  test('so many streams of a system may be open, over all its ports', async () => {
    const ports = [start(), start()]
    const opened = Array.from({ length: SYSTEM_BUDGET.openStreams }, (_, n) =>
      ports[n % 2]!.client.linger({}),
    )
    const iterators = await Promise.all(opened)
    await expect(ports[0]!.client.linger({})).rejects.toMatchObject({ code: 'TOO_BUSY' })
    await start('org.example.calm').client.linger({})
    // Streams wait for events, not for the machine: calls are answered meanwhile.
    expect(await ports[1]!.client.echo({ value: 1 })).toBe(1)
    const first = iterators[0]![Symbol.asyncIterator]()
    await first.next()
    await first.return?.()
    await settle()
    await ports[0]!.client.linger({})
    ports[1]!.port.close()
    await settle()
    expect(streams).toBeLessThan(SYSTEM_BUDGET.openStreams)
    await ports[0]!.client.linger({})
  })

  test('a reader that does not take its answers gets no more calls begun', async () => {
    const { port, client } = start()
    port.unsent = SYSTEM_BUDGET.unsentBytes + 1
    const calls = ['a', 'b'].map((name) => client.work({ name }))
    const more = Array.from({ length: 10 }, (_, value) => client.echo({ value }))
    await settle()
    expect(begun).toEqual([])
    expect(port.sent).toEqual([])
    port.unsent = 0
    expect(await Promise.all(more)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(begun).toEqual(['a', 'b'])
    await work()
    await Promise.all(calls)
  })

  test('a reader that does not take its answers is not listened to until it does', async () => {
    const { port, client } = start()
    const other = start()
    port.unsent = SYSTEM_BUDGET.unsentBytes + 1
    const held = client.echo({ value: 'held' })
    await settle()
    expect([port.paused, other.port.paused]).toEqual([true, false])
    port.unsent = 0
    expect(await held).toBe('held')
    await settle()
    expect(port.paused).toBe(false)
  })

  test('who takes its answers again is listened to again, though no call of it waits', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { port } = start()
    port.unsent = SYSTEM_BUDGET.unsentBytes + 1
    port.arrive('x'.repeat(SYSTEM_BUDGET.frameLength + 1))
    await settle()
    await vi.advanceTimersByTimeAsync(500)
    await settle()
    expect(port.paused).toBe(true)
    port.unsent = 0
    await vi.advanceTimersByTimeAsync(10)
    await settle()
    expect(port.paused).toBe(false)
  })

  test('what is held for a reader that does not read is as long as what may wait', async () => {
    const { port, client } = start()
    port.unsent = SYSTEM_BUDGET.unsentBytes + 1
    const value = 'x'.repeat(SYSTEM_BUDGET.frameLength - 200)
    const calls = Array.from({ length: 8 }, () => client.echo({ value }))
    const results = Promise.allSettled(calls)
    for (let n = 0; n < 20; n++) await settle()
    expect(port.sent).toHaveLength(4)
    for (const refusal of port.sent) expect(refusal).toContain('TOO_BUSY')
    port.unsent = 0
    const answered = (await results).filter(({ status }) => status === 'fulfilled')
    expect(answered).toHaveLength(4)
  })

  test('who leaves twice as much unread as may be is not even told what is refused', async () => {
    const { port } = start()
    const tooLarge = (id: number) =>
      port.arrive(`{"i":"${id}","p":"${'x'.repeat(SYSTEM_BUDGET.frameLength)}"}`)
    port.unsent = 2 * SYSTEM_BUDGET.unsentBytes
    tooLarge(1)
    expect(port.sent).toHaveLength(1)
    port.unsent++
    tooLarge(2)
    for (let id = 3; id < SYSTEM_BUDGET.queuedCalls + 100; id++) {
      port.arrive(`{"i":"${id}","p":{"u":"/test/echo","b":{"json":{"value":1}}}}`)
      if (id % 100 === 0) await settle()
    }
    await settle()
    expect(port.sent).toHaveLength(1)
    port.close()
  })

  test('who sends calls that are too large is not listened to before others had their turn', async () => {
    const { port } = start()
    port.arrive('x'.repeat(SYSTEM_BUDGET.frameLength + 1))
    expect(port.paused).toBe(true)
    await settle()
    expect(port.paused).toBe(false)
  })

  test('a stream waits for its reader', async () => {
    const { port, client } = start()
    const post = port.postMessage.bind(port)
    port.postMessage = (message) => {
      post(message)
      // The reader stops with the answer, before the first event.
      port.unsent = SYSTEM_BUDGET.unsentBytes + 1
    }
    const iterator = (await client.linger({}))[Symbol.asyncIterator]()
    const first = iterator.next()
    await settle()
    expect(port.sent).toHaveLength(1)
    port.unsent = 0
    expect((await first).done).toBe(false)
    expect(port.sent).toHaveLength(2)
  })
})

describe('whatever arrives', () => {
  const frames = fc.oneof(
    fc.string(),
    fc.json(),
    fc.anything(),
    fc
      .record(
        {
          i: fc.oneof(fc.string(), fc.anything()),
          t: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.anything()),
          p: fc.oneof(
            fc.record(
              {
                u: fc.oneof(
                  fc.webPath(),
                  fc.constantFrom('/test/echo', '/test/linger', '/test/%', '//[', '/__proto__'),
                  fc.anything(),
                ),
                h: fc.anything(),
                m: fc.anything(),
                b: fc.oneof(
                  fc.record({ json: fc.anything(), meta: fc.anything(), maps: fc.anything() }),
                  fc.anything(),
                ),
              },
              { requiredKeys: [] },
            ),
            fc.anything(),
          ),
        },
        { requiredKeys: [] },
      )
      .map((frame) => {
        try {
          return JSON.stringify(frame) as string | undefined
        } catch {
          // A bigint or a circle: no frame can hold one.
          return '{'
        }
      }),
  )

  test('never throws, is answered or dropped, and the next call is served', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(frames, { maxLength: 20, size: 'max' }), async (all) => {
        const { port, client } = start()
        for (const frame of all) expect(() => port.arrive(frame)).not.toThrow()
        expect(await client.echo({ value: 'still here' })).toBe('still here')
        port.close()
      }),
      { numRuns: 300 },
    )
    await settle()
  })

  test('at the other end, never throws either', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(frames, { maxLength: 20, size: 'max' }), async (all) => {
        const { port, client } = start()
        for (const frame of all) expect(() => port.postMessage(frame as string)).not.toThrow()
        expect(await client.echo({ value: 'still here' })).toBe('still here')
        port.close()
      }),
      { numRuns: 300 },
    )
    await settle()
  })

  test('a port that throws ends nothing', async () => {
    const { port, client } = start()
    const post = port.postMessage.bind(port)
    port.postMessage = () => {
      throw new Error('gone')
    }
    client.echo({ value: 1 }).catch(() => undefined)
    await settle()
    expect(errors).toHaveLength(1)
    port.postMessage = post
    expect(await client.echo({ value: 2 })).toBe(2)
    port.close()
  })
})
