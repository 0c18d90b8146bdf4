// The window with everything that belongs to it: the shell's page, its ports, the tabs.
import { MessageChannelMain, ipcMain, nativeTheme } from 'electron'
import type { BrowserWindow, IpcMainEvent, Session } from 'electron'
import { SHELL_ORIGIN } from './navigation.ts'
import type { PageOwner } from './navigation.ts'
import { guardPage } from './page-guard.ts'
import type { RuntimeHost } from './runtime-host.ts'
import { isFrom } from './sender.ts'
import { createTabsServer } from './tabs-service.ts'
import { Tabs } from './tabs.ts'
import { createShellWindow } from './window.ts'

/** A system's page needs one port; one that keeps asking gets no more than this until it reloads. */
const MAX_PORTS_PER_PAGE = 16

export interface ShellOptions {
  folder: string
  runtime: RuntimeHost
  sessionOf: (owner: PageOwner) => Session
  preloads: { shell: string; system: string }
}

export interface Shell {
  window: BrowserWindow
  tabs: Tabs
}

/** Opens the window on the shell's page. */
export function openShell({ folder, runtime, sessionOf, preloads }: ShellOptions): Shell {
  const { window, chooseTheme } = createShellWindow({
    folder,
    session: sessionOf({ kind: 'shell' }),
    preload: preloads.shell,
  })
  const { webContents } = window
  const tabs = new Tabs({ window, sessionOf, systemPreload: preloads.system })
  const serveTabs = createTabsServer({ tabs, themeChosen: chooseTheme })
  let tabsServed = false

  guardPage(webContents, { kind: 'shell' }, (url) => tabs.requestOpen(url))
  // A new page knows nothing of the views of the one before.
  webContents.on('did-navigate', () => {
    tabsServed = false
    tabs.closeAll()
  })
  webContents.on('render-process-gone', (_event, { reason }) => {
    if (reason !== 'clean-exit') webContents.reload()
  })

  const giveShellPorts = async (event: IpcMainEvent): Promise<void> => {
    if (!isFrom(event, webContents, SHELL_ORIGIN)) return
    const { senderFrame } = event
    const runtimePort = await runtime.openPort({ kind: 'owner' })
    if (senderFrame === null || senderFrame !== webContents.mainFrame) return runtimePort.close()
    if (tabsServed) return webContents.postMessage('shell:ports', null, [runtimePort])
    tabsServed = true
    const { port1, port2 } = new MessageChannelMain()
    serveTabs(port1, {})
    port1.start()
    webContents.postMessage('shell:ports', null, [runtimePort, port2])
  }

  const givenPorts = new WeakMap<object, number>()
  const giveSystemPort = async (event: IpcMainEvent): Promise<void> => {
    const { sender, senderFrame } = event
    const system = tabs.systemOf(sender)
    if (system === null || !isFrom(event, sender, `cloud://${system}`)) return
    if (senderFrame === null) return
    const given = givenPorts.get(senderFrame) ?? 0
    if (given >= MAX_PORTS_PER_PAGE) return
    givenPorts.set(senderFrame, given + 1)
    const port = await runtime.openPort({ kind: 'system', system })
    // It may have gone elsewhere while the runtime was starting.
    if (!isFrom(event, sender, `cloud://${system}`)) return port.close()
    sender.postMessage('system:port', { system, theme: currentTheme() }, [port])
  }

  /** The runtime may have died meanwhile; the page asks again. */
  const orLater =
    (give: (event: IpcMainEvent) => Promise<void>) =>
    (event: IpcMainEvent): void =>
      void give(event).catch(() => undefined)
  const onShellReady = orLater(giveShellPorts)
  const onSystemConnect = orLater(giveSystemPort)
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
    tabs.closeAll()
  })

  void webContents.loadURL(`${SHELL_ORIGIN}/`)
  return { window, tabs }
}

function currentTheme(): 'light' | 'dark' {
  return nativeTheme.shouldUseDarkColors ? 'dark' : 'light'
}
