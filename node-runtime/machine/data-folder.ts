// What a data folder is before anything in it is opened: a machine of its own, or a copy; of this
// version, or with records of 0.1.
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { CloudNotice } from '../contract/cloud.ts'
import { Identity } from '../services/identity/identity.ts'
import { hasStamp, isCopiedFolder, stampFolder } from '../store/folder-stamp.ts'

/**
 * The identity in a folder. In a copied folder the machine gets a key of its own.
 * @throws CloudError DATA_DAMAGED
 */
export async function openIdentity(
  dataDir: string,
  say: (notice: CloudNotice) => void,
): Promise<Identity> {
  const copied = await isCopiedFolder(dataDir)
  const identity = await Identity.open(dataDir, { copied })
  // Only now: a start that ends in between makes a key once more, which nobody has seen.
  if (copied || !(await hasStamp(dataDir))) await stampFolder(dataDir)
  if (copied) {
    say({
      code: 'FOLDER_COPIED',
      message:
        'This data folder is a copy of another one. You are the same person here, and the records are ' +
        `there; the machine is a new one, named ${identity.machineName}, so that both can run.`,
    })
  }
  return identity
}

/** Has a cloud's folder records that 0.1 wrote? They stay where they are, and are not shown. */
export async function findRecordsBehind(cloudFolder: string): Promise<CloudNotice | null> {
  const folder = join(cloudFolder, 'cores')
  const found = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (found === null) return null
  return {
    code: 'RECORDS_BEHIND',
    message:
      'Your identity, your clouds and your systems came along from version 0.1. Its records did not: ' +
      `they are kept in ${folder}, and this version does not show them. Delete that folder when you ` +
      'need them no more.',
  }
}
