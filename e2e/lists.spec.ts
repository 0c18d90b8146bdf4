// Look-up lists in the window: begun in the settings, and shown with how fresh they are.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from '@playwright/test'
import { goTo, openDaemonWindow } from './support/app-window.ts'
import { LocalCloud } from './support/machines.ts'

test('a list is begun in the settings, and one that is none says so', async ({ browser }) => {
  const cloud = await LocalCloud.create()
  const folder = await mkdtemp(join(tmpdir(), 'dharma-list-'))
  const window = await openDaemonWindow(browser, await cloud.startDaemon())
  try {
    const { shell } = window
    await goTo(window, 'cloud://settings')
    await expect(shell.getByRole('heading', { name: 'No list yet' })).toBeVisible()
    const url = pathToFileURL(join(folder, 'list')).href
    await shell.getByLabel('Address of a list').fill(url)
    await shell.getByRole('button', { name: 'Begin a new list there' }).click()
    const lists = shell.getByRole('list', { name: 'Look-up lists' })
    await expect(lists.getByText('One machine, the newest signed')).toBeVisible()
    await expect(lists.getByRole('switch')).toBeChecked()

    await writeFile(join(folder, 'dharma-list'), 'Something else.')
    await shell.getByLabel('Address of a list').fill(pathToFileURL(folder).href)
    await shell.getByRole('button', { name: 'Add list' }).click()
    await expect(lists.getByText('What lies there is no look-up list')).toBeVisible()
    await lists.scrollIntoViewIfNeeded()
    await shell.screenshot({ path: 'e2e/shots/settings-lists.png' })
    await shell.getByRole('radio', { name: 'Dark' }).check()
    await lists.scrollIntoViewIfNeeded()
    await shell.screenshot({ path: 'e2e/shots/settings-lists-dark.png' })

    await goTo(window, 'cloud://connection')
    await expect(shell.getByRole('heading', { name: url })).toBeVisible()
    await shell.getByRole('heading', { name: url }).scrollIntoViewIfNeeded()
    await shell.screenshot({ path: 'e2e/shots/connection-lists-dark.png' })
    await goTo(window, 'cloud://settings')
    await shell.getByRole('radio', { name: 'Light' }).check()
    await goTo(window, 'cloud://connection')
    await shell.getByRole('heading', { name: url }).scrollIntoViewIfNeeded()
    await shell.screenshot({ path: 'e2e/shots/connection-lists.png' })
  } finally {
    await window.close()
    await cloud.close()
    await rm(folder, { recursive: true })
  }
})
