// The keys of the window, wherever they are pressed: in the shell's page, or in a page of a tab. Pure.
import * as z from 'zod'

export const shortcutSchema = z.enum([
  'new-tab',
  'close-tab',
  'reopen-tab',
  'next-tab',
  'previous-tab',
  'move-tab-left',
  'move-tab-right',
  'tab-1',
  'tab-2',
  'tab-3',
  'tab-4',
  'tab-5',
  'tab-6',
  'tab-7',
  'tab-8',
  /** The last tab, as in every browser. */
  'tab-9',
  'back',
  'forward',
  'reload',
  'focus-address',
  'command-palette',
  'toggle-rail',
])
export type Shortcut = z.infer<typeof shortcutSchema>

/** A key press, as a page's KeyboardEvent has it. */
export interface Keys {
  key: string
  ctrlKey: boolean
  metaKey: boolean
  altKey: boolean
  shiftKey: boolean
}

const ALONE = new Map<string, Shortcut>([
  ['f5', 'reload'],
  ['f6', 'focus-address'],
])
const WITH_CTRL = new Map<string, Shortcut>([
  ['tab', 'next-tab'],
  ['pageup', 'previous-tab'],
  ['pagedown', 'next-tab'],
])
const WITH_CTRL_SHIFT = new Map<string, Shortcut>([
  ['tab', 'previous-tab'],
  ['pageup', 'move-tab-left'],
  ['pagedown', 'move-tab-right'],
])
const WITH_ALT = new Map<string, Shortcut>([
  ['arrowleft', 'back'],
  ['arrowright', 'forward'],
  ['d', 'focus-address'],
])
const WITH_MOD = new Map<string, Shortcut>([
  ['t', 'new-tab'],
  ['w', 'close-tab'],
  ['l', 'focus-address'],
  ['k', 'command-palette'],
  ['r', 'reload'],
  ['b', 'toggle-rail'],
])
const WITH_MOD_SHIFT = new Map<string, Shortcut>([
  ['t', 'reopen-tab'],
  ['r', 'reload'],
])
const WITH_COMMAND = new Map<string, Shortcut>([
  ['[', 'back'],
  [']', 'forward'],
])

/** The shortcut that these keys mean, if any. Mod is Command on a Mac and Control elsewhere. */
export function shortcutOf(keys: Keys, isMac: boolean): Shortcut | null {
  const { ctrlKey, metaKey, altKey, shiftKey } = keys
  const key = keys.key.toLowerCase()
  const of = (map: ReadonlyMap<string, Shortcut>): Shortcut | null => map.get(key) ?? null
  if (!ctrlKey && !metaKey && !altKey) return shiftKey ? null : of(ALONE)
  // On a Mac, Alt with the arrows moves the cursor.
  if (altKey) return isMac || ctrlKey || metaKey || shiftKey ? null : of(WITH_ALT)
  if (ctrlKey && metaKey) return null
  const tabKeys = ctrlKey ? of(shiftKey ? WITH_CTRL_SHIFT : WITH_CTRL) : null
  if (tabKeys !== null || isMac !== metaKey) return tabKeys
  if (shiftKey) return of(WITH_MOD_SHIFT)
  const numbered = shortcutSchema.safeParse(`tab-${key}`)
  if (numbered.success) return numbered.data
  return of(WITH_MOD) ?? (isMac ? of(WITH_COMMAND) : null)
}
