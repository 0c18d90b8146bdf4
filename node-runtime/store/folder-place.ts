// Places that a person named, such as the data folder: made if need be, and what is wrong with them said in
// words.
import { mkdir, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { CloudError } from '../contract/errors.ts'

const PRIVATE_FOLDER = 0o700

/** By what the operating system says, what it means of a place. */
const UNUSABLE: Readonly<Record<string, (path: string) => string>> = {
  EACCES: denied,
  EPERM: denied,
  EROFS: (path) =>
    `Nothing can be written to ${path}: the disk is read-only. Choose another folder.`,
  EEXIST: (path) => `${path} is a file, not a folder. Choose a folder, or a name that is free.`,
  ENOTDIR: (path) => `${path} is no folder, or lies in a file. Choose a folder.`,
}

function denied(path: string): string {
  return `This user has no permission for ${path}. Give it that permission, or choose another folder.`
}

/** What makes a place unusable, as CloudError FOLDER_UNUSABLE; null if the error is of another kind. */
export function placeError(error: unknown, path: string): CloudError | null {
  if (!(error instanceof Error)) return null
  const say = UNUSABLE[(error as NodeJS.ErrnoException).code ?? '']
  if (say === undefined) return null
  const details = { path, reason: error.message }
  return new CloudError('FOLDER_UNUSABLE', say(path), details, { cause: error })
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

/**
 * One level after the other. Node's own `recursive` never ends on Linux where a folder is there but
 * takes nothing, and says that there is none, as `/proc` does.
 */
async function makeLevels(path: string): Promise<void> {
  if (await isFolder(path)) return
  const parent = dirname(path)
  if (parent !== path) await makeLevels(parent)
  await mkdir(path, { mode: PRIVATE_FOLDER }).catch(async (error: unknown) => {
    // Somebody else was quicker.
    if (!(await isFolder(path))) throw error
  })
}

/**
 * Makes a folder, and those that it lies in, for its owner alone; one that is there is left as it is.
 * @throws CloudError FOLDER_UNUSABLE
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await makeLevels(resolve(path))
  } catch (error) {
    const unusable = placeError(error, path)
    if (unusable !== null) throw unusable
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new CloudError(
      'FOLDER_UNUSABLE',
      `No folder can be made at ${path}. Choose another place.`,
      { path, reason: (error as Error).message },
      { cause: error },
    )
  }
}
