import { execFileSync } from 'node:child_process'
import { createServer } from 'node:http'
import type { RequestListener, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { chmod, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { serveRepository } from '../../../e2e/support/git-server.ts'
import type { GitServer } from '../../../e2e/support/git-server.ts'
import { makeFolder, notesFiles } from '../../testing/notes-repository.ts'
import { MAX_SYSTEM_FILES } from './git-tree.ts'
import { readRepository } from './repository.ts'

// Real servers, on a machine that may have other work.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

let git: GitServer
let folder: string
const servers: Server[] = []

/** A server that is not git's own. */
async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

beforeAll(async () => {
  folder = await makeFolder(notesFiles)
  await symlink('/etc/passwd', join(folder, 'ui', 'link.txt'))
  git = await serveRepository({ notes: folder, huge: folder, bomb: folder, swapped: folder })
})
afterAll(async () => {
  await git.close()
  await rm(folder, { recursive: true })
})
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

const limits = { silenceMs: 300, totalMs: 1500, totalBytes: 10_000_000 }
const unreachable = (reason: string) =>
  expect.objectContaining({
    code: 'REPO_UNREACHABLE',
    details: expect.objectContaining({ reason }),
  })

test('files arrive byte by byte; links and submodules do not arrive', async () => {
  const submodule = await git.commitOf('notes')
  execFileSync('git', [
    '--git-dir',
    git.folderOf('notes'),
    'update-index',
    '--add',
    '--cacheinfo',
    `160000,${submodule},ui/module`,
  ])
  const commit = await git.commit('notes', { 'ui/bytes.bin': Uint8Array.of(0, 255, 13, 10) })
  for (const url of [git.urlOf('notes'), pathToFileURL(git.folderOf('notes')).href]) {
    const snapshot = await readRepository(url)
    expect(snapshot).toMatchObject({ url, commit, committedMs: 1_750_000_060_000 })
    expect([...snapshot.files.keys()].toSorted()).toEqual(
      [...Object.keys(notesFiles), 'ui/bytes.bin'].toSorted(),
    )
    expect([...(snapshot.files.get('ui/bytes.bin') ?? [])]).toEqual([0, 255, 13, 10])
  }
})

test('of a folder with a work tree, what is committed counts', async () => {
  const work = await makeFolder(notesFiles)
  const run = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@b.example', ...args], {
      cwd: work,
    })
  run('init', '--quiet')
  const url = pathToFileURL(work).href
  await expect(readRepository(url)).rejects.toMatchObject({ code: 'MANIFEST_MISSING' })
  run('add', 'dharma.json')
  run('commit', '--quiet', '-m', 'One file')
  const { files, message } = await readRepository(url)
  expect([...files.keys()]).toEqual(['dharma.json'])
  expect(message).toBe('One file')
  await rm(work, { recursive: true })
})

test('a closed port, an unknown repository and a folder that is none are told apart', async () => {
  const closed = await listen(() => undefined)
  servers.splice(0).forEach((server) => server.close())
  await expect(readRepository(`${closed}/a.git`)).rejects.toEqual(unreachable('refused'))
  await expect(readRepository(git.urlOf('nothing'))).rejects.toMatchObject({
    code: 'REPO_UNREACHABLE',
    details: { reason: 'http-status', status: 404 },
  })
  const none = pathToFileURL(join(folder, 'nowhere')).href
  await expect(readRepository(none)).rejects.toEqual(unreachable('no-folder'))
  await expect(readRepository(pathToFileURL(folder).href)).rejects.toEqual(
    unreachable('not-a-repository'),
  )
})

test('an ordinary web page is not a repository', async () => {
  const url = await listen((_request, response) => {
    response.setHeader('content-type', 'text/html').end('<!doctype html><p>Hello')
  })
  await expect(readRepository(`${url}/a.git`)).rejects.toEqual(unreachable('not-a-repository'))
})

test('a server that says nothing, or stops in the middle, does not hang the caller', async () => {
  const silent = await listen(() => undefined)
  await expect(readRepository(`${silent}/a.git`, undefined, limits)).rejects.toEqual(
    unreachable('timeout'),
  )
  const stalling = await listen((_request, response) => {
    response.setHeader('content-type', 'application/x-git-upload-pack-advertisement')
    response.write('001e# service=git-upload-pack\n')
  })
  await expect(readRepository(`${stalling}/a.git`, undefined, limits)).rejects.toEqual(
    unreachable('timeout'),
  )
})

test('a server that trickles for ever is given up', async () => {
  const timers: NodeJS.Timeout[] = []
  const url = await listen((_request, response) => {
    timers.push(setInterval(() => response.write('0004'), 50))
  })
  await expect(readRepository(`${url}/a.git`, undefined, limits)).rejects.toEqual(
    unreachable('timeout'),
  )
  timers.forEach(clearInterval)
})

test('a server that breaks off is told', async () => {
  const url = await listen((request) => request.socket.destroy())
  await expect(readRepository(`${url}/a.git`)).rejects.toEqual(unreachable('broken-off'))
})

test('a server that sends without end is stopped', async () => {
  const url = await listen((_request, response) => {
    const chunk = Buffer.alloc(100_000, '0')
    const pump = (): void => {
      while (!response.destroyed && response.write(chunk));
    }
    response.on('drain', pump)
    pump()
  })
  await expect(
    readRepository(`${url}/a.git`, undefined, { ...limits, totalMs: 20_000, silenceMs: 5000 }),
  ).rejects.toMatchObject({ code: 'SYSTEM_TOO_LARGE' })
})

test('a repository that moved is followed, into other kinds of addresses it is not', async () => {
  let target = git.urlOf('notes')
  const url = await listen((request, response) => {
    const path = (request.url ?? '').replace('/old.git', '')
    response.writeHead(301, { location: `${target}${path}` }).end()
  })
  const { files } = await readRepository(`${url}/old.git`)
  expect(files.has('dharma.json')).toBe(true)
  for (target of ['file:///etc', 'http://me:secret@127.0.0.1:1/a.git', `${url}/old.git`]) {
    await expect(readRepository(`${url}/old.git`)).rejects.toEqual(unreachable('redirects'))
  }
})

test('too many files are refused', async () => {
  const names = Array.from({ length: MAX_SYSTEM_FILES + 1 }, (_, index) => `f${index}`)
  const env = { ...process.env, GIT_DIR: git.folderOf('huge') }
  const run = (args: string[], input: string) =>
    execFileSync('git', args, { env, input }).toString().trim()
  const blob = run(['hash-object', '-w', '--stdin'], 'x')
  run(['update-index', '--index-info'], names.map((n) => `100644 ${blob}\t${n}\n`).join(''))
  await git.commit('huge', {})
  await expect(readRepository(git.urlOf('huge'))).rejects.toMatchObject({
    code: 'SYSTEM_TOO_LARGE',
  })
  run(['read-tree', '--empty'], '')
})

test('too many bytes are refused, however well they pack', async () => {
  await git.commit('huge', {
    zeros: new Uint8Array(17 * 1024 * 1024),
    more: Buffer.alloc(17 * 1024 * 1024, 1),
  })
  for (const url of [git.urlOf('huge'), pathToFileURL(git.folderOf('huge')).href]) {
    await expect(readRepository(url)).rejects.toMatchObject({ code: 'SYSTEM_TOO_LARGE' })
  }
})

test('a pack is refused before it is unpacked', async () => {
  await git.commit('bomb', { zeros: new Uint8Array(40 * 1024 * 1024) })
  await expect(readRepository(git.urlOf('bomb'))).rejects.toMatchObject({
    code: 'SYSTEM_TOO_LARGE',
    details: { objectBytes: expect.any(Number) },
  })
})

test('an object that is not what its id says is noticed', async () => {
  const gitDir = git.folderOf('swapped')
  const run = (...args: string[]) =>
    execFileSync('git', args, { env: { ...process.env, GIT_DIR: gitDir } })
      .toString()
      .trim()
  run('repack', '-a', '-d', '-q')
  const url = pathToFileURL(gitDir).href
  expect((await readRepository(url)).files.size).toBe(Object.keys(notesFiles).length)

  // Lets the pack's index say that two files are each other. Format: gitformat-pack, index v2.
  const packs = join(gitDir, 'objects', 'pack')
  const [name = ''] = (await readdir(packs)).filter((file) => file.endsWith('.idx'))
  const index = await readFile(join(packs, name))
  const ids = 8 + 256 * 4
  const objects = index.readUInt32BE(ids - 4)
  const offsetAt = (path: string): number => {
    const id = Buffer.from(run('rev-parse', `HEAD:${path}`), 'hex')
    for (let at = 0; at < objects; at++) {
      const found = index.subarray(ids + at * 20, ids + at * 20 + 20)
      if (found.equals(id)) return ids + objects * 24 + at * 4
    }
    throw new Error(`${path} is not in the pack`)
  }
  const [one, other] = [offsetAt('secret.txt'), offsetAt('ui/style.css')]
  const offset = index.readUInt32BE(one)
  index.writeUInt32BE(index.readUInt32BE(other), one)
  index.writeUInt32BE(offset, other)
  await chmod(join(packs, name), 0o644)
  await writeFile(join(packs, name), index)
  await expect(readRepository(url)).rejects.toEqual(unreachable('damaged'))
})
