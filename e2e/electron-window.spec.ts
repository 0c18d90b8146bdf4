// The desktop window itself: tabs beside each other, what pages may do, and what happens when
// something dies.
import { execFile, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from '@playwright/test'
import type { Page } from '@playwright/test'
import { launchElectron, NOBODY } from './support/electron-app.ts'
import type { ElectronMachine } from './support/electron-app.ts'
import { watchStops } from './support/leaving.ts'

const PAGES: Record<string, string> = {
  '/': `<title>First page</title><h1>First</h1>
    <a id="next" href="/next">next</a>
    <a id="blank" href="/blank" target="_blank">blank</a>
    <a id="cloud" href="cloud://home">home</a>
    <a id="file" href="file:///etc/passwd">file</a>
    <a id="script" href="javascript:void(document.title='script ran')">script</a>
    <a id="data" href="data:text/html,<title>data</title>">data</a>
    <button id="open" onclick="window.open('/opened'); window.open('/second')">open</button>`,
  '/next': '<title>Next page</title><h1>Next</h1>',
  '/blank': '<title>Blank page</title>',
  '/opened': '<title>Opened page</title>',
  '/second': '<title>Second page</title>',
}

let server: Server
let origin: string
const requested: string[] = []
let machine: ElectronMachine
let dataDir: string

test.beforeAll(async () => {
  server = createServer(({ url = '/' }, response) => {
    requested.push(url)
    response.setHeader('content-type', 'text/html; charset=utf-8')
    if (url === '/to-file') response.writeHead(302, { location: 'file:///etc/passwd' })
    response.end(PAGES[url] ?? '')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  dataDir = await mkdtemp(path.join(os.tmpdir(), 'dharma-window-'))
  machine = await launchElectron({ bootstrap: NOBODY, dataDir })
})

test.afterAll(async () => {
  await machine.close()
  await rm(dataDir, { recursive: true, force: true })
  server.close()
})

/** Types an address into the bar. */
async function go(address: string): Promise<void> {
  const bar = machine.shell.getByRole('combobox', { name: /address/i })
  await bar.click()
  await bar.fill(address)
  await bar.press('Enter')
}

/** A click that does not wait for the navigation, which never comes. */
async function pressOnly(page: Page, selector: string): Promise<void> {
  const box = await page.locator(selector).boundingBox()
  if (box === null) throw new Error(`${selector} can’t be seen`)
  await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2)
}

test('the window opens on the start page of a machine that is alone', async () => {
  await expect(machine.shell.getByRole('heading', { level: 1 })).toBeVisible()
  expect(machine.shell.url()).toBe('cloud://dharma/')
  await machine.shell.screenshot({ path: 'e2e/shots/electron-home.png' })
})

test('the shell’s page is sandboxed: no Node, no globals of ours, no code from text', async () => {
  const seen = await machine.shell.evaluate(() => ({
    node: typeof (globalThis as Record<string, unknown>)['process'],
    require: typeof (globalThis as Record<string, unknown>)['require'],
    origin: location.origin,
  }))
  expect(seen).toEqual({ node: 'undefined', require: 'undefined', origin: 'cloud://dharma' })
  const blocked = await machine.shell.evaluate(async () => {
    const script = document.createElement('script')
    script.textContent = 'globalThis.injected = true'
    document.head.append(script)
    const other = await fetch('https://example.org/').then(
      () => 'loaded',
      () => 'refused',
    )
    return { injected: 'injected' in globalThis, other }
  })
  expect(blocked).toEqual({ injected: false, other: 'refused' })
})

test('a tab shows a web page, and goes back, forward and again', async () => {
  await go(`${origin}/`)
  const page = await machine.view(origin)
  await expect(page).toHaveTitle('First page')
  await expect(machine.shell.getByRole('tab', { name: /First page/ })).toBeVisible()
  await page.click('#next')
  await expect(page).toHaveTitle('Next page')
  await machine.shell.getByRole('button', { name: 'Back' }).click()
  await expect(page).toHaveTitle('First page')
  await machine.shell.getByRole('button', { name: 'Forward' }).click()
  await expect(page).toHaveTitle('Next page')
  await machine.shell.getByRole('button', { name: 'Back' }).click()
  await expect(page).toHaveTitle('First page')
  await machine.shell.getByRole('button', { name: /Reload/ }).click()
  await expect(page).toHaveTitle('First page')
})

/** As if pressed on the keyboard while the page at this address has the focus. */
async function pressIn(address: string, ...keys: string[]): Promise<void> {
  await machine.app.evaluate(
    ({ webContents }, { url, keyCode, modifiers }) => {
      const page = webContents.getAllWebContents().find((contents) => contents.getURL() === url)
      if (page === undefined) throw new Error(`no page is at ${url}`)
      page.sendInputEvent({ type: 'keyDown', keyCode, modifiers })
    },
    { url: address, keyCode: keys.at(-1) ?? '', modifiers: keys.slice(0, -1) as 'control'[] },
  )
}

test('the keys of the window work while a page has the focus', async () => {
  const first = `${origin}/`
  const next = `${origin}/next`
  const expectShown = (title: string) =>
    expect(machine.shell.getByRole('tab', { name: title })).toHaveAttribute('aria-selected', 'true')
  await expectShown('First page')
  await pressIn(first, 'control', 'T')
  await expectShown('Home')
  await go(next)
  await machine.view(next)
  await expectShown('Next page')
  await pressIn(next, 'control', '1')
  await expectShown('First page')
  await pressIn(first, 'control', 'Tab')
  await expectShown('Next page')
  await pressIn(next, 'control', 'W')
  await expect(machine.shell.getByRole('tab')).toHaveCount(1)
  await pressIn(first, 'control', 'shift', 'T')
  await expectShown('Next page')
  await machine.view(next)
  await pressIn(next, 'control', 'W')
  await expect(machine.shell.getByRole('tab')).toHaveCount(1)
  await expectShown('First page')
})

test('a web page has nothing of ours, and none of the permissions', async () => {
  const page = await machine.view(origin)
  const seen = await page.evaluate(async () => ({
    node: typeof (globalThis as Record<string, unknown>)['process'],
    geolocation: (await navigator.permissions.query({ name: 'geolocation' })).state,
    notifications: await Notification.requestPermission(),
    agent: /Electron|dharma/i.test(navigator.userAgent),
    cloud: await fetch('cloud://dharma/').then(
      () => 'loaded',
      () => 'refused',
    ),
  }))
  expect(seen).toEqual({
    node: 'undefined',
    geolocation: 'denied',
    notifications: 'denied',
    agent: false,
    cloud: 'refused',
  })
})

test('a web page can’t go to files, scripts or data, by itself or through a redirect', async () => {
  const page = await machine.view(origin)
  const readStops = await watchStops(page.mainFrame(), machine.app)
  await page.evaluate(() => Object.assign(globalThis, { mark: 'the same page' }))
  // Each is waited for where it is stopped: by the browser itself, or by the window's guard.
  const stops: string[] = []
  for (const [link, by] of [
    ['#file', 'browser'],
    ['#data', 'browser'],
  ] as const) {
    await pressOnly(page, link)
    await expect.poll(async () => (stops.push(...(await readStops())), stops)).toContain(by)
    stops.length = 0
  }
  // A page may run its own script by its own link; it can't become another page's.
  await pressOnly(page, '#script')
  await expect(page).toHaveTitle('script ran')
  expect(await page.evaluate(() => (globalThis as { mark?: string }).mark)).toBe('the same page')
  // The shell's own origin, by itself. The guard alone stands before it.
  await page.evaluate(() => location.assign('cloud://dharma/'))
  await expect.poll(async () => (stops.push(...(await readStops())), stops)).toContain('guard')
  expect(page.url()).toBe(`${origin}/`)
  await page.evaluate(() => location.assign('/to-file'))
  await expect.poll(() => requested).toContain('/to-file')
  await expect(machine.shell.getByText(/ERR_UNSAFE_REDIRECT/).first()).toBeVisible()
  await go(`${origin}/`)
  await expect(page).toHaveTitle('First page')
})

test('each click may open one tab, of the web or of the cloud', async () => {
  const page = await machine.view(origin)
  await page.click('#open')
  await expect(machine.shell.getByRole('tab', { name: /Opened page/ })).toHaveCount(1)
  await expect(machine.shell.getByRole('tab')).toHaveCount(2)
  expect(requested).not.toContain('/second')
  const first = machine.shell.getByRole('tab', { name: /First page/ })
  await first.click()
  await pressOnly(page, '#cloud')
  await expect(machine.shell.getByRole('tab', { name: /Home/ })).toHaveAttribute(
    'aria-selected',
    'true',
  )
})

test('a server that is not there is said in words, and the shell stays usable', async () => {
  await go('http://127.0.0.1:9/')
  await expect(machine.shell.getByText(/ERR_/).first()).toBeVisible()
  await go('cloud://machines')
  await expect(machine.shell.getByRole('heading', { name: 'Machines', level: 1 })).toBeVisible()
})

test('only the shell’s own main frame gets the runtime’s port', async () => {
  // Another page in the shell's session, at the shell's origin, with the shell's preload script, as an
  // attacker who got that far would have it. What is asked reaches the main process: it is counted.
  const outcome = await machine.app.evaluate(
    async ({ BrowserWindow, ipcMain, session }, preload) => {
      const shell = BrowserWindow.getAllWindows()[0]
      const hidden = new BrowserWindow({
        show: false,
        webPreferences: { preload, sandbox: true, session: session.defaultSession },
      })
      let asked = 0
      const count = (event: Electron.IpcMainEvent): void => {
        if (event.sender === hidden.webContents) asked += 1
      }
      ipcMain.on('shell:ready', count)
      // Whoever asks, the answer goes to the shell's page: an answer at all is the failure.
      let answers = 0
      const contents = shell?.webContents as Electron.WebContents
      const { postMessage } = contents
      contents.postMessage = (...message) => {
        answers += 1
        postMessage.apply(contents, message)
      }
      await hidden.loadURL('cloud://dharma/missing')
      const ask = `new Promise((resolve) => {
        addEventListener('message', ({ data }) => data.type === 'dharma:ports' && resolve('ports'))
        postMessage({ type: 'dharma:ready', tabs: true }, '*')
        setTimeout(() => resolve('nothing'), 1000)
      })`
      const heard: unknown = await hidden.webContents.executeJavaScript(ask)
      const toOthers = answers
      // The same question from the shell's page is answered, so that the counting is known to work.
      await contents.executeJavaScript(ask)
      contents.postMessage = postMessage
      ipcMain.off('shell:ready', count)
      hidden.destroy()
      return { asked, heard, toOthers, toShell: answers - toOthers }
    },
    new URL('../dist/electron/preload-shell.cjs', import.meta.url).pathname,
  )
  expect(outcome).toEqual({ asked: 1, heard: 'nothing', toOthers: 0, toShell: 1 })
})

test('the runtime hears from the system that the computer has woken', async () => {
  // The first time, the runtime may just be starting.
  await expect(async () => {
    await machine.app.evaluate(({ powerMonitor }) => powerMonitor.emit('resume'))
    const log = await readFile(path.join(dataDir, 'log', 'runtime.log'), 'utf8')
    expect(log).toContain('this computer has woken')
  }).toPass({ timeout: 20_000 })
})

test('a runtime that dies is started again, and the window goes on', async () => {
  const readPid = () =>
    machine.app.evaluate(
      ({ app }) => app.getAppMetrics().find(({ name }) => name === 'Dharma runtime')?.pid ?? 0,
    )
  const pid = await readPid()
  expect(pid).toBeGreaterThan(0)
  process.kill(pid, 'SIGKILL')
  await expect.poll(async () => ![0, pid].includes(await readPid())).toBe(true)
  // The new one answers: what it is asked to change, the page shows.
  await go('cloud://settings')
  const name = machine.shell.getByRole('textbox', { name: 'Name of this machine' })
  await name.fill('Risen')
  // While there is no connection, the page says so and nothing is saved.
  await expect(async () => {
    await machine.shell.getByRole('button', { name: 'Save name of this machine' }).click()
    await expect(machine.shell.getByText('The name was saved.')).toBeVisible({ timeout: 1_000 })
  }).toPass()
  await go('cloud://machines')
  const row = machine.shell.getByRole('row', { name: /Risen/ })
  await expect(row.getByText('This machine', { exact: true })).toBeVisible()
})

test('the window comes back where it was', async () => {
  const place = { x: 40, y: 30, width: 1000, height: 700 }
  const bounds = (): Promise<object | undefined> =>
    machine.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.getBounds())
  await machine.app.evaluate(
    ({ BrowserWindow }, wanted) => BrowserWindow.getAllWindows()[0]?.setBounds(wanted),
    place,
  )
  await expect.poll(bounds).toEqual(place)
  await machine.app.close()
  machine = await launchElectron({ bootstrap: NOBODY, dataDir })
  expect(await bounds()).toEqual(place)
})

test('the theme is the window’s own: its page shows it, chooses it and keeps none beside it', async () => {
  const { shell, app } = machine
  // What moves while the machine is starting, a click may miss.
  await expect(shell.getByRole('button', { name: 'Cloud: Alone' })).toBeVisible()
  await go('cloud://settings')
  await shell.getByRole('radio', { name: 'Dark' }).click()
  await expect(shell.locator('html[data-theme="dark"]')).toBeAttached()
  await expect(shell.getByRole('radio', { name: 'Dark' })).toBeChecked()
  const chosen = (): Promise<string> =>
    machine.app.evaluate(({ nativeTheme }) => nativeTheme.themeSource)
  await expect.poll(chosen).toBe('dark')
  const folder = await app.evaluate(({ app: main }) => main.getPath('userData'))
  await app.close()
  const file = path.join(folder, 'window.json')
  const kept = await readFile(file, 'utf8')
  expect(JSON.parse(kept)).toMatchObject({ theme: 'dark' })
  await writeFile(file, kept.replace('"dark"', '"light"'))
  machine = await launchElectron({ bootstrap: NOBODY, dataDir })
  await expect(machine.shell.locator('html[data-theme="light"]')).toBeAttached()
  expect(await chosen()).toBe('light')
})

test('a second start on the same folder brings the window forward, with its address', async () => {
  const executable = await machine.app.evaluate(() => process.execPath)
  const root = fileURLToPath(new URL('..', import.meta.url))
  const second = spawn(executable, ['--no-sandbox', root, '--data', dataDir, 'dharma://machines'], {
    stdio: 'ignore',
  })
  const code = await new Promise((resolve) => second.once('exit', resolve))
  expect(code).toBe(0)
  await expect(machine.shell.getByRole('heading', { name: 'Machines', level: 1 })).toBeVisible()
})

test('the command line reaches the machine of the window', async () => {
  const program = fileURLToPath(new URL('../build/dharma.mjs', import.meta.url))
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [program, 'call', 'cloud.status', '{}', '--data', dataDir],
    { encoding: 'utf8' },
  )
  const status = JSON.parse(stdout) as { machine: string; dataDir: string }
  expect(status.dataDir).toBe(dataDir)
})
