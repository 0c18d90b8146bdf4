// Where records are kept. The truth is a local index of self-certifying records: what it has
// acknowledged is on the disk, and which of two records stays is decided by the records alone.
import type { HeldRecord, RecordAddress } from '../core/db/signed-record.ts'
import type { Attestation } from '../core/forms/attestation.ts'
import type { SignedForm } from '../core/forms/signed-form.ts'

/** A record's place in the order in which machines compare what they hold. */
export interface OrderItem {
  version: string
  /** See `HeldRecord.id32`. */
  id32: HeldRecord['id32']
}

/** A record as this machine keeps it. */
export interface StoredRecord {
  record: HeldRecord
  /**
   * What this machine thinks of it, in the words of who judged it. It decides what is shown; it never
   * decides what is held, and is no part of what machines compare.
   */
  verdict: string
}

/** Records that were verified, with the attestations that they name, as far as these may be new here. */
export interface RecordBatch {
  records: readonly StoredRecord[]
  attestations?: readonly NamedAttestation[]
}

/** An attestation and the name by which records call it. */
export type NamedAttestation = Pick<Attestation, 'hash' | 'form'>

/** A record that is new here, or newer than what was at its address. */
export interface MergedRecord extends StoredRecord {
  /** What it took the place of. */
  superseded?: OrderItem
}

export interface Acceptance {
  /** In the order of the batch. They are on the disk. */
  merged: readonly MergedRecord[]
  /** How many are held already. */
  known: number
  /** How many lose against what is held at their address. */
  outdated: number
  /** How many are too far ahead of the clock and wait for their time. */
  early: number
  /** How many were not taken: too far ahead, with no room for them to wait. */
  refused: number
}

export interface ScanRange {
  system: string
  collection: string
  /** Only ids that begin with it. */
  prefix?: string
  /** Only what comes after this record's place. */
  after?: { id: string; author: string }
}

/** What went missing, when the index turned out to be damaged. */
export interface StoreDamage {
  /** How many records, if that is known. */
  lost: number | null
}

/**
 * Every call that changes something resolves when the change is on the disk, and rejects with
 * CloudError DISK_FULL when there is no room: then nothing has changed, and the next call tries again.
 */
export interface RecordStore {
  /** Takes in records from elsewhere. Records that lose against what is held change nothing. */
  accept(batch: RecordBatch): Promise<Acceptance>

  /**
   * Writes records that depend on what is held. `prepare` is given what is at the addresses, writes
   * still on their way to the disk included, and runs alone: nothing comes between what it sees and
   * what it returns. All records it returns must be of these addresses. What it throws is thrown.
   * @param allowed  what must come to pass before `prepare` is called; its error is thrown. What is
   *   held is read meanwhile
   */
  write(
    addresses: readonly RecordAddress[],
    prepare: (held: readonly (StoredRecord | undefined)[]) => RecordBatch,
    allowed?: Promise<unknown>,
  ): Promise<Acceptance>

  /**
   * Judges records anew: those that are still held as they were.
   * @returns how many these are
   */
  setVerdicts(judged: readonly StoredRecord[]): Promise<number>

  /** Merges the early records whose time has come. */
  releaseDue(): Promise<Acceptance>

  get(address: RecordAddress): Promise<StoredRecord | undefined>
  /** All authors' records of one id, deleted ones too, sorted by author. */
  ofId(system: string, collection: string, id: string): Promise<StoredRecord[]>
  /**
   * Records in the order of their ids (as UTF-8), then of their authors, in chunks that are read as
   * they are asked for.
   */
  scan(range: ScanRange): AsyncGenerator<StoredRecord[], void>
  /** Every record of a system, deleted ones too. */
  ofSystem(system: string): AsyncGenerator<StoredRecord, void>
  /** The records at places of the order, in the order asked for; undefined where none is. */
  byId32(items: readonly OrderItem[]): Promise<(StoredRecord | undefined)[]>
  /** Everything held, in order, in chunks of at most about a thousand. */
  order(from?: OrderItem): AsyncGenerator<OrderItem[], void>
  attestation(hash: string): Promise<SignedForm | undefined>

  /** How many records are held, deleted ones too. */
  readonly count: number
  /** The newest version ever held, so that a clock never goes back. */
  readonly newestVersion: string | undefined

  /**
   * What is merged from now on, in order, once it is on the disk. A listener that throws harms nobody.
   * @returns ends it
   */
  onMerged(listener: (records: readonly MergedRecord[]) => void): () => void
  /**
   * Damage that is found while reading. What is lost has to come back from other machines.
   * @returns ends it
   */
  onDamage(listener: (damage: StoreDamage) => void): () => void

  close(): Promise<void>
}
