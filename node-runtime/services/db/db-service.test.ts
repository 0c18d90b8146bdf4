import { call } from '@orpc/server'
import { expect, test } from 'vitest'
import type { CloudRecord } from '../../contract/db.ts'
import { CloudError } from '../../contract/errors.ts'
import { MAX_WAITING_EVENTS } from '../../flow/streams.ts'
import type { Database } from './database.ts'
import { createDbService } from './db-service.ts'

const SYSTEM = 'org.example.notes'
const KEY = 's'.repeat(52)
const AUTHOR = 'y'.repeat(52)

function start({ keys = [KEY], newest }: { keys?: string[]; newest?: Partial<CloudRecord> } = {}) {
  const installed: { keys: string[] | null } = { keys }
  const listeners = new Set<(record: CloudRecord) => void>()
  const service = createDbService({
    // A watch asks which system is meant; if that had other keys, also what stands at a place.
    database: () =>
      ({
        keysOf: () => {
          if (installed.keys === null) throw new CloudError('SYSTEM_NOT_INSTALLED', 'It is gone.')
          return installed.keys
        },
        newestAt: (_: string[], record: CloudRecord) => Promise.resolve({ ...record, ...newest }),
      }) as unknown as Database,
    onChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  })
  const change = (id: string, fields: Partial<CloudRecord> = {}): void => {
    const version = '000000000000-0000'
    const record = {
      system: KEY,
      collection: 'notes',
      author: AUTHOR,
      id,
      version,
      ...fields,
    } as CloudRecord
    for (const listener of listeners) listener(record)
  }
  const watch = async (input: { system: string; collection?: string }) => {
    const stream = await call(service.watch, input, { context: { caller: { kind: 'owner' } } })
    const iterator = stream[Symbol.asyncIterator]()
    expect((await iterator.next()).value).toEqual({ ready: true })
    return iterator
  }
  return { change, watch, listeners, installed }
}

test('what others do does not wait for a watcher, so it can not make one fall behind', async () => {
  const { change, watch } = start()
  const iterator = await watch({ system: SYSTEM, collection: 'notes' })
  const first = iterator.next()
  change('a')
  expect((await first).value).toMatchObject({ id: 'a' })
  for (let n = 0; n <= MAX_WAITING_EVENTS; n++) {
    change(String(n), { system: 't'.repeat(52) })
    change(String(n), { collection: 'drafts' })
  }
  change('b')
  expect((await iterator.next()).value).toMatchObject({ id: 'b', deleted: false })
})

test('a record that changes often is one change to a slow watcher', async () => {
  const { change, watch } = start()
  const iterator = await watch({ system: SYSTEM })
  const first = iterator.next()
  change('a')
  await first
  for (let n = 0; n <= MAX_WAITING_EVENTS; n++) change('a')
  change('a', { deleted: true })
  change('b')
  expect((await iterator.next()).value).toMatchObject({ id: 'a', deleted: true })
  expect((await iterator.next()).value).toMatchObject({ id: 'b' })
})

test('a watcher that falls too far behind is told to read again', async () => {
  const { change, watch, listeners } = start()
  const iterator = await watch({ system: SYSTEM })
  const first = iterator.next()
  change('a')
  await first
  for (let n = 0; n <= MAX_WAITING_EVENTS; n++) change(String(n))
  await expect(iterator.next()).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    details: { lagged: true },
  })
  expect(listeners.size).toBe(0)
})

test('a system that had another key is told what stands, when a record under that key comes late', async () => {
  const former = 't'.repeat(52)
  const newest = { system: KEY, version: '000000000002-0000' }
  const { change, watch } = start({ keys: [KEY, former], newest })
  const iterator = await watch({ system: SYSTEM })
  const first = iterator.next()
  change('a', { system: former, version: '000000000001-0000', deleted: true })
  expect((await first).value).toMatchObject({ id: 'a', ...newest })
  change('b', { system: 'u'.repeat(52) })
  change('c')
  expect((await iterator.next()).value).toMatchObject({ id: 'c' })
})

test('a watcher hears on of a system whose key is continued, and not of another of its name', async () => {
  const [later, other] = ['t'.repeat(52), 'u'.repeat(52)]
  const { change, watch, installed } = start({ newest: {} })
  const iterator = await watch({ system: SYSTEM })
  const first = iterator.next()
  installed.keys = [later, KEY]
  change('a', { system: later })
  expect((await first).value).toMatchObject({ id: 'a', system: later })
  installed.keys = null
  change('b', { system: later })
  expect((await iterator.next()).value).toMatchObject({ id: 'b' })
  installed.keys = [other]
  change('c', { system: other })
  change('d')
  expect((await iterator.next()).value).toMatchObject({ id: 'd' })
})
