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

/**
 * The bytes of a file, or null if there is none.
 * @throws CloudError DISK_FAILED if the disk does not give them now: nothing need be damaged
 */
async function readIfThere(path: string): Promise<Uint8Array | null> {
  try {
    return await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    const reason = error instanceof Error ? error.message : String(error)
    throw new CloudError(
      'DISK_FAILED',
      'A file of an installed system cannot be read now. Try again, and check the disk.',
      { path, reason },
      { cause: error },
    )
  }
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
   * @throws CloudError DATA_DAMAGED if it is not what was installed, DISK_FAILED if it can't be read now
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
 * @throws CloudError DATA_DAMAGED if the list of files is not what was installed, DISK_FAILED if it
 *   can't be read now
 */
export async function openFileTree(folder: string, contentHash: string): Promise<FileTree> {
  const list = await readIfThere(join(folder, INDEX_NAME))
  if (list === null || hashOf(list) !== contentHash) throw damaged('The list of files')
  const text = new TextDecoder().decode(list)
  const index = new Map(Object.entries(indexSchema.parse(JSON.parse(text))))
  return {
    has: (path) => index.has(path),
    async read(path) {
      const hash = index.get(path)
      if (hash === undefined) return undefined
      const bytes = await readIfThere(join(folder, hash))
      if (bytes === null || hashOf(bytes) !== hash) throw damaged(`The file "${path}"`)
      return bytes
    },
  }
}
