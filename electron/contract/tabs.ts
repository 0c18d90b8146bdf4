// What the shell asks of the Electron main process: the views of tabs that show web pages and
// systems. Built-in pages are the shell's own and never appear here.
import { eventIterator } from '@orpc/contract'
import * as z from 'zod'
import { call } from '../../node-runtime/contract/procedure.ts'
import { emptySchema } from '../../node-runtime/contract/values.ts'
import { shortcutSchema } from './shortcuts.ts'

/** An id that the shell chooses when it opens a view. */
const tabIdSchema = z.string().min(1).max(40)

/** CSS pixels relative to the window's content. */
export const boundsSchema = z.object({
  x: z.number().int(),
  y: z.number().int(),
  width: z.number().int().nonnegative(),
  height: z.number().int().nonnegative(),
})
export type Bounds = z.infer<typeof boundsSchema>

/** Light, dark, or as the computer has it. */
export const themeSchema = z.enum(['light', 'dark', 'system'])
export type Theme = z.infer<typeof themeSchema>

export const viewStateSchema = z.object({
  tab: tabIdSchema,
  kind: z.enum(['web', 'system']),
  url: z.string(),
  title: z.string(),
  favicon: z.string().nullable(),
  loading: z.boolean(),
  canGoBack: z.boolean(),
  canGoForward: z.boolean(),
  /**
   * `local`: the own machine (localhost). `cloud`: a system, checked against its commit. `unknown`: a
   * page in a frame of a browser, which does not tell where that has gone, nor how it is connected.
   * `pending`: the person wants to go to this address, and nothing has arrived from there yet: what is shown
   * is the page before, or none.
   */
  security: z.enum(['secure', 'insecure', 'local', 'cloud', 'error', 'unknown', 'pending']),
  /** Why the page did not load, in words; null if it did. */
  failure: z.object({ code: z.string(), message: z.string() }).nullable(),
})
export type ViewState = z.infer<typeof viewStateSchema>

export const tabsEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('viewChanged'), view: viewStateSchema }),
  z.object({ type: z.literal('viewClosed'), tab: tabIdSchema }),
  /** A page asked for a new window, or linked to a built-in page: the shell opens a tab. */
  z.object({ type: z.literal('openRequested'), url: z.string(), fromTab: tabIdSchema.nullable() }),
  /** How the window and all pages look: told at first, and whenever another theme was chosen. */
  z.object({ type: z.literal('themeChanged'), theme: themeSchema }),
  /** A browser shortcut pressed while a page has the focus. */
  z.object({ type: z.literal('shortcut'), shortcut: shortcutSchema }),
])
export type TabsEvent = z.infer<typeof tabsEventSchema>

const errors = ['TAB_UNKNOWN', 'TAB_ADDRESS_INVALID'] as const
const ofTab = z.object({ tab: tabIdSchema })

export const tabsContract = {
  /** Opens a view on an `http:`, `https:` or `cloud://<system key>/` address. It starts hidden. */
  open: call({
    input: z.object({ tab: tabIdSchema, url: z.string() }),
    output: emptySchema,
    errors,
  }),
  navigate: call({
    input: z.object({ tab: tabIdSchema, url: z.string() }),
    output: emptySchema,
    errors,
  }),
  back: call({ input: ofTab, output: emptySchema, errors }),
  forward: call({ input: ofTab, output: emptySchema, errors }),
  reload: call({ input: ofTab, output: emptySchema, errors }),
  stop: call({ input: ofTab, output: emptySchema, errors }),
  close: call({ input: ofTab, output: emptySchema, errors }),
  /** Shows one view at these bounds and hides the others; null hides all. */
  show: call({
    input: z.object({ tab: tabIdSchema.nullable(), bounds: boundsSchema }),
    output: emptySchema,
    errors,
  }),
  /** For the window and all pages, from now on; `themeChanged` tells that it was done. */
  setTheme: call({ input: z.object({ theme: themeSchema }), output: emptySchema }),
  /** Darkens what the shell's page does not draw: the window's own buttons, while a dialog is open. */
  dim: call({ input: z.object({ dimmed: z.boolean() }), output: emptySchema }),
  watch: call({ input: emptySchema, output: eventIterator(tabsEventSchema) }),
}
export type TabsContract = typeof tabsContract
