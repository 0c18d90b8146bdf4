// The theme where the window is itself a page of a browser: kept in the profile of that browser, and
// told to systems as it looks, because their pages cannot ask the window.
import type { Theme } from '../../electron/contract/tabs.ts'

const KEY = 'dharma.theme'

export interface PageTheme {
  /** What was chosen last. */
  readonly chosen: Theme
  /** How that looks on this computer now. */
  readonly looks: 'light' | 'dark'
  /** Keeps the choice. */
  choose(theme: Theme): void
  /** Calls `listener` when the computer changes between light and dark; returns how to stop that. */
  onComputerChange(listener: () => void): () => void
}

/** The theme that was chosen in this profile, at first that of the computer. */
export function createPageTheme(page: Pick<Window, 'localStorage' | 'matchMedia'>): PageTheme {
  const dark = page.matchMedia('(prefers-color-scheme: dark)')
  const kept = page.localStorage.getItem(KEY)
  let chosen: Theme = kept === 'light' || kept === 'dark' ? kept : 'system'
  return {
    get chosen() {
      return chosen
    },
    get looks() {
      return chosen === 'system' ? (dark.matches ? 'dark' : 'light') : chosen
    },
    choose(theme) {
      page.localStorage.setItem(KEY, theme)
      chosen = theme
    },
    onComputerChange(listener) {
      dark.addEventListener('change', listener)
      return () => dark.removeEventListener('change', listener)
    },
  }
}
