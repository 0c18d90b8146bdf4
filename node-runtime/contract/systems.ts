// The `systems` service: what is installed on this machine from repositories.
import { eventIterator } from '@orpc/contract'
import * as z from 'zod'
import { collectionDeclarationSchema, sessionKindSchema } from './manifest.ts'
import { permissionSchema } from './permissions.ts'
import { call } from './procedure.ts'
import { commitSchema, emptySchema, systemIdSchema, timeMsSchema } from './values.ts'

const repoUrlSchema = z.string().trim().min(1).max(2000)

export const systemPreviewSchema = z.object({
  /** The address as it will be fetched, after shorthand such as `github.com/a/b` was completed. */
  url: z.string(),
  id: systemIdSchema,
  name: z.string(),
  version: z.string(),
  description: z.string().optional(),
  /** The author of the commit, as git has it: a claim, not a proof. */
  author: z.object({ name: z.string(), email: z.string() }),
  commit: commitSchema,
  committedMs: timeMsSchema,
  message: z.string(),
  sizeBytes: z.number().int(),
  fileCount: z.number().int(),
  permissions: z.array(permissionSchema),
  collections: z.record(z.string(), collectionDeclarationSchema),
  sessions: z.record(z.string(), sessionKindSchema),
  /** What is installed under this id now, if anything. */
  installed: z.object({ version: z.string(), commit: commitSchema, url: z.string() }).nullable(),
})
export type SystemPreview = z.infer<typeof systemPreviewSchema>

export const installedSystemSchema = z.object({
  id: systemIdSchema,
  name: z.string(),
  version: z.string(),
  description: z.string().optional(),
  commit: commitSchema,
  url: z.string(),
  author: z.object({ name: z.string(), email: z.string() }),
  /** Path of the icon under the system's origin, if it has one. */
  icon: z.string().optional(),
  permissions: z.array(permissionSchema),
  granted: z.array(permissionSchema),
  sessions: z.record(z.string(), sessionKindSchema),
  collections: z.record(z.string(), collectionDeclarationSchema),
  sizeBytes: z.number().int(),
  installedMs: timeMsSchema,
})
export type InstalledSystem = z.infer<typeof installedSystemSchema>

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
    output: z.object({ id: systemIdSchema, version: z.string(), commit: commitSchema }),
    errors: [
      'REPO_URL_INVALID',
      'REPO_UNREACHABLE',
      'REPO_COMMIT_NOT_FOUND',
      'MANIFEST_MISSING',
      'MANIFEST_INVALID',
      'SYSTEM_TOO_LARGE',
      'SYSTEM_ID_TAKEN',
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
    input: z.object({ id: systemIdSchema, grant: z.array(permissionSchema).max(20) }),
    output: emptySchema,
    errors: ['SYSTEM_NOT_INSTALLED', 'SYSTEM_GRANT_INVALID'],
  }),
  /**
   * Removes the system from this machine. Its records stay in the cloud; with `deleteData`, the
   * records that this person wrote are deleted everywhere.
   */
  uninstall: call({
    input: z.object({ id: systemIdSchema, deleteData: z.boolean().default(false) }),
    output: emptySchema,
    errors: ['SYSTEM_NOT_INSTALLED'],
  }),
  /**
   * One file as the system's origin serves it. `path` is the path of the address: the UI entry's
   * folder is the root, an address without a file gets the entry, and `/.dharma/…` is the SDK.
   */
  asset: call({
    input: z.object({ id: systemIdSchema, path: z.string().max(500) }),
    output: z.object({
      contentType: z.string(),
      headers: z.record(z.string(), z.string()),
      bodyBase64: z.string(),
    }),
    errors: [
      'SYSTEM_NOT_INSTALLED',
      'SYSTEM_FILE_NOT_FOUND',
      'SYSTEM_CODE_INVALID',
      'DATA_DAMAGED',
    ],
  }),
}
