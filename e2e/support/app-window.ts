// The Dharma window as a person has it before them, whether Electron's or the daemon's pages in
// Chromium.
import path from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, FrameLocator, Page } from '@playwright/test'
import { expect } from '@playwright/test'
import * as z from 'zod'
import { callMachine } from './machines.ts'
import type { Daemon } from './machines.ts'
import { launchElectron } from './electron-app.ts'
import type { ElectronMachine, ElectronOptions } from './electron-app.ts'

const listSchema = z.object({
  systems: z.array(z.object({ id: z.string(), key: z.string() })),
})

const SHOTS = path.resolve(import.meta.dirname, '../shots')

/** The inside of a tab: a page of its own in Electron, a frame in the daemon's UI. */
export type TabView = Page | FrameLocator

export interface AppWindow {
  /** `electron` or `daemon`, for the names of screenshots. */
  kind: string
  shell: Page
  dataDir: string
  /** The page of an installed system, once it is there. */
  system(id: string): Promise<TabView>
  /** The web page at this address, once it is there. */
  web(address: string): Promise<TabView>
  /** Is this view what a person sees, in its place and under nothing? A frame is drawn by the shell. */
  expectInPlace(view: TabView): Promise<void>
  call(name: string, input: unknown): Promise<unknown>
  kill(): Promise<void>
  close(): Promise<void>
}

/** Under its key lie the pages of a system. Waits for the system to be installed. */
async function keyOf(dataDir: string, id: string): Promise<string> {
  let key: string | undefined
  await expect(async () => {
    const { systems } = listSchema.parse(await callMachine(dataDir, 'systems.list', {}))
    key = systems.find((system) => system.id === id)?.key
    expect(key).toBeDefined()
  }).toPass()
  return key ?? ''
}

/** A desktop app in its window. */
export async function openElectronWindow(options: ElectronOptions): Promise<AppWindow> {
  return windowOf(await launchElectron(options))
}

/** The window of a desktop app that was launched already. */
export function windowOf(machine: ElectronMachine): AppWindow {
  return {
    kind: 'electron',
    shell: machine.shell,
    dataDir: machine.dataDir,
    system: async (id) => machine.view(`cloud://${await keyOf(machine.dataDir, id)}/`),
    web: (address) => machine.view(address),
    expectInPlace: (view) => expectViewInPlace(machine, view),
    call: (name, input) => callMachine(machine.dataDir, name, input),
    kill: () => machine.kill(),
    close: () => machine.close(),
  }
}

/** A daemon's pages in a browser. */
export async function openDaemonWindow(browser: Browser, daemon: Daemon): Promise<AppWindow> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
  const shell = await context.newPage()
  await shell.goto(daemon.url)
  return {
    kind: 'daemon',
    shell,
    dataDir: daemon.dataDir,
    system: async (id) => {
      const key = await keyOf(daemon.dataDir, id)
      return shell.frameLocator(`iframe[src^="http://${key}.localhost"]`)
    },
    web: async (address) => shell.frameLocator(`iframe[src^="${address}"]`),
    expectInPlace: async () => undefined,
    call: daemon.call,
    kill: async () => {
      await daemon.kill()
      await context.close()
    },
    close: async () => {
      await context.close()
      await daemon.close()
    },
  }
}

/** A shot of a view shows it alone: that it is seen, where the shell has room for it, is asked here. */
async function expectViewInPlace({ app, shell }: ElectronMachine, view: TabView): Promise<void> {
  if (!('mainFrame' in view)) throw new Error('A view of the desktop window is a page of its own.')
  const room = await shell.getByRole('tabpanel').evaluate((panel) => {
    const { left, top, width, height } = panel.getBoundingClientRect()
    return [left, top, width, height].map((length) => Math.round(length))
  })
  const readPlaces = () =>
    app.evaluate(({ BrowserWindow }) => {
      const window = BrowserWindow.getAllWindows()[0]
      const views = (window?.contentView.children ?? []) as Electron.WebContentsView[]
      return views
        .filter((each) => (each as { shown?: boolean }).shown === true)
        .map((each) => [each.webContents.getURL(), ...Object.values(each.getBounds())])
    })
  await expect.poll(readPlaces).toEqual([[view.url(), ...room]])
}

/** The page of a system in the desktop window, where it is a page of its own. */
export async function systemPage(window: AppWindow, id: string): Promise<Page> {
  const view = await window.system(id)
  if (!('mainFrame' in view)) throw new Error(`${id} is shown in a frame`)
  return view
}

/** Types an address into the bar and goes there. */
export async function goTo({ shell }: AppWindow, address: string): Promise<void> {
  const bar = shell.getByRole('combobox', { name: 'Address' })
  await bar.fill(address)
  await bar.press('Enter')
}

export async function openPage({ shell }: AppWindow, name: string): Promise<void> {
  await shell.getByRole('navigation', { name: 'Main' }).getByRole('link', { name }).click()
  await expect(shell.getByRole('heading', { level: 1 })).toBeVisible()
}

const THEMES = ['dark', 'light'] as const

/** As a person would: by the command palette. */
async function chooseTheme({ shell }: AppWindow, theme: (typeof THEMES)[number]): Promise<void> {
  await shell.keyboard.press('Control+K')
  await shell.getByRole('combobox', { name: 'Command' }).fill(`Theme: ${theme}`)
  await shell.keyboard.press('Enter')
  await expect(shell.locator(`html[data-theme="${theme}"]`)).toBeAttached()
}

/** Until colours have changed and things have moved; what never ends, such as a spinner, goes on. */
async function settle(view: TabView): Promise<void> {
  // Asked again and again: an animation's own promise may never come, when what it moves is gone.
  await expect
    .poll(() =>
      view
        .locator('html')
        .evaluate(
          (html) =>
            html.ownerDocument
              .getAnimations()
              .filter(
                ({ effect, playState }) =>
                  playState === 'running' && effect?.getComputedTiming().endTime !== Infinity,
              ).length,
        ),
    )
    .toBe(0)
}

/**
 * Screenshots of the window in both themes, and what axe says of it: in the light theme of all, in the
 * dark one of colours, since nothing else differs. With the view of a tab, the view has followed;
 * where it is a page of its own, it is shot and checked instead of the window.
 */
export async function showBothThemes(
  window: AppWindow,
  name: string,
  view?: TabView,
): Promise<void> {
  const page = view !== undefined && 'screenshot' in view ? view : window.shell
  for (const theme of THEMES) {
    await chooseTheme(window, theme)
    if (view !== undefined) await expect(view.locator(`html[data-theme="${theme}"]`)).toBeAttached()
    for (const inside of view === undefined ? [window.shell] : [window.shell, view]) {
      await settle(inside)
    }
    if (view !== undefined) await window.expectInPlace(view)
    await page.screenshot({ path: path.join(SHOTS, `${window.kind}-${name}-${theme}.png`) })
    await expectAccessible(page, theme === 'dark' ? RULES_OF_COLOUR : undefined)
  }
}

/** What a theme can break. */
const RULES_OF_COLOUR = ['color-contrast', 'link-in-text-block']

async function expectAccessible(page: Page, rules?: string[]): Promise<void> {
  const axe = new AxeBuilder({ page }).setLegacyMode(true)
  const { violations } = await (rules === undefined ? axe : axe.withRules(rules)).analyze()
  expect(
    violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' | ')}`),
  ).toEqual([])
}
