// The machines that persons of this cloud have revoked. The statements spread as records of the runtime
// itself, which nobody can change or delete, so that they reach whom all records reach; they count by the
// person's signature, whoever carries them. What they hide is hidden at reading.
import { EventEmitter } from 'node:events'
import * as z from 'zod'
import { recordValue } from '../../core/db/signed-record.ts'
import type { HeldRecord } from '../../core/db/signed-record.ts'
import { openAttestation } from '../../core/forms/attestation.ts'
import { openRevocation } from '../../core/forms/revocation.ts'
import type { Attested, Revocation } from '../../core/forms/revocation.ts'
import { MAX_FORM_CHARS, signedFormSchema } from '../../core/forms/signed-form.ts'
import { RevokedMachines } from '../../core/membership/revoked-machines.ts'
import { BUILT_IN_SYSTEM_KEY } from '../../core/systems/built-in.ts'
import type { RecordStore, StoredRecord } from '../../ports/record-store.ts'

/** The collection of the built-in system in which revocations are. */
export const REVOCATIONS_COLLECTION = 'revocations'

const valueSchema = z.object({ revocation: signedFormSchema })
export type RevocationValue = z.infer<typeof valueSchema>

/** A form takes less, escaped within the value. */
const MAX_VALUE_BYTES = 4 * MAX_FORM_CHARS
/** Attestations of persons who have revoked a machine: one for each of their machines. */
const MAX_ATTESTATIONS = 4_096

interface RevocationsEvents {
  /** Heard of now, with the one whose place it takes; not told of those that are read at the start. */
  revoked: [revocation: Revocation, before: Revocation | undefined]
}

export class Revocations extends EventEmitter<RevocationsEvents> {
  readonly #cloud: string
  readonly #store: RecordStore
  readonly #machines = new RevokedMachines()
  /** By hash; null if it can't be read. */
  readonly #attestations = new Map<string, Attested | null>()
  readonly #unsubscribe: () => void

  private constructor(cloud: string, store: RecordStore) {
    super()
    this.#cloud = cloud
    this.#store = store
    this.#unsubscribe = store.onMerged((merged) => {
      for (const { record } of merged) this.#take(record)
    })
  }

  /** Reads those that are held already. */
  static async open(cloud: string, store: RecordStore): Promise<Revocations> {
    const revocations = new Revocations(cloud, store)
    const place = { system: BUILT_IN_SYSTEM_KEY, collection: REVOCATIONS_COLLECTION }
    for await (const chunk of store.scan(place)) {
      for (const { record } of chunk) revocations.#take(record)
    }
    return revocations
  }

  close(): void {
    this.#unsubscribe()
    this.removeAllListeners()
  }

  /** Tells of each that is heard of from now on; the function that it returns ends that. */
  onRevoked(
    listener: (revocation: Revocation, before: Revocation | undefined) => void,
  ): () => void {
    this.on('revoked', listener)
    return () => this.off('revoked', listener)
  }

  /** The newest revocation of a machine by a person. */
  get(whose: Pick<Attested, 'person' | 'machine'>): Revocation | undefined {
    return this.#machines.get(whose)
  }

  /** Is a machine with this attestation its person's no more? */
  isRevoked(attested: Attested): boolean {
    return this.#machines.isRevoked(attested)
  }

  /** Does what was signed under this attestation, with this version, not count? */
  revokes(attested: Attested, version: string): boolean {
    return this.#machines.revokes(attested, version)
  }

  /** The same of what was signed at a time, ms since 1970. */
  revokesAt(attested: Attested, timeMs: number): boolean {
    return this.#machines.revokesAt(attested, timeMs)
  }

  /** Can it be that a record does not count? Most can be told from without reading anything. */
  concerns({ header: { author, parties = [author] } }: HeldRecord): boolean {
    return this.#machines.size > 0 && parties.some((person) => this.#machines.hasPerson(person))
  }

  /** Those of the records that count, in their order. */
  async counting(stored: readonly StoredRecord[]): Promise<StoredRecord[]> {
    if (!stored.some(({ record }) => this.concerns(record))) return [...stored]
    const counting: StoredRecord[] = []
    for (const one of stored) {
      if (!this.concerns(one.record) || (await this.#counts(one.record))) counting.push(one)
    }
    return counting
  }

  /** Those of the records that did not count as long as these revocations held, in their order. */
  async hiddenBy(
    revocations: readonly Revocation[],
    stored: readonly StoredRecord[],
  ): Promise<StoredRecord[]> {
    const alone = new RevokedMachines()
    for (const revocation of revocations) alone.take(revocation)
    const hidden: StoredRecord[] = []
    for (const one of stored) if (!(await this.#counts(one.record, alone))) hidden.push(one)
    return hidden
  }

  async #counts({ header, signatures }: HeldRecord, by = this.#machines): Promise<boolean> {
    for (const { attestation } of signatures) {
      const attested = await this.#attested(attestation)
      if (attested !== null && by.revokes(attested, header.version)) return false
    }
    return true
  }

  async #attested(hash: string): Promise<Attested | null> {
    const known = this.#attestations.get(hash)
    if (known !== undefined) return known
    const form = await this.#store.attestation(hash)
    const attested = form === undefined ? null : openAttestation(form, this.#cloud)
    if (this.#attestations.size >= MAX_ATTESTATIONS) this.#attestations.clear()
    this.#attestations.set(hash, attested)
    return attested
  }

  #take(record: HeldRecord): void {
    const { system, collection, size, deleted } = record.header
    if (system !== BUILT_IN_SYSTEM_KEY || collection !== REVOCATIONS_COLLECTION) return
    if (deleted === true || size > MAX_VALUE_BYTES) return
    const value = valueSchema.safeParse(recordValue(record))
    if (!value.success) return
    const revocation = openRevocation(value.data.revocation, this.#cloud)
    if (revocation === null) return
    const before = this.#machines.get(revocation)
    if (this.#machines.take(revocation)) this.emit('revoked', revocation, before)
  }
}
