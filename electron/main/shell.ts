// The window with everything that belongs to it: the shell's page, its ports, the tabs.
import { MessageChannelMain, dialog, ipcMain, nativeTheme } from 'electron'
import type { BrowserWindow, IpcMainEvent, Session } from 'electron'
import { toCloudError } from './cloud-error.ts'
import { SHELL_ORIGIN } from './navigation.ts'
import type { PageOwner } from './navigation.ts'
import { guardPage } from './page-guard.ts'
import { RestartLimit } from './restart-limit.ts'
import type { RuntimeHost } from './runtime-host.ts'
import { isFrom } from './sender.ts'
import { createTabsServer } from './tabs-service.ts'
import { Tabs } from './tabs.ts'
import { createShellWindow } from './window.ts'

export interface ShellOptions {
  folder: string
  runtime: Pick<RuntimeHost, 'openPort' | 'onReady'>
  sessionOf: (owner: PageOwner) => Session
  preloads: { shell: string; system: string }
}

export interface Shell {
  window: BrowserWindow
  tabs: Tabs
}

/** Opens the window on the shell's page. */
export function openShell({ folder, runtime, sessionOf, preloads }: ShellOptions): Shell {
  const { window, theme, dim } = createShellWindow({
    folder,
    session: sessionOf({ kind: 'shell' }),
    preload: preloads.shell,
  })
  const { webContents } = window
  const tabs = new Tabs({ window, sessionOf, systemPreload: preloads.system })
  const serveTabs = createTabsServer({ tabs, theme, dim })

  guardPage(webContents, { kind: 'shell' }, (url) => tabs.requestOpen(url))
  // A new page knows nothing of the views of the one before, and has no dialog open.
  webContents.on('did-navigate', () => {
    tabs.closeAll()
    dim(false)
  })
  const restarts = new RestartLimit()
  webContents.on('render-process-gone', (_event, { reason }) => {
    if (reason === 'clean-exit') return
    console.error(`The page of the window stopped (${reason}).`)
    if (restarts.died(performance.now())) webContents.reload()
    else void explainDeath(window, reason).then((again) => again && restarts.reset())
  })

  /** The page asks again when it has waited long enough: only its last question is answered. */
  let asked = 0
  /** @param wantsTabs  has the page no port of the tabs yet? It knows; what was sent may be lost. */
  const giveShellPorts = async (event: IpcMainEvent, wantsTabs: unknown): Promise<void> => {
    if (!isFrom(event, webContents, SHELL_ORIGIN)) return
    const turn = ++asked
    try {
      const runtimePort = await runtime.openPort({ kind: 'owner' })
      if (turn !== asked || !isFrom(event, webContents, SHELL_ORIGIN)) return runtimePort.close()
      if (wantsTabs !== true) return webContents.postMessage('shell:ports', null, [runtimePort])
      const { port1, port2 } = new MessageChannelMain()
      serveTabs(port1, {})
      port1.start()
      webContents.postMessage('shell:ports', null, [runtimePort, port2])
    } catch (error) {
      // At once, so that the window says why and does not wait for nothing.
      if (turn === asked && !webContents.isDestroyed()) {
        webContents.send('shell:failed', toCloudError(error).toJSON())
      }
    }
  }

  const giveSystemPort = async (event: IpcMainEvent): Promise<void> => {
    const { sender } = event
    const found = tabs.systemOf(sender)
    if (found === null) return
    const { system, view } = found
    if (!isFrom(event, sender, `cloud://${system}`) || !view.takePort()) return
    try {
      const port = await runtime.openPort({ kind: 'system', system })
      // It may have gone elsewhere while the runtime was starting.
      if (!isFrom(event, sender, `cloud://${system}`)) return port.close()
      sender.postMessage('system:port', { system, theme: currentTheme() }, [port])
    } catch (error) {
      console.error(`A page of ${system} got no port:`, toCloudError(error).message)
      // The page may ask again, which it does by itself.
      if (!sender.isDestroyed()) sender.send('system:failed')
    }
  }

  const onShellReady = (event: IpcMainEvent, wantsTabs: unknown): void =>
    void giveShellPorts(event, wantsTabs)
  const onSystemConnect = (event: IpcMainEvent): void => void giveSystemPort(event)
  const stopTelling = runtime.onReady(() => webContents.send('shell:runtime-ready'))
  ipcMain.on('shell:ready', onShellReady)
  ipcMain.on('system:connect', onSystemConnect)

  const tellTheme = (): void => {
    for (const page of tabs.systemPages()) page.send('system:theme', currentTheme())
  }
  nativeTheme.on('updated', tellTheme)
  window.once('closed', () => {
    nativeTheme.off('updated', tellTheme)
    ipcMain.off('shell:ready', onShellReady)
    ipcMain.off('system:connect', onSystemConnect)
    stopTelling()
    tabs.closeAll()
  })

  void webContents.loadURL(`${SHELL_ORIGIN}/`)
  return { window, tabs }
}

/** The window has lost its page for the third time; gives whether it is to be tried again. */
async function explainDeath(window: BrowserWindow, reason: string): Promise<boolean> {
  const { response } = await dialog.showMessageBox(window, {
    type: 'error',
    title: 'Dharma',
    message: 'The page of this window keeps stopping.',
    detail: `What this machine keeps is not touched by that. (${reason})`,
    buttons: ['Try again', 'Close the window'],
    cancelId: 1,
  })
  if (window.isDestroyed()) return false
  if (response === 0) window.webContents.reload()
  else window.close()
  return response === 0
}

function currentTheme(): 'light' | 'dark' {
  return nativeTheme.shouldUseDarkColors ? 'dark' : 'light'
}
