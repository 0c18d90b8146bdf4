// A system that a person was talked into installing: whatever it tries is denied and changes nothing.
// Once in the desktop window, once with the daemon's pages in Chromium.
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from '@playwright/test'
import type { ElectronApplication, Frame } from '@playwright/test'
import * as z from 'zod'
import type { Hostile } from './fixtures/hostile-system/ui/main.ts'
import type { Targets } from './fixtures/hostile-system/ui/tricks.ts'
import { goTo, openDaemonWindow, openPage, windowOf } from './support/app-window.ts'
import type { AppWindow } from './support/app-window.ts'
import { launchElectron } from './support/electron-app.ts'
import { serveRepository } from './support/git-server.ts'
import type { GitServer } from './support/git-server.ts'
import {
  CALLS_WITHOUT_PERMISSION,
  FOREIGN_CALLS,
  HOSTILE,
  HOSTILE_ID,
  NOTES,
  NOTES_ID,
  PUBLISHER,
  ownerCalls,
  trickOutcomes,
  WRONG_CALLS,
} from './support/hostile-attempts.ts'
import type { Attempt } from './support/hostile-attempts.ts'
import {
  answersOf,
  click,
  expectStopped,
  open,
  setLocation,
  watchStops,
} from './support/leaving.ts'
import type { Stop } from './support/leaving.ts'
import { LocalCloud } from './support/machines.ts'
import { serveWebSite } from './support/web-site.ts'
import type { WebSite } from './support/web-site.ts'

const SECRET = 'Nobody else may read this'

let cloud: LocalCloud
let repositories: GitServer
let site: WebSite

test.beforeEach(async () => {
  cloud = await LocalCloud.create()
  repositories = await serveRepository(
    { hostile: 'e2e/fixtures/hostile-system', notes: 'extensions/notes' },
    PUBLISHER,
  )
  site = await serveWebSite()
})
test.afterEach(async () => {
  await site.close()
  await repositories.close()
  await cloud.close()
})

/** The page of a system: in the desktop window a page of its own, in the daemon's a frame. */
async function frameOf(window: AppWindow, id: string): Promise<Frame> {
  const view = await window.system(id)
  if ('mainFrame' in view) return view.mainFrame()
  const frame = await (await view.owner().elementHandle())?.contentFrame()
  if (frame === null || frame === undefined) throw new Error(`${id} has no frame`)
  return frame
}

/** The page of the hostile system, once its script has run. */
async function hostilePage(window: AppWindow): Promise<Frame> {
  let frame: Frame | undefined
  await expect(async () => {
    frame = await frameOf(window, HOSTILE_ID)
    expect(await frame.evaluate(() => 'hostile' in globalThis)).toBe(true)
  }).toPass()
  return frame as Frame
}

/** The other system, open in a tab, with a record and with something in its storage. */
async function openNotes(window: AppWindow): Promise<Frame> {
  const url = repositories.urlOf('notes')
  const commit = await repositories.commitOf('notes')
  await window.call('systems.install', { url, commit, grant: ['db'] })
  await window.call('db.put', {
    system: NOTES,
    collection: 'notes',
    id: 'secret',
    value: { text: SECRET },
  })
  await goTo(window, `cloud://${NOTES_ID}/`)
  const notes = await frameOf(window, NOTES_ID)
  await expect(notes.getByText(SECRET, { exact: true })).toBeVisible()
  await notes.evaluate(async () => {
    localStorage.setItem('secret', 'kept')
    document.cookie = 'secret=kept; SameSite=None; Secure'
    await new Promise((resolve, reject) => {
      const opening = indexedDB.open('secret')
      opening.addEventListener('success', resolve)
      opening.addEventListener('error', reject)
    })
  })
  return notes
}

/** The person says yes to it, but not to all it asks for. */
async function installHostile(window: AppWindow): Promise<Frame> {
  const { shell } = window
  await shell.getByRole('button', { name: 'New tab' }).click()
  await openPage(window, 'Systems')
  await shell.getByLabel('Repository address').fill(repositories.urlOf('hostile'))
  await shell.getByRole('button', { name: 'Preview' }).click()
  const prompt = shell.getByRole('dialog', { name: 'Install a system' })
  await prompt.getByRole('checkbox', { name: 'Know who you are here' }).uncheck()
  await prompt.getByRole('button', { name: 'Install', exact: true }).click()
  const done = shell.getByRole('dialog', { name: 'Free Wallpapers is installed' })
  await done.getByRole('button', { name: 'Open' }).click()
  return hostilePage(window)
}

/** What the hostile system is after, as the machine itself tells it. */
async function readMachine({ call }: AppWindow) {
  const { cloud: key, machineName } = z
    .object({ cloud: z.string(), machineName: z.string() })
    .parse(await call('cloud.status', {}))
  const loot = z
    .object({ records: z.array(z.object({ id: z.string() })) })
    .parse(await call('db.query', { system: HOSTILE, collection: 'loot' }))
  return {
    key,
    machineName,
    loot: loot.records.map(({ id }) => id),
    installed: await call('systems.list', {}),
    notes: await call('db.query', { system: NOTES, collection: 'notes' }),
    person: await call('identity.whoami', {}),
    phrase: await call('identity.recoveryPhrase', {}),
  }
}

async function readTargets(window: AppWindow): Promise<Targets> {
  const file = await readFile(path.join(window.dataDir, 'runtime.json'), 'utf8')
  const { url } = z.object({ url: z.string() }).parse(JSON.parse(file))
  const { origin: runtime, port } = new URL(url)
  return window.kind === 'electron'
    ? { shell: 'cloud://dharma', other: `cloud://${NOTES}`, runtime, web: site.origin }
    : { shell: runtime, other: `http://${NOTES}.localhost:${port}`, runtime, web: site.origin }
}

/** Makes the calls over a port that the page asked for in the name of `claimed`. */
async function expectCodes(
  page: Frame,
  claimed: string,
  attempts: readonly Attempt[],
): Promise<void> {
  const answered = await page.evaluate(
    async ([name, calls]) => {
      const port = await hostile.askForPort(name)
      port.sendJunk()
      const outcomes: [string, unknown, string][] = []
      for (const [call, input] of calls) outcomes.push([call, input, await port.call(call, input)])
      return { system: port.system, outcomes }
    },
    [claimed, attempts] as const,
  )
  expect(answered).toEqual({ system: HOSTILE, outcomes: attempts })
}

async function tryCalls(page: Frame): Promise<void> {
  const own = { system: HOSTILE, collection: 'loot', id: 'mine' }
  const value = { text: 'its own' }
  const repository = {
    url: repositories.urlOf('notes'),
    commit: await repositories.commitOf('notes'),
  }
  // It works where it may, also over the port that it asked for as another.
  await expectCodes(page, HOSTILE, [['db.put', { ...own, value }, 'ok'], ...ownerCalls(repository)])
  await expectCodes(page, NOTES, [['db.get', own, 'ok'], ...FOREIGN_CALLS])
  await expectCodes(page, 'dharma', [...CALLS_WITHOUT_PERMISSION, ...WRONG_CALLS])
}

/** The same through the SDK, which says it with the same codes. */
async function trySdk(page: Frame): Promise<void> {
  type Run = Parameters<Hostile['sdk']>[0]
  const attempts: [Run, code: string][] = [
    [(own) => own.db.collection('loot').get('mine'), 'ok'],
    [(own) => own.identity.whoami(), 'FORBIDDEN'],
    [(own) => own.sessions.list(), 'FORBIDDEN'],
    [(own) => own.db.collection('loot').put('bad', { text: 5 }), 'DB_SCHEMA'],
    [(own) => own.db.collection('notes').put('planted', { text: 'x' }), 'DB_COLLECTION_UNKNOWN'],
    [(own) => own.db.collection('loot').put('', { text: 'x' }), 'BAD_INPUT'],
  ]
  for (const [run, code] of attempts) {
    // Written out, it runs with what the page has.
    const script = `hostile.sdk(${run.toString()})`
    expect([script, await page.evaluate(script)]).toEqual([script, code])
  }
}

async function tryBrowser(window: AppWindow, page: Frame, targets: Targets): Promise<void> {
  const kind = window.kind === 'electron' ? 'electron' : 'daemon'
  const outcomes = await page.evaluate((where) => hostile.tryTricks(where), targets)
  expect(outcomes).toEqual(trickOutcomes(kind))
}

/** The shell's page is no parent of the view: the view itself is the top. */
async function tryLeavingView(
  window: AppWindow,
  page: Frame,
  app: ElectronApplication,
  { shell, other, runtime, web }: Targets,
): Promise<void> {
  const readStops = await watchStops(page, app)
  const never: [address: string, by: Stop][] = [
    ['file:///etc/passwd', 'browser'],
    ['javascript:document.title = "ran"', 'policy'],
    ['data:text/html,x', 'browser'],
    [`${shell}/`, 'guard'],
  ]
  const notByItself = ['cloud://settings/', `${other}/`, `${runtime}/`, `${web}/second`]
  for (const [address, by] of never) {
    await expectStopped(page, readStops, by, () => setLocation(page, address))
    await expectStopped(page, readStops, by, () => click(page, address))
  }
  for (const address of notByItself) {
    await expectStopped(page, readStops, 'guard', () => setLocation(page, address))
  }
  for (const address of [...never.map(([each]) => each), ...notByItself]) {
    expect([address, await open(page, address)]).toEqual([address, 'null'])
  }
  // A person may follow a link to the cloud's own pages; they open beside it, out of its reach.
  const tabs = window.shell.getByRole('tab')
  await expect(tabs).toHaveCount(2)
  await expectStopped(page, readStops, 'guard', () => click(page, 'cloud://settings/'))
  await expect(window.shell.getByRole('heading', { level: 1, name: 'Settings' })).toBeVisible()
  await expect(tabs).toHaveCount(3)
}

async function reload(window: AppWindow): Promise<Frame> {
  await window.shell.getByRole('button', { name: 'Reload' }).click()
  return hostilePage(window)
}

/** The page is a frame of the shell's page, beside those of other systems. */
async function tryLeavingFrame(
  window: AppWindow,
  page: Frame,
  { shell, other, web }: Targets,
): Promise<void> {
  const context = window.shell.context()
  const nowhere = ['data:text/html,x', 'cloud://dharma/', 'cloud://settings/']
  const stopped: [address: string, by: Stop][] = [
    ['file:///etc/passwd', 'browser'],
    ['javascript:document.title = "ran"', 'policy'],
  ]
  const everywhere = [...stopped.map(([each]) => each), ...nowhere, `${shell}/`, `${other}/`, web]
  for (const address of everywhere) {
    const failures = await page.evaluate((href) => {
      const others = Array.from({ length: parent.length }, (_, index) => parent[index])
      return [parent, ...others.filter((each) => each !== self)].map((each) => {
        try {
          ;(each as Window).location.href = href
          return 'worked'
        } catch (error) {
          return (error as Error).name
        }
      })
    }, address)
    expect([address, failures]).toEqual([address, ['SecurityError', 'SecurityError']])
  }

  const readStops = await watchStops(page, null)
  for (const [address, by] of stopped) {
    await expectStopped(page, readStops, by, () => setLocation(page, address))
    await expectStopped(page, readStops, by, () => click(page, address))
  }
  for (const address of [...stopped.map(([each]) => each), ...nowhere]) {
    expect([address, await open(page, address)]).toEqual([address, 'null'])
  }
  expect(context.pages()).toEqual([window.shell])
  const [popup] = await Promise.all([context.waitForEvent('page'), open(page, `${shell}/`)])
  await expect(popup.getByText('it opens only with its full address')).toBeVisible()
  expect(await popup.evaluate(() => [opener, document.scripts.length])).toEqual([null, 0])
  await popup.close()

  let frame = page
  for (const address of nowhere) {
    // Its own page is lost, and the browser shows none in its place.
    await setLocation(frame, address)
    await expect.poll(() => frame.url()).toMatch(/^chrome-error:/)
    frame = await reload(window)
  }
  await setLocation(frame, `${shell}/`)
  await expect(frame.getByText('it opens only with its full address')).toBeVisible()
  frame = await reload(window)
  expect(await answersOf(window, frame)).toEqual(['dharma:port'])
  await setLocation(frame, `${other}/`)
  await frame.waitForURL(`${other}/`)
  expect(await answersOf(window, frame)).toEqual([])
  await reload(window)
  await expect(window.shell.getByRole('tab')).toHaveCount(2)
}

async function tellStory(
  window: AppWindow,
  tryLeaving: (page: Frame, targets: Targets) => Promise<void>,
): Promise<void> {
  const { shell } = window
  await expect(shell.getByText('This machine started a new cloud')).toBeVisible()
  const notes = await openNotes(window)
  const page = await installHostile(window)
  const targets = await readTargets(window)
  const before = await readMachine(window)

  await test.step('calls', () => tryCalls(page))
  await test.step('calls through the SDK', () => trySdk(page))
  await test.step('the browser', () => tryBrowser(window, page, targets))
  await page.evaluate((system) => hostile.deceiveOthers(system), NOTES)
  await test.step('leaving', () => tryLeaving(page, targets))

  expect(await readMachine(window)).toEqual({ ...before, loot: ['mine'] })
  // The other system has noticed nothing.
  expect(await notes.evaluate(() => Object.keys(localStorage))).toEqual(['secret'])
  const value = { text: 'Written after all that' }
  await window.call('db.put', { system: NOTES, collection: 'notes', id: 'after', value })
  await expect(notes.locator('body')).toContainText(value.text)
}

test('a hostile system in the desktop window gets nothing and changes nothing', async () => {
  const machine = await launchElectron({
    dataDir: await cloud.makeFolder(),
    bootstrap: cloud.bootstrap,
  })
  const window = windowOf(machine)
  try {
    await tellStory(window, (page, targets) => tryLeavingView(window, page, machine.app, targets))
  } finally {
    await window.close()
  }
})

test('a hostile system in the daemon’s pages gets nothing and changes nothing', async ({
  browser,
}) => {
  const window = await openDaemonWindow(browser, await cloud.startDaemon())
  await tellStory(window, (page, targets) => tryLeavingFrame(window, page, targets))
  await window.close()
})

test('a system in a frame can’t give its tab the address of another', async ({ browser }) => {
  const window = await openDaemonWindow(browser, await cloud.startDaemon())
  await expect(window.shell.getByText('This machine started a new cloud')).toBeVisible()
  const page = await installHostile(window)
  const bar = window.shell.getByRole('combobox', { name: 'Address' })
  const own = new RegExp(`^cloud://${HOSTILE_ID}/`)
  await expect(bar).toHaveValue(own)
  for (const path of [
    '.notes/',
    '-games/',
    '@notes/',
    ':80/',
    '//notes/',
    '\\notes',
    '/../notes',
  ]) {
    const system = await page.evaluate(async (where) => {
      parent.postMessage({ type: 'dharma:location', path: where, title: 'Wallpapers' }, '*')
      // The shell takes messages in their order: with this answer, it has taken the one before.
      return (await hostile.askForPort('shell')).system
    }, path)
    const shown = await bar.inputValue()
    expect({ path, system, shown }).toEqual({
      path,
      system: HOSTILE,
      shown: expect.stringMatching(own),
    })
  }
  await window.close()
})
