// What the operating system and the engines say about a disk, as errors for people.
import { open, rm } from 'node:fs/promises'
import { CloudError } from '../contract/errors.ts'
import { placeError } from './folder-place.ts'

const FULL_CODES: readonly unknown[] = ['ENOSPC', 'EDQUOT', 'EFBIG']
/** LevelDB and RocksDB pass on the operating system's words only. */
const FULL_WORDS = /no space left|quota exceeded|file too large|not enough space|disk full/i

/** Is there no room on the disk? Looks at causes, too. */
export function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (FULL_CODES.includes((error as NodeJS.ErrnoException).code)) return true
  return FULL_WORDS.test(error.message) || isDiskFull(error.cause)
}

/** A failed write as CloudError DISK_FULL, FOLDER_UNUSABLE or DISK_FAILED. */
export function diskError(error: unknown, path: string): CloudError {
  if (error instanceof CloudError) return error
  const unusable = placeError(error, path)
  if (unusable !== null) return unusable
  const reason = error instanceof Error ? error.message : String(error)
  return isDiskFull(error)
    ? new CloudError(
        'DISK_FULL',
        'The disk is full. Nothing was changed; make room, then try again.',
        { path, reason },
        { cause: error },
      )
    : new CloudError(
        'DISK_FAILED',
        'The disk did not take what was written. Nothing was changed; try again, and check the disk.',
        { path, reason },
        { cause: error },
      )
}

/**
 * Makes sure that a disk takes so many bytes, by writing them.
 * @param path  a file that is not there; it is gone afterwards
 * @throws CloudError DISK_FULL, DISK_FAILED
 */
export async function checkRoom(path: string, sizeBytes: number): Promise<void> {
  try {
    const file = await open(path, 'w', 0o600)
    try {
      await file.writeFile(Buffer.alloc(sizeBytes))
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (error) {
    throw diskError(error, path)
  } finally {
    await rm(path, { force: true })
  }
}
