// Calls of the `cloud` service on its look-up lists: signed lists of machines on public places.
import * as z from 'zod'
import { call } from './procedure.ts'
import { emptySchema, keySchema, timeMsSchema } from './values.ts'

/** A look-up list of the cloud, and what this machine knows of it. */
export const listReportSchema = z.object({
  url: z.string(),
  /** `git`: over HTTP. `ssh`: the same over ssh. `file`: on this computer. `files`: plain files on a web server. */
  kind: z.enum(['git', 'ssh', 'file', 'files']),
  /** This machine writes to it by itself, when it is worth it. */
  keeps: z.boolean(),
  /** A name and a password or token are kept for it. */
  hasAccess: z.boolean(),
  /** `waiting`: not read since the start. `reading`: under way now. */
  state: z.enum(['waiting', 'reading', 'read', 'failed']),
  /** Machines on it that count, as far as it was read last. */
  entries: z.number().int().nonnegative(),
  /** When the newest of its entries was signed; null if there is none. */
  newestMs: timeMsSchema.nullable(),
  /** How long ago that was when this was reported, ms; 0 if it was signed by a clock that is ahead. */
  newestAgeMs: z.number().int().nonnegative().nullable(),
  /** When it was last read whole and well; null if never since the start. */
  readMs: timeMsSchema.nullable(),
  /** Why it could not be read or written the last time, such as `other-cloud`; null if it could. */
  reason: z.string().nullable(),
  /** The same in words; empty if it could. */
  message: z.string(),
  /** Where a backup of the cloud's records is, by the word of the cloud's key. */
  backup: z.string().nullable(),
})
export type ListReport = z.infer<typeof listReportSchema>

/** What is on a list now. */
export const listContentSchema = z.object({
  url: z.string(),
  entries: z.number().int().nonnegative(),
  /** When the newest of them was signed, ms since 1970; null if there is none. */
  newest: timeMsSchema.nullable(),
  /** Machines on it, those that have been on it longest first. */
  machines: z.array(
    z.object({
      machine: keySchema,
      name: z.string(),
      addresses: z.array(z.string()),
      signedMs: timeMsSchema,
      untilMs: timeMsSchema,
    }),
  ),
  /** Of the manifest: it grows with each change. */
  sequence: timeMsSchema,
  /** The key of the cloud that signed the manifest. */
  signer: keySchema,
  backup: z.string().nullable(),
  /** Was anything written? */
  pushed: z.boolean(),
})
export type ListContent = z.infer<typeof listContentSchema>

const listUrlSchema = z.string().min(1).max(1_000)

/** A name and a password or token, for places where not everybody may write. */
const listAccessSchema = z.object({
  username: z.string().max(200).default('git'),
  secret: z.string().min(1).max(2_000),
})

/** What a build carries to read the lists of its cloud, and to write to them. Whoever has the build has this. */
export const builtListsSchema = z.object({
  listsFile: z.literal(1),
  cloud: keySchema,
  lists: z
    .array(
      z.object({ url: listUrlSchema, keeps: z.boolean(), access: listAccessSchema.nullable() }),
    )
    .max(16),
})
export type BuiltLists = z.infer<typeof builtListsSchema>

const READ_ERRORS = [
  'LIST_URL_INVALID',
  'LIST_MISSING',
  'LIST_UNREACHABLE',
  'LIST_INVALID',
] as const
const WRITE_ERRORS = [...READ_ERRORS, 'LIST_DENIED', 'LIST_CONFLICT'] as const

export const listCalls = {
  /** The look-up lists of this cloud that this machine knows. */
  lists: call({ input: emptySchema, output: z.object({ lists: z.array(listReportSchema) }) }),
  /**
   * Reads a list from now on, or changes what is kept of one. With `keeps`, this machine writes to it by itself.
   * `access` null forgets what was kept; absent leaves it.
   */
  addList: call({
    input: z.object({
      url: listUrlSchema,
      keeps: z.boolean().optional(),
      access: listAccessSchema.nullable().optional(),
    }),
    output: listReportSchema,
    errors: ['LIST_URL_INVALID', 'BAD_INPUT'],
  }),
  removeList: call({
    input: z.object({ url: listUrlSchema }),
    output: emptySchema,
    errors: ['LIST_URL_INVALID', 'LIST_UNKNOWN'],
  }),
  /** Reads a list now, be it one of this cloud's that are kept or not. */
  readList: call({
    input: z.object({ url: listUrlSchema }),
    output: listContentSchema,
    errors: READ_ERRORS,
  }),
  /**
   * Begins a list at a place, or signs the one there anew, and keeps it. Only a machine that has the key of the
   * cloud can do that.
   */
  createList: call({
    input: z.object({
      url: listUrlSchema,
      /** The address of a backup of the cloud's records. */
      backup: z.string().min(1).max(1_000).optional(),
      access: listAccessSchema.optional(),
    }),
    output: listContentSchema,
    errors: [...WRITE_ERRORS, 'LIST_NO_KEY'],
  }),
  /** Writes to a list what this machine knows, now. */
  pushList: call({
    input: z.object({ url: listUrlSchema, access: listAccessSchema.optional() }),
    output: listContentSchema,
    errors: WRITE_ERRORS,
  }),
}
