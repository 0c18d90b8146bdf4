// What lies over the page: prompts, menus, the palette. While any is open the desktop window hides
// its native views, which would cover it.
import { createStore } from 'zustand/vanilla'
import type { StoreApi } from 'zustand/vanilla'

export interface OverlaysState {
  /** Number of open overlays. */
  open: number
  /** Of those, how many darken the window around them. */
  dimming: number
  paletteOpen: boolean
  /** The repository whose install preview is open. */
  installUrl: string | null
}
export type OverlaysStore = StoreApi<OverlaysState>

export function createOverlaysStore(): OverlaysStore {
  return createStore<OverlaysState>(() => ({
    open: 0,
    dimming: 0,
    paletteOpen: false,
    installUrl: null,
  }))
}

/** `dims`: it darkens the window around it, as a dialog does. */
export type OverlayLook = 'floats' | 'dims'

/** Counts one overlay as open until the returned function is called. */
export function holdOverlay(store: OverlaysStore, look: OverlayLook): () => void {
  const count = (by: 1 | -1): void =>
    store.setState(({ open, dimming }) => ({
      open: open + by,
      dimming: look === 'dims' ? dimming + by : dimming,
    }))
  count(1)
  return () => count(-1)
}
