// An installed system in the window over its life: updated while it is open, uninstalled, installed
// again, and signed at last.
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from '@playwright/test'
import { keyPair } from '../node-runtime/core/keys.ts'
import { SIGNATURE_PATH } from '../node-runtime/core/systems/signature.ts'
import { signFiles } from '../node-runtime/testing/signed-files.ts'
import { goTo, openPage, systemPage, windowOf } from './support/app-window.ts'
import type { AppWindow } from './support/app-window.ts'
import { launchElectron } from './support/electron-app.ts'
import type { ElectronMachine } from './support/electron-app.ts'
import { serveRepository } from './support/git-server.ts'
import type { GitServer } from './support/git-server.ts'

/** Nothing listens there: the machine stays alone, and on this computer. */
const NOBODY = ['127.0.0.1:9']
/** The system of the fixture. */
const PLAIN = 'org.example.plain'
const FIXTURE = path.join(import.meta.dirname, 'fixtures/plain-system')
/** What its second version shows. */
const NEWER = '<!doctype html><html lang="en"><title>New</title><body><h1>Newer page</h1>'

let repositories: GitServer
let machine: ElectronMachine
let window: AppWindow

test.beforeAll(async () => {
  repositories = await serveRepository({
    mine: 'e2e/fixtures/plain-system',
  })
  machine = await launchElectron({ bootstrap: NOBODY })
  window = windowOf(machine)
  await expect(window.shell.getByText('This machine started a new cloud')).toBeVisible()
})
test.afterAll(async () => {
  await machine.close()
  await repositories.close()
})

async function install(name: string): Promise<void> {
  const url = repositories.urlOf(name)
  await window.call('systems.install', {
    url,
    commit: await repositories.commitOf(name),
    grant: [],
  })
}

const page = () => systemPage(window, PLAIN)
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
  await install('mine')
  await goTo(window, `cloud://${PLAIN}/`)
  const view = await page()
  await expect(view.getByRole('heading', { level: 1 })).toHaveText('Plain page')
  await window.expectInPlace(view)
  await keep()
  await repositories.commit('mine', {
    'ui/index.html': NEWER,
  })
  await install('mine')
  const banner = window.shell.getByRole('status').filter({ hasText: 'is installed' })
  await expect(banner).toBeVisible()
  // It makes room for the banner, and does not cover it.
  await window.expectInPlace(view)
  await expect(view.getByRole('heading', { level: 1 })).toHaveText('Plain page')
  await window.shell.screenshot({ path: 'e2e/shots/electron-update-banner.png' })
  await banner.getByRole('button', { name: 'Reload' }).click()
  await expect(view.getByRole('heading', { level: 1 })).toHaveText('Newer page')
  await expect(banner).toBeHidden()
  // It is the same system: what it kept is there.
  expect(await readKept()).toMatchObject({ local: ['secret'], databases: ['secret'] })
})

test('uninstalling ends its pages and takes what they kept; installed again, it begins anew', async () => {
  await window.call('systems.uninstall', { id: PLAIN })
  await expect(window.shell.getByText('This system is no longer installed')).toBeVisible()
  await install('mine')
  await window.shell.getByRole('button', { name: 'Try again' }).click()
  // The tests' own handle is on the page that ended.
  const readAnew = () =>
    machine.app.evaluate(({ webContents }) => {
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
  await repositories.commit('mine', { [SIGNATURE_PATH]: signed[SIGNATURE_PATH] ?? null })
  await openPage(window, 'Systems')
  await window.shell.getByRole('button', { name: 'Look for an update' }).click()
  const prompt = window.shell.getByRole('dialog', { name: 'Install a system' })
  await expect(prompt.getByRole('heading', { name: 'Plain' })).toBeVisible()
  await window.shell.screenshot({ path: 'e2e/shots/electron-signed-beside.png' })
  await expect(prompt).toContainText('is not signed; this one is. That makes two systems of them.')
  await expect(prompt).toContainText(`Its address will be cloud://${PLAIN}--`)
  await prompt.getByRole('checkbox', { name: 'Remove the unsigned one' }).check()
  await prompt.getByRole('button', { name: 'Install' }).click()
  const done = window.shell.getByRole('dialog', { name: 'is installed' })
  await done.getByRole('button', { name: 'Open' }).click()
  const view = await page()
  await expect(view.getByRole('heading', { level: 1 })).toHaveText('Newer page')
  await openPage(window, 'Systems')
  await expect(
    window.shell.getByRole('list', { name: 'Installed systems' }).getByRole('article'),
  ).toHaveCount(1)
})
