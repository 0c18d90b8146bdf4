// What is installed, in one file: `installed.json`.
import { join } from 'node:path'
import * as z from 'zod'
import { manifestSchema } from '../../contract/manifest.ts'
import { permissionSchema } from '../../contract/permissions.ts'
import type { InstalledSystem } from '../../contract/systems.ts'
import { commitSchema, hashSchema, timeMsSchema } from '../../contract/values.ts'
import { readJsonFile, writeJsonFile } from '../../store/json-file.ts'
import { ICON_ADDRESS } from './asset.ts'

const entrySchema = z.object({
  url: z.string(),
  commit: commitSchema,
  author: z.object({ name: z.string(), email: z.string() }),
  manifest: manifestSchema,
  granted: z.array(permissionSchema),
  sizeBytes: z.number().int(),
  installedMs: timeMsSchema,
  /** See `file-tree.ts`. */
  contentHash: hashSchema,
})
/** One installed system, as it is stored. */
export type InstalledEntry = z.infer<typeof entrySchema>

const stateSchema = z.object({ stateVersion: z.literal(1), systems: z.array(entrySchema) })

/** Entries by system id. Replaced, never changed. */
export type InstalledState = ReadonlyMap<string, InstalledEntry>

const STATE_NAME = 'installed.json'

/**
 * The state of a folder; empty if nothing was ever installed.
 * @throws CloudError DATA_DAMAGED
 */
export async function readState(folder: string): Promise<InstalledState> {
  const state = await readJsonFile(join(folder, STATE_NAME), stateSchema)
  return new Map(state?.systems.map((entry) => [entry.manifest.id, entry]))
}

/** On disk when it returns. */
export async function writeState(folder: string, state: InstalledState): Promise<void> {
  const content: z.input<typeof stateSchema> = { stateVersion: 1, systems: [...state.values()] }
  await writeJsonFile(join(folder, STATE_NAME), content)
}

/** What the contract shows of an entry. */
export function describeEntry(entry: InstalledEntry): InstalledSystem {
  const { manifest } = entry
  return {
    id: manifest.id,
    name: manifest.name,
    version: manifest.version,
    ...(manifest.description === undefined ? {} : { description: manifest.description }),
    ...(manifest.icon === undefined ? {} : { icon: ICON_ADDRESS }),
    commit: entry.commit,
    url: entry.url,
    author: entry.author,
    permissions: manifest.permissions,
    granted: entry.granted,
    sessions: manifest.sessions,
    collections: manifest.collections,
    sizeBytes: entry.sizeBytes,
    installedMs: entry.installedMs,
  }
}
