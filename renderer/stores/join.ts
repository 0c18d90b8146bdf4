// What was put in to join a cloud, in whatever tab or from outside. Kept nowhere: it may let anybody in.
import { createStore } from 'zustand/vanilla'
import type { StoreApi } from 'zustand/vanilla'

export interface JoinState {
  text: string
  /** Joining is what the person came for: the form stands first on Home, and has the focus. */
  inFront: boolean
}
export type JoinStore = StoreApi<JoinState>

const NOTHING: JoinState = { text: '', inFront: false }

export function createJoinStore(): JoinStore {
  return createStore<JoinState>(() => NOTHING)
}

/** Nothing is to be joined any more. */
export function endJoining(store: JoinStore): void {
  store.setState(NOTHING)
}
