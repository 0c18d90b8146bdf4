// Reads one commit of a repository: every object is checked against its id, and what a system has
// no use for (symbolic links, submodules, names that are not paths) is left out.
import { createHash } from 'node:crypto'
import git from 'isomorphic-git'
import type { FsClient, ReadCommitResult } from 'isomorphic-git'
import { CloudError } from '../../contract/errors.ts'
import { repoPathSchema } from '../../contract/manifest.ts'
import { unreachable } from './git-http.ts'

/** Every machine that installs a system holds a copy in memory once; this is room for code and pictures. */
export const MAX_SYSTEM_BYTES = 32 * 1024 * 1024
/** Files and folders together. More is a folder that was committed by mistake. */
export const MAX_SYSTEM_FILES = 5000

const MAX_AUTHOR_CHARS = 200
const MAX_MESSAGE_CHARS = 2000

/** Where the git library finds a repository. `url` is for errors. */
export interface GitLocation {
  url: string
  fs: FsClient
  gitdir: string
  /** Parsed pack indexes, which the library keeps between calls. */
  cache: object
}

/** One commit of a repository, whole and in memory. */
export interface RepositorySnapshot {
  url: string
  commit: string
  author: { name: string; email: string }
  committedMs: number
  message: string
  files: ReadonlyMap<string, Uint8Array>
  sizeBytes: number
}

function isMissing(error: unknown): boolean {
  return error instanceof git.Errors.NotFoundError
}

/** @throws CloudError REPO_UNREACHABLE if the bytes are not those that the id stands for */
async function readChecked(
  repository: GitLocation,
  oid: string,
  type: 'commit' | 'tree' | 'blob',
): Promise<Uint8Array> {
  const { url, fs, gitdir, cache } = repository
  const found = await git.readObject({ fs, gitdir, cache, oid, format: 'content' })
  const bytes = found.object as Uint8Array
  const hash = createHash('sha1').update(`${type} ${bytes.length}\0`).update(bytes).digest('hex')
  if (found.type !== type || hash !== oid) {
    throw unreachable(url, 'damaged', `its ${type} ${oid} is damaged`, { oid })
  }
  return bytes
}

/** Is there such a commit in what is at hand? */
export async function hasCommit(repository: GitLocation, commit: string): Promise<boolean> {
  try {
    await readChecked(repository, commit, 'commit')
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}

/**
 * All files of a commit.
 * @throws CloudError SYSTEM_TOO_LARGE, REPO_UNREACHABLE
 */
export async function readSnapshot(
  repository: GitLocation,
  commit: string,
): Promise<RepositorySnapshot> {
  const { url, fs, gitdir, cache } = repository
  await readChecked(repository, commit, 'commit')
  const { commit: parsed }: ReadCommitResult = await git.readCommit({
    fs,
    gitdir,
    cache,
    oid: commit,
  })
  const { files, sizeBytes } = await readFiles(repository, parsed.tree)
  const committedMs = parsed.committer.timestamp * 1000
  return {
    url,
    commit,
    author: {
      name: parsed.author.name.slice(0, MAX_AUTHOR_CHARS),
      email: parsed.author.email.slice(0, MAX_AUTHOR_CHARS),
    },
    committedMs: Number.isSafeInteger(committedMs) && committedMs > 0 ? committedMs : 0,
    message: parsed.message.trim().slice(0, MAX_MESSAGE_CHARS),
    files,
    sizeBytes,
  }
}

async function readFiles(
  repository: GitLocation,
  root: string,
): Promise<{ files: Map<string, Uint8Array>; sizeBytes: number }> {
  const { fs, gitdir, cache } = repository
  const files = new Map<string, Uint8Array>()
  let sizeBytes = 0
  let entries = 0

  async function readFolder(oid: string, prefix: string): Promise<void> {
    await readChecked(repository, oid, 'tree')
    const { tree } = await git.readTree({ fs, gitdir, cache, oid })
    for (const entry of tree) {
      // Counted before anything is skipped: a tree may hold the same folder again and again.
      entries += 1
      if (entries > MAX_SYSTEM_FILES) throw tooLarge(`more than ${MAX_SYSTEM_FILES} files`)
      const path = prefix + entry.path
      if (!repoPathSchema.safeParse(path).success) continue
      if (entry.type === 'tree') await readFolder(entry.oid, `${path}/`)
      if (entry.type !== 'blob' || !entry.mode.startsWith('100')) continue
      const bytes = await readChecked(repository, entry.oid, 'blob')
      sizeBytes += bytes.length
      if (sizeBytes > MAX_SYSTEM_BYTES) throw tooLarge(`more than ${MAX_SYSTEM_BYTES >> 20} MB`)
      files.set(path, bytes)
    }
  }

  await readFolder(root, '')
  return { files, sizeBytes }
}

function tooLarge(what: string): CloudError {
  return new CloudError('SYSTEM_TOO_LARGE', `The repository is too large: it has ${what}.`, {
    limitBytes: MAX_SYSTEM_BYTES,
    limitFiles: MAX_SYSTEM_FILES,
  })
}
