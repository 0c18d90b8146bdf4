// Records and their signatures, judged once for all simulated machines: the real decoder, the real
// rules, the real ed25519, but each question only once.
import { decodeRecord, verifyRecord } from '../core/db/signed-record.ts'
import type { HeldRecord } from '../core/db/signed-record.ts'
import { openAttestation } from '../core/forms/attestation.ts'
import type { Attestation } from '../core/forms/attestation.ts'
import type { SignedForm } from '../core/forms/signed-form.ts'
import { toHex } from '../core/keys.ts'
import type { Item } from '../core/sync/item.ts'

export interface JudgedRecord {
  record: HeldRecord
  item: Item
  /** The envelope. */
  bytes: Uint8Array
  /** It was signed by whom it names. */
  holds: boolean
}

export class SharedVerifier {
  readonly #cloud: string
  readonly #judged = new Map<string, JudgedRecord | null>()
  readonly #opened = new Map<string, Attestation | null>()
  readonly #named = new Map<string, Attestation>()

  constructor(cloud: string) {
    this.#cloud = cloud
  }

  /** Takes note of an attestation that a frame carries. */
  open(form: SignedForm): void {
    const key = form.signature + form.body
    if (this.#opened.has(key)) return
    const attestation = openAttestation(form, this.#cloud)
    this.#opened.set(key, attestation)
    if (attestation !== null) this.#named.set(attestation.hash, attestation)
  }

  formOf(hash: string): SignedForm | undefined {
    return this.#named.get(hash)?.form
  }

  /** Null if it is no record. */
  judge(bytes: Uint8Array): JudgedRecord | null {
    const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
    const known = this.#judged.get(key)
    if (known !== undefined) return known
    const record = decodeRecord(bytes)
    const judged =
      record === null
        ? null
        : {
            record,
            item: { version: record.header.version, id: toHex(record.id32) },
            bytes: bytes.slice(),
            holds: verifyRecord(record, this.#cloud, (hash) => this.#named.get(hash)) === null,
          }
    this.#judged.set(key, judged)
    return judged
  }
}
