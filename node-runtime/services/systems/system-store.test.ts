import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { GitServer } from '../../../e2e/support/git-server.ts'
import type { Permission } from '../../contract/permissions.ts'
import { encodeKey, keyPair } from '../../core/keys.ts'
import { installedSystemSchema, systemPreviewSchema } from '../../contract/systems.ts'
import { silentLog } from '../../testing/cloud-nodes.ts'
import {
  makeFolder,
  NOTES_ID,
  notesFiles,
  notesManifest,
  serveNotes,
} from '../../testing/notes-repository.ts'
import { systemKeyAt } from '../../core/systems/system-key.ts'
import { openSystemStore } from './system-store.ts'
import type { SystemStore } from './system-store.ts'

// Real servers, on a machine that may have other work.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

const MACHINE = encodeKey(keyPair(new Uint8Array(32).fill(1)).publicKey)

let server: GitServer
let sdkDir: string
let dataDir: string
let store: SystemStore

const open = (): Promise<SystemStore> =>
  openSystemStore({ dataDir, machine: MACHINE, sdkDir, log: silentLog })
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
const fails = (code: string): unknown => expect.objectContaining({ name: 'CloudError', code })

/** The key of what lies in an unsigned repository of the server. */
const keyOf = (name = 'notes'): string => systemKeyAt(server.urlOf(name), NOTES_ID, MACHINE)

async function install(grant: Permission[] = ['db'], name = 'notes'): Promise<string> {
  const commit = await server.commitOf(name)
  await store.install({ url: server.urlOf(name), commit, grant })
  return commit
}

/** The failing call must leave the list, on disk too, as it was. */
async function expectUnchanged(call: () => Promise<unknown>, code: string): Promise<void> {
  const before = store.list()
  let changes = 0
  const stop = store.onChange(() => changes++)
  await expect(call()).rejects.toEqual(fails(code))
  stop()
  expect(changes).toBe(0)
  expect(store.list()).toEqual(before)
  expect((await open()).list()).toEqual(before)
}

beforeAll(async () => {
  sdkDir = await makeFolder({ 'sdk.js': 'export const connect = 1', 'theme.css': ':root{}' })
  server = await serveNotes({
    // For the tests that add commits.
    moving: notesFiles,
    updated: notesFiles,
    unwritten: notesFiles,
    plain: { 'README.md': 'nothing here' },
    invalid: { ...notesFiles, 'dharma.json': '{ "manifestVersion": 1 }' },
  })
})
afterAll(async () => {
  await server.close()
  await rm(sdkDir, { recursive: true })
})

beforeEach(async () => {
  dataDir = await makeFolder({})
  store = await open()
})
afterEach(() => rm(dataDir, { recursive: true }))

test('a preview tells what would be installed, and installs nothing', async () => {
  const preview = await store.preview(server.url)
  expect(systemPreviewSchema.parse(preview)).toEqual(preview)
  expect(preview).toMatchObject({
    url: server.url,
    id: NOTES_ID,
    name: 'Notes',
    version: '1.0.0',
    commit: await server.commitOf('notes'),
    author: { name: 'Ada Example', email: 'ada@example.org' },
    message: 'First version',
    permissions: ['db', 'identity'],
    fileCount: Object.keys(notesFiles).length,
    icon: `data:image/svg+xml;base64,${Buffer.from(notesFiles['art/icon.svg'] ?? '').toString('base64')}`,
    sizeBytes: Object.values(notesFiles).reduce((sum, file) => sum + Buffer.byteLength(file), 0),
    installed: null,
  })
  expect(store.list()).toEqual([])
  await expect(readdir(join(dataDir, 'systems'))).rejects.toThrow('ENOENT')
})

test('an installed system is listed, readable, and there after a restart', async () => {
  let changes = 0
  store.onChange(() => changes++)
  const commit = await install()
  expect(changes).toBe(1)
  const [system] = store.list()
  expect(installedSystemSchema.parse(system)).toEqual(system)
  expect(system).toMatchObject({ id: NOTES_ID, commit, url: server.url, granted: ['db'] })
  for (const again of [store, await open()]) {
    expect(again.list()).toEqual([system])
    expect(again.get(keyOf())?.manifest.ui).toBe('ui/index.html')
    expect(text(await again.readFile(keyOf(), 'rules/duel.ts'))).toBe(notesFiles['rules/duel.ts'])
  }
  const preview = await store.preview(server.url)
  expect(preview.key).toBe(keyOf())
  expect(preview.installed).toEqual({
    key: keyOf(),
    version: '1.0.0',
    commit,
    url: server.url,
    granted: ['db'],
  })
})

test('a folder of this machine is installed without a server', async () => {
  const url = pathToFileURL(server.folderOf('notes')).href
  const { commit } = await store.preview(url)
  const installed = await store.install({ url, commit, grant: [] })
  expect(installed).toMatchObject({
    id: NOTES_ID,
    key: systemKeyAt(url, NOTES_ID, MACHINE),
    host: NOTES_ID,
    url,
    commit,
  })
  expect(text(await store.readFile(installed.key, 'ui/main.ts'))).toBe(notesFiles['ui/main.ts'])
})

test('exactly the commit that was looked at is installed, though the repository moved on', async () => {
  const url = server.urlOf('moving')
  const { commit } = await store.preview(url)
  await server.commit('moving', { 'ui/main.ts': 'export const answer = "another"\n' })
  await store.install({ url, commit, grant: [] })
  expect(store.get(keyOf('moving'))?.commit).toBe(commit)
  expect(text(await store.readFile(keyOf('moving'), 'ui/main.ts'))).toBe(notesFiles['ui/main.ts'])
})

test('installing a newer commit from the same address is an update', async () => {
  const first = await install(['db'], 'updated')
  expect(text((await store.asset(keyOf('updated'), '/main.ts')).body)).toContain('42')
  const commit = await server.commit('updated', {
    'ui/main.ts': 'export const answer = "newer"\n',
    'dharma.json': JSON.stringify({ ...notesManifest, version: '1.1.0' }),
  })
  expect(commit).not.toBe(first)
  await store.install({ url: server.urlOf('updated'), commit, grant: ['identity'] })
  expect(store.list()).toHaveLength(1)
  expect(store.get(keyOf('updated'))).toMatchObject({ version: '1.1.0', granted: ['identity'] })
  expect(text((await store.asset(keyOf('updated'), '/main.ts')).body)).toContain('newer')
  expect(await readdir(join(dataDir, 'systems', keyOf('updated')))).toEqual([commit])
})

test('a repository without a manifest, or with an invalid one, is refused', async () => {
  await install()
  for (const [name, code] of [
    ['plain', 'MANIFEST_MISSING'],
    ['invalid', 'MANIFEST_INVALID'],
  ] as const) {
    const commit = await server.commitOf(name)
    await expectUnchanged(() => store.preview(server.urlOf(name)), code)
    await expectUnchanged(() => store.install({ url: server.urlOf(name), commit, grant: [] }), code)
  }
})

test('an unknown commit, a missing repository and a bad address are refused', async () => {
  await install()
  const commit = 'a'.repeat(40)
  const from = (url: string) => () => store.install({ url, commit, grant: [] })
  await expectUnchanged(from(server.url), 'REPO_COMMIT_NOT_FOUND')
  await expectUnchanged(from(server.urlOf('nothing')), 'REPO_UNREACHABLE')
  await expectUnchanged(from('ftp://host.example/a/b.git'), 'REPO_URL_INVALID')
  await expectUnchanged(from(pathToFileURL(server.folderOf('notes')).href), 'REPO_COMMIT_NOT_FOUND')
})

test('only what the manifest asks for can be granted', async () => {
  const commit = await server.commitOf('notes')
  const request = { url: server.url, commit, grant: ['db', 'sessions'] as Permission[] }
  await expectUnchanged(() => store.install(request), 'SYSTEM_GRANT_INVALID')
  await install(['db'])
  expect(store.hasPermission(keyOf(), 'db')).toBe(true)
  expect(store.hasPermission(keyOf(), 'identity')).toBe(false)
  await expectUnchanged(() => store.setGrant(keyOf(), ['sessions']), 'SYSTEM_GRANT_INVALID')
  await expectUnchanged(() => store.setGrant('org.example.other', []), 'SYSTEM_NOT_INSTALLED')
  await store.setGrant(keyOf(), ['identity'])
  expect(store.hasPermission(keyOf(), 'db')).toBe(false)
  expect(store.hasPermission(keyOf(), 'identity')).toBe(true)
  expect(store.hasPermission('org.example.other', 'db')).toBe(false)
  expect((await open()).hasPermission(keyOf(), 'identity')).toBe(true)
})

test('an uninstalled system is gone, from the disk too', async () => {
  const commit = await install()
  await store.uninstall(keyOf())
  expect(store.list()).toEqual([])
  expect(store.hasPermission(keyOf(), 'db')).toBe(false)
  await expect(readdir(join(dataDir, 'systems', keyOf(), commit))).rejects.toThrow('ENOENT')
  await expect(store.readFile(keyOf(), 'dharma.json')).rejects.toEqual(
    fails('SYSTEM_NOT_INSTALLED'),
  )
  await expectUnchanged(() => store.uninstall(keyOf()), 'SYSTEM_NOT_INSTALLED')
})

test('a file that was changed on the disk is noticed, and installing again repairs it', async () => {
  const commit = await install()
  const folder = join(dataDir, 'systems', keyOf(), commit)
  const index = JSON.parse(await readFile(join(folder, 'files.json'), 'utf8'))
  await writeFile(join(folder, index['ui/main.ts']), 'export const answer = "evil"\n')
  await rm(join(folder, index['ui/style.css']))
  await expect(store.readFile(keyOf(), 'ui/main.ts')).rejects.toEqual(fails('DATA_DAMAGED'))
  await expect(store.asset(keyOf(), '/main.ts')).rejects.toEqual(fails('DATA_DAMAGED'))
  await expect(store.asset(keyOf(), '/style.css')).rejects.toEqual(fails('DATA_DAMAGED'))
  await install()
  expect(text(await store.readFile(keyOf(), 'ui/main.ts'))).toBe(notesFiles['ui/main.ts'])
  expect(text((await store.asset(keyOf(), '/style.css')).body)).toBe(notesFiles['ui/style.css'])
})

test('a file that the disk does not give now is not called damaged', async () => {
  const commit = await install()
  const folder = join(dataDir, 'systems', keyOf(), commit)
  const index = JSON.parse(await readFile(join(folder, 'files.json'), 'utf8'))
  const unreadable = async (name: string): Promise<void> => {
    await rm(join(folder, name))
    await mkdir(join(folder, name))
  }
  expect((await store.asset(keyOf(), '/')).contentType).toBe('text/html; charset=utf-8')
  await unreadable(index['ui/main.ts'])
  await expect(store.readFile(keyOf(), 'ui/main.ts')).rejects.toEqual(fails('DISK_FAILED'))
  await unreadable('files.json')
  store = await open()
  await expect(store.asset(keyOf(), '/')).rejects.toEqual(fails('DISK_FAILED'))
})

test('a changed list of files is noticed, and installing again repairs it', async () => {
  const commit = await install()
  const path = join(dataDir, 'systems', keyOf(), commit, 'files.json')
  await writeFile(path, (await readFile(path, 'utf8')).replace('secret.txt', 'ui/secret.txt'))
  store = await open()
  await expect(store.asset(keyOf(), '/')).rejects.toEqual(fails('DATA_DAMAGED'))
  await install()
  expect((await store.asset(keyOf(), '/')).contentType).toBe('text/html; charset=utf-8')
})

test('what a crash left behind is cleared away, what is installed stays', async () => {
  const commit = await install()
  const systems = join(dataDir, 'systems')
  for (const stray of [
    join('.incoming', 'tree-abc'),
    join(keyOf(), 'b'.repeat(40)),
    join('org.example.half', 'c'.repeat(40)),
  ]) {
    await mkdir(join(systems, stray), { recursive: true })
    await writeFile(join(systems, stray, 'file'), 'half')
  }
  await writeFile(join(systems, 'installed.json.new'), '{"stateVersion":1,"sys')
  store = await open()
  const left = (await readdir(systems)).filter((name) => !name.endsWith('.json.new'))
  expect(left.toSorted()).toEqual(['installed.json', keyOf()].toSorted())
  expect(await readdir(join(systems, keyOf()))).toEqual([commit])
  expect(text(await store.readFile(keyOf(), 'ui/main.ts'))).toBe(notesFiles['ui/main.ts'])
  await store.setGrant(keyOf(), [])
  expect((await open()).get(keyOf())?.granted).toEqual([])
})

test('an installation that can not be written leaves everything as it was', async () => {
  await install(['db'], 'unwritten')
  const commit = await server.commit('unwritten', { 'ui/new.txt': 'new' })
  // A file where the staging folder should be: nothing can be written.
  await rm(join(dataDir, 'systems', '.incoming'), { recursive: true, force: true })
  await writeFile(join(dataDir, 'systems', '.incoming'), '')
  const before = store.list()
  const url = server.urlOf('unwritten')
  await expect(store.install({ url, commit, grant: [] })).rejects.toThrow()
  expect(store.list()).toEqual(before)
  expect(text(await store.readFile(keyOf('unwritten'), 'ui/main.ts'))).toBe(
    notesFiles['ui/main.ts'],
  )
})

test('a damaged list of systems is reported, and nothing is deleted', async () => {
  const commit = await install()
  const path = join(dataDir, 'systems', 'installed.json')
  const content = await readFile(path, 'utf8')
  await writeFile(path, content.slice(0, 100))
  await expect(open()).rejects.toEqual(fails('DATA_DAMAGED'))
  await writeFile(path, content)
  expect((await open()).get(keyOf())?.commit).toBe(commit)
})

test('calls at the same time all end well', async () => {
  const commit = await server.commitOf('notes')
  await Promise.all([
    store.install({ url: server.url, commit, grant: ['db'] }),
    store.install({ url: server.url, commit, grant: ['db'] }),
  ])
  await Promise.all([store.setGrant(keyOf(), []), store.setGrant(keyOf(), ['identity'])])
  expect(store.list()).toHaveLength(1)
  expect((await open()).get(keyOf())?.granted).toEqual(['identity'])
})

test('the origin serves files with their types, and modules without theirs', async () => {
  await install()
  const get = async (path: string): Promise<string> => {
    const { contentType, body } = await store.asset(keyOf(), path)
    return `${contentType} ${text(body)}`
  }
  expect(await get('/main.ts')).toBe(
    'text/javascript; charset=utf-8 export const answer         = 42\n',
  )
  expect(await get('/main.ts')).toBe(await get('main.ts'))
  expect(await get('/style.css')).toBe('text/css; charset=utf-8 body { margin: 0 }')
  expect(await get('/%C3%BCml%C3%A4ut%20file.txt')).toBe('text/plain; charset=utf-8 found')
  expect(await get('/.dharma/sdk.js')).toBe(
    'text/javascript; charset=utf-8 export const connect = 1',
  )
  expect(await get('/.dharma/theme.css')).toBe('text/css; charset=utf-8 :root{}')
  expect(store.get(keyOf())?.icon).toBe('/.dharma/icon')
  expect(await get('/.dharma/icon')).toBe(
    `image/svg+xml; charset=utf-8 ${notesFiles['art/icon.svg']}`,
  )
})

test('pages without a file get the entry, missing files do not', async () => {
  await install()
  const entry = text((await store.asset(keyOf(), '/')).body)
  expect(entry).toBe(notesFiles['ui/index.html'])
  for (const path of ['', '/events', '/events/abc/', '/pages/']) {
    expect(text((await store.asset(keyOf(), path)).body)).toBe(entry)
  }
  for (const path of [
    '/missing.js',
    '/pages/missing.html',
    '/.dharma/lit.js',
    '/.dharma/',
    '/.dharma/x',
  ]) {
    await expect(store.asset(keyOf(), path)).rejects.toEqual(fails('SYSTEM_FILE_NOT_FOUND'))
  }
  await expect(store.asset('org.example.other', '/')).rejects.toEqual(fails('SYSTEM_NOT_INSTALLED'))
})

test('a module with unsupported syntax is refused with its place', async () => {
  await install()
  await expect(store.asset(keyOf(), '/broken.ts')).rejects.toMatchObject({
    code: 'SYSTEM_CODE_INVALID',
    details: { path: 'ui/broken.ts', line: 1 },
  })
})

test('no address leads out of the web root', async () => {
  await install()
  for (const address of [
    '/../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/pages/../../secret.txt',
    '/..\\secret.txt',
    '/%5c..%5csecret.txt',
    '/secret.txt',
    '//secret.txt',
    '/%00',
    '/%',
    '/%ff.txt',
    '/main.ts%00.txt',
    '/.dharma/../main.ts',
    '/.dharma/%2e%2e/%2e%2e/installed.json',
    '/../../installed.json',
    '/..',
    '/%2e%2e/events',
  ]) {
    await expect(store.asset(keyOf(), address), address).rejects.toEqual(
      fails('SYSTEM_FILE_NOT_FOUND'),
    )
  }
})

test('no path leads out of the repository', async () => {
  await install()
  for (const path of [
    '../installed.json',
    '/dharma.json',
    'ui/../dharma.json',
    'ui',
    '',
    '__proto__',
  ]) {
    await expect(store.readFile(keyOf(), path), path).rejects.toEqual(
      fails('SYSTEM_FILE_NOT_FOUND'),
    )
  }
})
