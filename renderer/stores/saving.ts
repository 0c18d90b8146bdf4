// Keeps what a store holds in the page's storage. Writing there is synchronous and stops the whole
// window, so it is done now and then, and only if something is different.
import { Pace } from '../../node-runtime/flow/pace.ts'

/** Longer than a burst of changes, shorter than anyone needs to notice a loss. */
const SAVE_GAP_MS = 500

export interface Saving {
  /** What is kept may be old now. */
  changed(): void
  /** Writes what has not been written yet, and ends. */
  stop(): void
}

/** `read` gives the text that is to be kept. What is left is written when the page goes. */
export function saveInto(storage: Storage, key: string, read: () => string): Saving {
  let written: string | null = null
  const write = (): void => {
    const text = read()
    if (text === written) return
    written = text
    storage.setItem(key, text)
  }
  const pace = new Pace(SAVE_GAP_MS, write)
  globalThis.addEventListener('pagehide', write)
  return {
    changed: () => pace.request(),
    stop() {
      globalThis.removeEventListener('pagehide', write)
      pace.stop()
      write()
    },
  }
}
