// Whether the person has just done something in a page. Electron does not block pop-ups by itself.
import type { WebContents } from 'electron'

/** As long as Chromium's own transient activation. */
const GESTURE_MS = 5_000

const GESTURES: ReadonlySet<string> = new Set(['mouseDown', 'rawKeyDown', 'keyDown', 'touchStart'])

/** Watches a page for gestures; each allows one thing. */
export class Gestures {
  #lastMs = -Infinity

  constructor(contents: WebContents) {
    contents.on('input-event', (_event, { type }) => {
      if (GESTURES.has(type)) this.#lastMs = performance.now()
    })
  }

  /** Was there a gesture that has not been used yet? Uses it. */
  take(): boolean {
    const fresh = performance.now() - this.#lastMs < GESTURE_MS
    this.#lastMs = -Infinity
    return fresh
  }
}
