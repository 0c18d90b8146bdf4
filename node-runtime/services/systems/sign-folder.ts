// Signs the system in a folder, as it will be when it is committed.
import fs from 'node:fs'
import { lstat, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import git from 'isomorphic-git'
import { CloudError } from '../../contract/errors.ts'
import { repoPathSchema } from '../../contract/manifest.ts'
import { contentHash } from '../../core/systems/content-hash.ts'
import { encodeKey } from '../../core/keys.ts'
import type { KeyPair } from '../../core/keys.ts'
import {
  openSignature,
  SIGNATURE_PATH,
  signSuccessor,
  signSystem,
} from '../../core/systems/signature.ts'
import type { SystemSignature } from '../../core/systems/signature.ts'
import { signedSystemKey } from '../../core/systems/system-key.ts'
import { diskError } from '../../store/disk-errors.ts'
import { MAX_SYSTEM_BYTES, MAX_SYSTEM_FILES } from './git-tree.ts'
import { readManifest } from './manifest.ts'

export interface SignedSystem {
  id: string
  version: string
  key: string
  /** The publisher's first key, which names the system. */
  publisher: string
  /** The key that signed. */
  signer: string
  fileCount: number
}

/**
 * Writes the signature of a folder's files into it. What git ignores is left out, as a commit does.
 * @param keys  the publisher's present key
 * @param next  hands over to this key, which signs from now on
 * @throws CloudError MANIFEST_MISSING, MANIFEST_INVALID, SYSTEM_TOO_LARGE, SYSTEM_SIGNATURE_INVALID
 *   if the folder is signed by somebody else; DISK_FULL, DISK_FAILED, FOLDER_UNUSABLE
 */
export async function signFolder(
  folder: string,
  keys: KeyPair,
  next?: KeyPair,
): Promise<SignedSystem> {
  const { files, id, version } = await readSystemFolder(folder)
  const content = { id, contentHash: contentHash(files, SIGNATURE_PATH) }
  const before = signatureToGoOnFrom(files, id, keys)
  const signer = next ?? keys
  const file =
    next === undefined
      ? signSystem(content, keys, before)
      : signSystem(content, next, handOver(content, before, keys, next))
  const path = join(folder, SIGNATURE_PATH)
  await writeFile(path, `${JSON.stringify(file, null, 2)}\n`).catch((error: unknown) => {
    throw diskError(error, path)
  })
  const publisher = before?.keys[0] ?? encodeKey(keys.publicKey)
  return {
    id,
    version,
    key: signedSystemKey(publisher, id),
    publisher,
    signer: encodeKey(signer.publicKey),
    fileCount: files.size,
  }
}

/**
 * What would be signed.
 * @throws CloudError MANIFEST_MISSING, MANIFEST_INVALID, SYSTEM_TOO_LARGE
 */
export async function readSystemFolder(
  folder: string,
): Promise<{ files: ReadonlyMap<string, Uint8Array>; id: string; version: string }> {
  const files = await readFolder(folder)
  const { id, version } = await readManifest(files)
  return { files, id, version }
}

/** The signature that the folder has, if it is this publisher's; none if it was never signed. */
function signatureToGoOnFrom(
  files: ReadonlyMap<string, Uint8Array>,
  id: string,
  keys: KeyPair,
): SystemSignature | undefined {
  const bytes = files.get(SIGNATURE_PATH)
  if (bytes === undefined) return undefined
  const signature = openSignature(bytes)
  const signer = encodeKey(keys.publicKey)
  // The same publisher may give its system another id.
  if (signature !== null && signature.keys.at(-1) === signer) return signature
  throw new CloudError(
    'SYSTEM_SIGNATURE_INVALID',
    signature === null
      ? `The file ${SIGNATURE_PATH} is damaged. Restore it from the last commit; without it, the chain of your keys is lost.`
      : `This system is signed by another key, ${String(signature.keys.at(-1))}. Sign it with that one (--key). If you remove ${SIGNATURE_PATH}, it becomes another system, without the data of this one.`,
    { id, signer },
  )
}

function handOver(
  content: { id: string; contentHash: string },
  before: SystemSignature | undefined,
  keys: KeyPair,
  next: KeyPair,
): SystemSignature {
  const first = before ?? {
    ...content,
    keys: [encodeKey(keys.publicKey)],
    file: signSystem(content, keys),
  }
  return signSuccessor(first, keys, encodeKey(next.publicKey))
}

/** The files that a commit of everything would hold, by path; of a folder without git all files. */
async function readFolder(folder: string): Promise<Map<string, Uint8Array>> {
  const isRepository = await lstat(join(folder, '.git')).then(
    () => true,
    () => false,
  )
  const tracked = new Set(isRepository ? await git.listFiles({ fs, dir: folder }) : [])
  const files = new Map<string, Uint8Array>()
  let sizeBytes = 0

  async function isLeftOut(path: string, isFolder: boolean): Promise<boolean> {
    if (!repoPathSchema.safeParse(path).success || path === '.git') return true
    if (!isRepository || tracked.has(path)) return false
    // A folder that is ignored may hold files that were added all the same.
    if (isFolder && [...tracked].some((file) => file.startsWith(`${path}/`))) return false
    return git.isIgnored({ fs, dir: folder, filepath: path })
  }

  async function readInto(prefix: string): Promise<void> {
    for (const entry of await readdir(join(folder, prefix), { withFileTypes: true })) {
      const path = prefix + entry.name
      // Links and the like are no files of a system.
      if (!entry.isFile() && !entry.isDirectory()) continue
      if (await isLeftOut(path, entry.isDirectory())) continue
      if (entry.isDirectory()) {
        await readInto(`${path}/`)
        continue
      }
      const bytes = await readFile(join(folder, path))
      sizeBytes += bytes.length
      files.set(path, bytes)
      if (sizeBytes > MAX_SYSTEM_BYTES || files.size > MAX_SYSTEM_FILES) {
        throw new CloudError(
          'SYSTEM_TOO_LARGE',
          `The folder is too large for a system: more than ${MAX_SYSTEM_BYTES >> 20} MB or ${MAX_SYSTEM_FILES} files. List in .gitignore what does not belong to it.`,
          { limitBytes: MAX_SYSTEM_BYTES, limitFiles: MAX_SYSTEM_FILES },
        )
      }
    }
  }

  await readInto('')
  return files
}
