// Pushes the files of a list. What they were before is nobody's concern: where nothing else lies in the repository, each
// write replaces its history, so that it stays as short as the list.
import git from 'isomorphic-git'
import type { TreeEntry } from 'isomorphic-git'
import { HEAD_FILE } from '../../../core/finding/list-address.ts'
import { deniedList } from './list-failure.ts'
import type { ListRepository } from './list-source.ts'

const AUTHOR = { name: 'Dharma', email: 'dharma@list.invalid' }
const README_FILE = 'README.md'
const README = `A look-up list of a Dharma cloud: its machines say here where they can be found, so that others find
them. The files are sealed; who knows the cloud can read them. They are written by programs.
`
const SHARDS_FOLDER = 'shards'
/** A reference that is not there yet. */
const NO_COMMIT = '0'.repeat(40)

/** What hosts say that will not say otherwise the next time. */
const REFUSED_FOR_GOOD =
  /non-fast-forward|hook declined|protected|denied|denying|prohibited|checked out|not permitted/i

/**
 * Commits the files to what was fetched, and pushes that; false if something else lies there by now.
 * @throws CloudError LIST_DENIED, and what the network throws
 */
export async function pushFiles(
  repository: ListRepository,
  files: ReadonlyMap<string, Buffer>,
  { url, nowMs }: { url: string; nowMs: number },
): Promise<boolean> {
  const { location, head } = repository
  const { fs, gitdir, cache } = location
  const before = head === null ? [] : (await git.readTree({ fs, gitdir, cache, oid: head })).tree
  const tree = await writeFiles(repository, before, files)
  const pushing = { url, tree, timeS: Math.floor(nowMs / 1_000) }
  if (head !== null && before.every(isOfList)) {
    const pushed = await push(repository, { ...pushing, parents: [] }).catch((error: unknown) => {
      // A place that keeps all history keeps this, too.
      if (isRefusedForGood(error)) return 'keeps-history' as const
      return judgePush(url, error)
    })
    if (pushed !== 'keeps-history') return pushed
  }
  const parents = head === null ? [] : [head]
  return push(repository, { ...pushing, parents }).catch((error: unknown) => judgePush(url, error))
}

/** A tree with what lay there before, and the files of the list as they are to be. */
async function writeFiles(
  { location: { fs, gitdir }, head }: ListRepository,
  before: readonly TreeEntry[],
  files: ReadonlyMap<string, Buffer>,
): Promise<string> {
  const blob = async (path: string, bytes: Uint8Array): Promise<TreeEntry> => ({
    mode: '100644',
    path,
    oid: await git.writeBlob({ fs, gitdir, blob: bytes }),
    type: 'blob',
  })
  const root = before.filter(({ path }) => path !== HEAD_FILE && path !== SHARDS_FOLDER)
  const shards: TreeEntry[] = []
  for (const [path, bytes] of files) {
    if (path === HEAD_FILE) root.push(await blob(path, bytes))
    else shards.push(await blob(path.slice(`${SHARDS_FOLDER}/`.length), bytes))
  }
  if (head === null) root.push(await blob(README_FILE, Buffer.from(README)))
  const oid = await git.writeTree({ fs, gitdir, tree: shards })
  root.push({ mode: '040000', path: SHARDS_FOLDER, oid, type: 'tree' })
  return git.writeTree({ fs, gitdir, tree: root })
}

function isOfList({ path }: TreeEntry): boolean {
  return path === HEAD_FILE || path === SHARDS_FOLDER || path === README_FILE
}

/** Only onto what was fetched: what another machine has written meanwhile is never lost. */
async function push(
  { location, head, branch, remote, http, auth }: ListRepository,
  { tree, timeS, parents }: { url: string; tree: string; timeS: number; parents: string[] },
): Promise<true> {
  const { fs, gitdir, cache } = location
  const author = { ...AUTHOR, timestamp: timeS, timezoneOffset: 0 }
  const message = 'Machines of a cloud\n'
  const commit = { message, tree, parent: parents, author, committer: author }
  const value = await git.writeCommit({ fs, gitdir, commit })
  await git.writeRef({ fs, gitdir, ref: branch, value, force: true })
  await git.push({
    fs,
    gitdir,
    cache,
    ...auth,
    http,
    url: remote,
    ref: branch,
    remoteRef: branch,
    force: true,
    // The server refuses if that changes until it has all: the pushed command names it.
    onPrePush: ({ remoteRef }) => remoteRef.oid === (head ?? NO_COMMIT),
  })
  return true
}

function isRefusedForGood(error: unknown): boolean {
  return error instanceof git.Errors.GitPushError && REFUSED_FOR_GOOD.test(error.message)
}

/** False if it is to be tried again. @throws CloudError LIST_DENIED, and what it can't judge */
function judgePush(url: string, error: unknown): false {
  const { HttpError, GitPushError, UserCanceledError } = git.Errors
  const status = error instanceof HttpError ? error.data.statusCode : 0
  if (status === 401 || status === 403) {
    const why = 'the server wants the name and the password or token of somebody who may write'
    throw deniedList(url, `${why} (HTTP ${status})`)
  }
  if (isRefusedForGood(error)) {
    throw deniedList(url, `the server said “${(error as Error).message.slice(0, 300)}”`)
  }
  if (error instanceof GitPushError) return false
  // Another commit is the newest by now.
  if (error instanceof UserCanceledError) return false
  throw error
}
