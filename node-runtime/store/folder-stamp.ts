// Tells a data folder from a copy of one. Two copies would sign as one machine; a folder that was moved
// is still the same.
import { open, readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { syncFolder } from './synced-files.ts'

const STAMP_FILE = 'folder-stamp.json'

const stampSchema = z.object({
  /** Of the stamp's own file. */
  inode: z.string(),
  /** Nanoseconds since 1970. */
  bornNs: z.string(),
})
type Stamp = z.infer<typeof stampSchema>

/**
 * Is this folder a copy? A copied file has another inode and another time of birth. Where only one of
 * the two differs, the file system is one that does not keep it, and nothing was copied.
 */
export async function isCopiedFolder(dataDir: string): Promise<boolean> {
  const path = join(dataDir, STAMP_FILE)
  const stamp = await readStamp(path)
  if (stamp === null) return false
  const { inode, bornNs } = await stampOf(path)
  return inode !== stamp.inode && bornNs !== stamp.bornNs
}

/** Marks the folder as it is now, as one of its own. */
export async function stampFolder(dataDir: string): Promise<void> {
  const path = join(dataDir, STAMP_FILE)
  const fresh = `${path}.new`
  const file = await open(fresh, 'w', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(await stampOf(fresh))}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(fresh, path)
  await syncFolder(dataDir)
}

/** Has the folder ever been marked? */
export async function hasStamp(dataDir: string): Promise<boolean> {
  return (await readStamp(join(dataDir, STAMP_FILE))) !== null
}

async function stampOf(path: string): Promise<Stamp> {
  const { ino, birthtimeNs } = await stat(path, { bigint: true })
  return { inode: String(ino), bornNs: String(birthtimeNs) }
}

/** Null if there is none, or a damaged one: nothing is known then. */
async function readStamp(path: string): Promise<Stamp | null> {
  try {
    return stampSchema.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    if (missing || error instanceof SyntaxError || error instanceof z.ZodError) return null
    throw error
  }
}
