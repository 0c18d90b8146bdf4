// The calls of a system's page that are measured, and those that flood.
import type { SystemPage } from './system-page.ts'
import { COLLECTION } from './system-page.ts'

const SMALL_RECORDS = 500
const LARGE_RECORDS = 40
const LARGE_RECORD_LENGTH = 200_000

export type Call = (page: SystemPage, number: number) => Promise<unknown>

const put: Call = ({ client, system }, number) =>
  client.db.put({
    system,
    collection: COLLECTION,
    id: `note-${number % SMALL_RECORDS}`,
    value: { text: 'x'.repeat(80) },
  })

const get: Call = ({ client, system }, number) =>
  client.db.get({ system, collection: COLLECTION, id: `note-${number % SMALL_RECORDS}` })

const query: Call = ({ client, system }) =>
  client.db.query({ system, collection: COLLECTION, prefix: 'note-' })

const largePut: Call = ({ client, system }, number) =>
  client.db.put({
    system,
    collection: COLLECTION,
    id: `large-${number % LARGE_RECORDS}`,
    value: { text: 'x'.repeat(LARGE_RECORD_LENGTH) },
  })

const largeQuery: Call = ({ client, system }) =>
  client.db.query({ system, collection: COLLECTION, prefix: 'large-' })

export const CALLS = { put, get, query, largePut, largeQuery }
export type CallName = keyof typeof CALLS

/** Writes what the other calls read. */
export async function fill(page: SystemPage): Promise<void> {
  for (let n = 0; n < SMALL_RECORDS; n++) await put(page, n)
  for (let n = 0; n < LARGE_RECORDS; n++) await largePut(page, n)
}
