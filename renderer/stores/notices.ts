// Short messages about what has just happened.
import { createStore } from 'zustand/vanilla'
import type { StoreApi } from 'zustand/vanilla'
import { toCloudError } from '../client/cloud-error.ts'

/** Long enough to read two short lines. Errors stay until they are dismissed. */
const SHOWN_MS = 5000
const MOST_AT_ONCE = 3

export interface Notice {
  id: number
  tone: 'info' | 'error'
  text: string
}
export interface Notices {
  readonly store: StoreApi<{ notices: Notice[] }>
  say(text: string): void
  /** Shows a failure that has no place of its own on the page. */
  fail(error: unknown): void
  dismiss(id: number): void
}

export function createNotices(): Notices {
  const store = createStore<{ notices: Notice[] }>(() => ({ notices: [] }))
  let nextId = 1
  const dismiss = (id: number): void =>
    store.setState(({ notices }) => ({ notices: notices.filter((notice) => notice.id !== id) }))
  const add = (tone: Notice['tone'], text: string): number => {
    const id = nextId++
    store.setState(({ notices }) => ({
      notices: [...notices, { id, tone, text }].slice(-MOST_AT_ONCE),
    }))
    return id
  }
  return {
    store,
    say(text) {
      const id = add('info', text)
      setTimeout(() => dismiss(id), SHOWN_MS)
    },
    fail(error) {
      add('error', toCloudError(error).message)
    },
    dismiss,
  }
}
