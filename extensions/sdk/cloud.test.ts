import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { contract } from '../../node-runtime/contract/index.ts'
import type { CallMeta } from '../../node-runtime/contract/procedure.ts'
import { connect } from '../../node-runtime/rpc/client.ts'
import { createCalls } from './cloud.ts'
import { keyOf, startMemoryRuntime } from './memory-runtime.ts'
import type { MemoryRuntime } from './memory-runtime.ts'
import { systemContract } from './system-contract.ts'

let runtime: MemoryRuntime
beforeEach(() => {
  runtime = startMemoryRuntime()
})
afterEach(() => runtime.close())

type Note = { text: string; done: boolean }
const notesOf = (person?: string) =>
  createCalls(
    runtime.openPort('org.example.notes', person),
    'org.example.notes',
  ).db.collection<Note>('notes')

const callsIn = (router: object): string[] =>
  Object.entries(router).flatMap(([service, calls]) =>
    Object.keys(calls as object).map((name) => `${service}.${name}`),
  )

test('the SDK has exactly the calls that the contract opens to systems', () => {
  const open = Object.entries(contract).flatMap(([service, calls]) =>
    Object.entries(calls)
      .filter(([, call]) => (call['~orpc'].meta as CallMeta).access === 'system')
      .map(([name]) => `${service}.${name}`),
  )
  expect(callsIn(systemContract).sort()).toEqual(open.sort())
})

test('a collection puts, gets, queries and deletes in the name of its system', async () => {
  const notes = notesOf()
  await notes.put('a', { text: 'first', done: false })
  await notes.put('b', { text: 'second', done: true })
  expect((await notes.get('a'))?.value).toEqual({ text: 'first', done: false })
  expect((await notes.get('a'))?.system).toHaveLength(52)
  expect((await notes.query({ where: { done: true } })).records.map((r) => r.id)).toEqual(['b'])
  await notes.delete('a')
  expect(await notes.get('a')).toBeNull()
})

test('all() follows the cursor over more records than one answer holds', async () => {
  const notes = notesOf()
  for (let i = 0; i < 1003; i++) await notes.put(String(i), { text: '', done: false })
  expect((await notes.all()).records).toHaveLength(1003)
  const page = await notes.query({ limit: 10 })
  expect(page.records).toHaveLength(10)
  expect(page.cursor).toBeDefined()
})

test('a live collection shows what others write, change and delete, until it is disposed', async () => {
  const mine = notesOf()
  const theirs = notesOf(keyOf('b'))
  await mine.put('a', { text: 'mine', done: false })
  const seen: string[][] = []
  const stop = mine.live({}, ({ records }) => {
    seen.push(records.map((record) => `${record.id}:${record.value.text}`))
  })
  await vi.waitFor(() => expect(seen.at(-1)).toEqual(['a:mine']))
  await theirs.put('b', { text: 'theirs', done: false })
  await vi.waitFor(() => expect(seen.at(-1)).toEqual(['a:mine', 'b:theirs']))
  await mine.put('a', { text: 'changed', done: false })
  await vi.waitFor(() => expect(seen.at(-1)).toEqual(['a:changed', 'b:theirs']))
  await theirs.delete('b')
  await vi.waitFor(() => expect(seen.at(-1)).toEqual(['a:changed']))
  expect(runtime.watchers).toBe(1)
  stop()
  await vi.waitFor(() => expect(runtime.watchers).toBe(0))
})

test('a live collection with a prefix hears of no other records', async () => {
  const notes = notesOf()
  const seen: string[][] = []
  const stop = notes.live({ prefix: 'x/' }, ({ records }) => {
    seen.push(records.map((record) => record.id))
  })
  await vi.waitFor(() => expect(seen).toEqual([[]]))
  await notes.put('y/1', { text: '', done: false })
  await notes.put('x/1', { text: '', done: false })
  await vi.waitFor(() => expect(seen.at(-1)).toEqual(['x/1']))
  expect(seen).toHaveLength(2)
  stop()
})

test('an error keeps its code, message and details', async () => {
  const calls = createCalls(runtime.openPort('org.example.notes'), 'org.example.notes')
  await expect(calls.db.collection('unknown').put('a', 1)).rejects.toMatchObject({
    name: 'CloudError',
    code: 'DB_COLLECTION_UNKNOWN',
    details: { collection: 'unknown' },
  })
})

test('a watch that is refused says so once', async () => {
  const calls = createCalls(
    runtime.openPort('org.example.notes', keyOf('y'), []),
    'org.example.notes',
  )
  const failed = vi.fn()
  calls.db.collection('notes').live({}, () => undefined, failed)
  await vi.waitFor(() => expect(failed).toHaveBeenCalledTimes(1))
  expect(failed.mock.calls[0]?.[0]).toMatchObject({ code: 'FORBIDDEN' })
})

test('a page that speaks the whole contract is still refused what is not for systems', async () => {
  const client = connect(contract, runtime.openPort('org.example.notes'))
  await expect(client.identity.recoveryPhrase({})).rejects.toMatchObject({ code: 'FORBIDDEN' })
  await expect(
    client.db.put({ system: 'event-games', collection: 'events', id: 'a', value: 1 }),
  ).rejects.toMatchObject({ code: 'FORBIDDEN' })
})

test('a subscription ends with an error when the machine goes away', async () => {
  const port = runtime.openPort('org.example.notes')
  const notes = createCalls(port, 'org.example.notes').db.collection('notes')
  const failed = vi.fn()
  const ready = vi.fn()
  notes.live({}, ready, failed)
  await vi.waitFor(() => expect(ready).toHaveBeenCalled())
  runtime.close()
  await vi.waitFor(() => expect(failed).toHaveBeenCalledTimes(1))
  expect(failed.mock.calls[0]?.[0]).toMatchObject({ code: 'UNAVAILABLE' })
})
