// A file for its owner's eyes only.
import { open, rm } from 'node:fs/promises'
import { CloudError } from '../contract/errors.ts'
import { placeError } from '../store/folder-place.ts'

/**
 * Never over another file, which may be the only one that somebody has: what goes into it is made once it is there.
 * @throws CloudError BAD_INPUT, FOLDER_UNUSABLE, and what making throws
 */
export async function writeNew(path: string, make: () => Promise<string>): Promise<void> {
  const file = await open(path, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw placeError(error, path) ?? error
    throw new CloudError('BAD_INPUT', `${path} is there already. Name a file that is not.`, {
      path,
    })
  })
  try {
    await file.writeFile(await make())
    await file.sync()
  } catch (error) {
    await rm(path)
    throw error
  } finally {
    await file.close()
  }
}
