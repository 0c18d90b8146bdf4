// Begins a cloud in a data folder whose machine is not running.
import { lockFolder } from '../store/folder-lock.ts'
import { claimDataFormat } from '../store/data-format.ts'
import type { NewCloud } from '../services/cloud/cloud-service.ts'
import { CloudBook } from './cloud-book.ts'

/**
 * Begins the cloud and makes it the folder's own, as `cloud.create` does. Answers with its id.
 * @throws CloudError FOLDER_IN_USE, FOLDER_UNUSABLE, DATA_DAMAGED, DATA_TOO_NEW
 */
export async function createCloudIn(dataDir: string, cloud: NewCloud): Promise<string> {
  const unlock = await lockFolder(dataDir)
  try {
    await claimDataFormat(dataDir)
    return await CloudBook.begin(dataDir, cloud)
  } finally {
    await unlock()
  }
}
