// The keyboard of the window. Shortcuts pressed inside a view arrive from the main process instead.
import type { TabsEvent } from '../../electron/contract/tabs.ts'

export type Shortcut =
  | Extract<TabsEvent, { type: 'shortcut' }>['shortcut']
  | 'reopen-tab'
  | 'toggle-rail'
  | 'move-tab-left'
  | 'move-tab-right'
  | `tab-${number}`

interface Keys {
  key: string
  ctrlKey: boolean
  metaKey: boolean
  altKey: boolean
  shiftKey: boolean
}

/** The shortcut that these keys mean, if any. Mod is Command on a Mac and Control elsewhere. */
export function shortcutOf(keys: Keys, isMac: boolean): Shortcut | null {
  const { ctrlKey, metaKey, altKey, shiftKey } = keys
  const key = keys.key.toLowerCase()
  const mod = isMac ? metaKey : ctrlKey
  if (ctrlKey && key === 'tab') return shiftKey ? 'previous-tab' : 'next-tab'
  if (ctrlKey && shiftKey && key === 'pageup') return 'move-tab-left'
  if (ctrlKey && shiftKey && key === 'pagedown') return 'move-tab-right'
  if (ctrlKey && key === 'pageup') return 'previous-tab'
  if (ctrlKey && key === 'pagedown') return 'next-tab'
  if (isMac && mod && key === '[') return 'back'
  if (isMac && mod && key === ']') return 'forward'
  if (!isMac && altKey && !mod && key === 'arrowleft') return 'back'
  if (!isMac && altKey && !mod && key === 'arrowright') return 'forward'
  if (!mod || altKey) return null
  if (shiftKey) return key === 't' ? 'reopen-tab' : null
  if (/^[1-9]$/.test(key)) return `tab-${Number(key)}`
  switch (key) {
    case 't':
      return 'new-tab'
    case 'w':
      return 'close-tab'
    case 'l':
      return 'focus-address'
    case 'k':
      return 'command-palette'
    case 'r':
      return 'reload'
    case 'b':
      return 'toggle-rail'
    default:
      return null
  }
}

export const IS_MAC = typeof navigator !== 'undefined' && /mac/i.test(navigator.platform)

/** How a key combination is written for the person. */
export function keyLabel(key: string): string {
  return IS_MAC ? `⌘${key}` : `Ctrl+${key}`
}
