// Where things are: the repository, what is built, and what is kept for the tests outside of it.
import { createHash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('..', import.meta.url))
export const DIST = path.join(ROOT, 'dist')

const CACHE = path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'dharma')

/**
 * A folder in the cache, made once. `fill` gets an empty folder; what it leaves there becomes the
 * result in one step, so that neither a crash nor a second process leaves half a folder.
 * @param {string} name  names the content and its version
 * @param {(dir: string) => Promise<void>} fill
 * @returns {Promise<string>}
 */
export async function cachedFolder(name, fill) {
  const folder = path.join(CACHE, name)
  if (existsSync(folder)) return folder
  const draft = path.join(CACHE, `${name}.${randomUUID()}`)
  await mkdir(draft, { recursive: true })
  try {
    await fill(draft)
    await rename(draft, folder)
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    // Another process may have been quicker: its folder is as good as ours.
    if (!existsSync(folder)) throw error
  }
  return folder
}

/** The hash of a text or file content. */
export function sha(algorithm, content, encoding = 'hex') {
  return createHash(algorithm).update(content).digest(encoding)
}

/** package.json, parsed. */
export async function readPackage() {
  return JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8'))
}
