// One collection of the system, with everything that can be done with its records.
import type { Completeness, CloudRecord, Json, TypedRecord } from './values.ts'
import type { CloudError } from '../../node-runtime/contract/errors.ts'
import { fromWireError } from '../../node-runtime/rpc/errors.ts'
import type { SystemClient } from './system-contract.ts'
import { follow } from './stream.ts'
import type { Disposer, OnError } from './stream.ts'

/** The most records that one answer of the runtime holds. */
const PAGE_SIZE = 1000
/** With more changed records than this, reading everything again is cheaper than one by one. */
const REREAD_ALL_ABOVE = 20

type Input<C extends (...args: never[]) => unknown> = Parameters<C>[0]
type Output<C extends (...args: never[]) => unknown> = Awaited<ReturnType<C>>

/** What to look for: `prefix` of the id, top-level fields of the value (`where`), `author`. */
export type Query = Omit<Input<SystemClient['db']['query']>, 'system' | 'collection'>
export type Filter = Omit<Query, 'limit' | 'cursor'>

export interface Page<T extends Json> {
  records: TypedRecord<T>[]
  completeness: Completeness
  /** Present when more records follow: pass it on to get them. */
  cursor?: string | undefined
}

export interface RecordChange {
  id: string
  author: string
  version: string
  deleted: boolean
}

export interface Collection<T extends Json> {
  /**
   * Writes a record in the person's name; resolves with its full address when it is on this machine's
   * disk. Everyone has a record of their own under an id: nobody can take yours.
   */
  put(id: string, value: T): Promise<Output<SystemClient['db']['put']>>
  /** Writes a record that nobody can change, in a collection with the rule `content`; gives its id. */
  add(value: T): Promise<Output<SystemClient['db']['put']>>
  /** The person's own record with this id, or null; with `author`, that author's. */
  get(id: string, author?: string): Promise<TypedRecord<T> | null>
  /** Deletes the person's own record, in the whole cloud. */
  delete(id: string): Promise<Output<SystemClient['db']['delete']>>
  /** One page of records in the order of their ids. */
  query(query?: Query): Promise<Page<T>>
  /** All records that fit, over as many pages as it takes. */
  all(filter?: Filter): Promise<Page<T>>
  /**
   * One call per changed record, from now on. A page that falls too far behind gets an error with the
   * details `{ lagged: true }`: read all, and watch again.
   */
  watch(onChange: (change: RecordChange) => void, onError?: OnError): Disposer
  /** All records that fit: now, and again after every change. */
  live(filter: Filter, onChange: (page: Page<T>) => void, onError?: OnError): Disposer
}

const ignore = (): void => undefined

/** A collection of `system` over a client. */
export function createCollection<T extends Json>(
  client: SystemClient,
  system: string,
  name: string,
): Collection<T> {
  const place = { system, collection: name }
  // The runtime accepts only values that fit the schema in the manifest, which T describes.
  const typed = (record: CloudRecord): TypedRecord<T> => record as TypedRecord<T>

  const collection: Collection<T> = {
    put: (id, value) => client.db.put({ ...place, id, value }),
    add: (value) => client.db.put({ ...place, value }),
    async get(id, author) {
      const address = { ...place, id }
      const { record } = await client.db.get(
        author === undefined ? address : { ...address, author },
      )
      return record === null ? null : typed(record)
    },
    delete: (id) => client.db.delete({ ...place, id }),
    async query(query = {}) {
      const page = await client.db.query({ ...query, ...place })
      return { ...page, records: page.records.map(typed) }
    },
    async all(filter = {}) {
      const records: TypedRecord<T>[] = []
      let hidden = 0
      for (let cursor: string | undefined; ; ) {
        const page = await collection.query({
          ...filter,
          limit: PAGE_SIZE,
          ...(cursor === undefined ? {} : { cursor }),
        })
        records.push(...page.records)
        hidden += page.completeness.hidden
        if (page.cursor === undefined) {
          return { records, completeness: { ...page.completeness, hidden } }
        }
        cursor = page.cursor
      }
    },
    watch: (onChange, onError = ignore) =>
      follow(
        (signal) => client.db.watch(place, { signal }),
        (event) => {
          if (!('ready' in event)) onChange(event)
        },
        onError,
      ),
    live: (filter, onChange, onError = ignore) =>
      keepLive(client, place, collection, filter, onChange, onError),
  }
  return collection
}

/** Reads everything once the watch stands, then only what changed, one read at a time. */
function keepLive<T extends Json>(
  client: SystemClient,
  place: { system: string; collection: string },
  collection: Collection<T>,
  filter: Filter,
  onChange: (page: Page<T>) => void,
  onError: OnError,
): Disposer {
  let current: Page<T> | null = null
  let dirty = new Set<string>()
  let reading = false
  let disposed = false

  const reread = async (ids: Set<string>): Promise<Page<T>> => {
    if (current === null || ids.size > REREAD_ALL_ABOVE) return collection.all(filter)
    let { records, completeness } = current
    for (const id of ids) {
      const found = await collection.all({ ...filter, prefix: id })
      const fresh = found.records.filter((record) => record.id === id)
      records = [...records.filter((record) => record.id !== id), ...fresh]
      // Which of those that were hidden before these are, nobody can tell.
      const hidden = Math.max(completeness.hidden, found.completeness.hidden)
      completeness = { ...found.completeness, hidden }
    }
    return { records: records.sort(byId), completeness }
  }
  const read = async (): Promise<void> => {
    if (reading) return
    reading = true
    try {
      do {
        const ids = dirty
        dirty = new Set()
        current = await reread(ids)
        if (!disposed) onChange(current)
      } while (dirty.size > 0 && !disposed)
    } catch (error) {
      if (!disposed) {
        dispose()
        onError(fromWireError(error))
      }
    } finally {
      reading = false
    }
  }
  const watch = (): Disposer =>
    follow(
      (signal) => client.db.watch(place, { signal }),
      (event) => {
        if (!('ready' in event)) {
          if (!event.id.startsWith(filter.prefix ?? '')) return
          dirty.add(event.id)
        }
        void read()
      },
      (error) => {
        if (!hasLagged(error)) return onError(error)
        // Too much has changed to be told one by one: everything is read again.
        current = null
        dirty.clear()
        if (!disposed) stop = watch()
      },
    )
  let stop = watch()
  const dispose = (): void => {
    disposed = true
    stop()
  }
  return dispose
}

/** Did the stream end because this page fell too far behind? */
function hasLagged({ code, details }: CloudError): boolean {
  return (
    code === 'UNAVAILABLE' && typeof details === 'object' && details !== null && 'lagged' in details
  )
}

function byId(a: { id: string; author: string }, b: { id: string; author: string }): number {
  if (a.id !== b.id) return a.id < b.id ? -1 : 1
  return a.author < b.author ? -1 : 1
}
