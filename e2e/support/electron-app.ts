// The desktop app in a real window, started on a data folder of its own.
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { _electron } from '@playwright/test'
import type { ElectronApplication, Page } from '@playwright/test'

const ROOT = path.resolve(import.meta.dirname, '../..')

export interface ElectronOptions {
  /** A new one by default, which `close` deletes. */
  dataDir?: string
  /** Key of the cloud to join; without it, the folder's own or a new one. */
  cloud?: string
  /** `HOST:PORT` of the DHT's first nodes. */
  bootstrap?: readonly string[]
  /** More arguments, such as an address to open. */
  args?: readonly string[]
  env?: Record<string, string>
  /** Folder of the app that is started; by default, this source tree. */
  app?: string
  /** A packed app's executable; by default, the app in this source tree. */
  executable?: string
}

export interface ElectronMachine {
  app: ElectronApplication
  /** The page that draws the window. */
  shell: Page
  dataDir: string
  /** The page of a tab, once it is at an address that begins so. */
  view(address: string): Promise<Page>
  /** Quits in good order and deletes the data folder, if it was made for this. */
  close(): Promise<void>
  /** `kill -9` for the app and the runtime. The data folder stays. */
  kill(): Promise<void>
}

/** To begin the DHT at: nothing listens there, so that a machine stays alone, and on this computer. */
export const NOBODY: readonly string[] = ['127.0.0.1:9']

/** How long a page may take to come; the tests' machines are busy. */
const PAGE_TIMEOUT_MS = 30_000
const LOOK_AGAIN_MS = 50

/** A page whose address begins so, now or when it comes. A view is a window without its own event. */
async function findPage(app: ElectronApplication, address: string): Promise<Page> {
  const untilMs = performance.now() + PAGE_TIMEOUT_MS
  while (performance.now() < untilMs) {
    const found = app.windows().find((page) => page.url().startsWith(address))
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))
  }
  const open = app.windows().map((page) => page.url())
  throw new Error(`No page came to ${address}; there are: ${open.join(', ')}`)
}

function cleanEnv(env: Record<string, string>): Record<string, string> {
  const { ELECTRON_RUN_AS_NODE: _no, ...rest } = process.env
  return { ...(rest as Record<string, string>), ...env }
}

/** Starts the app and waits for the shell's page. */
export async function launchElectron(options: ElectronOptions = {}): Promise<ElectronMachine> {
  const { cloud, bootstrap, args = [], env = {}, executable } = options
  const dataDir = options.dataDir ?? (await mkdtemp(path.join(os.tmpdir(), 'dharma-e2e-')))
  const app = await _electron.launch({
    ...(executable === undefined ? {} : { executablePath: executable }),
    args: [
      ...(executable === undefined ? [options.app ?? ROOT] : []),
      '--data',
      dataDir,
      ...(cloud === undefined ? [] : ['--cloud', cloud]),
      ...(bootstrap === undefined ? [] : ['--bootstrap', bootstrap.join(',')]),
      ...args,
    ],
    env: cleanEnv(env),
    chromiumSandbox: process.getuid?.() !== 0,
  })
  const exited = new Promise<void>((resolve) => app.process().once('exit', () => resolve()))
  const shell = await findPage(app, 'cloud://dharma/').catch((error: unknown) => {
    app.process().kill('SIGKILL')
    throw error
  })
  // Electron 33 does not tell whether a view is shown; what it was told last is kept for the tests.
  await app.evaluate(({ View }) => {
    const { setVisible } = View.prototype
    View.prototype.setVisible = function (this: Electron.View, shown) {
      Object.assign(this, { shown })
      setVisible.call(this, shown)
    }
  })
  return {
    app,
    shell,
    dataDir,
    view: (address) => findPage(app, address),
    async close() {
      await app.close()
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true })
    },
    async kill() {
      const pids = await app.evaluate(({ app: electron }) =>
        electron.getAppMetrics().map(({ pid }) => pid),
      )
      for (const pid of pids.toReversed()) {
        try {
          process.kill(pid, 'SIGKILL')
        } catch (error) {
          // A child may have ended with its parent.
          if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
        }
      }
      await exited
    },
  }
}
