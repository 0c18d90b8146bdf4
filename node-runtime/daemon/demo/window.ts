// Opens what the person sees: Dharma's own window where Electron is installed, else the browser.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { APP_DIR } from '../../host/places.ts'

const BROWSER_OPENERS: Partial<Record<NodeJS.Platform, [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', ''],
}

/** Electron's executable, if it is here already and there is a screen; it is never downloaded. */
export function findElectron(): string | null {
  const { env, platform } = process
  if (platform === 'linux' && !env['DISPLAY'] && !env['WAYLAND_DISPLAY']) return null
  try {
    const folder = dirname(createRequire(import.meta.url).resolve('electron/package.json'))
    const dist = env['ELECTRON_OVERRIDE_DIST_PATH'] || join(folder, 'dist')
    const named = join(folder, 'path.txt')
    const executable = join(dist, existsSync(named) ? readFileSync(named, 'utf8') : 'electron')
    return existsSync(executable) ? executable : null
  } catch {
    // The package is not installed.
    return null
  }
}

export interface DemoWindow {
  closed: Promise<void>
  close(): Promise<void>
}

/** Dharma's own window on a data folder that no other process has. */
export function openWindow(electron: string, args: readonly string[]): DemoWindow {
  const switches = process.platform === 'linux' && process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const child = spawn(electron, [...switches, APP_DIR, ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const closed = once(child, 'exit').then(() => undefined)
  return {
    closed,
    async close() {
      child.kill('SIGTERM')
      await closed
    },
  }
}

/** Asks the system to open an address; false if it has no way to. */
export async function openBrowser(url: string): Promise<boolean> {
  const [command, ...args] = BROWSER_OPENERS[process.platform] ?? ['xdg-open']
  const opener = spawn(command, [...args, url], { stdio: 'ignore', detached: true })
  try {
    await once(opener, 'spawn')
    opener.unref()
    return true
  } catch {
    return false
  }
}
