// The files of one installed commit on disk, named by what is in them: no name from a repository
// ever becomes a name on this machine, and a changed byte is noticed when it is read.
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import * as z from 'zod'
import { CloudError } from '../../contract/errors.ts'
import { hashSchema } from '../../contract/values.ts'
import { syncFolder, writeSynced } from '../../store/synced-files.ts'

const INDEX_NAME = 'files.json'

/** File hashes by path in the repository. */
const indexSchema = z.record(z.string(), hashSchema)

function hashOf(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function damaged(what: string): CloudError {
  return new CloudError(
    'DATA_DAMAGED',
    `${what} of an installed system is damaged on this machine's disk. Installing the system again repairs it.`,
    { what },
  )
}

/** The files of one installed commit. */
export interface FileTree {
  has(path: string): boolean
  /**
   * Undefined if there is no such file.
   * @throws CloudError DATA_DAMAGED if it is not what was installed
   */
  read(path: string): Promise<Uint8Array | undefined>
}

/**
 * Writes files under `folder`, all or none; damaged files that lie there already are replaced.
 * @param stagingFolder  on the same disk; what a crash leaves there may be deleted
 * @returns the hash that `openFileTree` wants
 */
export async function writeFileTree(
  folder: string,
  files: ReadonlyMap<string, Uint8Array>,
  stagingFolder: string,
): Promise<string> {
  await mkdir(stagingFolder, { recursive: true })
  const staged = await mkdtemp(join(stagingFolder, 'tree-'))
  try {
    const index: Record<string, string> = {}
    for (const [path, bytes] of files) {
      const hash = hashOf(bytes)
      index[path] = hash
      await writeSynced(join(staged, hash), bytes)
    }
    const indexText = JSON.stringify(index)
    await writeSynced(join(staged, INDEX_NAME), indexText)
    await syncFolder(staged)
    await mkdir(folder, { recursive: true })
    // One by one, since the folder may hold an earlier installation of the same commit. Nothing
    // speaks of a new folder until the caller records it.
    for (const name of await readdir(staged)) await rename(join(staged, name), join(folder, name))
    await syncFolder(folder)
    await syncFolder(dirname(folder))
    return hashOf(indexText)
  } finally {
    await rm(staged, { recursive: true, force: true })
  }
}

/**
 * Opens what `writeFileTree` wrote.
 * @throws CloudError DATA_DAMAGED if the list of files is not what was installed
 */
export async function openFileTree(folder: string, contentHash: string): Promise<FileTree> {
  const indexText = await readFile(join(folder, INDEX_NAME), 'utf8').catch(() => null)
  if (indexText === null || hashOf(indexText) !== contentHash) throw damaged('The list of files')
  const index = new Map(Object.entries(indexSchema.parse(JSON.parse(indexText))))
  return {
    has: (path) => index.has(path),
    async read(path) {
      const hash = index.get(path)
      if (hash === undefined) return undefined
      const bytes = await readFile(join(folder, hash)).catch(() => null)
      if (bytes === null || hashOf(bytes) !== hash) throw damaged(`The file "${path}"`)
      return bytes
    },
  }
}
