// The systems of this machine: looked at, installed from a pinned commit, permitted, served, removed.
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CloudError } from '../../contract/errors.ts'
import type { Manifest } from '../../contract/manifest.ts'
import type { Permission } from '../../contract/permissions.ts'
import type { InstalledSystem, SystemPreview } from '../../contract/systems.ts'
import type { Log } from '../../ports/log.ts'
import { completeRepoUrl, isSameRepository } from '../../core/systems/repo-url.ts'
import { SerialQueue } from '../../flow/serial-queue.ts'
import { stripTypes } from '../../sandbox/strip-types.ts'
import { buildSystemHeaders, contentTypeOf, resolveAddress } from './asset.ts'
import type { Asset } from './asset.ts'
import { openFileTree, writeFileTree } from './file-tree.ts'
import type { FileTree } from './file-tree.ts'
import type { RepositorySnapshot } from './git-tree.ts'
import { describeEntry, readState, writeState } from './installed-state.ts'
import type { InstalledEntry, InstalledState } from './installed-state.ts'
import { removeLeftovers } from './leftovers.ts'
import { isTypeScript, readManifest } from './manifest.ts'

/** Git is loaded when a repository is read for the first time, not at every start. */
async function fetchRepository(url: string, commit?: string): Promise<RepositorySnapshot> {
  const { readRepository } = await import('./repository.ts')
  return readRepository(url, commit)
}

export interface SystemStoreOptions {
  /** The machine's data folder; the store keeps to `systems/` in it. */
  dataDir: string
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
  get(id: string): (InstalledSystem & { manifest: Manifest }) | undefined
  /**
   * A file by its path in the repository, as it was committed.
   * @throws CloudError SYSTEM_NOT_INSTALLED, SYSTEM_FILE_NOT_FOUND, DATA_DAMAGED
   */
  readFile(id: string, path: string): Promise<Uint8Array>
  /** What the system's origin answers for the path of an address. */
  asset(id: string, address: string): Promise<Asset>
  setGrant(id: string, grant: Permission[]): Promise<void>
  /** False for what is not installed, and for what was not granted. */
  hasPermission(id: string, permission: Permission): boolean
  uninstall(id: string): Promise<void>
  /** Calls `listener` after every change of the list; returns how to stop that. */
  onChange(listener: () => void): () => void
}

/** Where files are written before they count. Not a system id, so it can't meet one. */
const STAGING_NAME = '.incoming'

interface OpenSystem {
  manifest: Manifest
  tree: FileTree
  /** Modules without their types, by path. */
  stripped: Map<string, Uint8Array>
}

function notInstalled(id: string): CloudError {
  return new CloudError('SYSTEM_NOT_INSTALLED', `"${id}" is not installed on this machine.`, { id })
}

function fileNotFound(id: string, path: string): CloudError {
  return new CloudError('SYSTEM_FILE_NOT_FOUND', `"${id}" has no file "${path}".`, { id, path })
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

/**
 * Opens the systems of a data folder and clears away what a crash left behind.
 * @throws CloudError DATA_DAMAGED if the list of what is installed can't be read
 */
export async function openSystemStore({
  dataDir,
  sdkDir,
  log,
}: SystemStoreOptions): Promise<SystemStore> {
  const folder = join(dataDir, 'systems')
  let state = await readState(folder)
  await removeLeftovers(folder, state, log)

  const listeners = new Set<() => void>()
  /** By folder, so that an update is another one. */
  const opened = new Map<string, Promise<OpenSystem>>()
  /** One change at a time, so that each sees what the one before it left. */
  const changes = new SerialQueue()

  const folderOf = (id: string, commit: string): string => join(folder, id, commit)

  function entryOf(id: string): InstalledEntry {
    const entry = state.get(id)
    if (entry === undefined) throw notInstalled(id)
    return entry
  }

  async function replaceState(next: InstalledState): Promise<void> {
    await writeState(folder, next)
    state = next
    for (const listener of listeners) listener()
  }

  /** Files that nothing points at any more. Should this fail, the next start does it. */
  async function discard(id: string, commit: string): Promise<void> {
    const path = folderOf(id, commit)
    opened.delete(path)
    await rm(path, { recursive: true, force: true }).catch((error: unknown) => {
      log.warn('could not remove the files of a system', { error, path })
    })
  }

  function openSystem(id: string): Promise<OpenSystem> {
    const entry = entryOf(id)
    const path = folderOf(id, entry.commit)
    let opening = opened.get(path)
    if (opening === undefined) {
      opening = openFileTree(path, entry.contentHash).then((tree) => ({
        manifest: entry.manifest,
        tree,
        stripped: new Map<string, Uint8Array>(),
      }))
      opened.set(path, opening)
      // Installing again repairs what is damaged, so the next call looks again.
      opening.catch(() => opened.delete(path))
    }
    return opening
  }

  /** Runs `read` on an open system, again if an update pulled the files from under it. */
  async function reading<T>(id: string, read: (system: OpenSystem) => Promise<T>): Promise<T> {
    const before = entryOf(id)
    try {
      return await read(await openSystem(id))
    } catch (error) {
      if (state.get(id)?.commit === before.commit) throw error
      return reading(id, read)
    }
  }

  async function readExisting(id: string, { tree }: OpenSystem, path: string): Promise<Uint8Array> {
    const bytes = await tree.read(path)
    if (bytes === undefined) throw fileNotFound(id, path)
    return bytes
  }

  async function readServable(id: string, system: OpenSystem, path: string): Promise<Uint8Array> {
    if (!isTypeScript(path)) return readExisting(id, system, path)
    let code = system.stripped.get(path)
    if (code === undefined) {
      const source = new TextDecoder().decode(await readExisting(id, system, path))
      code = new TextEncoder().encode(await stripTypes(source, path))
      system.stripped.set(path, code)
    }
    return code
  }

  async function readSdk(id: string, name: string): Promise<Uint8Array> {
    return readFile(join(sdkDir, name)).catch((error: unknown) => {
      log.error('the SDK is not where it should be', { error, name })
      throw fileNotFound(id, `.dharma/${name}`)
    })
  }

  return {
    async preview(url) {
      const snapshot = await fetchRepository(completeRepoUrl(url))
      const manifest = await readManifest(snapshot.files)
      const installed = state.get(manifest.id)
      return {
        url: snapshot.url,
        id: manifest.id,
        name: manifest.name,
        version: manifest.version,
        ...(manifest.description === undefined ? {} : { description: manifest.description }),
        author: snapshot.author,
        commit: snapshot.commit,
        committedMs: snapshot.committedMs,
        message: snapshot.message,
        sizeBytes: snapshot.sizeBytes,
        fileCount: snapshot.files.size,
        permissions: manifest.permissions,
        collections: manifest.collections,
        sessions: manifest.sessions,
        installed:
          installed === undefined
            ? null
            : {
                version: installed.manifest.version,
                commit: installed.commit,
                url: installed.url,
              },
      }
    },

    async install({ url, commit, grant }) {
      const snapshot = await fetchRepository(completeRepoUrl(url), commit)
      const manifest = await readManifest(snapshot.files)
      const granted = checkGrant(grant, manifest)
      const { id } = manifest
      return changes.run(async () => {
        const earlier = state.get(id)
        if (earlier !== undefined && !isSameRepository(earlier.url, snapshot.url)) {
          throw new CloudError(
            'SYSTEM_ID_TAKEN',
            `"${id}" is already installed from ${earlier.url}. Uninstall it first to take this one.`,
            { id, url: earlier.url },
          )
        }
        const target = folderOf(id, commit)
        const contentHash = await writeFileTree(target, snapshot.files, join(folder, STAGING_NAME))
        const entry: InstalledEntry = {
          url: snapshot.url,
          commit,
          author: snapshot.author,
          manifest,
          granted,
          sizeBytes: snapshot.sizeBytes,
          installedMs: Date.now(),
          contentHash,
        }
        await replaceState(new Map(state).set(id, entry))
        if (earlier !== undefined && earlier.commit !== commit) {
          await discard(id, earlier.commit)
        }
        return describeEntry(entry)
      })
    },

    list: () => [...state.values()].map(describeEntry),

    get(id) {
      const entry = state.get(id)
      return entry && { ...describeEntry(entry), manifest: entry.manifest }
    },

    readFile: (id, path) => reading(id, (system) => readExisting(id, system, path)),

    asset: (id, address) =>
      reading(id, async (system) => {
        const { ui: entry, icon } = system.manifest
        const target = resolveAddress(address, { entry, icon, has: system.tree.has })
        if (target.kind === 'none') throw fileNotFound(id, address)
        const name = target.kind === 'sdk' ? target.name : target.path
        return {
          contentType: contentTypeOf(name),
          headers: buildSystemHeaders(),
          body:
            target.kind === 'sdk'
              ? await readSdk(id, target.name)
              : await readServable(id, system, target.path),
        }
      }),

    setGrant: (id, grant) =>
      changes.run(async () => {
        const entry = entryOf(id)
        const granted = checkGrant(grant, entry.manifest)
        await replaceState(new Map(state).set(id, { ...entry, granted }))
      }),

    hasPermission: (id, permission) => state.get(id)?.granted.includes(permission) ?? false,

    uninstall: (id) =>
      changes.run(async () => {
        const { commit } = entryOf(id)
        const next = new Map(state)
        next.delete(id)
        await replaceState(next)
        await discard(id, commit)
      }),

    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
