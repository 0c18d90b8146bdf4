// A service to call in tests: its contract, what its server has done, and a client of it.
import { eventIterator } from '@orpc/contract'
import { implement } from '@orpc/server'
import { expect } from 'vitest'
import * as z from 'zod'
import { CloudError } from '../../contract/errors.ts'
import { call } from '../../contract/procedure.ts'
import { jsonSchema, systemIdSchema } from '../../contract/values.ts'
import { createCallerCheck } from '../caller.ts'
import type { Caller, CallContext } from '../caller.ts'
import { connect } from '../client.ts'
import { createServer } from '../server.ts'
import type { Link } from './transports.ts'

export const testContract = {
  test: {
    echo: call({
      /** `held`: it is answered once the test lets go. */
      input: z.object({ value: jsonSchema, held: z.boolean().default(false) }),
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

export interface World {
  internalErrors: unknown[]
  /** How many generators of the server have come to their end. */
  ended: number
  calls: string[]
  /** Has the calls answered that are held. */
  letGo: () => void
  /** Events that `count` has made. */
  counted: number
}

function createWorld(): { world: World; serve: ReturnType<typeof createServer<CallContext>> } {
  const world: World = {
    internalErrors: [],
    ended: 0,
    calls: [],
    letGo: () => undefined,
    counted: 0,
  }
  const letGo = new Promise<void>((resolve) => (world.letGo = resolve))
  const os = implement(testContract).$context<CallContext>()
  const untilAborted = (signal: AbortSignal | undefined): Promise<void> =>
    new Promise((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }))
  const serve = createServer<CallContext>(
    os.router({
      test: {
        echo: os.test.echo.handler(async ({ input }) => {
          world.calls.push('echo')
          if (input.held) await letGo
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

/** The service at one end of a link, and a client of it in the name of `caller` at the other. */
export async function start(openLink: () => Promise<Link>, caller = owner) {
  const link = await openLink()
  const { world, serve } = createWorld()
  serve(link.server, { caller })
  return { link, world, client: connect(testContract, link.client).test }
}

/** The error a promise must fail with. */
export async function failure(promise: Promise<unknown>): Promise<CloudError> {
  const error = await promise.then(
    (value) => expect.unreachable(`answered ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(CloudError)
  return error as CloudError
}

export async function collect<T>(stream: AsyncIterable<T>, into: T[] = []): Promise<T[]> {
  for await (const event of stream) into.push(event)
  return into
}

export async function until(condition: () => boolean): Promise<void> {
  await expect.poll(condition, { interval: 2, timeout: 20_000 }).toBe(true)
}
