// What this machine thinks of records under the manifests of its systems: a verdict kept beside each
// record. It decides what is shown, never what is held, so that machines with other versions of a
// system, or without it, hold the same.
import { CloudError } from '../../contract/errors.ts'
import type { Manifest } from '../../contract/manifest.ts'
import type { Json } from '../../contract/values.ts'
import { valueTextOf } from '../../core/db/signed-record.ts'
import type { HeldRecord, RecordHeader } from '../../core/db/signed-record.ts'
import { schemaHash } from '../../core/systems/collection-schemas.ts'
import type { StoredRecord } from '../../ports/record-store.ts'
import type { Verdict } from '../../sandbox/schema-judge.ts'

/** Holds values against a schema, somewhere where it can be stopped. */
export interface JudgesValues {
  /**
   * Never rejects.
   * @param values  JSON texts; the answers are in their order
   * @param owner  the system whose turn it is, when there is much to do
   */
  judge(hash: string, schema: Json, values: readonly string[], owner?: string): Promise<Verdict[]>
}

type Declaration = Manifest['collections'][string]

/** A collection as the installed version of its system declares it. */
export interface DeclaredCollection {
  declaration: Declaration
  /** Names the schema in records and verdicts. */
  schema: string
}

/** Not judged yet, or by a schema that is not the installed one. */
export const UNJUDGED = ''
const FITS = '+'
const MISFITS = '-'
/** Of the hash of a schema, enough to tell those of one collection apart. */
const LABEL_CHARS = 16

const known = new WeakMap<object, DeclaredCollection>()

/** The collection, if the manifest declares it. */
export function declaredCollection(
  manifest: Manifest,
  collection: string,
): DeclaredCollection | undefined {
  if (!Object.hasOwn(manifest.collections, collection)) return undefined
  const declaration = manifest.collections[collection]
  if (declaration === undefined) return undefined
  let declared = known.get(declaration)
  if (declared === undefined) {
    declared = { declaration, schema: schemaHash(declaration.schema) }
    known.set(declaration, declared)
  }
  return declared
}

function label({ schema }: DeclaredCollection, sign: string): string {
  return schema.slice(0, LABEL_CHARS) + sign
}

function isJudged(verdict: string, { schema }: DeclaredCollection): boolean {
  return verdict.slice(0, LABEL_CHARS) === schema.slice(0, LABEL_CHARS)
}

export class Judgement {
  readonly #judge: JudgesValues
  /** The collection of a record by the key of its system, if that is installed here. */
  readonly #declared: (system: string, collection: string) => DeclaredCollection | undefined

  constructor(
    judge: JudgesValues,
    declared: (system: string, collection: string) => DeclaredCollection | undefined,
  ) {
    this.#judge = judge
    this.#declared = declared
  }

  /**
   * Holds a value that is to be written against the schema.
   * @throws CloudError DB_SCHEMA with every field that does not fit; UNAVAILABLE if that can't be told now
   */
  async checkValue(declared: DeclaredCollection, valueText: string): Promise<void> {
    const { declaration, schema } = declared
    const [verdict] = await this.#judge.judge(schema, declaration.schema, [valueText])
    if (verdict === undefined || 'kind' in verdict) {
      const reason = verdict?.reason ?? 'nothing was said of it'
      throw new CloudError(
        'UNAVAILABLE',
        `The value could not be held against the schema now: ${reason}. Try again.`,
        { reason },
      )
    }
    if (!('errors' in verdict)) return
    const [first] = verdict.errors
    const where = first === undefined ? '' : ` ${first.at}: ${first.error}`
    throw new CloudError(
      'DB_SCHEMA',
      `The value does not fit the schema of this collection.${where}`,
      { errors: verdict.errors },
    )
  }

  /** The verdict of a record that was written here, after `checkValue`. */
  fitting(declared: DeclaredCollection): string {
    return label(declared, FITS)
  }

  /** A verdict for each record, in their order. What can't be judged here and now stays unjudged. */
  async verdictsOf(records: readonly HeldRecord[]): Promise<string[]> {
    const verdicts = records.map(() => UNJUDGED)
    const batches = new Map<DeclaredCollection, number[]>()
    for (const [at, { header }] of records.entries()) {
      const declared = this.#declared(header.system, header.collection)
      if (declared === undefined) continue
      if (header.deleted === true) verdicts[at] = label(declared, FITS)
      else batches.set(declared, [...(batches.get(declared) ?? []), at])
    }
    for (const [declared, places] of batches) {
      const texts = places.map((at) => valueTextOf(records[at] as HeldRecord) ?? '')
      const judged = await this.#judge.judge(declared.schema, declared.declaration.schema, texts)
      for (const [index, at] of places.entries()) {
        const verdict = judged[index]
        if (verdict === undefined || 'kind' in verdict) continue
        verdicts[at] = label(declared, verdict.ok ? FITS : MISFITS)
      }
    }
    return verdicts
  }

  /** Was it written under another version of its system than the installed one? */
  isOfOtherVersion({ header }: HeldRecord): boolean {
    const declared = this.#declared(header.system, header.collection)
    return declared !== undefined && header.schema !== declared.schema
  }

  /** Records come by the thousand, nearly always of one collection. */
  #declaredOnce(): (header: RecordHeader) => DeclaredCollection | undefined {
    let last: { system: string; collection: string; found: DeclaredCollection | undefined } | null =
      null
    return ({ system, collection }) => {
      if (last?.system !== system || last.collection !== collection) {
        last = { system, collection, found: this.#declared(system, collection) }
      }
      return last.found
    }
  }

  /**
   * The records that the installed version of their system shows; all, where it is not installed.
   * Those that no one has judged under its schema are judged now; `onJudged` gets them, to be kept.
   */
  async shown(
    stored: readonly StoredRecord[],
    onJudged: (judged: readonly StoredRecord[]) => void,
  ): Promise<StoredRecord[]> {
    const declaredOf = this.#declaredOnce()
    const unjudged = stored.filter(({ record: { header }, verdict }) => {
      const declared = declaredOf(header)
      return declared !== undefined && !isJudged(verdict, declared)
    })
    const verdicts = await this.verdictsOf(unjudged.map(({ record }) => record))
    const fresh = new Map(unjudged.map(({ record }, at) => [record, verdicts[at] ?? UNJUDGED]))
    const judged = [...fresh].flatMap(([record, verdict]) =>
      verdict === UNJUDGED ? [] : [{ record, verdict }],
    )
    if (judged.length > 0) onJudged(judged)
    return stored.filter(({ record, verdict }) => {
      const declared = declaredOf(record.header)
      if (declared === undefined) return true
      const { write, maxBytes } = declared.declaration
      if (record.header.rule !== write || record.header.size > maxBytes) return false
      return (fresh.get(record) ?? verdict).endsWith(FITS)
    })
  }
}
