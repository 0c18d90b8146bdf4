// The main job from end to end: join, install, play, watch, and find the game again when the players
// have gone. Once with Electron windows, once with the daemons' pages in Chromium.
import { expect, test } from '@playwright/test'
import type { Browser } from '@playwright/test'
import {
  openDaemonWindow,
  openElectronWindow,
  openPage,
  showBothThemes,
} from './support/app-window.ts'
import { encodeKey } from '../node-runtime/core/keys.ts'
import { newKeyPair } from '../node-runtime/store/new-keys.ts'
import { signedSystemKey } from '../node-runtime/core/systems/system-key.ts'
import type { AppWindow } from './support/app-window.ts'
import { serveRepository } from './support/git-server.ts'
import type { GitServer } from './support/git-server.ts'
import { LocalCloud } from './support/machines.ts'
import {
  announceGame,
  browseTheWeb,
  confirmInstall,
  expectHistory,
  expectMachines,
  expectMoves,
  installEventGames,
  joinGame,
  move,
  MOVES,
  openAnnouncement,
  openResults,
  replayGame,
  sitDown,
  whoseTurn,
} from './support/story-steps.ts'
import { serveWebSite } from './support/web-site.ts'
import type { WebSite } from './support/web-site.ts'

const STORY_TIMEOUT_MS = 300_000

const PUBLISHER = newKeyPair()
const EVENT_GAMES = signedSystemKey(encodeKey(PUBLISHER.publicKey), 'event-games')

let cloud: LocalCloud
let repository: GitServer
let site: WebSite

test.beforeEach(async () => {
  cloud = await LocalCloud.create()
  repository = await serveRepository({ 'event-games': 'extensions/event-games' }, PUBLISHER)
  site = await serveWebSite()
})
test.afterEach(async () => {
  await site.close()
  await repository.close()
  await cloud.close()
})

type OpenWindow = (options: { cloud?: string }) => Promise<AppWindow>

const inElectron: OpenWindow = async (options) =>
  openElectronWindow({
    dataDir: await cloud.makeFolder(),
    bootstrap: cloud.bootstrap,
    ...options,
  })
const inChromium =
  (browser: Browser): OpenWindow =>
  async (options) =>
    openDaemonWindow(browser, await cloud.startDaemon(options))

async function tellStory(openWindow: OpenWindow, browser: Browser): Promise<void> {
  const shoot = async (window: AppWindow, name: string): Promise<void> =>
    showBothThemes(window, name, await window.system('event-games'))

  const ann = await openWindow({})
  await expect(ann.shell.getByText('This machine started a new cloud')).toBeVisible()
  await showBothThemes(ann, 'home')
  const { cloud: key } = (await ann.call('cloud.status', {})) as { cloud: string }

  const bob = await openWindow({ cloud: key })
  const eve = await openWindow({ cloud: key })
  const witness = await cloud.startDaemon({ cloud: key })
  await expectMachines(ann, 4)
  await showBothThemes(ann, 'machines')
  await openPage(ann, 'Settings')
  await showBothThemes(ann, 'settings')
  await openPage(ann, 'Systems')
  await showBothThemes(ann, 'systems-empty')

  const commit = await repository.commitOf()
  for (const window of [ann, bob, eve]) {
    await installEventGames(window, repository.url, commit)
    if (window === ann) await showBothThemes(window, 'install')
    await confirmInstall(window)
  }
  const [annView, bobView, eveView] = await Promise.all(
    [ann, bob, eve].map((window) => window.system('event-games')),
  )
  if (annView === undefined || bobView === undefined || eveView === undefined) throw new Error()

  await openAnnouncement(annView)
  await shoot(ann, 'announcement')
  await announceGame(annView, 'Friday Duel', 'Ann')
  await shoot(ann, 'event')
  await expect(bobView.getByRole('link', { name: 'Friday Duel' })).toBeVisible({ timeout: 30_000 })
  await shoot(bob, 'events')
  await joinGame(bobView, 'Friday Duel', 'Bob')
  await sitDown([annView, bobView])

  await eveView.getByRole('link', { name: 'Live' }).click()
  const watch = eveView.getByRole('link', { name: 'Watch' })
  await expect(watch).toBeVisible({ timeout: 30_000 })
  await shoot(eve, 'live-games')
  await watch.click()
  for (const [ply, column] of MOVES.entries()) {
    await move(await whoseTurn([annView, bobView]), column)
    for (const view of [annView, bobView, eveView]) await expectMoves(view, ply + 1)
    if (ply === 3) {
      await shoot(ann, 'game')
      await shoot(eve, 'watching')
    }
  }
  for (const view of [annView, bobView, eveView]) {
    await expect(view.getByRole('region', { name: 'Result' })).toBeVisible()
    await expect(view.getByText('Signed by both players')).toBeVisible({ timeout: 30_000 })
  }
  await shoot(bob, 'result')
  await browseTheWeb(eve, site.origin)
  await openPage(eve, 'Systems')
  await showBothThemes(eve, 'systems')
  await openPage(eve, 'Home')
  await showBothThemes(eve, 'home-with-systems')
  await eve.close()

  await Promise.all([ann.kill(), bob.kill()])
  await expectHistory(witness, EVENT_GAMES, { title: 'Friday Duel', moves: MOVES.length })
  const last = await openDaemonWindow(browser, witness)
  await installEventGames(last, repository.url, commit)
  await confirmInstall(last)
  await openResults(last)
  await shoot(last, 'results')
  await replayGame(last, MOVES.length)
  await shoot(last, 'replay')
  await last.close()
}

test('four machines, a game in Electron windows, and its history after the players are gone', async ({
  browser,
}) => {
  test.setTimeout(STORY_TIMEOUT_MS)
  await tellStory(inElectron, browser)
})

test('the same with the daemons’ pages in Chromium', async ({ browser }) => {
  test.setTimeout(STORY_TIMEOUT_MS)
  await tellStory(inChromium(browser), browser)
})
