// The packed app: what it holds, what its binary refuses, and that it starts.
import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { listPackage } from '@electron/asar'
import { FuseV1Options, getCurrentFuseWire } from '@electron/fuses'
import { chromium, expect, test } from '@playwright/test'
import { newKeyPair } from '../node-runtime/store/new-keys.ts'
import { serveRepository } from './support/git-server.ts'
import { callMachine } from './support/machines.ts'

const run = promisify(execFile)
const ROOT = path.resolve(import.meta.dirname, '..')

// Packing for other systems, and with Electron's own release, is the same configuration.
test.skip(process.platform !== 'linux', 'packs against the test runtime, which is for Linux')

let folder: string
let unpacked: string

test.beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'dharma-packed-'))
  await run(
    path.join(ROOT, 'node_modules', '.bin', 'electron-builder'),
    [
      '--dir',
      ...['--config', 'build/electron-builder.yml'],
      `-c.electronDist=${process.env['ELECTRON_OVERRIDE_DIST_PATH']}`,
      `-c.directories.output=${folder}`,
    ],
    { cwd: ROOT },
  )
  unpacked = path.join(folder, 'linux-unpacked')
})

test.afterAll(() => rm(folder, { recursive: true, force: true }))

test('it holds the app, event-games and native modules of this platform only', async () => {
  const resources = path.join(unpacked, 'resources')
  const inside = listPackage(path.join(resources, 'app.asar'), { isPack: false })
  expect(inside).toEqual(
    expect.arrayContaining([
      '/dist/electron/main.js',
      '/dist/renderer/index.html',
      '/dist/sdk/sdk.js',
      '/extensions/event-games/dharma.json',
    ]),
  )
  expect(
    inside.filter((file) => /\.test\.ts$|^\/(e2e|build|renderer|electron)\//.test(file)),
  ).toEqual([])
  // Libraries of the pages are in the bundle; a second copy would only weigh.
  expect(inside).not.toContain('/node_modules/react/package.json')
  const files = await readdir(path.join(resources, 'app.asar.unpacked'), { recursive: true })
  const natives = files.filter((file) => file.endsWith('.node'))
  expect(natives.length).toBeGreaterThan(3)
  expect(natives.filter((file) => !file.includes(`linux-${process.arch}`))).toEqual([])
})

/** As they stand in the binary. */
const DISABLE = '0'.charCodeAt(0)
const ENABLE = '1'.charCodeAt(0)

test('its binary runs nothing but the app', async () => {
  const fuses = await getCurrentFuseWire(path.join(unpacked, 'dharma'))
  expect(fuses).toMatchObject({
    [FuseV1Options.RunAsNode]: DISABLE,
    [FuseV1Options.EnableNodeOptionsEnvironmentVariable]: DISABLE,
    [FuseV1Options.EnableNodeCliInspectArguments]: DISABLE,
    [FuseV1Options.EnableCookieEncryption]: ENABLE,
    [FuseV1Options.EnableEmbeddedAsarIntegrityValidation]: ENABLE,
    [FuseV1Options.OnlyLoadAppFromAsar]: ENABLE,
    [FuseV1Options.GrantFileProtocolExtraPrivileges]: DISABLE,
  })
})

/** The address at which a Chromium lets itself be watched, as it prints it. */
function devToolsOf(app: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = ''
    app.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
      const address = /DevTools listening on (ws:\S+)/.exec(output)?.[1]
      if (address !== undefined) resolve(address)
    })
    app.once('exit', (code) => reject(new Error(`The app ended with ${code}:\n${output}`)))
  })
}

/** Installs Event Games and sits down at a table, for which the rules must run. */
async function expectPlayable(dataDir: string): Promise<void> {
  const repository = await serveRepository(
    { 'event-games': 'extensions/event-games' },
    newKeyPair(),
  )
  const { url } = repository
  const call = (name: string, input: unknown): Promise<unknown> => callMachine(dataDir, name, input)
  const commit = await repository.commitOf()
  await call('systems.install', { url, commit, grant: ['db', 'sessions', 'identity'] })
  await repository.close()
  const { person } = (await call('identity.whoami', {})) as { person: string }
  const { cloud } = (await call('cloud.status', {})) as { cloud: string }
  const table = { system: 'event-games', kind: 'connect-four', seed: 'packed', options: {} }
  const seats = [person, cloud]
  const opened = await call('sessions.open', { ...table, seats, context: null })
  expect(opened).toHaveProperty('session')
}

test('it starts, its window shows the machine, and games can be played in it', async () => {
  const dataDir = path.join(folder, 'data')
  const app = spawn(
    path.join(unpacked, 'dharma'),
    [
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      '--remote-debugging-port=0',
      ...['--data', dataDir],
      ...['--bootstrap', '127.0.0.1:9'],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const ended = new Promise<number | null>((resolve) => app.once('exit', resolve))
  const browser = await chromium.connectOverCDP(await devToolsOf(app))
  const pages = () => browser.contexts().flatMap((context) => context.pages())
  await expect.poll(() => pages().map((page) => page.url())).toContain('cloud://dharma/')
  const shell = pages().find((page) => page.url() === 'cloud://dharma/')
  if (shell === undefined) throw new Error('the shell’s page has gone')
  // The start page says this only once the runtime has answered.
  await expect(shell.getByRole('heading', { level: 1 })).toContainText('started a new cloud')
  await expectPlayable(dataDir)
  await browser.close()
  app.kill('SIGTERM')
  expect(await ended).toBe(0)
})
