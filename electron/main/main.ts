// The desktop app: one window on one data folder.
import { app, dialog, powerMonitor, protocol, shell } from 'electron'
import path from 'node:path'
import type { CloudError } from '../../node-runtime/contract/errors.ts'
import { findUrls, parseArguments } from './arguments.ts'
import type { StartArguments } from './arguments.ts'
import { setMenu } from './menu.ts'
import { guardByDefault } from './page-guard.ts'
import { clearSession, createPageSessions } from './page-sessions.ts'
import { CLOUD_SCHEME } from './protocols.ts'
import { RuntimeHost } from './runtime-host.ts'
import { openShell } from './shell.ts'
import type { Shell } from './shell.ts'
import { SystemStorage } from './system-storage.ts'

const DIST = path.join(import.meta.dirname, '..')
const at = (...parts: string[]): string => path.join(DIST, ...parts)

function readArguments(): StartArguments {
  try {
    return parseArguments(process.argv.slice(1))
  } catch (error) {
    console.error((error as Error).message)
    app.exit(2)
    throw error
  }
}

/** Says why the runtime is not there, and does what the person chooses. */
async function explain(error: CloudError, runtime: RuntimeHost): Promise<void> {
  console.error(`${error.code}: ${error.message}`)
  if (error.code === 'FOLDER_IN_USE') {
    const { url } = error.details as { url?: string }
    const buttons = url === undefined ? ['Close'] : ['Open it in the browser', 'Close']
    const { response } = await dialog.showMessageBox({
      type: 'info',
      title: 'Dharma',
      message: 'Dharma is running on this data folder already.',
      detail: error.message,
      buttons,
      cancelId: buttons.length - 1,
    })
    if (url !== undefined && response === 0) await shell.openExternal(url)
    return app.quit()
  }
  const { response } = await dialog.showMessageBox({
    type: 'error',
    title: 'Dharma',
    message: 'This machine could not start.',
    detail: `${error.message}\n\n${error.code}`,
    buttons: ['Try again', 'Close'],
    cancelId: 1,
  })
  if (response === 0) runtime.restart()
  else app.quit()
}

/** Until this run of the runtime ends. */
async function followSystems(runtime: RuntimeHost, storage: SystemStorage): Promise<void> {
  try {
    const client = await runtime.client()
    for await (const { systems } of await client.systems.watch({})) {
      await storage.update(systems).catch((error: unknown) => {
        console.error('The storage of a system could not be deleted yet:', error)
      })
    }
  } catch (error) {
    console.error('The list of systems is not followed any more:', error)
  }
}

function openApp({ dataDir, cloud, bootstrap, lists, urls }: StartArguments): void {
  const runtime = new RuntimeHost({
    program: at('electron', 'runtime-process.js'),
    start: { dataDir, sdkDir: at('sdk'), cloud, bootstrap, lists },
    onFailure: (error) => void explain(error, runtime),
  })
  const sessionOf = createPageSessions({
    rendererDir: at('renderer'),
    openClient: () => runtime.client(),
  })
  const storage = new SystemStorage({
    folder: app.getPath('userData'),
    evict: (system) => opened.tabs.evictSystem(system),
    clear: (system) => clearSession(sessionOf({ kind: 'system', system })),
  })
  runtime.onReady(() => void followSystems(runtime, storage))
  powerMonitor.on('resume', () => runtime.awake())
  const open = (): Shell =>
    openShell({
      folder: app.getPath('userData'),
      runtime,
      sessionOf,
      preloads: {
        shell: at('electron', 'preload-shell.cjs'),
        system: at('electron', 'preload-system.cjs'),
      },
    })
  let opened = open()
  for (const url of urls) opened.tabs.requestOpen(url)

  const comeForward = (addresses: string[]): void => {
    if (opened.window.isDestroyed()) opened = open()
    if (opened.window.isMinimized()) opened.window.restore()
    opened.window.focus()
    for (const url of addresses) opened.tabs.requestOpen(url)
  }
  app.on('second-instance', (_event, argv) => comeForward(findUrls(argv)))
  app.on('open-url', (event, url) => {
    event.preventDefault()
    comeForward(findUrls([url]))
  })
  app.on('activate', () => comeForward([]))

  let closed = false
  app.on('will-quit', (event) => {
    if (closed) return
    event.preventDefault()
    void runtime.close().finally(() => {
      closed = true
      app.quit()
    })
  })
}

const started = readArguments()
// Next to what the runtime keeps: one lock for one folder, also between windows.
app.setPath('userData', path.join(started.dataDir, 'electron'))
if (!app.requestSingleInstanceLock()) {
  console.error('Dharma is running on this data folder already; its window comes to the front.')
  app.exit(0)
} else {
  protocol.registerSchemesAsPrivileged([CLOUD_SCHEME])
  // Root has no sandbox (see `npm start`), and asking for one would end every child process.
  if (!app.commandLine.hasSwitch('no-sandbox')) app.enableSandbox()
  app.userAgentFallback = app.userAgentFallback.replace(/ (Electron|[Dd]harma)\/\S+/g, '')
  app.on('web-contents-created', (_event, contents) => guardByDefault(contents))
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit()
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => app.quit())
  void app.whenReady().then(() => {
    setMenu()
    if (app.isPackaged) {
      for (const scheme of ['cloud', 'dharma']) app.setAsDefaultProtocolClient(scheme)
    }
    openApp(started)
  })
}
