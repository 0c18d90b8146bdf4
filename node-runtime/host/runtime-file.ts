// The file in a data folder by which others find the machine that is running on it.
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RUNTIME_FILE } from '../store/folder-lock.ts'
import type { RuntimeFile } from '../store/folder-lock.ts'

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
