// Checks the signature of a folder's newest commit, as a machine does that installs it.
import { pathToFileURL } from 'node:url'
import { readManifest } from './manifest.ts'
import { readRepository } from './repository.ts'
import { readPublisher } from './system-identity.ts'

export interface VerifiedSystem {
  id: string
  version: string
  commit: string
  /** The publisher's keys from the first on; null if the commit is not signed. */
  publisherKeys: string[] | null
}

/** @throws CloudError SYSTEM_SIGNATURE_INVALID, and what reading a repository can throw */
export async function verifyFolder(folder: string): Promise<VerifiedSystem> {
  const { files, commit } = await readRepository(pathToFileURL(folder).href)
  const { id, version } = await readManifest(files)
  return { id, version, commit, publisherKeys: readPublisher(files, id) }
}
