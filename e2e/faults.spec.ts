// What happens when machines die and repositories are wrong: nothing is lost, and words say why.
import { once } from 'node:events'
import { readdir, stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { expect, test } from '@playwright/test'
import type { Browser } from '@playwright/test'
import * as z from 'zod'
import { recordSchema } from '../node-runtime/contract/db.ts'
import { keySchema } from '../node-runtime/contract/values.ts'
import { systemKeyAt } from '../node-runtime/core/systems/system-key.ts'
import { goTo, openDaemonWindow, openPage } from './support/app-window.ts'
import type { AppWindow, TabView } from './support/app-window.ts'
import { serveRepository } from './support/git-server.ts'
import type { GitServer } from './support/git-server.ts'
import { LocalCloud } from './support/machines.ts'
import type { Daemon } from './support/machines.ts'
import { failureOf } from './support/refusal.ts'
import {
  announceGame,
  confirmInstall,
  expectHistory,
  expectMoves,
  installEventGames,
  joinGame,
  move,
  MOVES,
  openAnnouncement,
  sitDown,
  whoseTurn,
} from './support/story-steps.ts'

const FAULT_TIMEOUT_MS = 240_000
/** The tests' machines share few cores; what should happen happens within this. */
const PATIENCE_MS = 60_000

const NOTES = 'org.example.notes'
const TITLE = 'Stormy Duel'
/** How many moves are made before a machine dies. */
const MOVES_BEFORE = 3

let cloud: LocalCloud
let repository: GitServer

test.beforeEach(async () => {
  cloud = await LocalCloud.create()
  repository = await serveRepository({
    'event-games': 'extensions/event-games',
    notes: 'extensions/notes',
    'without-manifest': 'extensions/notes',
    'bad-manifest': 'extensions/notes',
  })
})
test.afterEach(async () => {
  await repository.close()
  await cloud.close()
})

interface Player {
  name: string
  daemon: Daemon
  window: AppWindow
  view: TabView
}

/** A machine whose person has Event Games open. */
async function seatPerson(browser: Browser, name: string, cloudKey?: string): Promise<Player> {
  const daemon = await cloud.startDaemon(cloudKey === undefined ? {} : { cloud: cloudKey })
  const window = await openDaemonWindow(browser, daemon)
  await installEventGames(window, repository.url, await repository.commitOf())
  await confirmInstall(window)
  return { name, daemon, window, view: await window.system('event-games') }
}

async function moveInTurn(views: readonly TabView[], ply: number): Promise<void> {
  await move(await whoseTurn(views), MOVES[ply] as number)
  for (const view of views) await expectMoves(view, ply + 1)
}

test('a player’s machine that dies in the game comes back and plays on', async ({ browser }) => {
  test.setTimeout(FAULT_TIMEOUT_MS)
  const ann = await seatPerson(browser, 'Ann')
  const bob = await seatPerson(browser, 'Bob', ann.daemon.cloud)
  await openAnnouncement(ann.view)
  await announceGame(ann.view, TITLE, ann.name)
  await joinGame(bob.view, TITLE, bob.name)
  await sitDown([ann.view, bob.view])
  for (let ply = 0; ply < MOVES_BEFORE; ply++) await moveInTurn([ann.view, bob.view], ply)

  // The one who is not to move dies, so that the other can move while alone.
  const mover = await whoseTurn([ann.view, bob.view])
  const [left, dead] = mover === ann.view ? [ann, bob] : [bob, ann]
  await dead.window.kill()
  const waiting = left.view.getByText(`Waiting for ${dead.name} to come back`)
  await expect(waiting).toBeVisible({ timeout: PATIENCE_MS })
  await move(left.view, MOVES[MOVES_BEFORE] as number)
  await expectMoves(left.view, MOVES_BEFORE + 1)
  await expect(waiting).toBeVisible()

  const daemon = await cloud.startDaemon({ dataDir: dead.daemon.dataDir })
  expect([daemon.machine, daemon.cloud]).toEqual([dead.daemon.machine, dead.daemon.cloud])
  const window = await openDaemonWindow(browser, daemon)
  await goTo(window, 'cloud://event-games/')
  const back = await window.system('event-games')
  await back.getByRole('button', { name: `Continue against ${left.name}` }).click({
    timeout: PATIENCE_MS,
  })
  await expectMoves(back, MOVES_BEFORE + 1)
  await expect(waiting).toBeHidden({ timeout: PATIENCE_MS })

  for (let ply = MOVES_BEFORE + 1; ply < MOVES.length; ply++) {
    await moveInTurn([left.view, back], ply)
  }
  for (const view of [left.view, back]) {
    await expect(view.getByText('Signed by both players')).toBeVisible({ timeout: PATIENCE_MS })
  }
  for (const machine of [left.daemon, daemon]) {
    await expectHistory(machine, systemKeyAt(repository.url, 'event-games', ''), {
      title: TITLE,
      moves: MOVES.length,
    })
  }
})

const systemsSchema = z.object({
  systems: z.array(z.object({ id: z.string(), key: keySchema })),
})
const answerSchema = z.object({
  records: z.array(recordSchema),
  completeness: z.object({ complete: z.boolean() }),
})

async function notesOn(daemon: Daemon): Promise<z.infer<typeof answerSchema>> {
  return answerSchema.parse(
    await daemon.call('db.query', {
      system: NOTES,
      collection: 'notes',
      limit: 1000,
      proof: true,
    }),
  )
}

async function textsOn(daemon: Daemon): Promise<string[]> {
  const { records } = await notesOn(daemon)
  return records.map(({ value }) => (value as { text: string }).text).toSorted()
}

async function installNotes(daemon: Daemon): Promise<void> {
  const url = repository.urlOf('notes')
  const commit = await repository.commitOf('notes')
  await daemon.call('systems.install', { url, commit, grant: ['db'] })
}

const write = (daemon: Daemon, text: string): Promise<unknown> =>
  daemon.call('db.put', { system: NOTES, collection: 'notes', id: text, value: { text } })

test('a cloud whose machines were all off goes on with the one that comes back', async () => {
  test.setTimeout(FAULT_TIMEOUT_MS)
  const first = await cloud.startDaemon()
  const others = await Promise.all([1, 2].map(() => cloud.startDaemon({ cloud: first.cloud })))
  const machines = [first, ...others]
  for (const [index, machine] of machines.entries()) {
    await installNotes(machine)
    await write(machine, `from machine ${index}`)
  }
  const written = machines.map((_, index) => `from machine ${index}`)
  for (const machine of machines) {
    await expect.poll(() => textsOn(machine), { timeout: PATIENCE_MS }).toEqual(written)
  }
  // Acknowledged, and perhaps not yet with anyone else.
  await write(first, 'last words')
  await Promise.all(machines.map((machine) => machine.kill()))
  for (const machine of machines) {
    expect((await failureOf(machine.call('cloud.status', {}))).code).toBe('NO_MACHINE')
  }

  const { dataDir } = machines[2] as Daemon
  const returned = await cloud.startDaemon({ dataDir })
  expect(returned.cloud).toBe(first.cloud)
  const { records, completeness } = await notesOn(returned)
  // Nobody is there to be compared with: it has what it has, and claims no more.
  expect(completeness.complete).toBe(false)
  for (const record of records) {
    await expect(returned.call('db.verify', { record })).resolves.toMatchObject({
      author: record.author,
    })
  }
  const found = await textsOn(returned)
  expect(found.filter((text) => text !== 'last words')).toEqual(written)
  await write(returned, 'while alone')

  // With the first machine back, both have what each had alone.
  const again = await cloud.startDaemon({ dataDir: first.dataDir })
  for (const machine of [again, returned]) {
    await expect
      .poll(() => textsOn(machine), { timeout: PATIENCE_MS })
      .toEqual([...written, 'last words', 'while alone'])
    await expect
      .poll(async () => (await notesOn(machine)).completeness.complete, { timeout: PATIENCE_MS })
      .toBe(true)
  }
})

test('a machine whose disk is full says so, lives on, and takes all once there is room', async () => {
  test.setTimeout(FAULT_TIMEOUT_MS)
  const full = await cloud.startDaemon()
  const other = await cloud.startDaemon({ cloud: full.cloud })
  for (const machine of [full, other]) await installNotes(machine)
  await write(full, 'before')
  await expect.poll(() => textsOn(other), { timeout: PATIENCE_MS }).toEqual(['before'])

  const journal = path.join(full.dataDir, 'clouds', full.cloud, 'records')
  const names = (await readdir(journal)).filter((name) => name.endsWith('.log'))
  const sizes = await Promise.all(names.map((name) => stat(path.join(journal, name))))
  await full.limitFiles(Math.max(...sizes.map(({ size }) => size)) + 100)
  // Its own are refused in words, and others' do not end it.
  expect((await failureOf(write(full, 'no room'))).code).toBe('DISK_FULL')
  await write(other, 'from elsewhere')
  expect((await failureOf(write(full, 'still no room'))).code).toBe('DISK_FULL')
  expect(await textsOn(full)).toEqual(['before'])

  await full.limitFiles(null)
  await write(full, 'after')
  const all = ['after', 'before', 'from elsewhere']
  for (const machine of [full, other]) {
    await expect.poll(() => textsOn(machine), { timeout: PATIENCE_MS }).toEqual(all)
  }
  // What was written behind the write that failed is there for whoever reads the disk anew, too.
  await Promise.all([full, other].map((machine) => machine.kill()))
  const again = await cloud.startDaemon({ dataDir: full.dataDir })
  expect(await textsOn(again)).toEqual(all)
})

/** An address where nobody listens any more. */
async function deadAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return `http://127.0.0.1:${port}/nothing.git`
}

test('a repository that is no system, or is not there, is told in words and installs nothing', async ({
  browser,
}) => {
  const notes = await repository.commitOf('notes')
  const withoutManifest = await repository.commit('without-manifest', { 'dharma.json': null })
  const manifest = { manifestVersion: 1, id: 'Not An Id', name: 'Broken', ui: 'ui/missing.html' }
  const badManifest = await repository.commit('bad-manifest', {
    'dharma.json': JSON.stringify(manifest),
  })
  const cases = [
    {
      url: repository.urlOf('without-manifest'),
      commit: withoutManifest,
      code: 'MANIFEST_MISSING',
      title: 'This repository is not a system',
      words: 'it has no file dharma.json at its root',
    },
    {
      url: repository.urlOf('bad-manifest'),
      commit: badManifest,
      code: 'MANIFEST_INVALID',
      title: 'The manifest of this system has a mistake',
      words: /id: not a system id.*version: is missing/,
    },
    {
      url: repository.urlOf('never-was'),
      commit: notes,
      code: 'REPO_UNREACHABLE',
      title: 'The repository cannot be reached',
      words: 'the server has no public repository at this address (HTTP 404)',
    },
    {
      url: await deadAddress(),
      commit: notes,
      code: 'REPO_UNREACHABLE',
      title: 'The repository cannot be reached',
      words: 'the server does not accept connections',
    },
    {
      url: 'ftp://example.org/system.git',
      commit: notes,
      code: 'REPO_URL_INVALID',
      title: 'This is not the address of a repository',
      words: '',
    },
  ]
  const daemon = await cloud.startDaemon()
  await installNotes(daemon)
  const before = await daemon.call('systems.list', {})

  const window = await openDaemonWindow(browser, daemon)
  const { shell } = window
  await openPage(window, 'Systems')
  for (const { url, commit, code, title, words } of cases) {
    await test.step(url, async () => {
      await shell.getByLabel('Repository address').fill(url)
      await shell.getByRole('button', { name: 'Preview' }).click()
      const prompt = shell.getByRole('dialog', { name: 'Install a system' })
      const alert = prompt.getByRole('alert')
      await expect(alert).toContainText(title)
      await expect(alert).toContainText(words)
      await expect(alert).toContainText(code)
      await expect(prompt.getByRole('button', { name: 'Install', exact: true })).toHaveCount(0)
      await prompt.getByRole('button', { name: 'Cancel' }).click()
      await expect(prompt).toBeHidden()

      expect((await failureOf(daemon.call('systems.preview', { url }))).code).toBe(code)
      const install = daemon.call('systems.install', { url, commit, grant: [] })
      expect((await failureOf(install)).code).toBe(code)
      expect(await daemon.call('systems.list', {})).toEqual(before)
    })
  }
  // A good commit of another repository with the same id: a second system, which takes nothing away.
  const url = repository.urlOf('bad-manifest')
  const second = await daemon.call('systems.install', { url, commit: notes, grant: [] })
  const { systems } = systemsSchema.parse(await daemon.call('systems.list', {}))
  expect(systems).toHaveLength(2)
  expect(new Set(systems.map(({ key }) => key)).size).toBe(2)
  expect(systems.map(({ id }) => id)).toEqual([NOTES, NOTES])
  expect(second).toMatchObject({ id: NOTES, version: '1.0.0' })
  const ambiguous = daemon.call('db.query', { system: NOTES, collection: 'notes' })
  expect((await failureOf(ambiguous)).code).toBe('SYSTEM_ID_AMBIGUOUS')
})
