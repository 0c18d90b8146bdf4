// How the window looks. The host owns it; its events are the only writer here.
import { createStore } from 'zustand/vanilla'
import type { StoreApi } from 'zustand/vanilla'
import type { Theme } from '../../electron/contract/tabs.ts'
import type { TabHost } from '../client/tab-host.ts'

export interface WindowTheme {
  readonly store: StoreApi<{ theme: Theme }>
  /** Asks the host for it; the store follows once that has chosen. */
  choose(theme: Theme): void
  stop(): void
}

/** Follows the host. Until that has said anything, the style follows the computer. */
export function createWindowTheme(
  host: Pick<TabHost, 'setTheme' | 'subscribe'>,
  onError: (error: unknown) => void,
): WindowTheme {
  const store = createStore<{ theme: Theme }>(() => ({ theme: 'system' }))
  const stop = host.subscribe((event) => {
    if (event.type === 'themeChanged') store.setState({ theme: event.theme })
  })
  return { store, choose: (theme) => void host.setTheme(theme).catch(onError), stop }
}

/** Shows the theme on the document: without the attribute the style follows the computer. */
export function applyTheme(root: HTMLElement, theme: Theme): void {
  if (theme === 'system') delete root.dataset.theme
  else root.dataset.theme = theme
}
