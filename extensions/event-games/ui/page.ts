// What every page is given, and what it gives back.
import type { Cloud } from '/.dharma/sdk.js'
import type { TemplateResult } from '/.dharma/lit.js'
import type { GamesStore } from './games-store.ts'
import type { Verifier } from './verifier.ts'

export interface Me {
  person: string
  name: string
}

export interface PageContext {
  cloud: Cloud
  store: GamesStore
  verifier: Verifier
  me: Me
  /** Draws the page again, soon. */
  update: () => void
  /** Says something to those who listen to the page rather than see it. */
  announce: (text: string) => void
}

export interface Page {
  /** For the tab; asked at every drawing. */
  title(): string
  render(): TemplateResult
  /** A key pressed anywhere on the page; true if it was used. */
  keyPressed?(event: KeyboardEvent): boolean
  dispose?(): void
}
