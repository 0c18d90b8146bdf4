// The window: its frame, its place and its colours. The shell's page draws everything in it.
import { BrowserWindow, nativeTheme, screen } from 'electron'
import type { Session } from 'electron'
import { WindowTheme } from './theme.ts'
import { isReachable, readWindowState, writeWindowState } from './window-state.ts'

const FIRST_SIZE = { width: 1280, height: 840 }
const SMALLEST_SIZE = { minWidth: 640, minHeight: 480 }
/** Height of the shell's tab strip, in which the window's own buttons lie. */
const TITLE_BAR_HEIGHT = 40

/** The canvas and text of the design tokens, for the moment before the page is there. */
const COLOURS = {
  light: { canvas: '#f3f3f0', text: '#1c201e' },
  dark: { canvas: '#141716', text: '#e7ebe9' },
}

function colours(): (typeof COLOURS)['light'] {
  return nativeTheme.shouldUseDarkColors ? COLOURS.dark : COLOURS.light
}

function overlay(): Electron.TitleBarOverlayOptions {
  const { canvas, text } = colours()
  return { color: canvas, symbolColor: text, height: TITLE_BAR_HEIGHT }
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
    ...(process.platform === 'darwin' ? {} : { titleBarOverlay: overlay() }),
    backgroundColor: colours().canvas,
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

  const recolour = (): void => {
    window.setBackgroundColor(colours().canvas)
    if (process.platform !== 'darwin') window.setTitleBarOverlay(overlay())
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
  return { window, theme }
}
