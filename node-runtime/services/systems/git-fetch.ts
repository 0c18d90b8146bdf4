// Fetching by git's protocol into memory, within limits, whatever carries it; and what failed, in our words.
import git from 'isomorphic-git'
import type { AuthCallback, HttpClient, ServerRef } from 'isomorphic-git'
import { CloudError } from '../../contract/errors.ts'
import { unreachable } from './git-http.ts'
import type { GitLocation } from './git-tree.ts'
import { createMemoryFs } from './memory-fs.ts'
import { checkPack } from './pack-limits.ts'
import type { PackLimits } from './pack-limits.ts'

const GIT_DIR = '/repository'

export interface FetchScope {
  /** A commit or, if none, the default branch. */
  ref?: string
  depth: number
  allBranches?: boolean
  /** Who reads, where not everybody may; asked once, when the server wants to know. */
  onAuth?: AuthCallback
}

/**
 * Fetches into a repository of its own, in memory, so that a failed attempt leaves nothing to the next. `head` is
 * null if there is no commit; `branch` is the default one, if the other side says which. Where that has no
 * commit, it is `main`, or the only one that there is.
 */
export async function fetchInto(
  url: string,
  http: HttpClient,
  limits: PackLimits,
  { ref, depth, allBranches = false, onAuth }: FetchScope,
): Promise<{ repository: GitLocation; head: string | null; branch: string | null }> {
  const fs = createMemoryFs((path, bytes) => {
    if (path.endsWith('.pack')) checkPack(bytes, limits)
  })
  const repository: GitLocation = { url, fs, gitdir: GIT_DIR, cache: {} }
  await git.init({ fs, dir: GIT_DIR, gitdir: GIT_DIR, bare: true, defaultBranch: 'main' })
  await git.addRemote({ fs, gitdir: GIT_DIR, remote: 'origin', url })
  const auth = onAuth === undefined ? {} : { onAuth }
  const fetchBy = (client: HttpClient) =>
    git.fetch({
      fs,
      http: client,
      gitdir: GIT_DIR,
      cache: repository.cache,
      remote: 'origin',
      depth,
      singleBranch: !allBranches,
      tags: allBranches,
      ...(ref === undefined ? {} : { remoteRef: ref }),
      ...auth,
    })
  try {
    const { fetchHead, defaultBranch } = await fetchBy(http)
    return { repository, head: fetchHead, branch: defaultBranch }
  } catch (error) {
    if (!(error instanceof git.Errors.NotFoundError) || error.data.what !== 'HEAD') throw error
    const instead = branchInstead(
      await git.listServerRefs({ http, url, protocolVersion: 1, ...auth }),
    )
    if (instead === null) throw error
    const { fetchHead } = await fetchBy(sayHead(http, instead.oid))
    return { repository, head: fetchHead, branch: instead.ref }
  }
}

/** The newest commit among what a server says it has, as `fetchInto` would take it; null if there is none. */
export function newestOf(refs: readonly ServerRef[]): string | null {
  return (refs.find(({ ref }) => ref === 'HEAD') ?? branchInstead(refs))?.oid ?? null
}

/**
 * What to take where the default branch is one without a commit: in a repository that `git init --bare` made,
 * it is `master` whatever is pushed.
 */
function branchInstead(refs: readonly ServerRef[]): ServerRef | null {
  const branches = refs.filter(({ ref }) => ref.startsWith('refs/heads/'))
  const main = branches.find(({ ref }) => ref === 'refs/heads/main')
  return main ?? (branches.length === 1 ? branches[0]! : null)
}

/** Of a server without a default branch: the library fetches nothing from one. */
function sayHead(http: HttpClient, oid: string): HttpClient {
  const line = `${oid} HEAD\n`
  const packet = Buffer.from(`${(line.length + 4).toString(16).padStart(4, '0')}${line}`)
  return {
    async request(request) {
      const answer = await http.request(request)
      const isAdvert = request.method === 'GET' && answer.statusCode === 200
      return isAdvert ? { ...answer, body: withPacket(answer.body ?? [], packet) } : answer
    },
  }
}

async function* withPacket(
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  packet: Uint8Array,
): AsyncGenerator<Uint8Array> {
  yield* body
  yield packet
}

/** The git library's errors in our words. */
export function describeGitError(url: string, error: unknown): CloudError {
  if (error instanceof CloudError) return error
  if (error instanceof git.Errors.HttpError) {
    const { statusCode } = error.data
    const why = [401, 403, 404].includes(statusCode)
      ? 'the server has no public repository at this address'
      : 'the server has a problem of its own'
    return unreachable(url, 'http-status', `${why} (HTTP ${statusCode})`, { status: statusCode })
  }
  if (
    error instanceof git.Errors.SmartHttpError ||
    error instanceof git.Errors.ParseError ||
    error instanceof git.Errors.EmptyServerResponseError
  ) {
    return unreachable(url, 'not-a-repository', 'there is something else than a git repository')
  }
  const text = error instanceof Error ? error.message : String(error)
  return unreachable(url, 'protocol', `git's protocol failed (${text.slice(0, 300)})`)
}
