// The `systems` service: what is installed on this machine from repositories.
import { eventIterator } from '@orpc/contract'
import * as z from 'zod'
import { collectionDeclarationSchema, sessionKindSchema } from './manifest.ts'
import { permissionSchema } from './permissions.ts'
import { call } from './procedure.ts'
import {
  collectionNameSchema,
  commitSchema,
  emptySchema,
  hashSchema,
  keySchema,
  systemIdSchema,
  systemNameSchema,
  timeMsSchema,
} from './values.ts'

const repoUrlSchema = z.string().trim().min(1).max(2000)

const authorSchema = z.object({ name: z.string(), email: z.string() })

/** What a system has beside its id, which others may have, too. */
const identitySchema = {
  id: systemIdSchema,
  /** Names it in records, sessions, storage and folders. */
  key: keySchema,
  /** The publisher's first key, if the repository is signed; its origin names it otherwise. */
  publisher: keySchema.nullable(),
}

/** Another system with the same id: of another author, or only signed in another way. */
const namesakeSchema = z.object({
  ...identitySchema,
  host: systemNameSchema,
  name: z.string(),
  version: z.string(),
  url: z.string(),
  author: authorSchema,
  /** Is it from the very address of this one? Then only the signatures make two systems of them. */
  sameAddress: z.boolean(),
  /** Does this one continue it? Then its records are this one's, too, once it is removed. */
  continued: z.boolean(),
})

/** What an update changes of what is installed. */
const changesSchema = z.object({
  /** Is it an earlier version than the installed one? */
  older: z.boolean(),
  /** What it asks for and the installed version did not. */
  permissions: z.array(permissionSchema),
  /** Collections whose form is another; records that do not fit are not shown. */
  collections: z.array(
    z.object({
      collection: collectionNameSchema,
      change: z.enum(['added', 'changed', 'removed']),
    }),
  ),
})

export const systemPreviewSchema = z.object({
  ...identitySchema,
  /** The name that it has, or will get, in `cloud://<host>/`. */
  host: systemNameSchema,
  /** The address as it will be fetched, after shorthand such as `github.com/a/b` was completed. */
  url: z.string(),
  name: z.string(),
  version: z.string(),
  description: z.string().optional(),
  /** The author of the commit, as git has it: a claim, not a proof. */
  author: authorSchema,
  commit: commitSchema,
  committedMs: timeMsSchema,
  message: z.string(),
  sizeBytes: z.number().int(),
  fileCount: z.number().int(),
  /** The picture of its manifest as a `data:` address; null if it has none, or a very large one. */
  icon: z.string().nullable(),
  permissions: z.array(permissionSchema),
  collections: z.record(z.string(), collectionDeclarationSchema),
  sessions: z.record(z.string(), sessionKindSchema),
  /** This very system as it is installed now, if it is: installing is an update of that. */
  installed: z
    .object({
      key: keySchema,
      version: z.string(),
      commit: commitSchema,
      url: z.string(),
      granted: z.array(permissionSchema),
    })
    .nullable(),
  /** What the update changes; null if nothing of it is installed. */
  changes: changesSchema.nullable(),
  /**
   * Other installed systems with the same id. This one will be another, beside them, and the id will
   * mean none of them alone.
   */
  namesakes: z.array(namesakeSchema),
})
export type SystemPreview = z.infer<typeof systemPreviewSchema>

export const installedSystemSchema = z.object({
  ...identitySchema,
  /**
   * Its name in `cloud://<host>/`: the id, if no other system had it when this one came, else the id
   * and a part of the key. It does not change.
   */
  host: systemNameSchema,
  /** Keys under which it was known before; its older records name them. */
  formerKeys: z.array(keySchema),
  name: z.string(),
  version: z.string(),
  description: z.string().optional(),
  commit: commitSchema,
  url: z.string(),
  author: authorSchema,
  /** Path of the icon under the system's origin, if it has one. */
  icon: z.string().optional(),
  permissions: z.array(permissionSchema),
  granted: z.array(permissionSchema),
  sessions: z.record(z.string(), sessionKindSchema),
  collections: z.record(z.string(), collectionDeclarationSchema),
  /** The hash of each collection's schema: two versions with the same hash see the same records. */
  schemaHashes: z.record(z.string(), hashSchema),
  sizeBytes: z.number().int(),
  installedMs: timeMsSchema,
})
export type InstalledSystem = z.infer<typeof installedSystemSchema>

const oneSystem = {
  system: systemNameSchema.optional(),
  /** What `system` was called here before. Never both. */
  id: systemNameSchema.optional(),
}

/** The input of a call on one installed system. */
function onOneSystem<S extends z.ZodRawShape>(shape: S) {
  return z.object({ ...oneSystem, ...shape }).superRefine((input, context) => {
    const { system, id } = input as { system?: string; id?: string }
    if (system === undefined && id === undefined) {
      context.addIssue({ code: 'custom', path: ['system'], message: 'is missing' })
    } else if (system !== undefined && id !== undefined) {
      context.addIssue({
        code: 'custom',
        path: ['id'],
        message: 'is the same as "system": give one',
      })
    }
  })
}

/**
 * A call that names a system takes its key, its host or its id. An id that several systems have names
 * none of them: SYSTEM_ID_AMBIGUOUS, with their keys in its details.
 */
export const systemsContract = {
  /** Fetches the repository's newest commit and reads its manifest. Installs nothing. */
  preview: call({
    input: z.object({ url: repoUrlSchema }),
    output: systemPreviewSchema,
    errors: [
      'REPO_URL_INVALID',
      'REPO_UNREACHABLE',
      'MANIFEST_MISSING',
      'MANIFEST_INVALID',
      'SYSTEM_SIGNATURE_INVALID',
      'SYSTEM_KEYS_FORKED',
      'SYSTEM_TOO_LARGE',
    ],
  }),
  /** Installs exactly this commit with exactly these permissions, or changes nothing. */
  install: call({
    input: z.object({
      url: repoUrlSchema,
      commit: commitSchema,
      grant: z.array(permissionSchema).max(20),
    }),
    output: z.object({
      id: systemIdSchema,
      key: keySchema,
      host: systemNameSchema,
      version: z.string(),
      commit: commitSchema,
    }),
    errors: [
      'REPO_URL_INVALID',
      'REPO_UNREACHABLE',
      'REPO_COMMIT_NOT_FOUND',
      'MANIFEST_MISSING',
      'MANIFEST_INVALID',
      'SYSTEM_TOO_LARGE',
      'SYSTEM_SIGNATURE_INVALID',
      'SYSTEM_KEYS_FORKED',
      'SYSTEM_GRANT_INVALID',
    ],
  }),
  list: call({
    input: emptySchema,
    output: z.object({ systems: z.array(installedSystemSchema) }),
  }),
  /** The list now, and again after every change. */
  watch: call({
    input: emptySchema,
    output: eventIterator(z.object({ systems: z.array(installedSystemSchema) })),
  }),
  /** Replaces what the person granted. Takes effect at once, for open pages too. */
  setGrant: call({
    input: onOneSystem({ grant: z.array(permissionSchema).max(20) }),
    output: emptySchema,
    errors: ['SYSTEM_NOT_INSTALLED', 'SYSTEM_ID_AMBIGUOUS', 'SYSTEM_GRANT_INVALID'],
  }),
  /**
   * Removes the system from this machine. Its records stay in the cloud; with `deleteData`, the
   * records that this person wrote are deleted everywhere. Which keys its publisher has replaced stays
   * known: what a replaced one signs is not installed any more.
   */
  uninstall: call({
    input: onOneSystem({ deleteData: z.boolean().default(false) }),
    output: emptySchema,
    errors: ['SYSTEM_NOT_INSTALLED', 'SYSTEM_ID_AMBIGUOUS'],
  }),
  /**
   * Forgets which keys a publisher, named by its first key, has replaced by which: after
   * SYSTEM_KEYS_FORKED, when the person has found out that the other branch is the publisher's own. What
   * is installed of it stays as it is; the next that is installed says which keys are believed from then on.
   */
  forgetPublisher: call({
    input: z.object({ publisher: keySchema }),
    output: emptySchema,
    errors: ['SYSTEM_PUBLISHER_UNKNOWN'],
  }),
  /**
   * One file as the system's origin serves it. `path` is the path of the address: the UI entry's
   * folder is the root, an address without a file gets the entry, and `/.dharma/…` is the SDK.
   */
  asset: call({
    input: onOneSystem({ path: z.string().max(500) }),
    output: z.object({
      contentType: z.string(),
      headers: z.record(z.string(), z.string()),
      bodyBase64: z.string(),
    }),
    errors: [
      'SYSTEM_NOT_INSTALLED',
      'SYSTEM_ID_AMBIGUOUS',
      'SYSTEM_FILE_NOT_FOUND',
      'SYSTEM_CODE_INVALID',
      'DATA_DAMAGED',
    ],
  }),
}
