// The systems of this machine: looked at, installed from a pinned commit, permitted, served, removed.
// Inside of Dharma a system is named by its key; what people and programs type is resolved first.
import { join } from 'node:path'
import { CloudError } from '../../contract/errors.ts'
import type { Manifest } from '../../contract/manifest.ts'
import type { Permission } from '../../contract/permissions.ts'
import type { InstalledSystem, SystemPreview } from '../../contract/systems.ts'
import type { Log } from '../../ports/log.ts'
import { ownersByKey } from '../../core/systems/former-keys.ts'
import { completeRepoUrl } from '../../core/systems/repo-url.ts'
import { chooseHost, findByName } from '../../core/systems/system-names.ts'
import type { NamedSystem } from '../../core/systems/system-names.ts'
import { SerialQueue } from '../../flow/serial-queue.ts'
import type { Asset } from './asset.ts'
import type { RepositorySnapshot } from './git-tree.ts'
import { InstalledFiles } from './installed-files.ts'
import {
  describeEntry,
  readState,
  withEntry,
  withoutEntry,
  withoutPublisher,
  writeState,
} from './installed-state.ts'
import type { InstalledEntry, InstalledState } from './installed-state.ts'
import { removeLeftovers } from './leftovers.ts'
import { readManifest } from './manifest.ts'
import { identifySystem } from './system-identity.ts'
import type { SystemIdentity } from './system-identity.ts'
import { describePreview } from './system-preview.ts'

/** Git is loaded when a repository is read for the first time, not at every start. */
async function fetchRepository(url: string, commit?: string): Promise<RepositorySnapshot> {
  const { readRepository } = await import('./repository.ts')
  return readRepository(url, commit)
}

export interface SystemStoreOptions {
  /** The machine's data folder; the store keeps to `systems/` in it. */
  dataDir: string
  /** The key of this machine: part of the keys of systems that come from its own disk. */
  machine: string
  /** Where `sdk.js`, `lit.js` and `theme.css` lie. */
  sdkDir: string
  log: Log
}

/** All methods that can fail throw CloudError; a failed one changes nothing. */
export interface SystemStore {
  /** Reads the newest commit of a repository. Nothing of it stays on this machine. */
  preview(url: string): Promise<SystemPreview>
  /** Installs, or updates to, exactly this commit, with exactly these permissions. */
  install(request: { url: string; commit: string; grant: Permission[] }): Promise<InstalledSystem>
  list(): InstalledSystem[]
  /**
   * The key of the installed system with this key, former key, host or id; null if there is none.
   * @throws CloudError SYSTEM_ID_AMBIGUOUS if several have it as their id; `details.keys` lists them
   */
  resolve(name: string): string | null
  get(key: string): (InstalledSystem & { manifest: Manifest }) | undefined
  /** The installed system whose records and sessions are those under this key. */
  ownerOf(key: string): OwningSystem | undefined
  /**
   * A file by its path in the repository, as it was committed.
   * @throws CloudError SYSTEM_NOT_INSTALLED, SYSTEM_FILE_NOT_FOUND, DATA_DAMAGED
   */
  readFile(key: string, path: string): Promise<Uint8Array>
  /** What the system's origin answers for the path of an address. */
  asset(key: string, address: string): Promise<Asset>
  setGrant(key: string, grant: Permission[]): Promise<void>
  /** False for what is not installed, and for what was not granted. */
  hasPermission(key: string, permission: Permission): boolean
  uninstall(key: string): Promise<void>
  /**
   * Forgets which keys a publisher has replaced; what is installed of it stays.
   * @throws CloudError SYSTEM_PUBLISHER_UNKNOWN
   */
  forgetPublisher(publisher: string): Promise<void>
  /** Calls `listener` after every change of the list; returns how to stop that. */
  onChange(listener: () => void): () => void
}

/** A system as its records and sessions name it. */
export interface OwningSystem {
  key: string
  /**
   * The former keys under which records are its own, from the first on: not those that another
   * installed system has, or that one which came before it goes on from.
   */
  formerKeys: readonly string[]
  manifest: Manifest
}

function checkGrant(grant: readonly Permission[], manifest: Manifest): Permission[] {
  const unasked = grant.filter((permission) => !manifest.permissions.includes(permission))
  if (unasked.length > 0) {
    throw new CloudError(
      'SYSTEM_GRANT_INVALID',
      `"${manifest.id}" does not ask for: ${unasked.join(', ')}.`,
      { unasked, permissions: manifest.permissions },
    )
  }
  return [...new Set(grant)]
}

/** Whose the records and sessions under each key are. */
function ownersIn(state: InstalledState): Map<string, OwningSystem> {
  const owners = new Map<string, OwningSystem>()
  const entries = ownersByKey(state.systems.values())
  for (const [key, entry] of entries) {
    const formerKeys = entry.formerKeys.filter((former) => entries.get(former) === entry)
    owners.set(key, { key: entry.key, formerKeys, manifest: entry.manifest })
  }
  return owners
}

function namesIn(state: InstalledState): NamedSystem[] {
  return [...state.systems.values()].map(({ key, host, manifest, formerKeys }) => {
    return { key, host, id: manifest.id, formerKeys }
  })
}

/** @throws CloudError SYSTEM_ID_AMBIGUOUS */
function resolveName(state: InstalledState, name: string): string | null {
  const found = findByName(namesIn(state), name)
  if (found.length > 1) {
    throw new CloudError(
      'SYSTEM_ID_AMBIGUOUS',
      `${found.length} installed systems have the id "${name}". Name the one you mean by its key.`,
      { id: name, keys: found.map(({ key }) => key) },
    )
  }
  return found[0]?.key ?? null
}

/**
 * Opens the systems of a data folder and clears away what a crash left behind.
 * @throws CloudError DATA_DAMAGED if the list of what is installed can't be read
 */
export async function openSystemStore({
  dataDir,
  machine,
  sdkDir,
  log,
}: SystemStoreOptions): Promise<SystemStore> {
  const folder = join(dataDir, 'systems')
  let state = await readState(folder, machine)
  let owners = ownersIn(state)
  await removeLeftovers(folder, state, log)

  const listeners = new Set<() => void>()
  /** One change at a time, so that each sees what the one before it left. */
  const changes = new SerialQueue()
  const files = new InstalledFiles({ folder, sdkDir, log, entryOf })

  function entryOf(key: string): InstalledEntry {
    const entry = state.systems.get(key)
    if (entry !== undefined) return entry
    throw new CloudError('SYSTEM_NOT_INSTALLED', `"${key}" is not installed on this machine.`, {
      id: key,
    })
  }

  async function replaceState(next: InstalledState): Promise<void> {
    await writeState(folder, next)
    state = next
    owners = ownersIn(next)
    for (const listener of listeners) listener()
  }

  /** Asked at every call and for every record; an entry that changes is another entry. */
  const described = new WeakMap<InstalledEntry, InstalledSystem & { manifest: Manifest }>()

  function hostOf(id: string, { key, earlier }: SystemIdentity): string {
    if (earlier !== undefined) return earlier.host
    return chooseHost(id, key, namesIn(state))
  }

  return {
    async preview(url) {
      const snapshot = await fetchRepository(completeRepoUrl(url))
      const manifest = await readManifest(snapshot.files)
      const identity = identifySystem(snapshot, manifest, state, machine)
      const host = hostOf(manifest.id, identity)
      return describePreview(snapshot, manifest, identity, host, state)
    },

    async install({ url, commit, grant }) {
      const snapshot = await fetchRepository(completeRepoUrl(url), commit)
      const manifest = await readManifest(snapshot.files)
      const granted = checkGrant(grant, manifest)
      return changes.run(async () => {
        const identity = identifySystem(snapshot, manifest, state, machine)
        const { key, publisherKeys, formerKeys, earlier } = identity
        const contentHash = await files.write(key, commit, snapshot.files)
        const entry: InstalledEntry = {
          key,
          host: hostOf(manifest.id, identity),
          publisherKeys,
          formerKeys,
          url: snapshot.url,
          commit,
          author: snapshot.author,
          manifest,
          granted,
          sizeBytes: snapshot.sizeBytes,
          installedMs: Date.now(),
          contentHash,
        }
        await replaceState(withEntry(state, entry, earlier))
        if (earlier !== undefined && (earlier.key !== key || earlier.commit !== commit)) {
          await files.discard(earlier)
        }
        return describeEntry(entry)
      })
    },

    list: () => [...state.systems.values()].map(describeEntry),

    resolve: (name) => resolveName(state, name),

    get(key) {
      const entry = state.systems.get(key)
      if (entry === undefined) return undefined
      let system = described.get(entry)
      if (system === undefined) {
        system = { ...describeEntry(entry), manifest: entry.manifest }
        described.set(entry, system)
      }
      return system
    },

    ownerOf: (key) => owners.get(key),

    readFile: (key, path) => files.read(key, path),

    asset: (key, address) => files.asset(key, address),

    setGrant: (key, grant) =>
      changes.run(async () => {
        const entry = entryOf(key)
        const granted = checkGrant(grant, entry.manifest)
        await replaceState(withEntry(state, { ...entry, granted }, entry))
      }),

    hasPermission: (key, permission) =>
      state.systems.get(key)?.granted.includes(permission) ?? false,

    uninstall: (key) =>
      changes.run(async () => {
        const entry = entryOf(key)
        await replaceState(withoutEntry(state, entry))
        await files.discard(entry)
      }),

    forgetPublisher: (publisher) =>
      changes.run(async () => {
        const next = withoutPublisher(state, publisher)
        if (next === null) {
          throw new CloudError(
            'SYSTEM_PUBLISHER_UNKNOWN',
            'This machine knows no publisher with this key. Name the publisher’s first key, as the error or the Systems page has it.',
            { publisher },
          )
        }
        await replaceState(next)
      }),

    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
