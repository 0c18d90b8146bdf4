import { Duplex } from 'node:stream'
import { expect, test } from 'vitest'
import { gatherWrites } from './gathered-writes.ts'

type Done = (error?: Error | null) => void

/** A connection, and what went out over it: one list for each write of the system. */
function createSink(finish: (done: Done) => void = (done) => done()) {
  const writes: string[][] = []
  const errors: Error[] = []
  const stream = new Duplex({
    read: () => undefined,
    writev: (chunks, done) => {
      writes.push(chunks.map(({ chunk }) => String(chunk)))
      finish(done)
    },
  })
  stream.on('error', (error) => errors.push(error))
  const gather = gatherWrites(stream)
  const send = (...texts: string[]): void => {
    for (const text of texts) {
      gather()
      stream.write(text)
    }
  }
  return { stream, send, writes, errors }
}

/** Resolves when all is done that was due in this turn. */
const turnEnds = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('what is written in one turn leaves in one write, in its order', async () => {
  const { send, writes } = createSink()
  send('one', 'two', 'three')
  expect(writes).toEqual([])
  await turnEnds()
  expect(writes).toEqual([['one', 'two', 'three']])
})

test('those who waited for one promise are answered together, behind however many others', async () => {
  const { send, writes } = createSink()
  let sync = (): void => {}
  const synced = new Promise<void>((resolve) => (sync = resolve))
  const answers = ['one', 'two', 'three'].map(async (text, others) => {
    await synced
    for (let waited = 0; waited < 5 * others; waited++) await Promise.resolve()
    send(text)
  })
  sync()
  await Promise.all(answers)
  await turnEnds()
  expect(writes).toEqual([['one', 'two', 'three']])
})

test('each turn has a write of its own, and nothing waits for a later one', async () => {
  const { stream, send, writes } = createSink()
  send('one')
  await turnEnds()
  expect(writes).toEqual([['one']])
  send('two', 'three')
  await turnEnds()
  expect(writes).toEqual([['one'], ['two', 'three']])
  expect(stream.writableCorked).toBe(0)
})

test('what comes while a write is on its way leaves behind it, in one', async () => {
  const under: Done[] = []
  const { send, writes } = createSink((done) => under.push(done))
  send('one')
  await turnEnds()
  send('two')
  await turnEnds()
  send('three')
  await turnEnds()
  expect(writes).toEqual([['one']])
  under[0]?.()
  expect(writes).toEqual([['one'], ['two', 'three']])
})

test('a connection that fails takes nothing more, and who writes is not stopped by that', async () => {
  const broken = new Error('EPIPE')
  const { stream, send, writes, errors } = createSink((done) => done(broken))
  send('one', 'two')
  await turnEnds()
  expect(errors).toEqual([broken])
  expect(() => send('three')).not.toThrow()
  await turnEnds()
  expect(writes).toEqual([['one', 'two']])
  expect(errors).toEqual([broken])
  expect(stream.writableCorked).toBe(0)
})

test('a connection that is ended in the same turn gives all that was written before', async () => {
  const { stream, send, writes, errors } = createSink()
  send('one', 'two')
  stream.end()
  await turnEnds()
  expect(writes).toEqual([['one', 'two']])
  expect(stream.writableFinished).toBe(true)
  expect(errors).toEqual([])
})

test('a connection that is cut in the same turn gives nothing, and that is no failure', async () => {
  const { stream, send, writes, errors } = createSink()
  send('one', 'two')
  stream.destroy()
  await turnEnds()
  expect(writes).toEqual([])
  expect(errors).toEqual([])
  expect(stream.destroyed).toBe(true)
})
