// Judges records that come from elsewhere, and has those that hold written.
import { decodeRecord, isOverLimit, verifyRecord } from '../core/db/signed-record.ts'
import type { HeldRecord } from '../core/db/signed-record.ts'
import { isTooFarAhead } from '../core/db/hybrid-clock.ts'
import { attestationHash, fitsRecords, openAttestation } from '../core/forms/attestation.ts'
import type { Attestation } from '../core/forms/attestation.ts'
import type { SignedForm } from '../core/forms/signed-form.ts'
import { toHex } from '../core/keys.ts'
import type { RecordStatus } from '../core/sync/replication-events.ts'
import type { Item } from '../core/sync/item.ts'
import type { Log } from '../ports/log.ts'
import type { RecordStore } from '../ports/record-store.ts'
import type { SignatureCheck, Verifier } from '../ports/verifier.ts'

/** Attestations that are kept at hand: one for each machine that writes. */
const MOST_ATTESTATIONS = 4096

export interface IntakeOptions {
  store: RecordStore
  verifier: Verifier
  cloud: string
  /** Is this record held already? */
  isHeld: (item: Item) => boolean
  /** What this machine thinks of records, to be kept beside them; '' leaves that open. */
  judge?: (records: readonly HeldRecord[]) => Promise<string[]>
  /** The time of day, ms. */
  now: () => number
  log: Log
}

export function itemOf({ header, id32 }: HeldRecord): Item {
  return { version: header.version, id: toHex(id32) }
}

interface Candidate {
  /** Its number in the frame. */
  number: number
  record: HeldRecord
}

/** Records that hold, and what they name: others may have taken its place at hand by the time it is written. */
interface Sound {
  good: readonly Candidate[]
  /** Signed as they must be, and over a limit. */
  overLimit: readonly Candidate[]
  attestations: ReadonlyMap<string, Attestation>
}

export class RecordIntake {
  readonly #options: IntakeOptions
  readonly #attestations = new Map<string, Attestation>()
  #closed = false

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  /** What fails from now on fails because the store closes, and is no news. */
  close(): void {
    this.#closed = true
  }

  /** The form of an attestation, if it is at hand. */
  formOf(hash: string): SignedForm | undefined {
    return this.#attestations.get(hash)?.form
  }

  /** The form of an attestation, at hand from now on; undefined if it is unknown here. */
  async readForm(hash: string): Promise<SignedForm | undefined> {
    return (await this.#attestation(hash))?.form
  }

  /**
   * Takes in records with the attestations they name. They are on the disk when this resolves; one
   * status for each, in order. Never rejects.
   * @param announce  told of what is about to be written
   */
  async take(
    forms: readonly SignedForm[],
    envelopes: readonly Uint8Array[],
    announce: (items: readonly Item[]) => void,
  ): Promise<RecordStatus[]> {
    const { isHeld, log } = this.#options
    const statuses: RecordStatus[] = envelopes.map(() => 'forged')
    const candidates: Candidate[] = []
    envelopes.forEach((bytes, number) => {
      const record = decodeRecord(bytes)
      if (record === null) return
      if (isHeld(itemOf(record))) statuses[number] = 'held'
      else candidates.push({ number, record })
    })
    try {
      const { good, overLimit, attestations } = await this.#verify(candidates, forms)
      for (const { number } of overLimit) statuses[number] = 'over-limit'
      announce(good.map(({ record }) => itemOf(record)))
      await this.#write(good, attestations)
      const nowMs = this.#options.now()
      for (const { number, record } of good) {
        statuses[number] = isTooFarAhead(record.header.version, nowMs) ? 'future' : 'held'
      }
    } catch (error) {
      if (!this.#closed) log.warn('records could not be taken in', { error })
      for (const { number } of candidates) statuses[number] = 'unavailable'
    }
    return statuses
  }

  async #verify(candidates: readonly Candidate[], forms: readonly SignedForm[]): Promise<Sound> {
    const known = new Map<string, Attestation>()
    if (candidates.length === 0) return { good: [], overLimit: [], attestations: known }
    const named = new Set(
      candidates.flatMap(({ record }) => record.signatures.map(({ attestation }) => attestation)),
    )
    for (const form of forms) {
      const hash = attestationHash(form)
      if (!named.has(hash) || this.#attestations.has(hash)) continue
      const attestation = openAttestation(form, this.#options.cloud)
      if (attestation === null) continue
      known.set(hash, attestation)
      this.#remember(attestation)
    }
    for (const hash of named) {
      const attestation = known.get(hash) ?? (await this.#attestation(hash))
      if (attestation !== undefined) known.set(hash, attestation)
    }
    const checks: (SignatureCheck & { by: number })[] = []
    const tooMuch = new Set<number>()
    const sound = candidates.filter(({ number, record }) => {
      const fault = verifyRecord(
        record,
        this.#options.cloud,
        (hash) => known.get(hash),
        (message, signature, publicKey) => {
          // Gathered here, checked below: all signatures of a frame at once.
          checks.push({ message, signature, publicKey, by: number })
          return true
        },
      )
      if (isOverLimit(fault)) tooMuch.add(number)
      return fault === null || isOverLimit(fault)
    })
    const verdicts = await this.#options.verifier.verify(checks)
    const forged = new Set(checks.flatMap(({ by }, i) => (verdicts[i] === true ? [] : [by])))
    const signed = sound.filter(({ number }) => !forged.has(number))
    return {
      good: signed.filter(({ number }) => !tooMuch.has(number)),
      overLimit: signed.filter(({ number }) => tooMuch.has(number)),
      attestations: known,
    }
  }

  async #write(good: readonly Candidate[], known: ReadonlyMap<string, Attestation>): Promise<void> {
    if (good.length === 0) return
    const { store, judge } = this.#options
    const hashes = new Set(
      good.flatMap(({ record }) => record.signatures.map(({ attestation }) => attestation)),
    )
    const attestations = [...hashes].flatMap((hash) => {
      const form = known.get(hash)?.form
      return form === undefined ? [] : [{ hash, form }]
    })
    const verdicts = (await judge?.(good.map(({ record }) => record))) ?? []
    const records = good.map(({ record }, at) => ({ record, verdict: verdicts[at] ?? '' }))
    await store.accept({ records, attestations })
  }

  async #attestation(hash: string): Promise<Attestation | undefined> {
    const known = this.#attestations.get(hash)
    if (known !== undefined) return known
    const form = await this.#options.store.attestation(hash)
    const opened = form === undefined ? null : openAttestation(form, this.#options.cloud)
    if (opened === null) return undefined
    this.#remember(opened)
    return opened
  }

  #remember(attestation: Attestation): void {
    if (!fitsRecords(attestation.form)) return
    this.#attestations.set(attestation.hash, attestation)
    if (this.#attestations.size <= MOST_ATTESTATIONS) return
    for (const oldest of this.#attestations.keys()) {
      this.#attestations.delete(oldest)
      break
    }
  }
}
