// What the person chose about the window itself. Kept in this browser profile only. The theme is not
// here: it is the host's, see theme.ts.
import { createStore } from 'zustand/vanilla'
import type { StoreApi } from 'zustand/vanilla'

const KEY = 'dharma.preferences'

export interface Preferences {
  railShown: boolean
  /** What a new folder is to be was answered, or decided in another way. */
  beginningChosen: boolean
}
export type PreferencesStore = StoreApi<Preferences>

const DEFAULTS: Preferences = { railShown: true, beginningChosen: false }

function read(storage: Storage): Preferences {
  try {
    const saved = JSON.parse(storage.getItem(KEY) ?? '{}') as Partial<Preferences>
    return {
      railShown: typeof saved.railShown === 'boolean' ? saved.railShown : DEFAULTS.railShown,
      beginningChosen: saved.beginningChosen === true,
    }
  } catch {
    return DEFAULTS
  }
}

/** Every change is saved at once. */
export function createPreferencesStore(storage: Storage): PreferencesStore {
  const store = createStore<Preferences>(() => read(storage))
  store.subscribe((preferences) => storage.setItem(KEY, JSON.stringify(preferences)))
  return store
}
