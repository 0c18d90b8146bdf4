// Where the window was and how it looked, kept in the data folder.
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import * as z from 'zod'
import { boundsSchema, themeSchema } from '../contract/tabs.ts'
import type { Bounds } from '../contract/tabs.ts'

const FILE = 'window.json'

const windowStateSchema = z.object({
  bounds: boundsSchema.nullable(),
  maximized: z.boolean(),
  theme: themeSchema,
})
export type WindowState = z.infer<typeof windowStateSchema>

const FIRST: WindowState = { bounds: null, maximized: false, theme: 'system' }

/** What was kept; a file that can't be read counts as none. */
export function readWindowState(folder: string): WindowState {
  try {
    return windowStateSchema.parse(JSON.parse(readFileSync(path.join(folder, FILE), 'utf8')))
  } catch {
    return FIRST
  }
}

/** Keeps it. Synchronous, because it must be done when the window closes. */
export function writeWindowState(folder: string, state: WindowState): void {
  const file = path.join(folder, FILE)
  try {
    writeFileSync(`${file}.new`, JSON.stringify(state))
    renameSync(`${file}.new`, file)
  } catch (error) {
    // A window that forgets its place is no reason to stop.
    console.error('The place of the window could not be kept:', error)
  }
}

/** Pure: can enough of the window be seen on one of the screens to take hold of it? */
export function isReachable(bounds: Bounds, screens: readonly Bounds[]): boolean {
  const GRIP = 80
  return screens.some((screen) => {
    const width =
      Math.min(bounds.x + bounds.width, screen.x + screen.width) - Math.max(bounds.x, screen.x)
    const onTop = bounds.y >= screen.y && bounds.y < screen.y + screen.height - GRIP / 2
    return width >= GRIP && onTop
  })
}
