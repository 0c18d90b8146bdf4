// Where a machine keeps its data, and the file by which others find the one that is running.
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { RUNTIME_FILE } from '../store/folder-lock.ts'
import type { RuntimeFile } from '../store/folder-lock.ts'

interface Surroundings {
  platform: NodeJS.Platform
  env: NodeJS.ProcessEnv
  home: string
}

/**
 * The data folder when none is named: `DHARMA_DATA`, else the place where the platform keeps the data
 * of applications.
 */
export function defaultDataDir({ platform, env, home }: Surroundings = here()): string {
  if (env['DHARMA_DATA']) return resolve(env['DHARMA_DATA'])
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'Dharma')
  if (platform === 'win32') return join(env['APPDATA'] || join(home, 'AppData', 'Roaming'), 'Dharma')
  return join(env['XDG_DATA_HOME'] || join(home, '.local', 'share'), 'dharma')
}

function here(): Surroundings {
  return { platform: process.platform, env: process.env, home: homedir() }
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
