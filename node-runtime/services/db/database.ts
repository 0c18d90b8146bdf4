// The database as services and systems see it: puts, gets and queries of records, in the person's
// name, under the rules of the systems' manifests.
import type { CloudRecord, Completeness, Imported } from '../../contract/db.ts'
import { CloudError } from '../../contract/errors.ts'
import type { Manifest } from '../../contract/manifest.ts'
import type { Json } from '../../contract/values.ts'
import { canonicalJson, isShallow } from '../../core/canonical.ts'
import type { HybridClock } from '../../core/db/hybrid-clock.ts'
import { MAX_VALUE_BYTES } from '../../core/db/record-header.ts'
import { recordValue } from '../../core/db/signed-record.ts'
import type { HeldRecord, RecordSigner } from '../../core/db/signed-record.ts'
import { BUILT_IN_SYSTEM, BUILT_IN_SYSTEM_KEY } from '../../core/systems/built-in.ts'
import { nextTurn } from '../../flow/next-turn.ts'
import type { Log } from '../../ports/log.ts'
import type { RecordStore, StoredRecord } from '../../ports/record-store.ts'
import type { Revocations } from '../cloud/revocations.ts'
import { tellOfChanges } from './changes.ts'
import { readNewest, scanNewest } from './continued-records.ts'
import type { Counting } from './continued-records.ts'
import { UNJUDGED, declaredCollection } from './judgement.ts'
import type { DeclaredCollection, Judgement } from './judgement.ts'
import { OwnRecords } from './own-records.ts'
import { MAX_PAGE_BYTES, parseCursor, takePage } from './page.ts'
import { openProof, proveRecord, shownBytes, viewLater, viewRecord } from './record-view.ts'

/** A system as a call names it: by its key, or by the id of an installed one. */
export interface NamedSystem {
  key: string
  /** Keys that it had before. What was written under them is read like its other records. */
  formerKeys: readonly string[]
  /** Undefined if it is not installed here. */
  manifest: Manifest | undefined
}

/** The keys under which a system's records are. What is written goes under the present one. */
export type SystemKeys = readonly [present: string, ...former: string[]]

export interface DatabaseOptions {
  cloud: string
  store: RecordStore
  clock: HybridClock
  judgement: Judgement
  /** The person in whose name this machine writes, and what it signs with. */
  author: () => RecordSigner
  /** @throws CloudError SYSTEM_NOT_INSTALLED, SYSTEM_ID_AMBIGUOUS */
  resolveSystem: (reference: string) => NamedSystem
  completeness: () => Coverage
  revocations: Pick<Revocations, 'concerns' | 'counting' | 'hiddenBy' | 'onRevoked'>
  log: Log
}

interface Seen {
  stored: StoredRecord
  isShown: boolean
}

/** What goes for all answers alike. */
export type Coverage = Omit<Completeness, 'hidden'>

/** A record's place as callers name it. */
export interface Place {
  system: string
  collection: string
  id: string
}

export interface Query {
  system: string
  collection: string
  prefix?: string | undefined
  where?: Record<string, Json> | undefined
  author?: string | undefined
  limit: number
  cursor?: string | undefined
  proof?: boolean | undefined
}

export class Database {
  readonly #options: DatabaseOptions
  readonly #counting: Counting
  readonly #own: OwnRecords

  constructor(options: DatabaseOptions) {
    this.#options = options
    this.#own = new OwnRecords(options)
    this.#counting = (stored) => options.revocations.counting(stored)
  }

  /**
   * Subscribes to every change of a record, in order; one that does not count is told of as if it was
   * deleted, also if it counted until its machine was revoked. A listener that throws harms nobody, and hears of the next one.
   */
  onChange(listener: (record: CloudRecord) => void): () => void {
    return tellOfChanges(this.#options, listener)
  }

  /**
   * The keys under which the records of a system are, the present one first.
   * @throws CloudError SYSTEM_NOT_INSTALLED, SYSTEM_ID_AMBIGUOUS
   */
  keysOf(system: string): SystemKeys {
    return keysOf(this.#resolve(system))
  }

  /** What stands now where a record was written: that record, or one that wins under another of the keys. */
  async newestAt(keys: readonly string[], written: CloudRecord): Promise<CloudRecord> {
    const newest = await readNewest(this.#options.store, keys, written, this.#counting)
    return newest === undefined ? written : viewLater(newest.record)
  }

  /**
   * Writes a record in the person's name, under the rules of its system's manifest. It is on the disk
   * when the promise resolves.
   * @throws CloudError SYSTEM_NOT_INSTALLED, DB_COLLECTION_UNKNOWN, DB_SCHEMA, DB_FORBIDDEN,
   *   DB_TOO_LARGE, BAD_INPUT, DISK_FULL, CLOCK_OFF
   */
  async put(
    place: Omit<Place, 'id'> & { id?: string | undefined },
    value: Json,
  ): Promise<CloudRecord> {
    const { keys, declared } = this.#collectionForWriting(place)
    const { write, maxBytes } = declared.declaration
    if (write === 'co-signed') {
      throw new CloudError(
        'DB_FORBIDDEN',
        'Records of this collection are signed by all who take part, and come in by `db.import`.',
      )
    }
    if ((write === 'content') !== (place.id === undefined)) {
      throw new CloudError(
        'BAD_INPUT',
        write === 'content'
          ? 'The ids of this collection are computed from what a record says: give none.'
          : 'A record of this collection needs an id.',
        { collection: place.collection, write },
      )
    }
    const text = checkSize(value, maxBytes)
    const fits = this.#options.judgement.checkValue(declared, text)
    const { collection, id = '' } = place
    const [system] = keys
    const { schema } = declared
    const fields = { system, collection, id, rule: write, value, schema }
    const verdict = this.#options.judgement.fitting(declared)
    if (write === 'content') {
      await fits
      return viewLater(await this.#own.writeContent(fields, verdict))
    }
    return viewLater(await this.#own.write(keys, { collection, id }, () => [fields], verdict, fits))
  }

  /**
   * Deletes the person's own record, under each of the system's keys that has it: what it said goes
   * from all machines, those with an earlier version of the system included.
   * @throws CloudError SYSTEM_NOT_INSTALLED, DB_COLLECTION_UNKNOWN, DB_FORBIDDEN, DB_NOT_FOUND,
   *   DISK_FULL, CLOCK_OFF
   */
  async delete(place: Place): Promise<CloudRecord> {
    const { keys, declared } = this.#collectionForWriting(place)
    if (declared.declaration.write !== 'author') {
      throw new CloudError('DB_FORBIDDEN', 'Records of this collection cannot be deleted.')
    }
    return viewRecord(await this.#own.erase(keys, place))
  }

  /** Writes a record of the runtime itself, in the person's name. */
  async putBuiltIn(collection: string, id: string, value: Json): Promise<CloudRecord> {
    checkSize(value, MAX_VALUE_BYTES)
    const system = BUILT_IN_SYSTEM_KEY
    const fields = { system, collection, id, rule: 'author', value, schema: null }
    return viewRecord(await this.#own.write([system], { collection, id }, () => [fields], UNJUDGED))
  }

  /** The same of one that nobody can change or delete, whose id comes of what it says. */
  async putBuiltInContent(collection: string, value: Json): Promise<CloudRecord> {
    checkSize(value, MAX_VALUE_BYTES)
    const system = BUILT_IN_SYSTEM_KEY
    const fields = { system, collection, id: '', rule: 'content', value, schema: null }
    return viewRecord(await this.#own.writeContent(fields, UNJUDGED))
  }

  /**
   * The person's own record, or the one of `author`; a content record is found by its id alone. Null
   * if there is none or it was deleted.
   */
  async get(
    place: Place,
    { author, proof = false }: { author?: string | undefined; proof?: boolean | undefined } = {},
  ): Promise<CloudRecord | null> {
    const { store } = this.#options
    const { keys, declared } = this.#collectionForReading(place)
    const { collection, id } = place
    const anyAuthor = author === undefined && declared?.declaration.write === 'content'
    const owner = author ?? this.#options.author().attestation.person
    const found = anyAuthor
      ? (await Promise.all(keys.map((key) => store.ofId(key, collection, id)))).flat()
      : [await readNewest(store, keys, { collection, id, author: owner }, this.#counting)]
    const present = await this.#counting(found.filter((one) => one !== undefined))
    const [shown] = await this.#shown(present)
    return shown === undefined ? null : this.#view(shown, proof)
  }

  /**
   * Everybody's records in the order of their ids, of at most `limit` and `MAX_PAGE_BYTES`; `cursor` if
   * more follow. Of records at one place under several keys of the system, the one that wins.
   * @throws CloudError DB_COLLECTION_UNKNOWN, SYSTEM_ID_AMBIGUOUS, BAD_INPUT
   */
  async query(
    query: Query,
  ): Promise<{ records: CloudRecord[]; cursor?: string; completeness: Completeness }> {
    const { collection, prefix, where, author, limit, cursor, proof = false } = query
    const { keys } = this.#collectionForReading(query)
    const after = cursor === undefined ? undefined : parseCursor(cursor)
    const range = {
      collection,
      ...(prefix === undefined ? {} : { prefix }),
      ...(after === undefined ? {} : { after }),
    }
    const matches = matcherOf(where)
    // Read before the records: an answer never claims more than it has.
    const coverage = this.completeness()
    let hidden = 0
    const split = (chunk: StoredRecord[]): Promise<Seen[]> => this.#split(chunk)
    const counting = this.#counting
    const { store } = this.#options
    /** With each record, how many are hidden between it and the one before. */
    async function* found(): AsyncGenerator<StoredRecord & { hidden: number }, void> {
      for await (const chunk of scanNewest(store, keys, range, counting)) {
        const wanted = author === undefined ? chunk : chunk.filter((one) => isBy(one, author))
        for (const { stored, isShown } of await split(wanted)) {
          if (!isShown) hidden++
          else if (matches(stored.record)) {
            yield { ...stored, hidden }
            hidden = 0
          }
        }
      }
    }
    const page = await takePage(found(), {
      limit,
      maxBytes: MAX_PAGE_BYTES,
      sizeOf: ({ record }) => shownBytes(record, proof),
      positionOf: ({ record }) => record.header,
    })
    const records: CloudRecord[] = []
    // The page was read in this turn; what it says is read in the next.
    await nextTurn()
    for (const stored of page.taken) records.push(await this.#view(stored, proof))
    const before = page.taken.reduce((sum, one) => sum + one.hidden, 0)
    // Behind the last of a page that is followed by others, they are those of the next.
    const completeness = {
      ...coverage,
      hidden: page.cursor === undefined ? before + hidden : before,
    }
    return { records, completeness, ...(page.cursor === undefined ? {} : { cursor: page.cursor }) }
  }

  /** How much of the cloud an answer now covers. */
  completeness(): Coverage {
    return this.#options.completeness()
  }

  /**
   * Checks what certifies a record.
   * @throws CloudError DB_RECORD_FORGED
   */
  verify(record: CloudRecord): { author: string; cosigners: string[] } {
    const { signers } = openProof(record, this.#options.cloud)
    return { author: record.author, cosigners: record.parties === undefined ? [] : signers }
  }

  /**
   * Takes in records from elsewhere, once all of them have turned out to be sound.
   * @returns how many came to what
   * @throws CloudError DB_RECORD_FORGED, DISK_FULL
   */
  async import(records: readonly CloudRecord[]): Promise<Imported> {
    const { cloud, store, judgement } = this.#options
    const proven = records.map((record) => openProof(record, cloud))
    const verdicts = await judgement.verdictsOf(proven.map(({ record }) => record))
    const { merged, ...others } = await store.accept({
      records: proven.map(({ record }, at) => ({ record, verdict: verdicts[at] ?? UNJUDGED })),
      attestations: proven.flatMap(({ attestations }) => attestations),
    })
    return { accepted: merged.length, ...others }
  }

  /** Deletes everything that this person wrote for a system and may delete. */
  async deleteOwnRecords(system: string): Promise<void> {
    const { person } = this.#options.author().attestation
    for (const key of this.keysOf(system)) {
      for await (const { record } of this.#options.store.ofSystem(key)) {
        const { author, rule, deleted } = record.header
        if (author !== person || rule !== 'author' || deleted === true) continue
        try {
          await this.#own.erase([key], record.header)
        } catch (error) {
          // Read ahead: another machine of this person may have deleted it meanwhile.
          if (!(error instanceof CloudError && error.code === 'DB_NOT_FOUND')) throw error
        }
      }
    }
  }

  /** Those that are shown, and those that the installed version of their system does not take. */
  async #split(stored: readonly StoredRecord[]): Promise<Seen[]> {
    const { judgement } = this.#options
    const shown = new Set(await this.#shown(stored))
    return stored.flatMap((one): Seen[] => {
      if (shown.has(one)) return [{ stored: one, isShown: true }]
      const { record } = one
      const isHidden = record.header.deleted !== true && judgement.isOfOtherVersion(record)
      return isHidden ? [{ stored: one, isShown: false }] : []
    })
  }

  #shown(stored: readonly StoredRecord[]): Promise<StoredRecord[]> {
    const { store, judgement, log } = this.#options
    const present = stored.filter(({ record }) => record.header.deleted !== true)
    return judgement.shown(present, (judged) => {
      store.setVerdicts(judged).catch((error: unknown) => {
        // They will be judged again at the next reading.
        log.warn('verdicts could not be kept', { records: judged.length, error })
      })
    })
  }

  async #view({ record }: StoredRecord, proof: boolean): Promise<CloudRecord> {
    if (!proof) return viewRecord(record)
    const { store } = this.#options
    const forms = await Promise.all(
      record.signatures.map(({ attestation }) => store.attestation(attestation)),
    )
    const present = forms.flatMap((form) => form ?? [])
    return { ...viewRecord(record), proof: proveRecord(record, present) }
  }

  #resolve(system: string): NamedSystem {
    return system === BUILT_IN_SYSTEM
      ? { key: BUILT_IN_SYSTEM_KEY, formerKeys: [], manifest: undefined }
      : this.#options.resolveSystem(system)
  }

  #collectionForReading({ system, collection }: { system: string; collection: string }): {
    keys: SystemKeys
    declared: DeclaredCollection | undefined
  } {
    const named = this.#resolve(system)
    const { manifest } = named
    const declared = manifest === undefined ? undefined : declaredCollection(manifest, collection)
    if (manifest !== undefined && declared === undefined)
      throw unknownCollection(manifest, collection)
    return { keys: keysOf(named), declared }
  }

  #collectionForWriting({ system, collection }: { system: string; collection: string }): {
    keys: SystemKeys
    declared: DeclaredCollection
  } {
    const named = this.#resolve(system)
    const { manifest } = named
    if (manifest === undefined) {
      throw new CloudError(
        'SYSTEM_NOT_INSTALLED',
        `"${system}" is not installed on this machine. Install it to write its records.`,
        { system },
      )
    }
    const declared = declaredCollection(manifest, collection)
    if (declared === undefined) throw unknownCollection(manifest, collection)
    return { keys: keysOf(named), declared }
  }
}

function keysOf({ key, formerKeys }: NamedSystem): SystemKeys {
  return [key, ...formerKeys]
}

function unknownCollection(manifest: Manifest, collection: string): CloudError {
  return new CloudError(
    'DB_COLLECTION_UNKNOWN',
    `"${manifest.id}" declares no collection "${collection}".`,
    { collection, collections: Object.keys(manifest.collections) },
  )
}

/** @returns the canonical text. @throws CloudError DB_TOO_LARGE, BAD_INPUT */
function checkSize(value: Json, limitBytes: number): string {
  const text = canonicalJson(value)
  const sizeBytes = Buffer.byteLength(text)
  if (sizeBytes > limitBytes) {
    throw new CloudError('DB_TOO_LARGE', 'The value is too large for this collection.', {
      sizeBytes,
      limitBytes,
    })
  }
  if (!isShallow(text)) {
    throw new CloudError('BAD_INPUT', 'The value is nested too deeply.', {
      issues: [{ path: 'value', message: 'nested too deeply' }],
    })
  }
  return text
}

function isBy({ record }: StoredRecord, author: string): boolean {
  return record.header.author === author
}

/** Has the value of a record these fields with these very values? */
function matcherOf(where: Record<string, Json> | undefined): (record: HeldRecord) => boolean {
  if (where === undefined) return () => true
  const wanted = Object.entries(where).map(
    ([field, value]) => [field, canonicalJson(value)] as const,
  )
  return (record) => {
    const value = recordValue(record)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
    return wanted.every(([field, text]) => {
      const found = Object.hasOwn(value, field) ? value[field] : undefined
      return found !== undefined && canonicalJson(found) === text
    })
  }
}
