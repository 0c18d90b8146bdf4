// Signing as an author does it: by the command line, in real folders.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { devNull, tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { SIGNATURE_PATH } from '../core/systems/signature.ts'
import { signedSystemKey } from '../core/systems/system-key.ts'
import { makeFolder, NOTES_ID, notesFiles } from '../testing/notes-repository.ts'
import { bundleCommand } from './testing/command.ts'
import type { Command } from './testing/command.ts'

let command: Command
/** The author's repository, and all else that is the author's. */
let folder: string
let dataDir: string

beforeAll(async () => {
  command = await bundleCommand()
})
afterAll(() => command.remove())
beforeEach(async () => {
  folder = await makeFolder({ ...notesFiles, '.gitignore': 'left-out\n*.log\n' })
  dataDir = await mkdtemp(join(tmpdir(), 'dharma-author-'))
  await git('init', '--quiet', '--initial-branch=main')
})
afterEach(async () => {
  await command.killAll()
  await rm(folder, { recursive: true })
  await rm(dataDir, { recursive: true })
})

async function git(...args: string[]): Promise<void> {
  const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org']
  await promisify(execFile)('git', [...identity, ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], GIT_CONFIG_GLOBAL: devNull, GIT_CONFIG_NOSYSTEM: '1' },
  })
}

async function commit(): Promise<void> {
  await git('add', '.')
  await git('commit', '--quiet', '--message', 'A version')
}

async function run(...args: string[]): Promise<{ code: unknown; out: string; error: string }> {
  const { child, ended, stderr } = command.start(['system', ...args])
  let out = ''
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (out += text))
  return { code: await ended, out, error: stderr() }
}

interface Signed {
  key: string
  publisher: string
  signer: string
  fileCount: number
}

async function sign(...more: string[]): Promise<Signed> {
  const { out, error, code } = await run('sign', folder, '--data', dataDir, '--json', ...more)
  expect({ code, error }).toEqual({ code: 0, error: '' })
  return JSON.parse(out) as Signed
}

test('a first signature makes the key, for the owner’s eyes only and outside the repository', async () => {
  const { code, out } = await run('sign', folder, '--data', dataDir)
  expect(code).toBe(0)
  expect(out).toContain('Keep a copy of that file')
  expect(out).toContain(`Signed "${NOTES_ID}" 1.0.0`)
  const path = join(dataDir, 'publisher-key.json')
  if (process.platform !== 'win32') expect((await stat(path)).mode & 0o777).toBe(0o600)
  const { seed, publicKey } = JSON.parse(await readFile(path, 'utf8')) as Record<string, string>
  for (const name of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!name.isFile()) continue
    expect(await readFile(join(name.parentPath, name.name), 'utf8')).not.toContain(seed)
  }
  await commit()
  expect(await run('verify', folder)).toMatchObject({
    code: 0,
    out: expect.stringContaining(publicKey ?? 'no key'),
  })
  const again = await sign()
  expect(again).toMatchObject({
    publisher: publicKey,
    signer: publicKey,
    key: signedSystemKey(publicKey ?? '', NOTES_ID),
  })
})

interface Made extends Signed {
  id: string
  url: string
}

test('a system that comes with Dharma becomes a repository that can be installed as it is', async () => {
  const made = join(dataDir, 'event-games')
  const { code, out, error } = await run('init', made, '--from', 'event-games', '--data', dataDir)
  expect({ code, error }).toEqual({ code: 0, error: '' })
  expect(out).toContain('A new key, ')
  expect(out).toContain(pathToFileURL(made).href)
  expect((await run('verify', made)).out).toMatch(/"event-games" .* is signed at commit/)
  const files = await readdir(made, { recursive: true })
  expect(files.filter((file) => /\.test\.|testing/.test(file))).toEqual([])
})

test('a system of one’s own begins as the notes, under its own id and name', async () => {
  const made = join(dataDir, 'mine')
  const names = ['--id', 'org.example.mine', '--name', 'Mine']
  const { code, out } = await run('init', made, ...names, '--data', dataDir, '--json')
  expect(code).toBe(0)
  const { id, url, key, publisher } = JSON.parse(out) as Made
  expect({ id, url, key }).toEqual({
    id: 'org.example.mine',
    url: pathToFileURL(made).href,
    key: signedSystemKey(publisher, 'org.example.mine'),
  })
  expect(JSON.parse(await readFile(join(made, 'dharma.json'), 'utf8'))).toMatchObject({
    id: 'org.example.mine',
    name: 'Mine',
    ui: 'ui/index.html',
  })
  expect(await run('verify', made)).toMatchObject({ code: 0 })
  // The author goes on with the same key.
  expect(await run('sign', made, '--data', dataDir, '--json')).toMatchObject({ code: 0 })
})

test('nothing is begun in a folder that is not empty, nor from a system that does not come along', async () => {
  const before = await readdir(folder)
  expect(await run('init', folder, '--data', dataDir)).toMatchObject({
    code: 1,
    error: expect.stringContaining('There is something in'),
  })
  expect(await readdir(folder)).toEqual(before)
  const made = join(dataDir, 'made')
  expect(await run('init', made, '--from', 'sdk', '--data', dataDir)).toMatchObject({
    code: 1,
    error: expect.stringContaining('There are: event-games, notes.'),
  })
  expect(await readdir(dataDir)).toEqual([])
  expect(await run('init', made, '--id', 'Not An Id', '--data', dataDir)).toMatchObject({
    code: 1,
    error: expect.stringContaining('id: not a system id'),
  })
  expect(await readdir(dataDir)).toEqual(['publisher-key.json'])
})

test('a folder that is not there is said to be none, and no key is made', async () => {
  for (const name of ['nothing', 'dharma.json', join('dharma.json', 'x')]) {
    for (const verb of ['sign', 'verify']) {
      const data = verb === 'sign' ? ['--data', dataDir] : []
      expect(await run(verb, join(folder, name), '--json', ...data)).toMatchObject({
        code: 1,
        error: expect.stringMatching(/"BAD_INPUT","message":"There is no folder /),
      })
    }
  }
  expect(await readdir(dataDir)).toEqual([])
})

test('a work tree of a repository is said to be one, and no key is made', async () => {
  const tree = join(dataDir, 'tree')
  await git('commit', '--quiet', '--allow-empty', '--message', 'The first')
  await git('worktree', 'add', '--quiet', tree)
  for (const verb of ['sign', 'verify']) {
    const data = verb === 'sign' ? ['--data', dataDir] : []
    expect(await run(verb, tree, '--json', ...data)).toMatchObject({
      code: 1,
      error: expect.stringMatching(/"BAD_INPUT".* is a work tree/),
    })
  }
  expect(await readdir(dataDir)).toEqual(['tree'])
})

test('a folder without a manifest is said to be no system, and no key is made', async () => {
  await rm(join(folder, 'dharma.json'))
  expect(await run('sign', folder, '--data', dataDir, '--json')).toMatchObject({
    code: 1,
    error: expect.stringContaining('"MANIFEST_MISSING"'),
  })
  expect(await readdir(dataDir)).toEqual([])
})

test('what git ignores is not signed, what was added all the same is', async () => {
  await mkdir(join(folder, 'left-out'))
  await writeFile(join(folder, 'left-out', 'kept.txt'), 'kept')
  await writeFile(join(folder, 'left-out', 'other.txt'), 'not kept')
  await writeFile(join(folder, 'debug.log'), 'noise')
  await git('add', '--force', 'left-out/kept.txt')
  // All files of the system, `.gitignore` and the one that was added.
  expect((await sign()).fileCount).toBe(Object.keys(notesFiles).length + 2)
  await commit()
  expect(await run('verify', folder)).toMatchObject({ code: 0 })
})

test('what is committed after signing, or not at all, is said', async () => {
  await commit()
  expect(await run('verify', folder)).toMatchObject({
    code: 1,
    error: expect.stringContaining('is not signed'),
  })
  await sign()
  await writeFile(join(folder, 'ui', 'more.ts'), 'export {}')
  await commit()
  expect(await run('verify', folder)).toMatchObject({
    code: 1,
    error: expect.stringContaining('not the ones that the publisher signed'),
  })
  await sign()
  await commit()
  expect(await run('verify', folder)).toMatchObject({ code: 0 })
})

test('a successor takes over, and the key before signs no more', async () => {
  const first = await sign()
  const next = join(dataDir, 'next.json')
  const handedOver = await sign('--next', next)
  expect(handedOver).toMatchObject({ key: first.key, publisher: first.publisher })
  expect(handedOver.signer).not.toBe(first.signer)
  expect(await sign('--key', next)).toEqual(handedOver)
  await commit()
  expect((await run('verify', folder)).out).toContain(handedOver.signer)
  const signature = await readFile(join(folder, SIGNATURE_PATH), 'utf8')
  expect(await run('sign', folder, '--data', dataDir)).toMatchObject({
    code: 1,
    error: expect.stringContaining('signed by another key'),
  })
  expect(await readFile(join(folder, SIGNATURE_PATH), 'utf8')).toBe(signature)
})

test('a signed folder whose key is elsewhere is not signed with a new one', async () => {
  await sign()
  const other = join(dataDir, 'other.json')
  expect(await run('sign', folder, '--key', other)).toMatchObject({
    code: 1,
    out: '',
    error: expect.stringContaining('--key'),
  })
  expect(await readdir(dataDir)).not.toContain('other.json')
})

test('a key inside of the repository, and a damaged one, are refused', async () => {
  const inside = await run('sign', folder, '--key', join(folder, 'key.json'))
  expect(inside).toMatchObject({ code: 1, error: expect.stringContaining('must not lie in') })
  expect(await readdir(folder)).not.toContain('key.json')
  await sign()
  const path = join(dataDir, 'publisher-key.json')
  const file = JSON.parse(await readFile(path, 'utf8')) as { seed: string }
  await writeFile(path, JSON.stringify({ ...file, seed: '0'.repeat(64) }))
  await rm(`${path}.bak`, { force: true })
  expect(await run('sign', folder, '--data', dataDir)).toMatchObject({ code: 1 })
})
