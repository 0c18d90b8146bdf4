// How a page is made to leave for another address, and how it is known who stopped it.
import { expect } from '@playwright/test'
import type { ElectronApplication, Frame } from '@playwright/test'
import type { AppWindow } from './app-window.ts'

/** Who stops a page on its way elsewhere: the browser, the page's policy, or the window's guard. */
export type Stop = 'browser' | 'policy' | 'guard'

/** Says who has stopped the page since it was last asked. */
type ReadStops = () => Promise<Stop[]>

export async function watchStops(page: Frame, app: ElectronApplication | null): Promise<ReadStops> {
  const said: Stop[] = []
  page.page().on('console', (message) => {
    if (/^Not allowed to (load|navigate)/.test(message.text())) said.push('browser')
    if (/JavaScript URL/.test(message.text())) said.push('policy')
  })
  if (app === null) return async () => said.splice(0)
  await app.evaluate(({ webContents }, address) => {
    const contents = webContents.getAllWebContents().find((each) => each.getURL() === address)
    const guarded: string[] = []
    Object.assign(globalThis, { guarded })
    contents?.on('will-frame-navigate', ({ defaultPrevented }) => {
      guarded.push(defaultPrevented ? 'guard' : 'nobody')
    })
  }, page.url())
  return async () => [
    ...said.splice(0),
    ...(await app.evaluate(() => (globalThis as unknown as { guarded: Stop[] }).guarded.splice(0))),
  ]
}

/** Makes the page go somewhere, and expects it to be the same page as before. */
export async function expectStopped(
  page: Frame,
  readStops: ReadStops,
  by: Stop,
  go: () => Promise<unknown>,
): Promise<void> {
  const address = page.url()
  const visit = crypto.randomUUID()
  await page.evaluate((id) => Object.assign(globalThis, { visit: id }), visit)
  await go()
  const stops: Stop[] = []
  const readAll = async (): Promise<Stop[]> => {
    stops.push(...(await readStops()))
    return stops
  }
  // What it said of earlier tries may come late.
  await expect.poll(readAll).toContain(by)
  expect(page.url()).toBe(address)
  expect(await page.evaluate(() => (globalThis as { visit?: string }).visit)).toBe(visit)
}

/**
 * A click as the person makes it, on a link to that address. By the mouse: a locator would wait for
 * the end of a navigation, and one that was stopped has none.
 */
export async function click(page: Frame, address: string): Promise<void> {
  const link = await page.evaluate((href) => {
    const bait = document.querySelector('#bait')
    bait?.setAttribute('href', href)
    return bait?.getBoundingClientRect().toJSON() as DOMRect
  }, address)
  const inFrame = page.parentFrame() !== null
  const frame = inFrame ? await (await page.frameElement()).boundingBox() : null
  const { x, y } = frame ?? { x: 0, y: 0 }
  await page.page().mouse.click(x + link.x + link.width / 2, y + link.y + link.height / 2)
}

export const setLocation = (page: Frame, address: string): Promise<void> =>
  page.evaluate((href) => void (location.href = href), address)

/** Gives what the call returned, or the name of its error. */
export const open = (page: Frame, address: string): Promise<string> =>
  page.evaluate((href) => String(window.open(href)), address)

/** What the shell says to a page that asks for a port, until it says no more. */
export async function answersOf(window: AppWindow, page: Frame): Promise<unknown[]> {
  await window.shell.evaluate(() => {
    // After the shell's own listener: what that one answers, the page hears first.
    addEventListener('message', ({ data, source }) => {
      if (data?.last === true) (source as Window).postMessage('no more', '*')
    })
  })
  return page.evaluate(
    () =>
      new Promise((resolve) => {
        const heard: unknown[] = []
        addEventListener('message', ({ data }) => {
          if (data === 'no more') resolve(heard)
          else heard.push(data?.type)
        })
        parent.postMessage({ type: 'dharma:connect', last: true }, '*')
      }),
  )
}
