// The theme of the window, owned here: what is kept of it and what its pages show follows.
import type { Theme } from '../contract/tabs.ts'

export class WindowTheme {
  #chosen: Theme
  readonly #apply: (theme: Theme) => void
  readonly #listeners = new Set<(theme: Theme) => void>()

  /** @param apply  Shows and keeps what was chosen; called with every choice, before it is told. */
  constructor(first: Theme, apply: (theme: Theme) => void) {
    this.#chosen = first
    this.#apply = apply
  }

  choose(theme: Theme): void {
    this.#apply(theme)
    this.#chosen = theme
    for (const listener of this.#listeners) listener(theme)
  }

  /** Calls `listener` with the present theme, then with every choice; returns how to stop that. */
  subscribe(listener: (theme: Theme) => void): () => void {
    listener(this.#chosen)
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
