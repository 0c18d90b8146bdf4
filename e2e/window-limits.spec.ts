// Pages and crashes that would wear the window out: each has a limit.
import { createServer } from 'node:http'
import type { Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from '@playwright/test'
import { goTo, systemPage } from './support/app-window.ts'
import { launchElectron, NOBODY } from './support/electron-app.ts'
import { PLAIN, startPlainMachine } from './support/plain-system.ts'
import type { PlainMachine } from './support/plain-system.ts'

/** Names another picture and another title as fast as it can. */
const RESTLESS = `<!doctype html><title>Restless</title><link id="icon" rel="icon" href="/icon/0">
  <script>
    let at = 0
    setInterval(() => {
      document.title = 'Title ' + ++at
      icon.href = '/icon/' + at
    }, 2)
  </script>`

/** A picture without an end: what it sent, and to how many at once. */
function serveEndless() {
  const icons = { sentBytes: 0, open: 0, mostOpen: 0, asked: 0 }
  const chunk = Buffer.alloc(65_536)
  const pour = (response: ServerResponse): void => {
    while (!response.destroyed && response.write(chunk)) icons.sentBytes += chunk.length
    icons.sentBytes += chunk.length
    response.once('drain', () => pour(response))
  }
  const server = createServer(({ url = '/' }, response) => {
    if (!url.startsWith('/icon/')) {
      response.writeHead(200, { 'content-type': 'text/html' }).end(RESTLESS)
      return
    }
    icons.asked += 1
    icons.open += 1
    icons.mostOpen = Math.max(icons.mostOpen, icons.open)
    response.once('close', () => (icons.open -= 1))
    response.writeHead(200, { 'content-type': 'image/png' })
    pour(response)
  })
  return { server, icons }
}

let plain: PlainMachine
let server: Server
let icons: ReturnType<typeof serveEndless>['icons']
let origin: string

test.beforeAll(async () => {
  plain = await startPlainMachine()
  ;({ server, icons } = serveEndless())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await plain.install()
})
test.afterAll(async () => {
  await plain.close()
  server.closeAllConnections()
  server.close()
})

test('a page with pictures without end, and titles without end, is no load', async () => {
  const { machine, window } = plain
  await goTo(window, `${origin}/`)
  await machine.view(origin)
  await expect(window.shell.getByRole('tab', { name: /Title \d/ })).toBeVisible()
  const seen = await window.shell.evaluate(async () => {
    const counted = { drawn: 0, saved: 0 }
    const strip = document.querySelector('[role=tablist]') as Element
    const observer = new MutationObserver(() => (counted.drawn += 1))
    observer.observe(strip, { subtree: true, childList: true, characterData: true })
    const { setItem } = Storage.prototype
    Storage.prototype.setItem = function (this: Storage, ...args) {
      counted.saved += 1
      setItem.apply(this, args)
    }
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    observer.disconnect()
    Storage.prototype.setItem = setItem
    return counted
  })
  expect(seen.drawn).toBeGreaterThan(5)
  expect(seen.drawn).toBeLessThan(50)
  expect(seen.saved).toBeLessThan(10)
  expect(icons.asked).toBeGreaterThan(0)
  expect(icons.asked).toBeLessThan(10)
  expect(icons.mostOpen).toBe(1)
  // What the sockets on the way hold is more than what is read.
  expect(icons.sentBytes / icons.asked).toBeLessThan(16 * 2 ** 20)
  await goTo(window, 'cloud://home')
})

test('a system’s page gets its port however often it is loaded anew', async () => {
  const { window } = plain
  await goTo(window, `cloud://${PLAIN}/`)
  const page = await systemPage(window, PLAIN)
  for (let times = 0; times < 20; times++) {
    await page.waitForFunction(() => 'connected' in globalThis)
    await page.reload()
  }
  await page.waitForFunction(() => 'connected' in globalThis)
})

test('a page that keeps asking gets a few ports and no more', async () => {
  const page = await systemPage(plain.window, PLAIN)
  await page.waitForFunction(() => 'connected' in globalThis)
  const given = await page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        let ports = 0
        addEventListener('message', ({ data }) => {
          if (data?.type === 'dharma:port') ports += 1
        })
        const asking = setInterval(() => postMessage({ type: 'dharma:connect' }, '*'), 10)
        setTimeout(() => {
          clearInterval(asking)
          resolve(ports)
        }, 2_000)
      }),
  )
  expect(given).toBeGreaterThan(1)
  expect(given).toBeLessThan(20)
})

test('a window whose page keeps stopping asks before it is loaded a third time', async () => {
  const own = await launchElectron({ bootstrap: NOBODY })
  try {
    await own.app.evaluate(({ BrowserWindow, dialog }) => {
      const asked: string[] = []
      const gone: string[] = []
      Object.assign(globalThis, { asked, gone })
      const contents = BrowserWindow.getAllWindows()[0]?.webContents
      contents?.on('render-process-gone', (_event, { reason }) => gone.push(reason))
      const answer = (_window: unknown, { message }: { message: string }) => {
        asked.push(message)
        return new Promise<{ response: number }>((resolve) => {
          Object.assign(globalThis, { answer: (response: number) => resolve({ response }) })
        })
      }
      Object.assign(dialog, { showMessageBox: answer })
    })
    const state = () =>
      own.app.evaluate(({ BrowserWindow }) => {
        const contents = BrowserWindow.getAllWindows()[0]?.webContents
        const { asked, gone } = globalThis as unknown as { asked: string[]; gone: string[] }
        const loaded = contents?.isCrashed() === false && !contents.isLoading()
        return { loaded, gone: gone.length, asked: asked.length }
      })
    const crash = () =>
      own.app.evaluate(({ BrowserWindow }) =>
        BrowserWindow.getAllWindows()[0]?.webContents.forcefullyCrashRenderer(),
      )
    for (const gone of [0, 1, 2]) {
      await expect.poll(state).toEqual({ loaded: true, gone, asked: 0 })
      await crash()
    }
    await expect.poll(state).toEqual({ loaded: false, gone: 3, asked: 1 })
    await own.app.evaluate(() => (globalThis as unknown as { answer(n: number): void }).answer(0))
    await expect.poll(state).toEqual({ loaded: true, gone: 3, asked: 1 })
  } finally {
    await own.close()
  }
})
