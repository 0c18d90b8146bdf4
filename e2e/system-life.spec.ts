// An installed system in the window over its life: updated while it is open, uninstalled, installed
// again, and signed at last.
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from '@playwright/test'
import { keyPair } from '../node-runtime/core/keys.ts'
import { SIGNATURE_PATH } from '../node-runtime/core/systems/signature.ts'
import { signFiles } from '../node-runtime/testing/signed-files.ts'
import { goTo, openPage, systemPage } from './support/app-window.ts'
import { PLAIN, startPlainMachine } from './support/plain-system.ts'
import type { PlainMachine } from './support/plain-system.ts'

const FIXTURE = path.join(import.meta.dirname, 'fixtures/plain-system')
/** What its second version shows. */
const NEWER = '<!doctype html><html lang="en"><title>New</title><body><h1>Newer page</h1>'

let plain: PlainMachine

test.beforeAll(async () => {
  plain = await startPlainMachine()
})
test.afterAll(async () => {
  await plain.close()
})

const page = () => systemPage(plain.window, PLAIN)
const keep = async (): Promise<void> => {
  await (
    await page()
  ).evaluate(async () => {
    localStorage.setItem('secret', 'kept')
    document.cookie = 'secret=kept; max-age=9999; Secure'
    await new Promise((resolve, reject) => {
      const opening = indexedDB.open('secret')
      opening.addEventListener('success', resolve)
      opening.addEventListener('error', reject)
    })
  })
}
const readKept = async (): Promise<unknown> =>
  (await page()).evaluate(async () => ({
    local: Object.keys(localStorage),
    cookie: document.cookie,
    databases: (await indexedDB.databases()).map(({ name }) => name),
  }))

test('a page that is open over an update is said to be of the old version, and reloads', async () => {
  await plain.install()
  await goTo(plain.window, `cloud://${PLAIN}/`)
  const view = await page()
  await expect(view.getByRole('heading', { level: 1 })).toHaveText('Plain page')
  await plain.window.expectInPlace(view)
  await keep()
  await plain.repositories.commit('plain', {
    'ui/index.html': NEWER,
  })
  await plain.install()
  const banner = plain.window.shell.getByRole('status').filter({ hasText: 'is installed' })
  await expect(banner).toBeVisible()
  // It makes room for the banner, and does not cover it.
  await plain.window.expectInPlace(view)
  await expect(view.getByRole('heading', { level: 1 })).toHaveText('Plain page')
  await plain.window.shell.screenshot({ path: 'e2e/shots/electron-update-banner.png' })
  await banner.getByRole('button', { name: 'Reload' }).click()
  await expect(view.getByRole('heading', { level: 1 })).toHaveText('Newer page')
  await expect(banner).toBeHidden()
  // It is the same system: what it kept is there.
  expect(await readKept()).toMatchObject({ local: ['secret'], databases: ['secret'] })
})

test('uninstalling ends its pages and takes what they kept; installed again, it begins anew', async () => {
  await plain.window.call('systems.uninstall', { id: PLAIN })
  await expect(plain.window.shell.getByText('This system is not installed.')).toBeVisible()
  await plain.install()
  const panel = plain.window.shell.getByRole('tabpanel')
  await panel.getByRole('button', { name: 'Open', exact: true }).click()
  // The tests' own handle is on the page that ended.
  const readAnew = () =>
    plain.machine.app.evaluate(({ webContents }) => {
      const isSystem = (url: string) => url.startsWith('cloud://') && !url.includes('dharma')
      const view = webContents.getAllWebContents().find((each) => isSystem(each.getURL()))
      return view?.executeJavaScript(`(async () => ({
        heading: document.querySelector('h1')?.textContent,
        local: Object.keys(localStorage),
        cookie: document.cookie,
        databases: (await indexedDB.databases()).map(({ name }) => name),
      }))()`) as Promise<unknown>
    })
  await expect
    .poll(readAnew)
    .toEqual({ heading: 'Newer page', local: [], cookie: '', databases: [] })
})

test('signed since it was installed, it is said to be another one, and can take the place of the first', async () => {
  const read = (file: string) => readFile(path.join(FIXTURE, file), 'utf8')
  const files = {
    'dharma.json': await read('dharma.json'),
    'ui/index.html': NEWER,
    'ui/main.ts': await read('ui/main.ts'),
  }
  const signed = signFiles(files, keyPair(new Uint8Array(32).fill(7)))
  await plain.repositories.commit('plain', { [SIGNATURE_PATH]: signed[SIGNATURE_PATH] ?? null })
  await openPage(plain.window, 'Systems')
  await plain.window.shell.getByRole('button', { name: 'Look for an update' }).click()
  const prompt = plain.window.shell.getByRole('dialog', { name: 'Install a system' })
  await expect(prompt.getByRole('heading', { name: 'Plain' })).toBeVisible()
  await plain.window.shell.screenshot({ path: 'e2e/shots/electron-signed-beside.png' })
  await expect(prompt).toContainText('is not signed; this one is. That makes two systems of them.')
  await expect(prompt).toContainText(`Its address will be cloud://${PLAIN}--`)
  await prompt.getByRole('checkbox', { name: 'Remove the unsigned one' }).check()
  await prompt.getByRole('button', { name: 'Install' }).click()
  const done = plain.window.shell.getByRole('dialog', { name: 'is installed' })
  await done.getByRole('button', { name: 'Open' }).click()
  const view = await page()
  await expect(view.getByRole('heading', { level: 1 })).toHaveText('Newer page')
  await openPage(plain.window, 'Systems')
  await expect(
    plain.window.shell.getByRole('list', { name: 'Installed systems' }).getByRole('article'),
  ).toHaveCount(1)
})
