// `dharma.json`: the manifest at the root of a system's repository, first form.
import * as z from 'zod'
import { writeRuleSchema } from './db.ts'
import { permissionSchema } from './permissions.ts'
import { collectionNameSchema, keySchema, systemIdSchema } from './values.ts'

/** Names that the window and the protocol use themselves. */
export const RESERVED_SYSTEM_IDS = [
  'dharma',
  'home',
  'machines',
  'systems',
  'settings',
  'data',
  'hosting',
  'connection',
]

/** A path inside the repository: relative, forward slashes, no `..`. */
export const repoPathSchema = z
  .string()
  .max(300)
  .regex(
    /^(?!\/)(?!.*\\)(?!(.*\/)?\.{1,2}(\/|$))[^\u0000-\u001f]+$/,
    'not a path inside the repository',
  )

export const collectionDeclarationSchema = z.strictObject({
  /** JSON Schema (draft 2020-12) of a record's value. */
  schema: z.record(z.string(), z.json()),
  write: writeRuleSchema.default('author'),
  /** The largest value, as JSON text. */
  maxBytes: z.number().int().min(1).max(262_144).default(65_536),
})

export const sessionKindSchema = z.strictObject({
  title: z.string().min(1).max(60).optional(),
  /** A module that exports the rules: see `extensions/sdk/rules.ts`. */
  rules: repoPathSchema,
  seats: z.number().int().min(1).max(16),
  /** The collection (write rule `author`) in which the runtime stores the result. */
  results: collectionNameSchema,
})

/**
 * May this be an id? Beside the reserved ones not what looks like a key, or like the host of another
 * system in addresses (`<id>--<part of a key>`), or like letters that are none (`xn--…`).
 */
function isOwnId(id: string): boolean {
  return !RESERVED_SYSTEM_IDS.includes(id) && !id.includes('--') && !keySchema.safeParse(id).success
}

/** A manifest as it was once installed: its parts, without what a version of Dharma demands of the whole. */
export const installedManifestSchema = z.strictObject({
  manifestVersion: z.literal(1),
  id: systemIdSchema,
  name: z.string().trim().min(1).max(60),
  version: z.string().regex(/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/, 'not a version like 1.2.3'),
  description: z.string().max(300).optional(),
  icon: repoPathSchema.optional(),
  ui: repoPathSchema,
  permissions: z.array(permissionSchema).max(20).default([]),
  collections: z.record(collectionNameSchema, collectionDeclarationSchema).default({}),
  sessions: z.record(z.string().regex(/^[a-z][a-z0-9-]{0,39}$/), sessionKindSchema).default({}),
  /**
   * The key of the system that this one continues under another key: because it is signed now, or
   * has another id. Honoured only where the old one came from, or in the name of its publisher.
   */
  continues: keySchema.optional(),
})

export const manifestSchema = installedManifestSchema
  .extend({ id: systemIdSchema.refine(isOwnId, 'a reserved id') })
  .superRefine((manifest, context) => {
    for (const [kind, session] of Object.entries(manifest.sessions)) {
      if (manifest.collections[session.results]?.write !== 'author') {
        context.addIssue({
          code: 'custom',
          path: ['sessions', kind, 'results'],
          message: `names no collection with the write rule "author"`,
        })
      }
    }
  })
export type Manifest = z.infer<typeof manifestSchema>
export type SessionKind = z.infer<typeof sessionKindSchema>
