// The window: its frame, its place and its colours. The shell's page draws everything in it.
import { BrowserWindow, nativeTheme, screen } from 'electron'
import type { Session } from 'electron'
import { WindowTheme } from './theme.ts'
import { windowColours } from './window-colours.ts'
import { isReachable, readWindowState, writeWindowState } from './window-state.ts'

const FIRST_SIZE = { width: 1280, height: 840 }
const SMALLEST_SIZE = { minWidth: 640, minHeight: 480 }
/** Height of the shell's tab strip, in which the window's own buttons lie. */
const TITLE_BAR_HEIGHT = 40

function overlay(dimmed: boolean): Electron.TitleBarOverlayOptions {
  const { canvas, text } = windowColours(nativeTheme.shouldUseDarkColors, dimmed)
  return { color: canvas, symbolColor: text, height: TITLE_BAR_HEIGHT }
}

function canvasColour(): string {
  return windowColours(nativeTheme.shouldUseDarkColors, false).canvas
}

export interface ShellWindowOptions {
  /** Where the window's state is kept. */
  folder: string
  session: Session
  preload: string
}

export interface ShellWindow {
  window: BrowserWindow
  /** Of the window and all pages; kept with the window's place. */
  theme: WindowTheme
  /** Darkens the window's own buttons, or no longer. */
  dim: (dimmed: boolean) => void
}

/** Makes the window as it was left. It is shown once its page can be seen. */
export function createShellWindow({ folder, session, preload }: ShellWindowOptions): ShellWindow {
  let state = readWindowState(folder)
  nativeTheme.themeSource = state.theme
  const areas = screen.getAllDisplays().map(({ workArea }) => workArea)
  const place =
    state.bounds !== null && isReachable(state.bounds, areas) ? state.bounds : FIRST_SIZE

  const window = new BrowserWindow({
    ...place,
    ...SMALLEST_SIZE,
    show: false,
    title: 'Dharma',
    titleBarStyle: 'hidden',
    ...(process.platform === 'darwin' ? {} : { titleBarOverlay: overlay(false) }),
    backgroundColor: canvasColour(),
    webPreferences: {
      session,
      preload,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInSubFrames: false,
      nodeIntegrationInWorker: false,
      webSecurity: true,
      webviewTag: false,
      spellcheck: false,
      navigateOnDragDrop: false,
    },
  })
  window.removeMenu()
  window.once('ready-to-show', () => {
    if (state.maximized) window.maximize()
    window.show()
  })

  let dimmed = false
  const recolour = (): void => {
    window.setBackgroundColor(canvasColour())
    if (process.platform !== 'darwin') window.setTitleBarOverlay(overlay(dimmed))
  }
  nativeTheme.on('updated', recolour)
  window.on('close', () => {
    state = { ...state, bounds: window.getNormalBounds(), maximized: window.isMaximized() }
    writeWindowState(folder, state)
  })
  window.once('closed', () => nativeTheme.off('updated', recolour))

  const theme = new WindowTheme(state.theme, (chosen) => {
    nativeTheme.themeSource = chosen
    state = { ...state, theme: chosen }
    writeWindowState(folder, state)
  })
  const dim = (wanted: boolean): void => {
    dimmed = wanted
    recolour()
  }
  return { window, theme, dim }
}
