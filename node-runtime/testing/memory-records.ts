// Records as sessions need them, shared by all machines of a test: addressed by their authors, and told
// to every machine. The database itself has tests of its own.
import { EventEmitter } from 'node:events'
import type { CloudRecord } from '../contract/db.ts'
import type { CloudError } from '../contract/errors.ts'
import type { Json } from '../contract/values.ts'
import { BUILT_IN_SYSTEM, BUILT_IN_SYSTEM_KEY } from '../core/systems/built-in.ts'
import type { SessionRecords } from '../services/sessions/results.ts'

export class MemoryRecords {
  readonly #records = new Map<string, CloudRecord>()
  readonly #news = new EventEmitter<{ record: [record: CloudRecord] }>()
  #clock = 0
  /** Tries to write records of systems. Set `fail` to have them refused. */
  tries = 0
  fail: CloudError | null = null
  /** Set to have no record found, because of this. */
  failReading: CloudError | null = null

  constructor() {
    this.#news.setMaxListeners(0)
  }

  /** As a machine of this person has them. */
  of(person: string): SessionRecords {
    return {
      putBuiltIn: async (collection, id, value) =>
        this.#put({ system: BUILT_IN_SYSTEM_KEY, collection, id, author: person }, value),
      put: async (place, value) => {
        this.tries++
        if (this.fail !== null) throw this.fail
        return this.#put({ ...place, author: person }, value)
      },
      get: async (place, { author }) => this.get({ ...place, author }),
      query: async ({ system, collection, prefix = '', author, limit, cursor = '' }) => {
        if (this.failReading !== null) throw this.failReading
        const found = [...this.#records.entries()]
          .filter(([place, record]) => {
            const key = system === BUILT_IN_SYSTEM ? BUILT_IN_SYSTEM_KEY : system
            const inPlace = record.system === key && record.collection === collection
            const wanted = record.id.startsWith(prefix) && place > cursor
            return inPlace && wanted && (author === undefined || record.author === author)
          })
          .sort(([a], [b]) => (a < b ? -1 : 1))
        const page = found.slice(0, limit)
        const last = page.at(-1)?.[0]
        return {
          records: page.map(([, record]) => record),
          ...(found.length > page.length && last !== undefined ? { cursor: last } : {}),
        }
      },
      onChange: (listener) => {
        this.#news.on('record', listener)
        return () => this.#news.off('record', listener)
      },
    }
  }

  get(address: { system: string; collection: string; id: string; author: string }) {
    return this.#records.get(keyOf(address)) ?? null
  }

  #put(
    address: { system: string; collection: string; id: string; author: string },
    value: Json,
  ): CloudRecord {
    const version = `${(++this.#clock).toString(16).padStart(12, '0')}-0000`
    // What a machine writes, another reads from bytes.
    const copy = JSON.parse(JSON.stringify(value)) as Json
    const record = { ...address, value: copy, version, rule: 'author' } as CloudRecord
    this.#records.set(keyOf(address), record)
    setImmediate(() => this.#news.emit('record', record))
    return record
  }
}

function keyOf(address: { system: string; collection: string; id: string; author: string }) {
  const { system, collection, id, author } = address
  return [system, collection, id, author].join('\n')
}
