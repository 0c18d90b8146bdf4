// One data folder, one running machine. The operating system holds the lock, so that it goes with
// the process however that ends.
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tryLock } from 'fs-native-extensions'
import * as z from 'zod'
import { CloudError } from '../contract/errors.ts'
import { makeFolder, placeError } from './folder-place.ts'

/** Written by the daemon, so that others can find the running machine of a folder. */
export const RUNTIME_FILE = 'runtime.json'

const runtimeFileSchema = z.object({
  pid: z.number().int(),
  url: z.string(),
  port: z.number().int(),
  token: z.string(),
})
export type RuntimeFile = z.infer<typeof runtimeFileSchema>

/**
 * What the daemon of this folder wrote of itself, or null. It may be left from one that died.
 * @throws CloudError FOLDER_UNUSABLE
 */
export async function readRuntimeFile(dataDir: string): Promise<RuntimeFile | null> {
  const path = join(dataDir, RUNTIME_FILE)
  try {
    const text = await readFile(path, 'utf8')
    return runtimeFileSchema.parse(JSON.parse(text))
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    if (missing || error instanceof SyntaxError || error instanceof z.ZodError) return null
    throw placeError(error, path) ?? error
  }
}

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
