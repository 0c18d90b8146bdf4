// Keeps the page in the theme of the window around it.
import type { Theme } from './handshake.ts'
import type { Disposer } from './stream.ts'

/** Sets the theme now and whenever the shell says so. */
export function followTheme(page: Window, theme: Theme): Disposer {
  const root = page.document.documentElement
  root.dataset.theme = theme
  const receive = (event: MessageEvent<unknown>): void => {
    if (event.source !== page.parent || typeof event.data !== 'object' || event.data === null)
      return
    const { type, theme: next } = event.data as { type?: unknown; theme?: unknown }
    if (type === 'dharma:theme' && (next === 'light' || next === 'dark')) root.dataset.theme = next
  }
  page.addEventListener('message', receive)
  return () => page.removeEventListener('message', receive)
}
