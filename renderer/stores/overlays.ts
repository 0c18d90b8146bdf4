// What lies over the page: prompts, menus, the palette. While any is open the desktop window hides
// its native views, which would cover it.
import { createStore } from 'zustand/vanilla'
import type { StoreApi } from 'zustand/vanilla'

export interface OverlaysState {
  /** Number of open overlays. */
  open: number
  paletteOpen: boolean
  /** The repository whose install preview is open. */
  installUrl: string | null
}
export type OverlaysStore = StoreApi<OverlaysState>

export function createOverlaysStore(): OverlaysStore {
  return createStore<OverlaysState>(() => ({ open: 0, paletteOpen: false, installUrl: null }))
}

/** Counts one overlay as open until the returned function is called. */
export function holdOverlay(store: OverlaysStore): () => void {
  store.setState(({ open }) => ({ open: open + 1 }))
  return () => store.setState(({ open }) => ({ open: open - 1 }))
}
