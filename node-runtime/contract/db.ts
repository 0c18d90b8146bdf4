// The `db` service: signed records, replicated over the machines of the cloud.
import { eventIterator } from '@orpc/contract'
import * as z from 'zod'
import { call } from './procedure.ts'
import {
  collectionNameSchema,
  jsonSchema,
  keySchema,
  recordIdSchema,
  signatureSchema,
  systemIdSchema,
  versionSchema,
} from './values.ts'

/**
 * Who may change a record: `author`, only who wrote it; `create-only`, nobody, ever; `co-signed`,
 * it counts only with the signatures of all persons it names.
 */
export const writeRuleSchema = z.enum(['author', 'create-only', 'co-signed'])
export type WriteRule = z.infer<typeof writeRuleSchema>

/**
 * A record, self-certifying: any holder can check it alone.
 * `signature` is the author's over everything else; a co-signature is its signer's over the system,
 * the collection, the id and the value. See `core/record.ts` for the exact bytes.
 */
export const recordSchema = z.object({
  system: systemIdSchema,
  collection: collectionNameSchema,
  id: recordIdSchema,
  value: jsonSchema,
  author: keySchema,
  version: versionSchema,
  /** The version at which this author first wrote this record; the earliest owner of an id has it. */
  created: versionSchema,
  rule: writeRuleSchema,
  deleted: z.literal(true).optional(),
  /** For `co-signed`: the named persons, sorted by key, each with a signature. */
  cosignatures: z
    .array(z.object({ person: keySchema, signature: signatureSchema }))
    .min(1)
    .max(64)
    .optional(),
  signature: signatureSchema,
})
export type CloudRecord = z.infer<typeof recordSchema>

/** How much of the cloud an answer covers. */
export const completenessSchema = z.object({
  /** True when every log known to this machine has been read to its known end. */
  complete: z.boolean(),
  setsAnswered: z.number().int(),
  setsKnown: z.number().int(),
  logsKnown: z.number().int(),
  logsCurrent: z.number().int(),
})

const address = {
  system: systemIdSchema,
  collection: collectionNameSchema,
  id: recordIdSchema,
}

export const dbContract = {
  /** Writes a record in the person's name. It is on this machine's disk when the call returns. */
  put: call({
    input: z.object({ ...address, value: jsonSchema }),
    output: z.object({ version: versionSchema }),
    errors: [
      'SYSTEM_NOT_INSTALLED',
      'DB_COLLECTION_UNKNOWN',
      'DB_SCHEMA',
      'DB_FORBIDDEN',
      'DB_TOO_LARGE',
    ],
    access: 'system',
    scope: 'own-system',
    permission: 'db',
  }),
  /** The record with this id; with `author`, that author's, should several have written one. */
  get: call({
    input: z.object({ ...address, author: keySchema.optional() }),
    output: z.object({ record: recordSchema.nullable() }),
    access: 'system',
    scope: 'own-system',
    permission: 'db',
  }),
  delete: call({
    input: z.object(address),
    output: z.object({ version: versionSchema }),
    errors: ['SYSTEM_NOT_INSTALLED', 'DB_COLLECTION_UNKNOWN', 'DB_FORBIDDEN', 'DB_NOT_FOUND'],
    access: 'system',
    scope: 'own-system',
    permission: 'db',
  }),
  /**
   * Records of a collection in the order of their ids: `limit` of them, or fewer when these are about
   * a megabyte already. An answer with a `cursor` has more to follow: pass it on to get them.
   */
  query: call({
    input: z.object({
      system: systemIdSchema,
      collection: collectionNameSchema,
      prefix: z.string().max(200).optional(),
      /** Keep records whose value has these fields with these very values (top level). */
      where: z.record(z.string(), jsonSchema).optional(),
      author: keySchema.optional(),
      limit: z.number().int().min(1).max(1000).default(100),
      cursor: z.string().max(1000).optional(),
    }),
    output: z.object({
      records: z.array(recordSchema),
      completeness: completenessSchema,
      /** Present when more records follow. */
      cursor: z.string().optional(),
    }),
    access: 'system',
    scope: 'own-system',
    permission: 'db',
  }),
  /**
   * First `{ ready: true }`, then one event for every record that changes. Changes of one record that
   * a slow reader has not taken yet are one. A reader that falls too far behind gets UNAVAILABLE with
   * the details `{ lagged: true }`: read all again, and watch again.
   */
  watch: call({
    input: z.object({ system: systemIdSchema, collection: collectionNameSchema.optional() }),
    output: eventIterator(
      z.union([
        z.object({ ready: z.literal(true) }),
        z.object({ ...address, version: versionSchema, deleted: z.boolean() }),
      ]),
    ),
    access: 'system',
    scope: 'own-system',
    permission: 'db',
  }),
  /** Checks the signatures of a record, without any other knowledge. */
  verify: call({
    input: z.object({ record: recordSchema }),
    output: z.object({ author: keySchema, cosigners: z.array(keySchema) }),
    errors: ['DB_RECORD_FORGED'],
    access: 'system',
    scope: 'none',
    permission: 'db',
  }),
  /** Takes in records from elsewhere (a file, a person). All are checked first; one bad, none in. */
  import: call({
    input: z.object({ records: z.array(recordSchema).min(1).max(1000) }),
    output: z.object({ accepted: z.number().int(), known: z.number().int() }),
    errors: ['DB_RECORD_FORGED', 'DB_TOO_LARGE'],
  }),
}
