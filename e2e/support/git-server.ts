// A real git server for tests: repositories made from folders, served over smart HTTP by git's own
// `http-backend` on 127.0.0.1.
import { execFile, spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { devNull, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import type { KeyPair } from '../../node-runtime/core/keys.ts'
import { SIGNATURE_PATH } from '../../node-runtime/core/systems/signature.ts'
import { signFolder } from '../../node-runtime/services/systems/sign-folder.ts'

/** Fixed, so that the same folder gives the same commit everywhere. */
const AUTHOR = { name: 'Ada Example', email: 'ada@example.org' }
const FIRST_COMMIT_S = 1_750_000_000
const COMMIT_GAP_S = 60

export interface GitServer {
  /** The address of the first repository. */
  url: string
  /** Where a repository lies on this disk, for `file:` addresses. */
  folderOf(name?: string): string
  urlOf(name: string): string
  /** The newest commit. */
  commitOf(name?: string): Promise<string>
  /** Adds a commit: files by path, null removes one. Returns its id. */
  commit(
    name: string,
    files: Record<string, string | Uint8Array | null>,
    message?: string,
  ): Promise<string>
  close(): Promise<void>
}

const environment = {
  PATH: process.env['PATH'],
  HOME: tmpdir(),
  GIT_CONFIG_GLOBAL: devNull,
  GIT_CONFIG_NOSYSTEM: '1',
}

/** Runs git away from the configuration of whoever runs the tests; returns what it printed. */
async function git(gitDir: string, args: string[], input?: Uint8Array, timeS = 0): Promise<string> {
  const date = `${timeS} +0000`
  const running = promisify(execFile)('git', args, {
    env: {
      ...environment,
      GIT_DIR: gitDir,
      GIT_AUTHOR_NAME: AUTHOR.name,
      GIT_AUTHOR_EMAIL: AUTHOR.email,
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_NAME: AUTHOR.name,
      GIT_COMMITTER_EMAIL: AUTHOR.email,
      GIT_COMMITTER_DATE: date,
    },
  })
  running.child.stdin?.end(input)
  return (await running).stdout.trim()
}

const NO_BLOB = '0'.repeat(40)

function blobOf(gitDir: string, content: string | Uint8Array): Promise<string> {
  return git(gitDir, ['hash-object', '-w', '--stdin'], Buffer.from(content))
}

/** Puts the publisher's signature of what is to be committed among it. */
async function signIndex(gitDir: string, publisher: KeyPair): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'dharma-sign-'))
  await git(gitDir, [`--work-tree=${folder}`, 'checkout-index', '--all', '--force'])
  await signFolder(folder, publisher)
  const blob = await blobOf(gitDir, await readFile(join(folder, SIGNATURE_PATH)))
  const entry = Buffer.from(`100644 ${blob}\t${SIGNATURE_PATH}\n`)
  await git(gitDir, ['update-index', '--index-info'], entry)
  await rm(folder, { recursive: true })
}

/**
 * Makes a repository from a folder (named after it) or from each of several (named by key), with
 * all its files in one commit on `main`, and serves them.
 * @param publisher  signs each commit, so that a repository is the same system wherever it is served
 */
export async function serveRepository(
  source: string | Record<string, string>,
  publisher?: KeyPair,
): Promise<GitServer> {
  const sources = typeof source === 'string' ? { [basename(source)]: source } : source
  const [firstName] = Object.keys(sources)
  if (firstName === undefined) throw new Error('no repository to serve')
  const root = await mkdtemp(join(tmpdir(), 'dharma-git-'))
  const folderOf = (name = firstName): string => join(root, `${name}.git`)
  const commits = new Map<string, number>()

  async function record(name: string, message: string): Promise<string> {
    const made = commits.get(name) ?? 0
    commits.set(name, made + 1)
    const gitDir = folderOf(name)
    if (publisher !== undefined) await signIndex(gitDir, publisher)
    const parent = made === 0 ? [] : ['-p', await git(gitDir, ['rev-parse', 'HEAD'])]
    const tree = await git(gitDir, ['write-tree'])
    const commit = await git(
      gitDir,
      ['commit-tree', tree, ...parent, '-m', message],
      undefined,
      FIRST_COMMIT_S + made * COMMIT_GAP_S,
    )
    await git(gitDir, ['update-ref', 'refs/heads/main', commit])
    return commit
  }

  for (const [name, folder] of Object.entries(sources)) {
    await mkdir(folderOf(name))
    await git(folderOf(name), ['init', '--quiet', '--bare', '--initial-branch=main'])
    await git(folderOf(name), [`--work-tree=${folder}`, 'add', '--', '.', ':!node_modules'])
    await record(name, 'First version')
  }

  // Called by name, git would be a process more for each request.
  const backend = join(await git(root, ['--exec-path']), 'git-http-backend')
  const running = new Set<() => void>()
  const server = createServer((request, response) => {
    const stop = runBackend({ backend, root }, request, response, () => running.delete(stop))
    running.add(stop)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const urlOf = (name: string): string => `http://127.0.0.1:${port}/${name}.git`

  return {
    url: urlOf(firstName),
    folderOf,
    urlOf,
    commitOf: (name) => git(folderOf(name), ['rev-parse', 'HEAD']),
    async commit(name, files, message = 'Change') {
      const gitDir = folderOf(name)
      for (const [path, content] of Object.entries(files)) {
        const entry = content === null ? `0 ${NO_BLOB}` : `100644 ${await blobOf(gitDir, content)}`
        await git(gitDir, ['update-index', '--index-info'], Buffer.from(`${entry}\t${path}\n`))
      }
      return record(name, message)
    },
    async close() {
      for (const stop of running) stop()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await rm(root, { recursive: true, force: true })
    },
  }
}

/** One request as a CGI call of git's `http-backend`, streamed both ways. Returns how to stop it. */
function runBackend(
  { backend: program, root }: { backend: string; root: string },
  request: IncomingMessage,
  response: ServerResponse,
  ended: () => void,
): () => void {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1')
  const backend = spawn(program, [], {
    env: {
      ...environment,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      REQUEST_METHOD: request.method,
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: request.headers['content-type'],
      CONTENT_LENGTH: request.headers['content-length'],
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'],
      GIT_PROTOCOL: request.headers['git-protocol'] as string | undefined,
      REMOTE_ADDR: '127.0.0.1',
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  backend.on('error', () => response.destroy())
  backend.on('close', ended)
  // git may answer, and close its end, before it has read all of the request.
  backend.stdin.on('error', () => undefined)
  request.pipe(backend.stdin)
  response.on('close', () => backend.kill())

  let head = Buffer.alloc(0)
  const readHead = (chunk: Buffer): void => {
    head = Buffer.concat([head, chunk])
    const end = head.indexOf('\r\n\r\n')
    if (end === -1) return
    backend.stdout.off('data', readHead)
    for (const line of head.subarray(0, end).toString('latin1').split('\r\n')) {
      const [name = '', ...value] = line.split(': ')
      if (name.toLowerCase() === 'status') response.statusCode = Number.parseInt(value[0] ?? '', 10)
      else response.setHeader(name, value.join(': '))
    }
    response.write(head.subarray(end + 4))
    backend.stdout.pipe(response)
  }
  backend.stdout.on('data', readHead)
  backend.stdout.on('end', () => response.end())
  return () => backend.kill()
}
