// What shows the pages of tabs that are not built in: views of the desktop window, or frames. The theme
// is the host's as well, because it is that of all pages.
import type { StoreApi } from 'zustand/vanilla'
import type { Bounds, TabsEvent, Theme } from '../../electron/contract/tabs.ts'

/** A frame that the page draws for the host. */
export interface Frame {
  view: string
  kind: 'web' | 'system'
  src: string
  title: string
  /** Grows when the frame must be made anew, which is how it is reloaded. */
  generation: number
  shown: boolean
}

/**
 * Views by the id that the shell gives them. Every call may reject with a CloudError. What becomes
 * of a view, and of the theme, is told in events only.
 */
export interface TabHost {
  open(view: string, url: string): Promise<void>
  navigate(view: string, url: string): Promise<void>
  back(view: string): Promise<void>
  forward(view: string): Promise<void>
  reload(view: string): Promise<void>
  stop(view: string): Promise<void>
  close(view: string): Promise<void>
  /** Shows one view at these bounds and hides the others; null hides all. */
  show(view: string | null, bounds: Bounds): Promise<void>
  /** Chooses the theme of the window and all pages; the host keeps it. */
  setTheme(theme: Theme): Promise<void>
  /** Darkens what the page cannot, while a dialog darkens the rest of the window; where there is such. */
  dim?(dimmed: boolean): Promise<void>
  /** The theme is told at first too: at once, or when the host can be reached. */
  subscribe(listener: (event: TabsEvent) => void): () => void
  /** Present when the page itself has to draw the views. */
  frames?: {
    store: StoreApi<{ frames: Frame[] }>
    /** Tells the host about the element of a frame, and that it has loaded. */
    attach(view: string, element: HTMLIFrameElement | null): void
    loaded(view: string): void
  }
  dispose(): void
}
