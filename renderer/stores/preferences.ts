// What the person chose about the window itself. Kept in this browser profile only.
import { createStore } from 'zustand/vanilla'
import type { StoreApi } from 'zustand/vanilla'
import type { Theme } from '../client/tab-host.ts'

const KEY = 'dharma.preferences'

export interface Preferences {
  theme: Theme
  railShown: boolean
}
export type PreferencesStore = StoreApi<Preferences>

const DEFAULTS: Preferences = { theme: 'system', railShown: true }

function read(storage: Storage): Preferences {
  try {
    const saved = JSON.parse(storage.getItem(KEY) ?? '{}') as Partial<Preferences>
    return {
      theme: saved.theme === 'light' || saved.theme === 'dark' ? saved.theme : DEFAULTS.theme,
      railShown: typeof saved.railShown === 'boolean' ? saved.railShown : DEFAULTS.railShown,
    }
  } catch {
    return DEFAULTS
  }
}

/** Shows the theme on the document: without the attribute the style follows the computer. */
export function applyTheme(root: HTMLElement, theme: Theme): void {
  if (theme === 'system') delete root.dataset.theme
  else root.dataset.theme = theme
}

/** Every change is saved at once. */
export function createPreferencesStore(storage: Storage): PreferencesStore {
  const store = createStore<Preferences>(() => read(storage))
  store.subscribe((preferences) => storage.setItem(KEY, JSON.stringify(preferences)))
  return store
}
