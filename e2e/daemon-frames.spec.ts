// Pages in the frames of the daemon's window: what the address bar may say of them, and what they leave
// behind.
import type { Frame } from '@playwright/test'
import { expect, test } from '@playwright/test'
import { goTo, openDaemonWindow } from './support/app-window.ts'
import { serveRepository } from './support/git-server.ts'
import { LocalCloud } from './support/machines.ts'
import { PLAIN } from './support/plain-system.ts'
import { serveWebSite } from './support/web-site.ts'

test('a frame that has gone elsewhere is neither called the system nor given a lock', async ({
  browser,
}) => {
  const cloud = await LocalCloud.create()
  const site = await serveWebSite()
  const repositories = await serveRepository({ plain: 'e2e/fixtures/plain-system' })
  const window = await openDaemonWindow(browser, await cloud.startDaemon())
  try {
    const { shell } = window
    const bar = shell.locator('.address-bar')
    const url = repositories.urlOf('plain')
    const commit = await repositories.commitOf('plain')
    await window.call('systems.install', { url, commit, grant: [] })
    await goTo(window, `cloud://${PLAIN}/`)
    const view = await window.system(PLAIN)
    await expect(view.getByRole('heading', { name: 'Plain page' })).toBeVisible()
    const frame = shell.frames().find((each) => each.url().includes('.localhost'))
    await frame?.waitForFunction(() => 'connected' in globalThis)
    // Longer than a page has to say that it is still there.
    await shell.waitForTimeout(2_000)
    await expect(bar.getByText('Plain Pages')).toBeVisible()

    await frame?.evaluate((address) => void (location.href = address), `${site.origin}/`)
    await expect(bar.getByText('Not verified')).toBeVisible()
    await expect(bar.getByText('Plain Pages')).toBeHidden()
    await shell.screenshot({ path: 'e2e/shots/daemon-frame-gone.png' })
    await shell.getByRole('button', { name: 'Reload' }).click()
    await expect(bar.getByText('Plain Pages')).toBeVisible()

    await goTo(window, `${site.origin}/`)
    await expect(bar.getByText('Not verified')).toBeVisible()
  } finally {
    await window.close()
    await repositories.close()
    await site.close()
    await cloud.close()
  }
})

/** What a page kept in the browser, in each of the places. */
const readKept = (frame: Frame) =>
  frame.evaluate(async () => ({
    local: Object.keys(localStorage),
    cookie: document.cookie,
    databases: (await indexedDB.databases()).map(({ name }) => name),
    caches: await caches.keys(),
  }))
const keep = (frame: Frame) =>
  frame.evaluate(async () => {
    localStorage.setItem('secret', 'kept')
    document.cookie = 'secret=kept; max-age=9999; Secure; SameSite=None'
    await caches.open('secret')
    await new Promise((resolve, reject) => {
      const opening = indexedDB.open('secret')
      opening.addEventListener('success', () => {
        opening.result.close()
        resolve(undefined)
      })
      opening.addEventListener('error', reject)
    })
  })
const KEPT = { local: ['secret'], cookie: 'secret=kept', databases: ['secret'], caches: ['secret'] }
const NOTHING = { local: [], cookie: '', databases: [], caches: [] }

test('what the pages of a system kept goes when it is uninstalled, and that of others stays', async ({
  browser,
}) => {
  const cloud = await LocalCloud.create()
  const repositories = await serveRepository({
    plain: 'e2e/fixtures/plain-system',
    other: 'e2e/fixtures/plain-system',
  })
  const daemon = await cloud.startDaemon()
  const window = await openDaemonWindow(browser, daemon)
  const install = async (name: string): Promise<string> => {
    const url = repositories.urlOf(name)
    const commit = await repositories.commitOf(name)
    const installed = await window.call('systems.install', { url, commit, grant: [] })
    return (installed as { key: string }).key
  }
  /** Opens a system in the tab in front, and gives its frame. */
  const openFrame = async (key: string): Promise<Frame> => {
    await goTo(window, `cloud://${key}/`)
    // Those of other tabs, and of what was in this one before, stay in the page.
    const shown = `iframe.frame:not([hidden])[src^="http://${key}.localhost"]`
    await expect(
      window.shell.frameLocator(shown).getByRole('heading', { name: 'Plain page' }),
    ).toBeVisible()
    const frame = await (await window.shell.locator(shown).elementHandle())?.contentFrame()
    if (frame === null || frame === undefined) throw new Error(`no frame of ${key}`)
    return frame
  }
  try {
    const key = await install('plain')
    const other = await install('other')
    const otherFrame = await openFrame(other)
    await keep(otherFrame)
    const frame = await openFrame(key)
    await keep(frame)
    expect(await readKept(frame)).toEqual(KEPT)

    await window.call('systems.uninstall', { id: key })
    // Its page ends; the frame says why.
    const ended = window.shell.frameLocator('iframe.frame:not([hidden])')
    await expect(ended.getByText('is not installed on this machine')).toBeVisible()
    await expect
      .poll(() => window.shell.evaluate(() => localStorage.getItem('dharma.system-pages')))
      .not.toContain(key)
    await install('plain')
    expect(await readKept(await openFrame(key))).toEqual(NOTHING)
    expect(await readKept(await openFrame(other))).toEqual(KEPT)

    // The same when no window was open as it went.
    await keep(await openFrame(key))
    const url = window.shell.url()
    await window.shell.goto('about:blank')
    await window.call('systems.uninstall', { id: key })
    await window.shell.goto(url)
    await expect
      .poll(() => window.shell.evaluate(() => localStorage.getItem('dharma.system-pages')))
      .not.toContain(key)
    await install('plain')
    expect(await readKept(await openFrame(key))).toEqual(NOTHING)
    expect(await readKept(await openFrame(other))).toEqual(KEPT)
  } finally {
    await window.close()
    await repositories.close()
    await cloud.close()
  }
})
