// What is installed, and what is known of publishers whose systems were, in one file: `installed.json`.
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { installedManifestSchema } from '../../contract/manifest.ts'
import { permissionSchema } from '../../contract/permissions.ts'
import type { InstalledSystem } from '../../contract/systems.ts'
import {
  commitSchema,
  hashSchema,
  keySchema,
  systemNameSchema,
  timeMsSchema,
} from '../../contract/values.ts'
import { schemaHash } from '../../core/systems/collection-schemas.ts'
import { forgetChains, keepChain } from '../../core/systems/key-chains.ts'
import type { KeyChain } from '../../core/systems/key-chains.ts'
import { systemKeyAt } from '../../core/systems/system-key.ts'
import { readJsonFile, writeJsonFile } from '../../store/json-file.ts'
import { ICON_ADDRESS } from './asset.ts'

const entryFields = {
  url: z.string(),
  commit: commitSchema,
  author: z.object({ name: z.string(), email: z.string() }),
  manifest: installedManifestSchema,
  granted: z.array(permissionSchema),
  sizeBytes: z.number().int(),
  installedMs: timeMsSchema,
  /** See `file-tree.ts`. */
  contentHash: hashSchema,
}

const entrySchema = z.object({
  key: keySchema,
  /** See `system-names.ts`. */
  host: systemNameSchema,
  /** The publisher's keys as far as they are known, from the first; null for an unsigned system. */
  publisherKeys: z.array(keySchema).min(1).nullable(),
  formerKeys: z.array(keySchema),
  ...entryFields,
})
/** One installed system, as it is stored. */
export type InstalledEntry = z.infer<typeof entrySchema>

const stateSchema = z.object({
  stateVersion: z.literal(2),
  systems: z.array(entrySchema),
  /** See `key-chains.ts`. Not in files of a time when they were forgotten. */
  keptChains: z.array(z.array(keySchema)).default([]),
})
/** As version 0.1 wrote it, when the id named a system. */
const firstStateSchema = z.object({
  stateVersion: z.literal(1),
  systems: z.array(z.object(entryFields)),
})

const anyStateSchema = z.discriminatedUnion('stateVersion', [firstStateSchema, stateSchema])

/** Replaced, never changed. */
export interface InstalledState {
  /** By system key, in the order in which they came. */
  systems: ReadonlyMap<string, InstalledEntry>
  /** Of publishers whose systems were uninstalled; see `key-chains.ts`. */
  keptChains: readonly KeyChain[]
}

const STATE_NAME = 'installed.json'

function stateOf(
  systems: readonly InstalledEntry[],
  keptChains: readonly KeyChain[],
): InstalledState {
  return { systems: new Map(systems.map((entry) => [entry.key, entry])), keptChains }
}

/** What is installed with this entry: in the place of the one that it updates, or after all others. */
export function withEntry(
  { systems, keptChains }: InstalledState,
  entry: InstalledEntry,
  earlier?: InstalledEntry,
): InstalledState {
  const entries = [...systems.values()]
  if (earlier === undefined) return stateOf([...entries, entry], keptChains)
  return stateOf(
    entries.map((one) => (one === earlier ? entry : one)),
    keptChains,
  )
}

/** What is installed without this entry. Which keys its publisher has replaced stays known. */
export function withoutEntry(
  { systems, keptChains }: InstalledState,
  entry: InstalledEntry,
): InstalledState {
  return stateOf(
    [...systems.values()].filter((one) => one !== entry),
    keepChain(keptChains, entry.publisherKeys ?? []),
  )
}

/**
 * The same without what is known of a publisher's keys, but for the first, which names it. Null if there
 * is nothing of it.
 */
export function withoutPublisher(state: InstalledState, publisher: string): InstalledState | null {
  const entries = [...state.systems.values()]
  const isIts = ({ publisherKeys }: InstalledEntry): boolean => publisherKeys?.[0] === publisher
  const keptChains = forgetChains(state.keptChains, publisher)
  if (keptChains.length === state.keptChains.length && !entries.some(isIts)) return null
  return stateOf(
    entries.map((one) => (isIts(one) ? { ...one, publisherKeys: [publisher] } : one)),
    keptChains,
  )
}

/**
 * The state of a folder; empty if nothing was ever installed.
 * @param machine  the key of this machine, which is part of the keys of local systems
 * @throws CloudError DATA_DAMAGED
 */
export async function readState(folder: string, machine: string): Promise<InstalledState> {
  const state = await readJsonFile(join(folder, STATE_NAME), anyStateSchema)
  if (state === null) return stateOf([], [])
  if (state.stateVersion === 2) return stateOf(state.systems, state.keptChains)
  return migrate(folder, state.systems, machine)
}

/**
 * Gives the systems of version 0.1 their keys, and their folders the new names. The list is written
 * last: what a crash interrupts is done again.
 */
async function migrate(
  folder: string,
  systems: z.infer<typeof firstStateSchema>['systems'],
  machine: string,
): Promise<InstalledState> {
  const entries = systems.map((entry) => {
    const { id } = entry.manifest
    const key = systemKeyAt(entry.url, id, machine)
    return { ...entry, key, host: id, publisherKeys: null, formerKeys: [] }
  })
  for (const { key, manifest } of entries) {
    await rename(join(folder, manifest.id), join(folder, key)).catch((error: unknown) => {
      // Renamed before a crash.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    })
  }
  const state = stateOf(entries, [])
  await writeState(folder, state)
  return state
}

/** On disk when it returns. */
export async function writeState(folder: string, state: InstalledState): Promise<void> {
  const content: z.output<typeof stateSchema> = {
    stateVersion: 2,
    systems: [...state.systems.values()],
    keptChains: state.keptChains.map((keys) => [...keys]),
  }
  await writeJsonFile(join(folder, STATE_NAME), content)
}

/** What the contract shows of an entry. */
export function describeEntry(entry: InstalledEntry): InstalledSystem {
  const { manifest } = entry
  return {
    id: manifest.id,
    key: entry.key,
    publisher: entry.publisherKeys?.[0] ?? null,
    host: entry.host,
    formerKeys: entry.formerKeys,
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
    schemaHashes: Object.fromEntries(
      Object.entries(manifest.collections).map(([name, { schema }]) => [name, schemaHash(schema)]),
    ),
    sizeBytes: entry.sizeBytes,
    installedMs: entry.installedMs,
  }
}
