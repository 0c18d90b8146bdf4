// Places where look-up lists lie, for tests: git repositories and web servers on this computer, and machines that
// read and write there.
import { execFileSync } from 'node:child_process'
import { cpSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, request as httpRequest } from 'node:http'
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { devNull, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { serveRepository } from '../../e2e/support/git-server.ts'
import type { GitServer } from '../../e2e/support/git-server.ts'
import { HEAD_FILE } from '../core/finding/list-address.ts'
import { LISTED_MS, signListManifest, writeHead, writeShard } from '../core/finding/list-form.ts'
import type { ListManifest } from '../core/finding/list-form.ts'
import type { ShardCount } from '../core/finding/list-sample.ts'
import { listSeal } from '../core/finding/list-seal.ts'
import { cloudIdOf, genesisBody } from '../core/forms/genesis.ts'
import type { MachineEntry } from '../core/forms/machine-form.ts'
import { encodeKey } from '../core/keys.ts'
import { Lists } from '../services/cloud/lists/lists.ts'
import type { ListsOptions } from '../services/cloud/lists/lists.ts'
import { keysOf, signTestEntry } from './entries.ts'
import { silentLog } from './silent-log.ts'

/** How a cloud of `owner` begins. */
export function genesisOf(name: string, owner = 'owner'): string {
  return genesisBody({
    name,
    admission: { kind: 'link' },
    keys: [encodeKey(keysOf(owner).publicKey)],
    nonce: '1',
  })
}

export const genesis = genesisOf('Ours')
export const cloud = cloudIdOf(genesis)
export const seal = listSeal(cloud)
/** Who speaks for the cloud. */
export const ownerKey = {
  publicKey: encodeKey(keysOf('owner').publicKey),
  secretKey: keysOf('owner').secretKey,
}

export type Files = Map<string, Uint8Array>

export function manifestBy(signer: string, { of = cloud, sequence = 5 } = {}): ListManifest {
  const { publicKey, secretKey } = keysOf(signer)
  return signListManifest({ cloud: of, signer: encodeKey(publicKey), sequence }, secretKey)
}

export function headFile({
  manifest = manifestBy('owner'),
  shards = 1,
}: { manifest?: ListManifest; shards?: ShardCount } = {}): Buffer {
  return writeHead({ genesis, manifest, shards }, seal)
}

/** A machine that is at a port of this computer, as it says at a time of day. */
export function listedEntry(name: string, wallMs: number, port = 4_000): MachineEntry {
  return signTestEntry({
    keys: keysOf(name),
    cloud,
    name,
    sequence: wallMs,
    more: { addresses: [{ host: '127.0.0.1', port }], listedUntilMs: wallMs + LISTED_MS },
  })
}

/** A list of the cloud, as it lies there. */
export function listFiles(entries: readonly MachineEntry[], sequence = 5): Files {
  const machines = entries.map((entry) => ({ entry, sinceMs: 0 }))
  return new Map<string, Uint8Array>([
    [HEAD_FILE, headFile({ manifest: manifestBy('owner', { sequence }) })],
    ['shards/0', writeShard(machines, seal).file],
  ])
}

export function git(
  gitDir: string,
  args: readonly string[],
  input: Uint8Array = Buffer.of(),
): string {
  const env = { PATH: process.env['PATH'], GIT_DIR: gitDir, GIT_CONFIG_GLOBAL: devNull }
  const names = ['-c', 'user.name=A', '-c', 'user.email=a@b.example']
  return execFileSync('git', [...names, ...args], { env, input })
    .toString()
    .trim()
}

/** Makes these files the content of a bare repository. */
export function commitFiles(gitDir: string, files: Files): void {
  for (const [path, bytes] of files) {
    const blob = git(gitDir, ['hash-object', '-w', '--stdin'], bytes)
    git(gitDir, ['update-index', '--add', '--cacheinfo', `100644,${blob},${path}`])
  }
  const commit = git(gitDir, ['commit-tree', git(gitDir, ['write-tree']), '-m', 'Files'])
  git(gitDir, ['update-ref', 'refs/heads/main', commit])
}

/** Close when done. */
export class ListPlaces {
  readonly server: GitServer
  readonly #folder: string
  readonly #servers: Server[] = []
  readonly #opened: Lists[] = []
  #repositories = 0
  /** The time of day of all machines. */
  wallMs = Date.now()

  private constructor(server: GitServer, folder: string) {
    this.server = server
    this.#folder = folder
  }

  static async create(): Promise<ListPlaces> {
    const folder = await mkdtemp(join(tmpdir(), 'dharma-lists-'))
    const source = join(folder, 'source')
    await mkdir(source)
    await writeFile(join(source, 'about.txt'), 'Something else that lies here.')
    const server = await serveRepository({ other: source })
    // Git would look after each push whether to clean up, in a process of its own, and wait for the disk.
    const settings = {
      'http.receivepack': 'true',
      'receive.autogc': 'false',
      'core.fsync': 'none',
    }
    const template = join(folder, 'template.git')
    execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', template])
    for (const gitDir of [server.folderOf('other'), template]) {
      for (const [name, value] of Object.entries(settings)) git(gitDir, ['config', name, value])
    }
    return new ListPlaces(server, folder)
  }

  pathOf(...parts: string[]): string {
    return join(this.#folder, ...parts)
  }

  /** A new repository without a commit, which everybody may write to. */
  emptyRepository(defaultBranch = 'main'): { url: string; gitDir: string } {
    const name = `empty-${this.#repositories++}`
    const gitDir = join(dirname(this.server.folderOf('other')), `${name}.git`)
    cpSync(join(this.#folder, 'template.git'), gitDir, { recursive: true })
    writeFileSync(join(gitDir, 'HEAD'), `ref: refs/heads/${defaultBranch}\n`)
    return { url: this.server.urlOf(name), gitDir }
  }

  async listen(listener: RequestListener): Promise<string> {
    const server = createServer(listener)
    this.#servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  /** A web server with these files, and what it was asked for. */
  async serveFiles(files: () => Files): Promise<{ url: string; asked: string[] }> {
    const asked: string[] = []
    const url = await this.listen((request, response) => {
      const path = (request.url ?? '').slice('/list/'.length)
      asked.push(path)
      const bytes = files().get(path)
      if (bytes === undefined) response.writeHead(404).end()
      else response.end(bytes)
    })
    return { url: `${url}/list/`, asked }
  }

  entryOf(name: string, port?: number): MachineEntry {
    return listedEntry(name, this.wallMs, port)
  }

  /** The lists of a machine, with what it kept if it was here before. */
  async open(name: string, more: Partial<ListsOptions> = {}): Promise<Lists> {
    await mkdir(this.pathOf(name), { recursive: true })
    const lists = await Lists.open({
      folder: this.pathOf(name),
      cloud,
      ownEntry: () => this.entryOf(name),
      entriesSince: () => [],
      entryOf: () => undefined,
      isLinked: () => false,
      linkCount: () => 0,
      speaker: () => null,
      secrets: { seal: async () => null, open: async () => null },
      genesisLearned: () => {},
      added: () => {},
      changed: () => {},
      now: () => this.wallMs,
      log: silentLog,
      ...more,
    })
    this.#opened.push(lists)
    return lists
  }

  /** Those of a machine that speaks for the cloud. */
  openOwner(): Promise<Lists> {
    return this.open('owner', { speaker: () => ({ ...ownerKey, genesis }) })
  }

  async close(): Promise<void> {
    for (const lists of this.#opened) await lists.close()
    for (const server of this.#servers) {
      server.closeAllConnections()
      server.close()
    }
    await this.server.close()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** Asks as the way does; whom it was told of, and where. */
export async function ask(
  lists: Lists,
  signal: AbortSignal = new AbortController().signal,
): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  await lists.ask(
    {
      sighted: (machine, addresses) =>
        void found.set(machine, addresses.map(({ host, port }) => `${host}:${port}`).join()),
      named: () => {},
    },
    signal,
  )
  return found
}

/** Hands a request on to another server. */
export function forward(request: IncomingMessage, response: ServerResponse, to: URL): void {
  const { method, headers, url: path } = request
  const options = { host: to.hostname, port: to.port, method, headers, path }
  const onward = httpRequest(options, (answer) => {
    response.writeHead(answer.statusCode ?? 500, answer.headers)
    answer.pipe(response)
  })
  request.pipe(onward)
}
