// Small files of settings, which are either as they were or as they should be, never half.
import { open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import type * as z from 'zod'
import { CloudError } from '../contract/errors.ts'

/**
 * The content of a JSON file, or null if there is none.
 * @throws CloudError DATA_DAMAGED if it is not what it should be
 */
export async function readJsonFile<T>(path: string, schema: z.ZodType<T>): Promise<T | null> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  try {
    return schema.parse(JSON.parse(text))
  } catch (error) {
    throw new CloudError(
      'DATA_DAMAGED',
      `The file ${path} is damaged. Put back a good copy, or move it away to begin anew.`,
      { path, reason: error instanceof Error ? error.message : String(error) },
      { cause: error },
    )
  }
}

/** Replaces the file at once, readable only by its owner; it is on disk when this returns. */
export async function writeJsonFile(path: string, content: unknown): Promise<void> {
  const temporary = `${path}.new`
  const file = await open(temporary, 'w', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(content, null, 2)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
  // Windows has no handle for folders; there the rename itself is the best to be had.
  if (process.platform === 'win32') return
  const folder = await open(dirname(path), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
