// The file in a data folder by which others find the machine that is running on it. Who holds the folder's
// lock writes it.
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { placeError } from './folder-place.ts'

export const RUNTIME_FILE = 'runtime.json'

const runtimeFileSchema = z.object({
  pid: z.number().int(),
  url: z.string(),
  port: z.number().int().min(1).max(65_535),
  token: z.string(),
})
type RuntimeFile = z.infer<typeof runtimeFileSchema>

/**
 * What the machine that runs on this folder wrote of itself, or null. It may be left from one that died.
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

/** Tells others where the running machine is. Only this user may read it: it holds the token. */
export async function writeRuntimeFile(dataDir: string, content: RuntimeFile): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const draft = join(dataDir, `${RUNTIME_FILE}.${process.pid}`)
  await writeFile(draft, `${JSON.stringify(content)}\n`, { mode: 0o600 })
  await rename(draft, join(dataDir, RUNTIME_FILE))
}

export async function removeRuntimeFile(dataDir: string): Promise<void> {
  await rm(join(dataDir, RUNTIME_FILE), { force: true })
}
