// Shortcuts that work while a page has the focus. Pure.
import type { Input } from 'electron'
import { shortcutOf } from '../contract/shortcuts.ts'
import type { Shortcut } from '../contract/shortcuts.ts'

/** Those after which the person goes on in the shell's page. */
export const FOCUSING_SHELL: readonly Shortcut[] = ['new-tab', 'focus-address', 'command-palette']

/** Left to the page: editors write bold with these keys. */
const OF_PAGES: readonly Shortcut[] = ['toggle-rail']

type Press = Pick<Input, 'type' | 'key' | 'control' | 'meta' | 'alt' | 'shift'>

/** The shortcut that this key press in a page is, or null. */
export function findShortcut(press: Press, platform: NodeJS.Platform): Shortcut | null {
  if (press.type !== 'keyDown') return null
  const { key, control: ctrlKey, meta: metaKey, alt: altKey, shift: shiftKey } = press
  const shortcut = shortcutOf({ key, ctrlKey, metaKey, altKey, shiftKey }, platform === 'darwin')
  return shortcut !== null && OF_PAGES.includes(shortcut) ? null : shortcut
}
