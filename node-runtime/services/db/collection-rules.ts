// What a system's manifest demands of a record in one of its collections.
import { Validator } from '@cfworker/json-schema'
import type { Schema } from '@cfworker/json-schema'
import type { CloudRecord, WriteRule } from '../../contract/db.ts'
import { CloudError } from '../../contract/errors.ts'
import type { CollectionDeclaration } from '../../contract/manifest.ts'
import type { Json } from '../../contract/values.ts'
import { canonicalJson } from '../../core/canonical.ts'

export class CollectionRules {
  readonly #declaration: CollectionDeclaration
  readonly #validator: Validator

  constructor(declaration: CollectionDeclaration) {
    this.#declaration = declaration
    // It marks the schema it is given.
    this.#validator = new Validator(structuredClone(declaration.schema) as Schema, '2020-12')
  }

  get write(): WriteRule {
    return this.#declaration.write
  }

  /** @throws CloudError DB_TOO_LARGE, DB_SCHEMA */
  checkValue(value: Json): void {
    const { maxBytes } = this.#declaration
    const sizeBytes = Buffer.byteLength(canonicalJson(value))
    if (sizeBytes > maxBytes) {
      throw new CloudError('DB_TOO_LARGE', `The value is too large for this collection.`, {
        sizeBytes,
        limitBytes: maxBytes,
      })
    }
    const { valid, errors } = this.#validator.validate(value)
    if (valid) return
    throw new CloudError('DB_SCHEMA', 'The value does not fit the schema of this collection.', {
      errors: errors.map(({ instanceLocation, error }) => ({ at: instanceLocation, error })),
    })
  }

  /** Does a record from anywhere obey the manifest? */
  admits(record: CloudRecord): boolean {
    if (record.rule !== this.#declaration.write) return false
    if (record.deleted === true) return true
    try {
      this.checkValue(record.value)
      return true
    } catch (error) {
      if (error instanceof CloudError) return false
      throw error
    }
  }
}
