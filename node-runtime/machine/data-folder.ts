// What a data folder is before anything in it is opened: a machine of its own, a copy, or one whose
// identity is gone; of this version, or with records of 0.1.
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { CloudNotice } from '../contract/cloud.ts'
import { Identity } from '../services/identity/identity.ts'
import { hasStamp, isCopiedFolder, stampFolder } from '../store/folder-stamp.ts'

/**
 * The identity in a folder. In a copied folder the machine gets a key of its own. Where the identity is
 * gone, another person begins, and is told so: what the one before wrote stays theirs.
 * @throws CloudError DATA_DAMAGED
 */
export async function openIdentity(
  dataDir: string,
  say: (notice: CloudNotice) => void,
): Promise<Identity> {
  const copied = await isCopiedFolder(dataDir)
  const isUsed = await hasBeenUsed(dataDir)
  const fallbacks: string[] = []
  const onFallback = (words: string): void => void fallbacks.push(words)
  const identity = await Identity.open(dataDir, { copied, onFallback })
  const { personName, machineName } = identity
  // Only now: a start that ends in between makes a key once more, which nobody has seen.
  if (copied || !(await hasStamp(dataDir))) await stampFolder(dataDir)
  for (const words of fallbacks) {
    const message = `${words} You are ${personName}; the machine is a new one, named ${machineName}.`
    say({ code: 'FILE_MENDED', message })
  }
  if (identity.isBegun) {
    if (identity.isPhraseMissing) {
      say({
        code: 'IDENTITY_LOST',
        message:
          'This data folder is a copy of another one, or an older one, and your recovery phrase was not ' +
          `kept in it: so the machine is a new one, and you are a new person here, ${personName}. To be ` +
          'the one before again, put in your recovery phrase on the Settings page.',
      })
    } else if (isUsed) {
      say({
        code: 'IDENTITY_LOST',
        message:
          'The file with your identity (identity.json) was gone from the data folder, so you are a new ' +
          `person here, ${personName}. What you wrote before stays with the earlier one. To be that one ` +
          'again, put in the recovery phrase on the Settings page, or put back the file and start again.',
      })
    }
  } else if (copied) {
    say({
      code: 'FOLDER_COPIED',
      message:
        'This data folder is a copy of another one. You are the same person here, and the records are ' +
        `there; the machine is a new one, named ${machineName}, so that both can run.`,
    })
  }
  return identity
}

/**
 * Has a machine ever run on this folder? Other things may lie in it before, such as logs, or the cloud that
 * `dharma cloud create` began.
 */
async function hasBeenUsed(dataDir: string): Promise<boolean> {
  return (await readdir(dataDir)).includes('clouds')
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
