// The files of the installed systems: written, read, and served as the systems' origins answer.
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CloudError } from '../../contract/errors.ts'
import type { Manifest } from '../../contract/manifest.ts'
import type { Log } from '../../ports/log.ts'
import { stripTypes } from '../../sandbox/strip-types.ts'
import { buildSystemHeaders, contentTypeOf, resolveAddress } from './asset.ts'
import type { Asset } from './asset.ts'
import { openFileTree, writeFileTree } from './file-tree.ts'
import type { FileTree } from './file-tree.ts'
import type { InstalledEntry } from './installed-state.ts'
import { isTypeScript } from './manifest.ts'

/** Where files are written before they count. Not a key, so it can't meet one. */
const STAGING_NAME = '.incoming'

interface OpenSystem {
  manifest: Manifest
  tree: FileTree
  /** Modules without their types, by path. */
  stripped: Map<string, Uint8Array>
}

export interface InstalledFilesOptions {
  /** Holds `<system key>/<commit>` folders. */
  folder: string
  /** Where `sdk.js`, `lit.js` and `theme.css` lie. */
  sdkDir: string
  log: Log
  /** What is installed under a key now. @throws CloudError SYSTEM_NOT_INSTALLED */
  entryOf: (key: string) => InstalledEntry
}

export class InstalledFiles {
  readonly #options: InstalledFilesOptions
  /** By folder, so that an update is another one. */
  readonly #opened = new Map<string, Promise<OpenSystem>>()

  constructor(options: InstalledFilesOptions) {
    this.#options = options
  }

  /** @returns the hash that belongs into the entry */
  write(key: string, commit: string, files: ReadonlyMap<string, Uint8Array>): Promise<string> {
    const { folder } = this.#options
    return writeFileTree(this.#folderOf(key, commit), files, join(folder, STAGING_NAME))
  }

  /** Removes files that nothing points at any more. Should this fail, the next start does it. */
  async discard({ key, commit }: InstalledEntry): Promise<void> {
    const path = this.#folderOf(key, commit)
    this.#opened.delete(path)
    await rm(path, { recursive: true, force: true }).catch((error: unknown) => {
      this.#options.log.warn('could not remove the files of a system', { error, path })
    })
  }

  /** @throws CloudError SYSTEM_NOT_INSTALLED, SYSTEM_FILE_NOT_FOUND, DATA_DAMAGED */
  read(key: string, path: string): Promise<Uint8Array> {
    return this.#reading(key, (system) => readExisting(key, system, path))
  }

  /** @throws CloudError as `read`, and SYSTEM_CODE_INVALID */
  asset(key: string, address: string): Promise<Asset> {
    return this.#reading(key, async (system) => {
      const { ui: entry, icon } = system.manifest
      const target = resolveAddress(address, { entry, icon, has: system.tree.has })
      if (target.kind === 'none') throw fileNotFound(key, address)
      const name = target.kind === 'sdk' ? target.name : target.path
      return {
        contentType: contentTypeOf(name),
        headers: buildSystemHeaders(),
        body:
          target.kind === 'sdk'
            ? await this.#readSdk(key, target.name)
            : await readServable(key, system, target.path),
      }
    })
  }

  #folderOf(key: string, commit: string): string {
    return join(this.#options.folder, key, commit)
  }

  #open({ key, commit, contentHash, manifest }: InstalledEntry): Promise<OpenSystem> {
    const path = this.#folderOf(key, commit)
    let opening = this.#opened.get(path)
    if (opening === undefined) {
      opening = openFileTree(path, contentHash).then((tree) => ({
        manifest,
        tree,
        stripped: new Map<string, Uint8Array>(),
      }))
      this.#opened.set(path, opening)
      // Installing again repairs what is damaged, so the next call looks again.
      opening.catch(() => this.#opened.delete(path))
    }
    return opening
  }

  /** Runs `read` on an open system, again if an update pulled the files from under it. */
  async #reading<T>(key: string, read: (system: OpenSystem) => Promise<T>): Promise<T> {
    const before = this.#options.entryOf(key)
    try {
      return await read(await this.#open(before))
    } catch (error) {
      if (this.#options.entryOf(key).commit === before.commit) throw error
      return this.#reading(key, read)
    }
  }

  async #readSdk(key: string, name: string): Promise<Uint8Array> {
    const { sdkDir, log } = this.#options
    return readFile(join(sdkDir, name)).catch((error: unknown) => {
      log.error('the SDK is not where it should be', { error, name })
      throw fileNotFound(key, `.dharma/${name}`)
    })
  }
}

function fileNotFound(system: string, path: string): CloudError {
  return new CloudError('SYSTEM_FILE_NOT_FOUND', `The system has no file "${path}".`, {
    system,
    path,
  })
}

async function readExisting(key: string, { tree }: OpenSystem, path: string): Promise<Uint8Array> {
  const bytes = await tree.read(path)
  if (bytes === undefined) throw fileNotFound(key, path)
  return bytes
}

async function readServable(key: string, system: OpenSystem, path: string): Promise<Uint8Array> {
  if (!isTypeScript(path)) return readExisting(key, system, path)
  let code = system.stripped.get(path)
  if (code === undefined) {
    const source = new TextDecoder().decode(await readExisting(key, system, path))
    code = new TextEncoder().encode(await stripTypes(source, path))
    system.stripped.set(path, code)
  }
  return code
}
