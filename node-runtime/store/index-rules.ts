// Records that a version took in by rules of its own are held once against those of today. What does not
// hold any more stays on the disk, outside of everything that is read, compared and offered.
import { RECORD_RULES, stillHolds } from '../core/db/signed-record.ts'
import type { HeldRecord } from '../core/db/signed-record.ts'
import { openAttestation } from '../core/forms/attestation.ts'
import type { Attestation } from '../core/forms/attestation.ts'
import type { IndexLevel } from './index-level.ts'
import type { Change } from './index-mending.ts'
import { attestationKey, decodeForm, decodeRow, kindRange, orderKey, seal } from './index-rows.ts'
import type { Row } from './index-rows.ts'

const CHUNK_ROWS = 500
/** One for each machine that wrote. */
const MOST_ATTESTATIONS = 4096

/** Holds what it has against the rules of one cloud. */
export class IndexRules {
  readonly #index: IndexLevel
  readonly #cloud: string
  readonly #attestations = new Map<string, Attestation | undefined>()

  constructor(index: IndexLevel, cloud: string) {
    this.#index = index
    this.#cloud = cloud
  }

  /**
   * Puts aside what does not hold any more, if these rules are not those that all was held against.
   * @param progress  told how many records were looked at
   * @returns how many were put aside
   * @throws CloudError DISK_FULL, DISK_FAILED: it goes on at the next start
   */
  async apply(progress: (records: number) => void): Promise<number> {
    const index = this.#index
    if (index.meta.rules === RECORD_RULES) return 0
    let looked = 0
    let aside = 0
    for (const kind of ['record', 'early'] as const) {
      const range = kindRange(kind)
      for (;;) {
        const rows = await index.rows(range, CHUNK_ROWS)
        const last = rows.at(-1)
        if (last === undefined) break
        const unfit = await this.#unfit(rows)
        aside += unfit.length
        if (unfit.length > 0) {
          const added = kind === 'record' ? -unfit.length : 0
          const { newestVersion } = index.meta
          await index.write(unfit.flatMap(changesOf), { added, newestVersion })
        }
        looked += rows.length
        progress(looked)
        range.gte = Buffer.concat([last.key, Buffer.alloc(1)])
      }
    }
    // What is new and empty learns it with the first record.
    const { newestVersion } = index.meta
    index.rules = RECORD_RULES
    if (looked > 0) await index.write([], { added: 0, newestVersion })
    return aside
  }

  async #unfit(rows: readonly Row[]): Promise<Row[]> {
    const records = rows.map(({ value }) => decodeRow(value).record)
    await this.#readAttestations(records)
    return rows.filter((_, at) => {
      const record = records[at] as HeldRecord
      return !stillHolds(record, this.#cloud, (hash) => this.#attestations.get(hash))
    })
  }

  async #readAttestations(records: readonly HeldRecord[]): Promise<void> {
    if (this.#attestations.size > MOST_ATTESTATIONS) this.#attestations.clear()
    const named = new Set(records.flatMap(({ signatures }) => signatures.map((s) => s.attestation)))
    const unknown = [...named].filter((hash) => !this.#attestations.has(hash))
    const found = await this.#index.getMany(unknown.map(attestationKey))
    unknown.forEach((hash, at) => {
      const row = found[at]
      const opened = row === undefined ? null : openAttestation(decodeForm(row), this.#cloud)
      this.#attestations.set(hash, opened ?? undefined)
    })
  }
}

/** The changes that put a record aside, from its address or from among those that wait for their time. */
function changesOf({ key, value }: Row): Change[] {
  const { header, id32 } = decodeRow(value).record
  const item = { version: header.version, id32 }
  const unfit = orderKey('unfit', item)
  return [
    { type: 'del', key },
    { type: 'del', key: orderKey('order', item) },
    { type: 'put', key: unfit, value: seal(unfit, value) },
  ]
}
