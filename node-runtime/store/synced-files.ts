// Files that are either the old ones or the new ones, whenever the power goes.
import { randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

const TEMPORARY_NAME_BYTES = 6

/** Writes a file and waits until it is on the disk. */
export async function writeSynced(
  path: string,
  data: Uint8Array | string,
  mode?: number,
): Promise<void> {
  const file = await open(path, 'w', mode)
  try {
    await file.writeFile(data)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Waits until the names in a folder are on the disk. */
export async function syncFolder(path: string): Promise<void> {
  // Windows does not open folders; its renames are journalled.
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/**
 * Replaces a file; a reader sees the old content or the new, never a part, and the new is on the disk
 * when this returns. Of two at once the one that ends last stays, whole.
 */
export async function replaceFile(
  path: string,
  data: Uint8Array | string,
  mode?: number,
): Promise<void> {
  const temporary = `${path}.${randomBytes(TEMPORARY_NAME_BYTES).toString('hex')}.new`
  try {
    await writeSynced(temporary, data, mode)
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncFolder(dirname(path))
}
