// Writes records in the name of this machine's person, at their own places: newer than what is there, or not at
// all.
import { CloudError } from '../../contract/errors.ts'
import { versionTimeMs } from '../../core/db/hybrid-clock.ts'
import type { HybridClock } from '../../core/db/hybrid-clock.ts'
import { signRecord } from '../../core/db/signed-record.ts'
import type { HeldRecord, RecordSigner, UnsignedRecord } from '../../core/db/signed-record.ts'
import type { RecordBatch, RecordStore, StoredRecord } from '../../ports/record-store.ts'
import { addressesOf, newestOf } from './continued-records.ts'
import { UNJUDGED } from './judgement.ts'

/** What a record is to say, before it is signed. */
type Fields = Pick<UnsignedRecord, 'system' | 'collection' | 'id' | 'rule' | 'value' | 'schema'> & {
  deleted?: true
}

/** A place of the person, whatever key its system has. */
interface OwnPlace {
  collection: string
  id: string
}

export interface OwnRecordsOptions {
  store: Pick<RecordStore, 'accept' | 'write'>
  clock: HybridClock
  /** The person in whose name this machine writes, and what it signs with. */
  author: () => RecordSigner
}

export class OwnRecords {
  readonly #options: OwnRecordsOptions

  constructor(options: OwnRecordsOptions) {
    this.#options = options
  }

  /** Its id comes of what it says, so that there is nothing it could take the place of. */
  async writeContent(fields: Fields, verdict: string): Promise<HeldRecord> {
    const { store, clock, author } = this.#options
    const signer = author()
    const record = signFields(fields, clock.next(), signer)
    const { hash, form } = signer.attestation
    await store.accept({ records: [{ record, verdict }], attestations: [{ hash, form }] })
    return record
  }

  /**
   * Deletes the person's own record under each of these keys that has it.
   * @throws CloudError DB_NOT_FOUND
   */
  erase(keys: readonly string[], { collection, id }: OwnPlace): Promise<HeldRecord> {
    const isThere = (held: StoredRecord | undefined): held is StoredRecord =>
      held !== undefined && held.record.header.deleted !== true
    const tombstones = (held: readonly (StoredRecord | undefined)[]): Fields[] => {
      if (!isThere(newestOf(held))) {
        throw new CloudError('DB_NOT_FOUND', `You have no record "${id}" to delete.`)
      }
      return held.filter(isThere).map(({ record: { header } }) => {
        const place = { system: header.system, collection, id }
        return { ...place, rule: 'author', value: null, schema: null, deleted: true }
      })
    }
    return this.write(keys, { collection, id }, tombstones, UNJUDGED)
  }

  /**
   * Writes records at the person's own place, under some of these keys, newer than what is there.
   * @param fieldsFor  what they are to say, when this is held under each of the keys; one at least
   * @returns the last of them, which is the newest
   * @throws CloudError DISK_FULL, CLOCK_OFF, and what `allowed` throws
   */
  async write(
    keys: readonly string[],
    { collection, id }: OwnPlace,
    fieldsFor: (held: readonly (StoredRecord | undefined)[]) => Fields[],
    verdict: string,
    allowed?: Promise<void>,
  ): Promise<HeldRecord> {
    const { store, clock, author } = this.#options
    const signer = author()
    const { person, hash, form } = signer.attestation
    let written: HeldRecord | undefined
    const prepare = (held: readonly (StoredRecord | undefined)[]): RecordBatch => {
      const fields = fieldsFor(held)
      const newest = newestOf(held)
      if (newest !== undefined) clock.see(newest.record.header.version)
      const records = fields.map((each): StoredRecord => {
        const version = clock.next()
        if (newest !== undefined && newest.record.header.version >= version) {
          throw clockOff(newest, version)
        }
        written = signFields(each, version, signer)
        return { record: written, verdict }
      })
      return { records, attestations: [{ hash, form }] }
    }
    await store.write(addressesOf(keys, { collection, id, author: person }), prepare, allowed)
    if (written === undefined) throw new Error('a write gave no record')
    return written
  }
}

/** In the name of the signer's person. */
function signFields(fields: Fields, version: string, signer: RecordSigner): HeldRecord {
  const author = signer.attestation.person
  return signRecord({ ...fields, author, version, scope: 'set', partition: null }, signer)
}

function clockOff({ record }: StoredRecord, version: string): CloudError {
  const heldMs = versionTimeMs(record.header.version)
  return new CloudError(
    'CLOCK_OFF',
    `This computer's clock shows ${new Date(versionTimeMs(version)).toISOString()}, but the record ` +
      `was last changed at ${new Date(heldMs).toISOString()}. Set the clock right and try again.`,
    { heldMs, nowMs: versionTimeMs(version) },
  )
}
