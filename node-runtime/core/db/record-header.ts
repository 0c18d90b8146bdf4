// The header of a record, version 1, frozen: it alone decides order, merge and placement.
import { parseCanonical } from '../canonical.ts'

/** The header's text; what it must hold takes about 600 bytes, the rest is room for later fields. */
export const MAX_HEADER_BYTES = 4096
/** The value's text. */
export const MAX_VALUE_BYTES = 262_144
/** Who sign one record together. */
export const MAX_PARTIES = 64

const SCOPES = ['set', 'home', 'cloud'] as const

export interface RecordHeader {
  /** System key; see `core/systems/system-key.ts`. */
  system: string
  collection: string
  /** The person; of a co-signed record, the hash of its parties. */
  author: string
  id: string
  /** Hybrid clock reading; see `hybrid-clock.ts`. */
  version: string
  /** `author`, `content`, `co-signed`, or one of a later version, which is held like `author`. */
  rule: string
  /** How far it spreads. */
  scope: (typeof SCOPES)[number]
  /** Reserved: groups records that are kept together. */
  partition: string | null
  /** The hash of the schema that the writer had. It decides nothing about holding. */
  schema: string | null
  /** Of the value's text, in bytes; 0 when deleted. */
  size: number
  /** The hash of the signing machine's attestation; null when several sign. */
  attestation: string | null
  deleted?: true
  /** Of a co-signed record: the persons, sorted. */
  parties?: readonly string[]
}

const KEY = /^[ybndrfg8ejkmcpqxot1uwisza345h769]{52}$/
const HASH = /^[0-9a-f]{64}$/
const VERSION = /^[0-9a-f]{12}-[0-9a-f]{4}$/
const COLLECTION = /^[a-z][a-z0-9-]{0,39}$/
const ID = /^[^\u0000-\u001f\u007f]{1,200}$/
const RULE = /^[a-z][a-z0-9-]{0,39}$/

function matches(value: unknown, form: RegExp): value is string {
  return typeof value === 'string' && form.test(value)
}

function isParties(value: unknown): value is string[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_PARTIES) return false
  return value.every(
    (party, at) => matches(party, KEY) && (at === 0 || party > (value[at - 1] as string)),
  )
}

/** Of a header that was checked, the fields that this version knows. */
export function knownFields(header: RecordHeader): RecordHeader {
  const { system, collection, author, id, version, rule, scope, partition } = header
  const { schema, size, attestation, deleted, parties } = header
  return {
    system,
    collection,
    author,
    id,
    version,
    rule,
    scope,
    partition,
    schema,
    size,
    attestation,
    ...(deleted === undefined ? {} : { deleted }),
    ...(parties === undefined ? {} : { parties }),
  }
}

/** The header in a text, or null. Fields of later versions are passed over. Never throws. */
export function parseHeader(text: string): RecordHeader | null {
  if (text.length > MAX_HEADER_BYTES) return null
  const value = parseCanonical(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  const { kind, v, system, collection, author, id, version, rule, scope, partition } = value
  const { schema, size, attestation, deleted, parties } = value
  if (kind !== 'record' || typeof v !== 'number' || !Number.isInteger(v) || v < 1) return null
  if (!matches(system, KEY) || !matches(author, KEY)) return null
  if (!matches(collection, COLLECTION) || !matches(id, ID) || !matches(version, VERSION))
    return null
  if (!matches(rule, RULE) || !SCOPES.includes(scope as RecordHeader['scope'])) return null
  if (partition !== null && !matches(partition, ID)) return null
  if (schema !== null && !matches(schema, HASH)) return null
  if (attestation !== null && !matches(attestation, HASH)) return null
  if (typeof size !== 'number' || !Number.isInteger(size) || size < 0) return null
  if (size > MAX_VALUE_BYTES) return null
  if (deleted !== undefined && (deleted !== true || size !== 0)) return null
  if (deleted === undefined && size === 0) return null
  if ((rule === 'co-signed') !== (parties !== undefined)) return null
  if (parties !== undefined && !isParties(parties)) return null
  if ((attestation === null) !== (rule === 'co-signed')) return null
  return knownFields(value as unknown as RecordHeader)
}
