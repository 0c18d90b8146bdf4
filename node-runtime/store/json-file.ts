// Small files of settings. They are either as they were or as they should be, never half; the one
// before stays beside them (`.bak`), for the day on which the disk damages one.
import { link, readFile, rename, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import type * as z from 'zod'
import { CloudError } from '../contract/errors.ts'
import { KeyedQueue } from '../flow/keyed-queue.ts'
import { diskError } from './disk-errors.ts'
import { placeError } from './folder-place.ts'
import { replaceFile } from './synced-files.ts'

const FILE_MODE = 0o600
/** What disks say that know no hard links. */
const NO_LINKS: readonly unknown[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']

/** Writes of one file, in the order they were asked for. */
const writes = new KeyedQueue()

export interface ReadOptions {
  /** Told when the file was damaged and the one before was taken, with words for the person. */
  onFallback?: (words: string) => void
  /** Take the one before also when there is no file: nobody means that by deleting it. */
  evenIfGone?: boolean
}

/**
 * The content of a JSON file, or null if there is none. A damaged file gives the one before, which
 * then takes its place; what was damaged stays as `.damaged`.
 * @throws CloudError DATA_DAMAGED if both are not what they should be, FOLDER_UNUSABLE
 */
export async function readJsonFile<T>(
  path: string,
  schema: z.ZodType<T>,
  { onFallback, evenIfGone = false }: ReadOptions = {},
): Promise<T | null> {
  const text = await readText(path)
  if (text === null) return evenIfGone ? readBackup(path, schema, onFallback) : null
  try {
    return schema.parse(JSON.parse(text))
  } catch (error) {
    const before = await readText(backupOf(path))
    const fallback = before === null ? null : parse(before, schema)
    if (before === null || fallback === null) throw damaged(path, error)
    await writes.run(resolve(path), async () => {
      await rename(path, `${path}.damaged`)
      await replaceFile(path, before, FILE_MODE)
    })
    onFallback?.(
      `The file ${path} was damaged. Its last good copy was taken; the latest change may be missing.`,
    )
    return fallback.content
  }
}

/** Of a file that is gone: whoever lost it did not delete the one before. */
async function readBackup<T>(
  path: string,
  schema: z.ZodType<T>,
  onFallback: ReadOptions['onFallback'],
): Promise<T | null> {
  const before = await readText(backupOf(path))
  const fallback = before === null ? null : parse(before, schema)
  if (before === null || fallback === null) return null
  await writes.run(resolve(path), () => replaceFile(path, before, FILE_MODE))
  onFallback?.(
    `The file ${path} was gone. Its last good copy was taken; the latest change may be missing.`,
  )
  return fallback.content
}

/**
 * Replaces the file at once, readable only by its owner; it is on the disk when this returns. Calls
 * for one file are carried out in the order they were made.
 * @throws CloudError DISK_FULL, DISK_FAILED, FOLDER_UNUSABLE
 */
export function writeJsonFile(path: string, content: unknown): Promise<void> {
  const text = `${JSON.stringify(content, null, 2)}\n`
  return writes.run(resolve(path), async () => {
    try {
      await keepBackup(path)
      await replaceFile(path, text, FILE_MODE)
    } catch (error) {
      throw diskError(error, path)
    }
  })
}

/** Removes what is left of earlier contents beside the file: they held what must not stay on the disk. */
export function forgetBackups(path: string): Promise<void> {
  return writes.run(resolve(path), async () => {
    try {
      await rm(`${path}.damaged`, { force: true })
      await rm(`${backupOf(path)}.new`, { force: true })
      await keepBackup(path)
    } catch (error) {
      throw diskError(error, path)
    }
  })
}

function backupOf(path: string): string {
  return `${path}.bak`
}

/** The file as it is becomes the one before, unless it is damaged already. No bytes are written. */
async function keepBackup(path: string): Promise<void> {
  const text = await readText(path)
  if (text === null || !isJson(text)) return
  const backup = backupOf(path)
  await rm(`${backup}.new`, { force: true })
  try {
    await link(path, `${backup}.new`)
    await rename(`${backup}.new`, backup)
  } catch (error) {
    // A disk without links gets a copy.
    if (!NO_LINKS.includes((error as NodeJS.ErrnoException).code)) throw error
    await replaceFile(backup, text, FILE_MODE)
  }
}

async function readText(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw placeError(error, path) ?? error
  }
}

function parse<T>(text: string, schema: z.ZodType<T>): { content: T } | null {
  if (!isJson(text)) return null
  const parsed = schema.safeParse(JSON.parse(text))
  return parsed.success ? { content: parsed.data } : null
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function damaged(path: string, error: unknown): CloudError {
  return new CloudError(
    'DATA_DAMAGED',
    `The file ${path} is damaged, and there is no good copy beside it. Put back a good one, or move it away to begin anew.`,
    { path, reason: error instanceof Error ? error.message : String(error) },
    { cause: error },
  )
}
