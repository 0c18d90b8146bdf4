// Pages in the frames of the daemon's window: what the address bar may say of them.
import { expect, test } from '@playwright/test'
import { goTo, openDaemonWindow } from './support/app-window.ts'
import { serveRepository } from './support/git-server.ts'
import { LocalCloud } from './support/machines.ts'
import { serveWebSite } from './support/web-site.ts'

const PLAIN = 'org.example.plain'

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
