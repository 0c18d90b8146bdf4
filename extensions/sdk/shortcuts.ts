// The window's own keys, pressed while the page has the focus: in a browser's frame they would not
// reach the window around it. (In the desktop window the main process takes them first.)
import type { Disposer } from './stream.ts'

const SHORTCUTS = new Map([
  ['k', 'command-palette'],
  ['l', 'focus-address'],
])

/** Passes them on, unless the page has used them itself. */
export function passOnShortcuts(page: Window): Disposer {
  const mac = /mac/i.test(page.navigator.platform)
  const listen = (event: KeyboardEvent): void => {
    const mod = mac ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey
    const shortcut = SHORTCUTS.get(event.key.toLowerCase())
    if (event.defaultPrevented || !mod || event.altKey || event.shiftKey) return
    if (shortcut === undefined) return
    event.preventDefault()
    page.parent.postMessage({ type: 'dharma:shortcut', shortcut }, '*')
  }
  page.addEventListener('keydown', listen)
  return () => page.removeEventListener('keydown', listen)
}
