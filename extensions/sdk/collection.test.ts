import { expect, test, vi } from 'vitest'
import { CloudError } from '../../node-runtime/contract/errors.ts'
import { createCollection } from './collection.ts'
import type { SystemClient } from './system-contract.ts'

test('a live collection that fell behind reads everything again', async () => {
  let text = 'first'
  let watches = 0
  const db = {
    query: async () => ({
      records: [{ id: 'a', value: { text }, author: 'ada' }],
      completeness: {},
    }),
    watch: async function* () {
      watches++
      yield { ready: true }
      if (watches > 1) return new Promise(() => undefined)
      await vi.waitFor(() => expect(seen).toEqual(['first']))
      text = 'later'
      throw new CloudError('UNAVAILABLE', 'Too much.', { lagged: true })
    },
  }
  const client = { db: { ...db, watch: async () => db.watch() } } as unknown as SystemClient
  const notes = createCollection<{ text: string }>(client, 'org.example.notes', 'notes')
  const seen: string[] = []
  const failed = vi.fn()
  const stop = notes.live(
    {},
    ({ records }) => void seen.push(...records.map(({ value }) => value.text)),
    failed,
  )
  await vi.waitFor(() => expect(seen).toEqual(['first', 'later']))
  expect(failed).not.toHaveBeenCalled()
  stop()
})

test('all pages together tell how many records are hidden', async () => {
  const query = async ({ cursor }: { cursor?: string }) => ({
    records: [],
    completeness: { hidden: cursor === undefined ? 1 : 2 },
    ...(cursor === undefined ? { cursor: 'on' } : {}),
  })
  const client = { db: { query } } as unknown as SystemClient
  const notes = createCollection(client, 'org.example.notes', 'notes')
  expect(await notes.all()).toEqual({ records: [], completeness: { hidden: 3 } })
})
