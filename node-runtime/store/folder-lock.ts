// One data folder, one running machine. The operating system holds the lock, so that it goes with
// the process however that ends.
import { mkdir, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tryLock } from 'fs-native-extensions'
import * as z from 'zod'
import { CloudError } from '../contract/errors.ts'

/** Written by the daemon, so that others can find the running machine of a folder. */
export const RUNTIME_FILE = 'runtime.json'

const runtimeFileSchema = z.object({
  pid: z.number().int(),
  url: z.string(),
  port: z.number().int(),
  token: z.string(),
})
export type RuntimeFile = z.infer<typeof runtimeFileSchema>

/** What the daemon of this folder wrote of itself, or null. It may be left from one that died. */
export async function readRuntimeFile(dataDir: string): Promise<RuntimeFile | null> {
  try {
    const text = await readFile(join(dataDir, RUNTIME_FILE), 'utf8')
    return runtimeFileSchema.parse(JSON.parse(text))
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    if (missing || error instanceof SyntaxError || error instanceof z.ZodError) return null
    throw error
  }
}

/**
 * Takes the folder for this process, creating it if need be.
 * @returns gives it back
 * @throws CloudError FOLDER_IN_USE, with the pid and address of the running machine if it has one
 */
export async function lockFolder(dataDir: string): Promise<() => Promise<void>> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const file = await open(join(dataDir, 'lock'), 'a+', 0o600)
  if (tryLock(file.fd)) return () => file.close()
  await file.close()
  const running = await readRuntimeFile(dataDir)
  throw new CloudError(
    'FOLDER_IN_USE',
    `Dharma is running on ${dataDir} already. Use that one, close it, or choose another folder.`,
    { dataDir, ...(running === null ? {} : { pid: running.pid, url: running.url }) },
  )
}
