// The database as services and systems see it: puts, gets and queries of records, under the rules of
// the systems' manifests.
import type { CloudRecord, WriteRule } from '../../contract/db.ts'
import { CloudError } from '../../contract/errors.ts'
import type { Manifest } from '../../contract/manifest.ts'
import type { Json } from '../../contract/values.ts'
import { canonicalJson } from '../../core/canonical.ts'
import { chooseRecord, signRecord } from '../../core/db/record.ts'
import type { Cosignature, RecordAddress, UnsignedRecord } from '../../core/db/record.ts'
import { checkRecord } from '../../store/record-store.ts'
import type { RecordStore } from '../../store/record-store.ts'
import { CollectionRules } from './collection-rules.ts'
import { MAX_PAGE_BYTES, takePage } from './page.ts'

/**
 * The id under which the runtime keeps records of its own. No system can have it. In its collections
 * every person has their own record of an id, so that nobody can take an id before another does.
 */
export const BUILT_IN_SYSTEM = 'dharma'

export interface DatabaseOptions {
  store: RecordStore
  /** The person in whose name this machine writes. */
  author: () => { person: string; secretKey: Uint8Array }
  /** The manifest of an installed system. */
  manifestOf: (system: string) => Manifest | undefined
}

export interface Query {
  system: string
  collection: string
  prefix?: string | undefined
  where?: Record<string, Json> | undefined
  author?: string | undefined
  limit: number
  cursor?: string | undefined
}

export class Database {
  readonly #options: DatabaseOptions
  readonly #rules = new WeakMap<object, CollectionRules>()

  constructor(options: DatabaseOptions) {
    this.#options = options
  }

  /** Subscribes to every change of a record. */
  onChange(listener: (record: CloudRecord) => void): () => void {
    const { store } = this.#options
    store.on('recordMerged', listener)
    return () => store.off('recordMerged', listener)
  }

  /**
   * Writes a record in the person's name, under the rules of its system's manifest.
   * @throws CloudError SYSTEM_NOT_INSTALLED, DB_COLLECTION_UNKNOWN, DB_SCHEMA, DB_FORBIDDEN, DB_TOO_LARGE
   */
  async put(address: RecordAddress, value: Json): Promise<CloudRecord> {
    const rules = this.#rulesForWriting(address)
    if (rules.write === 'co-signed') {
      throw new CloudError(
        'DB_FORBIDDEN',
        'Records of this collection come from sessions, signed by all who took part.',
      )
    }
    rules.checkValue(value)
    return this.#write(address, value, rules.write)
  }

  /**
   * Deletes the person's own record.
   * @throws CloudError SYSTEM_NOT_INSTALLED, DB_COLLECTION_UNKNOWN, DB_FORBIDDEN, DB_NOT_FOUND
   */
  async delete(address: RecordAddress): Promise<CloudRecord> {
    const { write } = this.#rulesForWriting(address)
    if (write !== 'author') {
      throw new CloudError('DB_FORBIDDEN', 'Records of this collection cannot be deleted.')
    }
    return this.#write(address, null, 'author', true)
  }

  /** Writes a record of the runtime itself, in the person's name. */
  putBuiltIn(collection: string, id: string, value: Json): Promise<CloudRecord> {
    return this.#write({ system: BUILT_IN_SYSTEM, collection, id }, value, 'author')
  }

  /**
   * Writes a record that several persons have signed; this person must be one of them. Writing it
   * again changes nothing.
   */
  async putCosigned(
    address: RecordAddress,
    value: Json,
    cosignatures: readonly Cosignature[],
  ): Promise<CloudRecord> {
    const { store, author } = this.#options
    const version = store.clock.next()
    const record = this.#sign({
      ...address,
      value,
      author: author().person,
      version,
      created: version,
      rule: 'co-signed',
      cosignatures: cosignatures.toSorted((a, b) => (a.person < b.person ? -1 : 1)),
    })
    let held: CloudRecord | undefined
    await store.write(async () => {
      held = await store.index.getHolder(record)
      return held === undefined ? [record] : []
    })
    return held ?? record
  }

  /** The record that an id means, or one author's. Null if there is none or it was deleted. */
  async get(address: RecordAddress, author?: string): Promise<CloudRecord | null> {
    const all = await this.#options.store.index.getAll(address)
    return this.#choose(address.system, address.collection, all, author)
  }

  /**
   * Records in the order of their ids, of at most `limit` ids and about a megabyte; `cursor` if more
   * follow. The runtime's own collections give every author's record.
   */
  async query(query: Query): Promise<{ records: CloudRecord[]; cursor?: string }> {
    const { system, collection, prefix = '', where, author, limit, cursor } = query
    const range = { system, collection, prefix, afterId: cursor }
    const shown = (records: readonly CloudRecord[]): CloudRecord[] =>
      this.#shown(system, collection, records, author).filter(({ value }) => matches(value, where))
    const groups = this.#options.store.index.groups(range)
    async function* wanted(): AsyncGenerator<CloudRecord[]> {
      for await (const { records } of groups) yield shown(records)
    }
    return takePage(wanted(), limit, MAX_PAGE_BYTES)
  }

  /** How much of what this machine knows of, an answer now covers. */
  completeness() {
    const { logsKnown, logsCurrent } = this.#options.store.progress()
    return {
      complete: logsCurrent === logsKnown,
      // In this version the cloud is one set.
      setsAnswered: 1,
      setsKnown: 1,
      logsKnown,
      logsCurrent,
    }
  }

  /**
   * Takes in records from elsewhere: all or none.
   * @throws CloudError DB_RECORD_FORGED, DB_TOO_LARGE
   */
  async import(records: readonly CloudRecord[]): Promise<{ accepted: number; known: number }> {
    for (const record of records) checkRecord(record)
    const { store } = this.#options
    const written = await store.write(async () => {
      const news: CloudRecord[] = []
      for (const record of records) {
        const holder = await store.index.getHolder(record)
        if (holder?.signature !== record.signature) news.push(record)
      }
      return news
    })
    return { accepted: written.length, known: records.length - written.length }
  }

  /** Deletes everything that this person wrote for a system and may delete. */
  async deleteOwnRecords(system: string): Promise<void> {
    const { person } = this.#options.author()
    for await (const record of this.#options.store.index.ofSystem(system)) {
      if (record.author !== person || record.rule !== 'author' || record.deleted === true) continue
      await this.#write(record, null, 'author', true)
    }
  }

  async #write(
    { system, collection, id }: RecordAddress,
    value: Json,
    rule: Exclude<WriteRule, 'co-signed'>,
    deleted = false,
  ): Promise<CloudRecord> {
    const { store, author } = this.#options
    const address = { system, collection, id }
    const [record] = await store.write(async () => {
      const { person } = author()
      const all = await store.index.getAll(address)
      const current = this.#choose(system, collection, all)
      const own = this.#choose(system, collection, all, person)
      if (system !== BUILT_IN_SYSTEM && current !== null && current.author !== person) {
        throw new CloudError(
          'DB_FORBIDDEN',
          `"${id}" belongs to someone else. Only its author may change it.`,
          { author: current.author },
        )
      }
      if (current !== null && rule === 'create-only') {
        throw new CloudError('DB_FORBIDDEN', `"${id}" exists, and cannot be changed.`)
      }
      if (deleted && own === null) {
        throw new CloudError('DB_NOT_FOUND', `There is no record "${id}" to delete.`)
      }
      for (const held of all) store.clock.see(held.version)
      const version = store.clock.next()
      const signed = this.#sign({
        ...address,
        value,
        author: person,
        version,
        created: own?.created ?? version,
        rule,
        ...(deleted ? { deleted: true as const } : {}),
      })
      return [signed]
    })
    if (record === undefined) throw new Error('a write gave no record')
    return record
  }

  #sign(record: UnsignedRecord): CloudRecord {
    const signed = signRecord(record, this.#options.author().secretKey)
    checkRecord(signed)
    return signed
  }

  #choose(
    system: string,
    collection: string,
    records: readonly CloudRecord[],
    author?: string,
  ): CloudRecord | null {
    return chooseRecord(this.#admitted(system, collection, records, author))
  }

  #shown(
    system: string,
    collection: string,
    records: readonly CloudRecord[],
    author?: string,
  ): CloudRecord[] {
    const admitted = this.#admitted(system, collection, records, author)
    if (system === BUILT_IN_SYSTEM) return admitted.filter(({ deleted }) => deleted !== true)
    const chosen = chooseRecord(admitted)
    return chosen === null ? [] : [chosen]
  }

  #admitted(
    system: string,
    collection: string,
    records: readonly CloudRecord[],
    author: string | undefined,
  ): CloudRecord[] {
    const manifest = this.#options.manifestOf(system)
    const declaration = manifest?.collections[collection]
    if (manifest !== undefined && declaration === undefined) return []
    const rules = declaration === undefined ? null : this.#rulesOf(declaration)
    return records.filter(
      (record) =>
        (author === undefined || record.author === author) && (rules?.admits(record) ?? true),
    )
  }

  #rulesOf(declaration: Manifest['collections'][string]): CollectionRules {
    let rules = this.#rules.get(declaration)
    if (rules === undefined) {
      rules = new CollectionRules(declaration)
      this.#rules.set(declaration, rules)
    }
    return rules
  }

  #rulesForWriting({ system, collection }: RecordAddress): CollectionRules {
    const manifest = this.#options.manifestOf(system)
    if (manifest === undefined) {
      throw new CloudError(
        'SYSTEM_NOT_INSTALLED',
        `"${system}" is not installed on this machine. Install it to write its records.`,
        { system },
      )
    }
    const declaration = manifest.collections[collection]
    if (declaration === undefined) {
      throw new CloudError(
        'DB_COLLECTION_UNKNOWN',
        `"${system}" declares no collection "${collection}".`,
        { system, collection, collections: Object.keys(manifest.collections) },
      )
    }
    return this.#rulesOf(declaration)
  }
}

/** Has the value these fields with these very values? */
function matches(value: Json, where: Record<string, Json> | undefined): boolean {
  if (where === undefined) return true
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.entries(where).every(([field, wanted]) => {
    const found = value[field]
    return found !== undefined && canonicalJson(found) === canonicalJson(wanted)
  })
}
