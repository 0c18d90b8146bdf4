// What an interrupted installation leaves in the store's folder.
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../../ports/log.ts'
import type { InstalledState } from './installed-state.ts'

/** Removes every folder that the state does not speak of: traces of a crash or a failed removal. */
export async function removeLeftovers(
  folder: string,
  state: InstalledState,
  log: Log,
): Promise<void> {
  for (const key of await listFolders(folder)) {
    const entry = state.systems.get(key)
    const leftovers =
      entry === undefined
        ? [join(folder, key)]
        : (await listFolders(join(folder, key)))
            .filter((commit) => commit !== entry.commit)
            .map((commit) => join(folder, key, commit))
    for (const path of leftovers) {
      log.info('removing what an interrupted installation left behind', { path })
      await rm(path, { recursive: true, force: true })
    }
  }
}

async function listFolders(path: string): Promise<string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
