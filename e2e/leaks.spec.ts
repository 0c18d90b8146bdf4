// What a system's page could tell the world behind the back of its policy: nothing gets out of the
// desktop window. Each try is first seen to work from an ordinary web page, so that it can fail.
import { expect, test } from '@playwright/test'
import { launchElectron } from './support/electron-app.ts'
import type { ElectronMachine } from './support/electron-app.ts'
import { goTo, systemPage, windowOf } from './support/app-window.ts'
import type { AppWindow } from './support/app-window.ts'
import { serveRepository } from './support/git-server.ts'
import type { GitServer } from './support/git-server.ts'
import { listen } from './support/listeners.ts'
import type { Listeners } from './support/listeners.ts'
import { reachByWebRtc } from './support/web-rtc.ts'
import { serveWebSite } from './support/web-site.ts'
import type { WebSite } from './support/web-site.ts'

/** Nothing listens there: the machine stays alone, and on this computer. */
const NOBODY = ['127.0.0.1:9']
/** The system of the fixture. */
const PLAIN = 'org.example.plain'

let repositories: GitServer
let site: WebSite
let machine: ElectronMachine
let window: AppWindow
let listeners: Listeners

test.beforeAll(async () => {
  repositories = await serveRepository({ plain: 'e2e/fixtures/plain-system' })
  site = await serveWebSite()
  machine = await launchElectron({ bootstrap: NOBODY })
  window = windowOf(machine)
  await expect(window.shell.getByText('This machine started a new cloud')).toBeVisible()
  const url = repositories.urlOf('plain')
  const commit = await repositories.commitOf('plain')
  await window.call('systems.install', { url, commit, grant: [] })
})
test.afterAll(async () => {
  await machine.close()
  await site.close()
  await repositories.close()
})
test.beforeEach(async () => {
  listeners = await listen()
})
test.afterEach(() => listeners.close())

test('a system’s page reaches nobody by WebRTC, from a frame neither', async () => {
  const { udpPort, tcpPort, heard } = listeners
  await goTo(window, `${site.origin}/`)
  const web = await machine.view(site.origin)
  expect(await web.evaluate(reachByWebRtc, { udpPort, tcpPort })).toBe(2)
  expect(heard).toContain('tcp connection')
  expect(heard.some((what) => what.startsWith('udp'))).toBe(true)

  heard.length = 0
  await goTo(window, `cloud://${PLAIN}/`)
  const system = await systemPage(window, PLAIN)
  expect(await system.evaluate(reachByWebRtc, { udpPort, tcpPort })).toBe(2)
  expect([...new Set(heard)]).toEqual([])
})
