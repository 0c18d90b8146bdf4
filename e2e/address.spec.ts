// What the address bar says while a page is on its way, or never arrives.
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect, test } from '@playwright/test'
import type { Locator } from '@playwright/test'
import { goTo, windowOf } from './support/app-window.ts'
import type { AppWindow } from './support/app-window.ts'
import { launchElectron, NOBODY } from './support/electron-app.ts'
import type { ElectronMachine } from './support/electron-app.ts'

/** Takes every connection, and says nothing. */
const silentSockets = new Set<Socket>()
const silent = createServer((socket) => {
  silentSockets.add(socket)
  socket.on('error', () => silentSockets.delete(socket))
})
/** Of these addresses nothing arrives until their answer is sent. */
const answers: Record<string, (() => void) | null> = { '/later': null, '/signal': null }
const site = createHttpServer(({ url = '/' }, response) => {
  const answer = (): void => {
    response.writeHead(200, { 'content-type': 'text/html' }).end(`<title>${url}</title>${url}`)
  }
  if (url in answers) answers[url] = answer
  else answer()
})
let machine: ElectronMachine
let window: AppWindow
let origin: string
let nowhere: string

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

test.beforeAll(async () => {
  origin = `http://127.0.0.1:${await portOf(site)}`
  nowhere = `https://bank.test:${await portOf(silent)}/`
  machine = await launchElectron({
    bootstrap: NOBODY,
    args: ['--host-resolver-rules=MAP *.test 127.0.0.1'],
  })
  window = windowOf(machine)
})
test.afterAll(async () => {
  await machine.close()
  for (const socket of silentSockets) socket.destroy()
  silent.close()
  site.closeAllConnections()
  site.close()
})

async function answer(url: string): Promise<void> {
  await expect.poll(() => answers[url]).not.toBeNull()
  answers[url]?.()
}

async function expectBar(address: string, owner: string): Promise<void> {
  const bar = window.shell.locator('.address-bar')
  await expect(bar.getByRole('combobox', { name: 'Address' })).toHaveValue(address)
  await expect(bar.locator('.owner')).toHaveText(owner)
}
const stop = (): Locator => window.shell.getByRole('button', { name: 'Stop' })

test('an address that was typed shows at once, and no lock before its page is there', async () => {
  await goTo(window, nowhere)
  await expectBar(nowhere, 'Not arrived yet')
  await goTo(window, `${origin}/`)
  await expectBar(`${origin}/`, 'This machine')

  await goTo(window, nowhere)
  await expectBar(nowhere, 'Not arrived yet')
  await stop().click()
  await expectBar(`${origin}/`, 'This machine')

  await goTo(window, `${origin}/later`)
  await expectBar(`${origin}/later`, 'Not arrived yet')
  await answer('/later')
  await expectBar(`${origin}/later`, 'This machine')
})

test('where a page wants to go does not show before that has arrived', async () => {
  await goTo(window, `${origin}/`)
  await expectBar(`${origin}/`, 'This machine')
  const page = await machine.view(`${origin}/`)
  const other = nowhere.replace('bank', 'other')
  await page.evaluate((to) => {
    void fetch('/signal').then(() => (location.href = to))
  }, other)
  await goTo(window, nowhere)
  await expectBar(nowhere, 'Not arrived yet')
  // What the person wanted is given up for what the page wants: so it is the page that is shown.
  await answer('/signal')
  await expectBar(`${origin}/`, 'This machine')
  await expect(stop()).toBeVisible()
})
