// How long the desktop app takes to a usable window, against an Electron window with one heading.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { _electron } from '@playwright/test'
import { launchElectron, NOBODY } from '../support/electron-app.ts'
import { MissingPart, compare } from './report.ts'
import type { Measure } from './report.ts'

const ROUNDS = 5
const RUNTIME = path.resolve(import.meta.dirname, '../../build/electron-runtime.mjs')

const BARE_MAIN = `
const { app, BrowserWindow } = require('electron')
const path = require('node:path')
app.whenReady().then(() => {
  new BrowserWindow({ width: 1280, height: 800 }).loadFile(path.join(__dirname, 'index.html'))
})
app.on('window-all-closed', () => app.quit())
`
const BARE_PAGE = '<!doctype html><title>Bare</title><h1>Bare</h1>'

/** A minimal app in a new folder. */
async function writeBareApp(): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'bare-electron-'))
  const manifest = { name: 'bare', version: '0.0.0', main: 'main.js' }
  await writeFile(path.join(folder, 'main.js'), BARE_MAIN)
  await writeFile(path.join(folder, 'package.json'), JSON.stringify(manifest))
  await writeFile(path.join(folder, 'index.html'), BARE_PAGE)
  return folder
}

/** Makes sure of an Electron and a display, or says what is missing. */
export async function findElectron(): Promise<void> {
  if (process.platform === 'linux' && !process.env['DISPLAY']) {
    throw new MissingPart('there is no display, and xvfb-run is not installed')
  }
  try {
    process.env['ELECTRON_OVERRIDE_DIST_PATH'] ??= (
      await promisify(execFile)(process.execPath, [RUNTIME])
    ).stdout.trim()
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim().split('\n') ?? []
    const reason = said.find((line) => line.startsWith('Error:')) ?? said.at(-1)
    throw new MissingPart(`there is no Electron here (${reason ?? String(error)})`)
  }
}

/** From the spawn until the page's one heading is there, in ms. */
async function startBare(app: string): Promise<number> {
  const profile = await mkdtemp(path.join(os.tmpdir(), 'bare-profile-'))
  const startMs = performance.now()
  const bare = await _electron.launch({
    args: [app, `--user-data-dir=${profile}`],
    chromiumSandbox: process.getuid?.() !== 0,
  })
  try {
    const page = await bare.firstWindow()
    await page.getByRole('heading', { level: 1 }).waitFor()
    return performance.now() - startMs
  } finally {
    await bare.close()
  }
}

/** From the spawn, in ms: until the window is drawn, and until it shows what the runtime answered. */
async function startDharma(dataDir: string): Promise<{ drawnMs: number; usableMs: number }> {
  await mkdir(dataDir, { recursive: true })
  const startMs = performance.now()
  const machine = await launchElectron({ dataDir, bootstrap: NOBODY })
  try {
    await machine.shell.getByRole('heading', { level: 1 }).waitFor()
    const drawnMs = performance.now() - startMs
    await machine.shell.getByRole('button', { name: 'Cloud: Alone' }).waitFor()
    return { drawnMs, usableMs: performance.now() - startMs }
  } finally {
    await machine.close()
  }
}

export const desktopStart: Measure = {
  name: 'desktop',
  title: 'Start of the desktop app, from the spawn',
  async run(say) {
    await findElectron()
    const bareApp = await writeBareApp()
    const folder = await mkdtemp(path.join(os.tmpdir(), 'dharma-desktop-'))
    const bare: number[] = []
    const drawn: number[] = []
    const first: number[] = []
    const again: number[] = []
    // The first of each fills the file caches and does not count.
    await startBare(bareApp)
    await startDharma(path.join(folder, 'warm-up'))
    for (let round = 1; round <= ROUNDS; round++) {
      say(`desktop app, round ${round} of ${ROUNDS}`)
      const dataDir = path.join(folder, String(round))
      bare.push(await startBare(bareApp))
      const { drawnMs, usableMs } = await startDharma(dataDir)
      drawn.push(drawnMs)
      first.push(usableMs)
      again.push((await startDharma(dataDir)).usableMs)
    }
    const against = 'bare Electron window, one heading'
    return [
      compare('to the heading of Home, first start', 'ms', drawn, against, bare),
      compare('to the runtime’s answer on it, first start', 'ms', first, against, bare),
      compare('the same, started again', 'ms', again, against, bare),
    ]
  },
}
