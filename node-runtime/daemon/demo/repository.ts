// A git repository made from a folder, with no git installed: the systems that come with Dharma, as a
// stranger would publish them.
import fs from 'node:fs'
import { cp, mkdir } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import git from 'isomorphic-git'
import { newKeyPair } from '../../store/new-keys.ts'
import { signFolder } from '../../services/systems/sign-folder.ts'

const AUTHOR = { name: 'Dharma', email: 'demo@dharma.invalid' }

/**
 * Copies `source` to `folder`, signs it with a key that nobody keeps, and commits it there. Signed, it
 * is one system on all machines; by its address it would be another one on each.
 * @returns the address of the repository
 */
export async function createRepository(source: string, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true })
  await cp(source, folder, {
    recursive: true,
    filter: (path) => !path.endsWith('.test.ts'),
  })
  await git.init({ fs, dir: folder, defaultBranch: 'main' })
  await signFolder(folder, newKeyPair())
  await git.add({ fs, dir: folder, filepath: '.' })
  await git.commit({
    fs,
    dir: folder,
    message: 'The system as it came with Dharma',
    author: AUTHOR,
  })
  return pathToFileURL(folder).href
}
