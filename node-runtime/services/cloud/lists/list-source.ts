// What lies at the address of a list: a git repository, fetched into memory, or plain files. Within limits of time
// and size, whatever it is that lies there.
import { constants } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import git from 'isomorphic-git'
import type { AuthCallback, GitHttpResponse, HttpClient } from 'isomorphic-git'
import { HEAD_FILE } from '../../../core/finding/list-address.ts'
import type { ListPlace } from '../../../core/finding/list-address.ts'
import { describeGitError, fetchInto, newestOf } from '../../systems/git-fetch.ts'
import { createGitHttp, unreachable } from '../../systems/git-http.ts'
import type { GitHttp } from '../../systems/git-http.ts'
import type { GitLocation } from '../../systems/git-tree.ts'
import type { PackLimits } from '../../systems/pack-limits.ts'
import type { TransferLimits } from '../../systems/transfer-guard.ts'
import { createGitPipe, PIPE_URL } from './git-pipe.ts'
import { asListError, invalidList } from './list-failure.ts'

/** A list and what may lie beside it. Within the time that the way has, so that its own words are heard. */
export const LIST_LIMITS: TransferLimits = {
  silenceMs: 10_000,
  totalMs: 40_000,
  totalBytes: 8 * 1_024 * 1_024,
}
const PACK_LIMITS: PackLimits = {
  totalBytes: 16 * 1_024 * 1_024,
  objectBytes: 4 * 1_024 * 1_024,
  objects: 5_000,
}

const DEFAULT_BRANCH = 'refs/heads/main'

/** Who may write at a place, or read where not everybody may. */
export interface ListAccess {
  username: string
  secret: string
}

export interface SourceOptions {
  access?: ListAccess | undefined
  limits?: TransferLimits
  signal?: AbortSignal
  /** What `revision` was before: nothing more is fetched while it is the same. */
  known?: string | null
}

/** A repository whose newest commit is at hand, and how to push another. */
export interface ListRepository {
  location: GitLocation
  head: string | null
  /** Full, such as `refs/heads/main`. */
  branch: string
  remote: string
  http: HttpClient
  auth: { onAuth?: AuthCallback }
}

export interface ListSource {
  /** Another one whenever something else lies there; null if that can't be told. */
  revision: string | null
  /** Null where nobody can write. */
  repository: ListRepository | null
  /** The bytes of a file, or null if there is none. @throws CloudError LIST_INVALID if it is larger */
  read(path: string, maxBytes: number): Promise<Uint8Array | null>
}

/** Nothing has changed since `known`. */
export const UNCHANGED: unique symbol = Symbol('unchanged')

/**
 * Opens what lies at a place, and closes it when `use` is done.
 * @throws CloudError LIST_UNREACHABLE, LIST_INVALID, and what `use` throws
 */
export async function withSource<T>(
  place: ListPlace,
  options: SourceOptions,
  use: (source: ListSource) => Promise<T>,
): Promise<T | typeof UNCHANGED> {
  const { limits = LIST_LIMITS, signal, known = null } = options
  const { url } = place
  const folder = place.kind === 'file' ? await folderAt(fileURLToPath(url)) : null
  if (folder !== null && folder.kind !== 'repository') return use(plainFolder(url, folder))
  const http =
    place.kind === 'git' || place.kind === 'files'
      ? createGitHttp(url, limits)
      : createGitPipe(place, limits)
  const close = (): void => http.close()
  signal?.addEventListener('abort', close)
  const work = async (): Promise<T | typeof UNCHANGED> => {
    const source =
      place.kind === 'files'
        ? await webFolder(url, http, known)
        : await fetched(url, place.kind === 'git' ? url : PIPE_URL, http, options)
    return source === UNCHANGED ? source : use(source)
  }
  try {
    return await Promise.race([work(), http.expired])
  } catch (error) {
    throw withPause(
      asListError(url, http.failure ?? describeGitError(url, error)),
      http.retryAfterS,
    )
  } finally {
    signal?.removeEventListener('abort', close)
    close()
  }
}

/** For how long the host wants to be left alone travels with the failure. */
function withPause(error: unknown, retryAfterS: number | null): unknown {
  if (retryAfterS !== null && error instanceof Error && 'details' in error) {
    Object.assign(error.details as object, { retryAfterS })
  }
  return error
}

async function fetched(
  url: string,
  remote: string,
  http: GitHttp,
  { access, known = null }: SourceOptions,
): Promise<ListSource | typeof UNCHANGED> {
  const asked = rememberAdvert(http)
  // Asked once, when the server wants to know who it is.
  const auth: { onAuth?: AuthCallback } =
    access === undefined
      ? {}
      : { onAuth: () => ({ username: access.username, password: access.secret }) }
  if (known !== null) {
    const scope = { http: asked, url: remote, protocolVersion: 1 } as const
    if (newestOf(await git.listServerRefs({ ...scope, ...auth })) === known) return UNCHANGED
  }
  const scope = { depth: 1, ...auth }
  const { repository: location, head, branch } = await fetchInto(remote, asked, PACK_LIMITS, scope)
  const repository = {
    location,
    head,
    branch: branch ?? DEFAULT_BRANCH,
    remote,
    http,
    auth,
  }
  return {
    revision: head,
    repository,
    async read(path, maxBytes) {
      if (head === null) return null
      const { fs, gitdir, cache } = location
      try {
        const { blob } = await git.readBlob({ fs, gitdir, cache, oid: head, filepath: path })
        if (blob.length > maxBytes) throw invalidList(url, 'too-large')
        return blob
      } catch (error) {
        if (error instanceof git.Errors.NotFoundError) return null
        // A folder or a link of that name.
        if (error instanceof git.Errors.ObjectTypeError) throw invalidList(url, 'garbage')
        throw error
      }
    },
  }
}

/** Asks a server for its references once, though the library does so for every step. */
function rememberAdvert(http: GitHttp): HttpClient {
  let advert: { answer: GitHttpResponse; bytes: Uint8Array } | null = null
  return {
    async request(request) {
      const { url, method } = request
      if (method !== 'GET') return http.request(request)
      if (advert?.answer.url === url) return { ...advert.answer, body: pieces(advert.bytes) }
      const answer = await http.request(request)
      if (answer.statusCode !== 200) return answer
      const bytes = await collect(answer)
      advert = { answer: { ...answer, url }, bytes }
      return { ...answer, body: pieces(bytes) }
    },
  }
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

async function collect(
  { body }: GitHttpResponse,
  maxBytes = Number.POSITIVE_INFINITY,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of body ?? []) {
    sizeBytes += chunk.length
    chunks.push(chunk)
    if (sizeBytes > maxBytes) break
  }
  return Buffer.concat(chunks)
}

/** Files of a web server, each asked for when it is read. */
async function webFolder(
  url: string,
  http: GitHttp,
  known: string | null,
): Promise<ListSource | typeof UNCHANGED> {
  const get = (path: string, headers: Record<string, string> = {}): Promise<GitHttpResponse> =>
    http.request({ url: `${url}${path}`, method: 'GET', headers })
  const read = async (answer: GitHttpResponse, maxBytes: number): Promise<Uint8Array | null> => {
    const { statusCode: status } = answer
    if (status === 404 || status === 410) return null
    if (status !== 200) {
      const why = `the server has no public files at this address (HTTP ${status})`
      throw unreachable(url, 'http-status', why, { status })
    }
    const bytes = await collect(answer, maxBytes)
    if (bytes.length > maxBytes) throw invalidList(url, 'too-large')
    return bytes
  }
  const head = await get(HEAD_FILE, known === null ? {} : { 'if-none-match': known })
  if (head.statusCode === 304) return UNCHANGED
  return {
    revision: head.headers?.['etag'] ?? null,
    repository: null,
    async read(path, maxBytes) {
      return read(path === HEAD_FILE ? head : await get(path), maxBytes)
    },
  }
}

type Folder = { kind: 'repository' | 'plain' | 'missing'; path: string }

/** What is in a folder of this computer. */
export async function folderAt(path: string): Promise<Folder> {
  const isFolder = async (...parts: string[]): Promise<boolean> =>
    (await stat(join(path, ...parts)).catch(() => null))?.isDirectory() ?? false
  if (!(await isFolder())) return { kind: 'missing', path }
  const isRepository = (await isFolder('objects')) || (await isFolder('.git', 'objects'))
  return { kind: isRepository ? 'repository' : 'plain', path }
}

function plainFolder(url: string, { path }: Folder): ListSource {
  return {
    revision: null,
    repository: null,
    async read(name, maxBytes) {
      // To open a pipe or a device may wait for ever.
      const file = await open(join(path, name), constants.O_RDONLY | constants.O_NONBLOCK).catch(
        (error: NodeJS.ErrnoException) => {
          if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null
          throw asListError(url, unreachable(url, 'disk', `the disk says ${error.code ?? 'no'}`))
        },
      )
      if (file === null) return null
      try {
        if (!(await file.stat()).isFile()) {
          throw asListError(url, unreachable(url, 'disk', 'what lies there is no ordinary file'))
        }
        const bytes = Buffer.alloc(maxBytes + 1)
        const { bytesRead } = await file.read(bytes, 0, bytes.length, 0)
        if (bytesRead > maxBytes) throw invalidList(url, 'too-large')
        return bytes.subarray(0, bytesRead)
      } finally {
        await file.close()
      }
    },
  }
}
