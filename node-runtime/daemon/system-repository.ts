// A git repository made from a system that comes with Dharma, with no git installed: as a stranger would
// publish it.
import fs from 'node:fs'
import { cp, readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import git from 'isomorphic-git'
import type { KeyPair } from '../core/keys.ts'
import { MANIFEST_PATH } from '../services/systems/manifest.ts'
import { signFolder } from '../services/systems/sign-folder.ts'
import type { SignedSystem } from '../services/systems/sign-folder.ts'
import { makeFolder } from '../store/folder-place.ts'
import { newKeyPair } from '../store/new-keys.ts'

const AUTHOR = { name: 'Dharma', email: 'dharma@dharma.invalid' }

export interface RepositoryOptions {
  /** The folder of a system. */
  source: string
  /** Where the repository goes: a folder that is empty, or not there. */
  folder: string
  /** Who publishes it; a key that nobody keeps if absent. */
  keys?: KeyPair
  /** Takes the place of the system's own id and name. */
  id?: string
  name?: string
}

export interface Repository extends SignedSystem {
  url: string
}

/** What is there for our own tests is no part of a system. */
function belongs(path: string): boolean {
  return !/\.test\.tsx?$/.test(path) && basename(path) !== 'testing'
}

async function renameSystem(folder: string, names: { id?: string; name?: string }): Promise<void> {
  const path = join(folder, MANIFEST_PATH)
  const manifest = JSON.parse(await readFile(path, 'utf8')) as object
  await writeFile(path, `${JSON.stringify({ ...manifest, ...names }, null, 2)}\n`)
}

/**
 * Copies a system, signs it, and commits it. Signed, it is one system on all machines; by its address it
 * would be another one on each.
 * @throws CloudError FOLDER_UNUSABLE, MANIFEST_INVALID
 */
export async function createRepository({
  source,
  folder,
  keys = newKeyPair(),
  id,
  name,
}: RepositoryOptions): Promise<Repository> {
  await makeFolder(folder)
  await cp(source, folder, { recursive: true, filter: belongs })
  if (id !== undefined || name !== undefined) {
    await renameSystem(folder, {
      ...(id === undefined ? {} : { id }),
      ...(name === undefined ? {} : { name }),
    })
  }
  await git.init({ fs, dir: folder, defaultBranch: 'main' })
  const signed = await signFolder(folder, keys)
  await git.add({ fs, dir: folder, filepath: '.' })
  await git.commit({
    fs,
    dir: folder,
    message: 'The system as it came with Dharma',
    author: AUTHOR,
  })
  return { ...signed, url: pathToFileURL(folder).href }
}
