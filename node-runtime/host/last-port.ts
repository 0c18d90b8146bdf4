// The port at which the pages of a data folder were last served. It is taken again where it is free: what
// is open in a browser finds its machine after a restart, and systems keep what their pages stored there.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../store/synced-files.ts'

const PORT_FILE = 'port'
const FILE_MODE = 0o600

/** 0 if the folder has none that can be read: any port will do. */
export async function readLastPort(dataDir: string): Promise<number> {
  try {
    const text = await readFile(join(dataDir, PORT_FILE), 'utf8')
    return /^\d{1,5}\n$/.test(text) && Number(text) <= 0xffff ? Number(text) : 0
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw error
  }
}

export function writeLastPort(dataDir: string, port: number): Promise<void> {
  return replaceFile(join(dataDir, PORT_FILE), `${port}\n`, FILE_MODE)
}
