// A machine that is alone, in its window, with the plain system of the fixtures.
import { expect } from '@playwright/test'
import { windowOf } from './app-window.ts'
import type { AppWindow } from './app-window.ts'
import { launchElectron, NOBODY } from './electron-app.ts'
import type { ElectronMachine } from './electron-app.ts'
import { serveRepository } from './git-server.ts'
import type { GitServer } from './git-server.ts'

/** The system's id. */
export const PLAIN = 'org.example.plain'

export interface PlainMachine {
  machine: ElectronMachine
  window: AppWindow
  /** `plain`, and `notes`: the system for authors to begin with. */
  repositories: GitServer
  /** Installs the repository's newest commit. */
  install(): Promise<void>
  close(): Promise<void>
}

/** Starts it. The system is not installed yet. */
export async function startPlainMachine(): Promise<PlainMachine> {
  const repositories = await serveRepository({
    plain: 'e2e/fixtures/plain-system',
    notes: 'extensions/notes',
  })
  const machine = await launchElectron({ bootstrap: NOBODY })
  const window = windowOf(machine)
  await expect(window.shell.getByText('This machine started a new cloud')).toBeVisible()
  return {
    machine,
    window,
    repositories,
    async install() {
      const url = repositories.urlOf('plain')
      const commit = await repositories.commitOf('plain')
      await window.call('systems.install', { url, commit, grant: [] })
    },
    async close() {
      await machine.close()
      await repositories.close()
    },
  }
}
