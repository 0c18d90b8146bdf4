// Files that are either the old ones or the new ones, whenever the power goes.
import { open, rename } from 'node:fs/promises'

/** Writes a new file and waits until it is on the disk. */
export async function writeSynced(path: string, data: Uint8Array | string): Promise<void> {
  const file = await open(path, 'w')
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

/** Replaces `path` in `folder`; a reader sees the old content or the new, never a part. */
export async function replaceFile(folder: string, path: string, data: string): Promise<void> {
  const temporary = `${path}.new`
  await writeSynced(temporary, data)
  await rename(temporary, path)
  await syncFolder(folder)
}
