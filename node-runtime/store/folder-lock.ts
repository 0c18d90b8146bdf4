// One data folder, one running machine. The operating system holds the lock, so that it goes with
// the process however that ends.
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { tryLock } from 'fs-native-extensions'
import { CloudError } from '../contract/errors.ts'
import { makeFolder, placeError } from './folder-place.ts'
import { readRuntimeFile } from './runtime-file.ts'

/**
 * Takes the folder for this process, creating it if need be.
 * @returns gives it back
 * @throws CloudError FOLDER_IN_USE, with the pid and address of the running machine if it has one;
 *   FOLDER_UNUSABLE
 */
export async function lockFolder(dataDir: string): Promise<() => Promise<void>> {
  await makeFolder(dataDir)
  const file = await open(join(dataDir, 'lock'), 'a+', 0o600).catch((error: unknown) => {
    throw placeError(error, dataDir) ?? error
  })
  if (tryLock(file.fd)) return () => file.close()
  await file.close()
  const running = await readRuntimeFile(dataDir)
  throw new CloudError(
    'FOLDER_IN_USE',
    `Dharma is running on ${dataDir} already. Use that one, close it, or choose another folder.`,
    { dataDir, ...(running === null ? {} : { pid: running.pid, url: running.url }) },
  )
}
