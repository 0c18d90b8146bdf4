// Gets one commit of a repository: over git's smart HTTP into memory, or from a folder of this
// machine as it lies there.
import nodeFs from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import git from 'isomorphic-git'
import { CloudError } from '../../contract/errors.ts'
import { describeGitError, fetchInto } from './git-fetch.ts'
import { createGitHttp, unreachable } from './git-http.ts'
import type { GitHttp } from './git-http.ts'
import { hasCommit, MAX_SYSTEM_BYTES, readSnapshot } from './git-tree.ts'
import type { GitLocation, RepositorySnapshot } from './git-tree.ts'
import type { PackLimits } from './pack-limits.ts'
import type { TransferLimits } from './transfer-guard.ts'

/** A slow line still gives a sign within this; longer, and a person believes that nothing happens. */
const HTTP_SILENCE_MS = 20_000
/** The largest system over 2 Mbit/s. */
const HTTP_TOTAL_MS = 150_000
/** Code packs well; twice the largest system leaves room for the history that a moved branch needs. */
const HTTP_TOTAL_BYTES = 2 * MAX_SYSTEM_BYTES

const PACK_LIMITS: PackLimits = {
  totalBytes: 4 * MAX_SYSTEM_BYTES,
  objectBytes: MAX_SYSTEM_BYTES,
  objects: 20_000,
}

/** How far back a commit is looked for that is no longer the newest. */
const HISTORY_COMMITS = 100

const DEFAULT_LIMITS: TransferLimits = {
  silenceMs: HTTP_SILENCE_MS,
  totalMs: HTTP_TOTAL_MS,
  totalBytes: HTTP_TOTAL_BYTES,
}

/**
 * Reads one commit of the repository at a completed address; the newest of the default branch if
 * none is named. Of a folder with a work tree, what is committed counts.
 * @throws CloudError REPO_UNREACHABLE, REPO_COMMIT_NOT_FOUND, SYSTEM_TOO_LARGE, and MANIFEST_MISSING
 *   for a repository without a commit
 */
export async function readRepository(
  url: string,
  commit?: string,
  limits: TransferLimits = DEFAULT_LIMITS,
): Promise<RepositorySnapshot> {
  if (url.startsWith('file:')) return readLocal(url, commit)
  const http = createGitHttp(url, limits)
  try {
    const fetching = commit === undefined ? fetchNewest(url, http) : fetchCommit(url, http, commit)
    return await Promise.race([fetching, http.expired])
  } catch (error) {
    throw http.failure ?? describeGitError(url, error)
  } finally {
    http.close()
  }
}

async function fetchNewest(url: string, http: GitHttp): Promise<RepositorySnapshot> {
  const { repository, head } = await fetchInto(url, http, PACK_LIMITS, { depth: 1 })
  if (head === null) throw emptyRepository(url)
  return readSnapshot(repository, head)
}

async function fetchCommit(
  url: string,
  http: GitHttp,
  commit: string,
): Promise<RepositorySnapshot> {
  // Every server gives the newest commit of a branch by its id, many give any commit.
  const direct = await fetchInto(url, http, PACK_LIMITS, { ref: commit, depth: 1 })
  if (direct.head === null) throw emptyRepository(url)
  if (await hasCommit(direct.repository, commit)) return readSnapshot(direct.repository, commit)
  const { repository } = await fetchInto(url, http, PACK_LIMITS, {
    depth: HISTORY_COMMITS,
    allBranches: true,
  })
  if (await hasCommit(repository, commit)) return readSnapshot(repository, commit)
  throw commitNotFound(url, commit)
}

async function readLocal(url: string, commit: string | undefined): Promise<RepositorySnapshot> {
  try {
    const repository = await openLocal(url)
    if (commit !== undefined) {
      if (!(await hasCommit(repository, commit))) throw commitNotFound(url, commit)
      return await readSnapshot(repository, commit)
    }
    const { fs, gitdir } = repository
    const head = await git.resolveRef({ fs, gitdir, ref: 'HEAD' }).catch((error: unknown) => {
      throw error instanceof git.Errors.NotFoundError ? emptyRepository(url) : error
    })
    return await readSnapshot(repository, head)
  } catch (error) {
    throw describeGitError(url, error)
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false
}

async function openLocal(url: string): Promise<GitLocation> {
  const folder = fileURLToPath(url)
  if (!(await isFolder(folder))) throw unreachable(url, 'no-folder', 'there is no such folder')
  for (const gitdir of [join(folder, '.git'), folder]) {
    if (await isFolder(join(gitdir, 'objects'))) return { url, fs: nodeFs, gitdir, cache: {} }
  }
  throw unreachable(url, 'not-a-repository', 'the folder is not a git repository')
}

function emptyRepository(url: string): CloudError {
  return new CloudError('MANIFEST_MISSING', 'The repository is empty: it has no commit yet.', {
    url,
  })
}

function commitNotFound(url: string, commit: string): CloudError {
  return new CloudError(
    'REPO_COMMIT_NOT_FOUND',
    `The repository does not have the commit ${commit.slice(0, 12)} any more. Look at it again to get the newest.`,
    { url, commit },
  )
}
