// The `db` service: signed records, replicated over the machines of the cloud.
import { eventIterator } from '@orpc/contract'
import * as z from 'zod'
import { call } from './procedure.ts'
import {
  collectionNameSchema,
  hashSchema,
  jsonSchema,
  keySchema,
  recordIdSchema,
  signatureSchema,
  signedFormSchema,
  systemIdSchema,
  versionSchema,
} from './values.ts'

/**
 * Who may change a record: `author`, who wrote it; `content`, nobody, ever: its id is the hash of its
 * value and of its header, author and version included, so that an equal value put again is another
 * record; it is found without knowing the author; `co-signed`, all persons it names, together.
 */
export const writeRuleSchema = z.enum(['author', 'content', 'co-signed'])

/** All that certifies a record: the bytes that were signed, and by whom. See `docs/protocol.md`. */
export const recordProofSchema = z.object({
  /** Header and value, as they were signed. */
  body: z.string().max(300_000),
  signatures: z
    .array(z.object({ attestation: hashSchema, signature: signatureSchema }))
    .min(1)
    .max(64),
  /** In whose name the signing machines write; one for each signature. */
  attestations: z.array(signedFormSchema).min(1).max(64),
})
export type RecordProof = z.infer<typeof recordProofSchema>

const countSchema = z.number().int().nonnegative()

/** What came of records from elsewhere; each is counted once. */
export const importedSchema = z.object({
  /** Are held now, and were not. */
  accepted: countSchema,
  /** Were held already. */
  known: countSchema,
  /** Lose against what is held at their address. */
  outdated: countSchema,
  /** Are too far ahead of this computer's clock: they wait here until their time has come. */
  early: countSchema,
  /** The same, and there is no room for them to wait: give them again later. */
  refused: countSchema,
})
export type Imported = z.infer<typeof importedSchema>

/**
 * A record. Its address is system, collection, author and id: nobody can stand in another's place.
 * With its proof it certifies itself: any holder can check it alone.
 */
export const recordSchema = z.object({
  /** The key that the system had when this was written: its present one, or a former one. */
  system: keySchema,
  collection: collectionNameSchema,
  id: recordIdSchema,
  value: jsonSchema,
  /** The person; of a co-signed record, the hash of its parties. */
  author: keySchema,
  version: versionSchema,
  /** One of the write rules, or one that a later version of Dharma knows. */
  rule: z.string().max(40),
  deleted: z.literal(true).optional(),
  /** Of a co-signed record: the persons, sorted. */
  parties: z.array(keySchema).max(64).optional(),
  /** Present when it was asked for. */
  proof: recordProofSchema.optional(),
})
export type CloudRecord = z.infer<typeof recordSchema>

/** How much of the cloud an answer covers. */
export const completenessSchema = z.object({
  /**
   * True when this machine was found equal, record for record, with every machine it is linked to,
   * and with one at least; or when the cloud has no other machine.
   */
  complete: z.boolean(),
  setsAnswered: z.number().int(),
  setsKnown: z.number().int(),
  machinesLinked: z.number().int(),
  /** Of those linked: how many were found equal when they were last compared. */
  machinesInStep: z.number().int(),
  /**
   * Records of the page's range that are held here and not in the answer, because they were written under another
   * version of the system, and the installed one does not take them. Anybody may write such.
   */
  hidden: z.number().int().nonnegative(),
  /** Since the last time that this machine was found equal with another; null if never. */
  ageMs: z.number().nonnegative().nullable(),
})
export type Completeness = z.infer<typeof completenessSchema>

const place = {
  /** The id of an installed system, or its key. */
  system: systemIdSchema,
  collection: collectionNameSchema,
}

const address = { ...place, id: recordIdSchema }

/** Where a record was written, whole, and its version. */
const written = z.object({
  system: keySchema,
  collection: collectionNameSchema,
  author: keySchema,
  id: recordIdSchema,
  version: versionSchema,
})

/** `{ "$gt": 1 }` and the like, which other databases know. */
function isOperator(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.keys(value).some((key) => key.startsWith('$'))
}

/**
 * A system that continues another (`continues` in its manifest, see `docs/protocol.md`) finds what was
 * written under its former keys, too. Of records with one collection, id and author under several of its
 * keys, it finds the one that wins by version, as if their keys were one. It writes under its present key.
 */
export const dbContract = {
  /**
   * Writes a record in the person's name. It is on this machine's disk, and survives a power cut, when
   * the call returns. In a collection with the rule `content` the id is computed: give none.
   */
  put: call({
    input: z.object({ ...place, id: recordIdSchema.optional(), value: jsonSchema }),
    output: written,
    errors: [
      'SYSTEM_NOT_INSTALLED',
      'SYSTEM_ID_AMBIGUOUS',
      'DB_COLLECTION_UNKNOWN',
      'DB_SCHEMA',
      'DB_FORBIDDEN',
      'DB_TOO_LARGE',
      'DISK_FULL',
      'CLOCK_OFF',
    ],
    access: 'system',
    scope: 'own-system',
    permission: 'db',
  }),
  /**
   * The person's own record with this id; with `author`, that author's. A `content` record is found by
   * its id alone.
   */
  get: call({
    input: z.object({
      ...address,
      author: keySchema.optional(),
      /** Give what certifies the record, too. */
      proof: z.boolean().default(false),
    }),
    output: z.object({ record: recordSchema.nullable() }),
    errors: ['SYSTEM_NOT_INSTALLED', 'SYSTEM_ID_AMBIGUOUS', 'DB_COLLECTION_UNKNOWN'],
    access: 'system',
    scope: 'own-system',
    permission: 'db',
  }),
  /** Deletes the person's own record, under each of the system's keys that has it. */
  delete: call({
    input: z.object(address),
    output: written,
    errors: [
      'SYSTEM_NOT_INSTALLED',
      'SYSTEM_ID_AMBIGUOUS',
      'DB_COLLECTION_UNKNOWN',
      'DB_FORBIDDEN',
      'DB_NOT_FOUND',
      'DISK_FULL',
      'CLOCK_OFF',
    ],
    access: 'system',
    scope: 'own-system',
    permission: 'db',
  }),
  /**
   * Everybody's records of a collection, in the order of their ids, then of their authors. `cursor`
   * goes on after an earlier answer. An answer holds `limit` records, or fewer when they take more than
   * about 256 kB, but one at least.
   */
  query: call({
    input: z.object({
      ...place,
      prefix: z.string().max(200).optional(),
      /** Keep records whose value has these fields with these very values (top level). */
      where: z
        .record(
          z.string(),
          jsonSchema.refine(
            (value) => !isOperator(value),
            'is compared for equality; operators such as {"$gt": 1} are not known',
          ),
        )
        .optional(),
      author: keySchema.optional(),
      limit: z.number().int().min(1).max(1000).default(100),
      cursor: z.string().max(1000).optional(),
      /** Give what certifies the records, too. */
      proof: z.boolean().default(false),
    }),
    output: z.object({
      records: z.array(recordSchema),
      completeness: completenessSchema,
      /** Present when more records follow. */
      cursor: z.string().optional(),
    }),
    errors: ['SYSTEM_NOT_INSTALLED', 'SYSTEM_ID_AMBIGUOUS', 'DB_COLLECTION_UNKNOWN'],
    access: 'system',
    scope: 'own-system',
    permission: 'db',
  }),
  /** First `{ ready: true }`, then one event for every record that changes. */
  watch: call({
    input: z.object({ system: systemIdSchema, collection: collectionNameSchema.optional() }),
    output: eventIterator(
      z.union([
        z.object({ ready: z.literal(true) }),
        z.object({ ...written.shape, deleted: z.boolean() }),
      ]),
    ),
    errors: ['SYSTEM_NOT_INSTALLED', 'SYSTEM_ID_AMBIGUOUS'],
    access: 'system',
    scope: 'own-system',
    permission: 'db',
  }),
  /** Checks what certifies a record (its `proof`), without any other knowledge. */
  verify: call({
    input: z.object({ record: recordSchema }),
    output: z.object({ author: keySchema, cosigners: z.array(keySchema) }),
    errors: ['DB_RECORD_FORGED'],
    access: 'system',
    scope: 'none',
    permission: 'db',
  }),
  /**
   * Takes in records from elsewhere (a file, a person), with their proofs. All are checked first; one
   * bad, none in. Answers what came of how many.
   */
  import: call({
    input: z.object({ records: z.array(recordSchema).min(1).max(1000) }),
    output: importedSchema,
    errors: ['DB_RECORD_FORGED', 'DISK_FULL'],
  }),
}
