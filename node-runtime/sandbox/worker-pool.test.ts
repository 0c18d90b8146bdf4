import { afterEach, expect, test } from 'vitest'
import { WorkerPool, workerText } from './worker-pool.ts'
import type { Exchange } from './worker-pool.ts'
import type { WorkerBody } from './worker-shell.ts'

interface Request {
  /** `hang` takes the thread for ever, `eat` all memory, `throw` breaks it, `exit` ends it. */
  do: 'echo' | 'hang' | 'eat' | 'throw' | 'exit' | 'kept'
  text?: string
}

/** How many messages this thread has answered, and what it was told. */
type Reply = { count: number; text: string }

function testBody(): WorkerBody<Request, Reply> {
  let count = 0
  return (request, material) => {
    count++
    if (request.do === 'hang') for (;;);
    if (request.do === 'eat') {
      const all: string[][] = []
      for (;;) all.push(Array.from({ length: 10_000 }, (_, n) => `${n}`))
    }
    if (request.do === 'throw') throw new Error('in pieces')
    if (request.do === 'exit') process.exit(1)
    const text = request.do === 'kept' ? [...material.keys()].join() : (request.text ?? '')
    return { count, text }
  }
}

const open: { close(): Promise<void> }[] = []

function newPool(size: number, idleMs?: number): WorkerPool<Request, Reply> {
  const pool = new WorkerPool<Request, Reply>({
    size,
    memoryMb: 32,
    text: () => workerText(testBody, []),
    ...(idleMs === undefined ? {} : { idleMs }),
  })
  open.push(pool)
  return pool
}

function causeOf(exchange: Exchange<Reply>): string {
  return exchange.kind === 'lost' ? exchange.cause : 'reply'
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((pool) => pool.close()))
})

test.each([
  ['hang', 'time'],
  ['eat', 'memory'],
  ['throw', 'broken'],
  ['exit', 'ended'],
] as const)('work that would %s is lost, and the next gets a new thread', async (work, cause) => {
  const pool = newPool(1)
  const job = { owner: 'a', limitMs: 10_000 }
  expect(await pool.run({ ...job, request: { do: 'echo', text: 'x' } })).toEqual({
    kind: 'reply',
    reply: { count: 1, text: 'x' },
  })
  const limitMs = work === 'hang' ? 200 : 10_000
  expect(causeOf(await pool.run({ ...job, limitMs, request: { do: work } }))).toBe(cause)
  expect(await pool.run({ ...job, request: { do: 'echo' } })).toMatchObject({ reply: { count: 1 } })
  expect(pool.threads).toBe(1)
})

test('a worker that can not be started loses the work, and the next is tried again', async () => {
  let tries = 0
  const pool = new WorkerPool<Request, Reply>({
    size: 1,
    memoryMb: 32,
    text: () => {
      tries++
      if (tries < 3) throw new Error('no memory')
      return workerText(testBody, [])
    },
  })
  open.push(pool)
  const job: Parameters<typeof pool.run>[0] = {
    owner: 'a',
    limitMs: 10_000,
    request: { do: 'echo' },
  }
  const reason = 'no worker could start: no memory'
  for (let each = 0; each < 2; each++) {
    expect(await pool.run(job)).toEqual({ kind: 'lost', cause: 'ended', reason })
  }
  expect(causeOf(await pool.run(job))).toBe('reply')
  expect(tries).toBe(3)
})

test('owners take turns, however much one of them asks', async () => {
  const pool = newPool(1)
  const order: string[] = []
  const ask = async (owner: string): Promise<void> => {
    await pool.run({ owner, limitMs: 10_000, request: { do: 'echo' } })
    order.push(owner)
  }
  const asked = ['a', 'a', 'a', 'a', 'a', 'b', 'c', 'b'].map(ask)
  await Promise.all(asked)
  expect(order.join('')).toBe('aabcabaa')
})

test('nobody takes the last thread, and who hung does not share the rest', async () => {
  const pool = newPool(3)
  let hanging = 0
  const hang = async (owner: string): Promise<string> => {
    hanging++
    const exchange = await pool.run({ owner, limitMs: 1_000, request: { do: 'hang' } })
    hanging--
    return causeOf(exchange)
  }
  const echo = async (owner: string): Promise<string> =>
    causeOf(await pool.run({ owner, limitMs: 10_000, request: { do: 'echo' } }))
  const hung = Promise.all([hang('a'), hang('a'), hang('a')])
  expect(await echo('b')).toBe('reply')
  expect(hanging).toBe(3)
  expect(await hung).toEqual(['time', 'time', 'time'])
  expect(await Promise.all([hang('b'), hang('c')])).toEqual(['time', 'time'])
  // All three are known for it now: together they get two of the three threads.
  const again = Promise.all(['a', 'b', 'c'].map(hang))
  expect(await echo('d')).toBe('reply')
  expect(hanging).toBe(3)
  await again
})

test('who broke a thread is a suspect for a while, as who hung', async () => {
  const pool = newPool(2)
  let hanging = 0
  const lose = async (owner: string, work: 'throw' | 'hang'): Promise<string> => {
    hanging++
    const exchange = await pool.run({ owner, limitMs: 1_000, request: { do: work } })
    hanging--
    return causeOf(exchange)
  }
  expect(await lose('a', 'throw')).toBe('broken')
  expect(await lose('b', 'throw')).toBe('broken')
  const both = Promise.all([lose('a', 'hang'), lose('b', 'hang')])
  const echo = await pool.run({ owner: 'c', limitMs: 10_000, request: { do: 'echo' } })
  expect(causeOf(echo)).toBe('reply')
  expect(hanging).toBe(2)
  expect(await both).toEqual(['time', 'time'])
})

test('what waits is bounded, and the rest hears so at once', async () => {
  const pool = newPool(1)
  const run = (owner: string, chars: number): Promise<Exchange<Reply>> =>
    pool.run({ owner, limitMs: 10_000, chars, request: { do: 'echo' } })
  const many = await Promise.all(Array.from({ length: 300 }, () => run('a', 10)))
  expect(many.map(causeOf).filter((cause) => cause === 'full')).toHaveLength(300 - 257)
  const large = await Promise.all(Array.from({ length: 10 }, (_, n) => run(`${n}`, 10 << 20)))
  expect(large.map(causeOf).filter((cause) => cause === 'full')).toHaveLength(10 - 4)
  expect(causeOf(await run('a', 10))).toBe('reply')
})

test('material crosses once, and is forgotten when there is much of it', async () => {
  const pool = newPool(1)
  const kept = async (key: string): Promise<string> => {
    const material = { key, text: '…' }
    const job = { owner: 'a', limitMs: 10_000, material, request: { do: 'kept' } as const }
    const exchange = await pool.run(job)
    return exchange.kind === 'reply' ? exchange.reply.text : 'lost'
  }
  expect(await kept('one')).toBe('one')
  expect(await kept('two')).toBe('one,two')
  expect(await kept('one')).toBe('one,two')
  for (let key = 0; key < 14; key++) await kept(`${key}`)
  expect(await kept('more')).toBe('more')
})

test('threads without work end, and the pool starts others', async () => {
  const pool = newPool(2, 20)
  const job = { owner: 'a', limitMs: 10_000, request: { do: 'echo' } } as const
  await pool.run(job)
  await expect.poll(() => pool.threads).toBe(0)
  expect(causeOf(await pool.run(job))).toBe('reply')
})

test('closing ends all work', async () => {
  const pool = newPool(1)
  const hang = { owner: 'a', limitMs: 60_000, request: { do: 'hang' } } as const
  const asked = [pool.run(hang), pool.run(hang), pool.run({ ...hang, owner: 'b' })]
  await pool.close()
  expect((await Promise.all(asked)).map(causeOf)).toEqual(['closed', 'closed', 'closed'])
  expect(causeOf(await pool.run(hang))).toBe('closed')
  expect(pool.threads).toBe(0)
})
