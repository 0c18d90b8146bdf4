// The addresses that were visited, for the suggestions of the address bar. They stay on this machine.
import { createStore } from 'zustand/vanilla'
import type { StoreApi } from 'zustand/vanilla'
import { saveInto } from './saving.ts'

const KEY = 'dharma.history'
/** Enough to find last month's page, and small beside what a browser lets a page keep. */
const LONGEST = 500

export interface Visit {
  address: string
  title: string
  lastMs: number
  count: number
}
export type HistoryStore = StoreApi<{ visits: Visit[] }>

function isVisit(value: unknown): value is Visit {
  if (typeof value !== 'object' || value === null) return false
  const visit = value as Partial<Record<keyof Visit, unknown>>
  return (
    typeof visit.address === 'string' &&
    typeof visit.title === 'string' &&
    typeof visit.lastMs === 'number' &&
    typeof visit.count === 'number'
  )
}

function read(storage: Storage): Visit[] {
  try {
    const saved: unknown = JSON.parse(storage.getItem(KEY) ?? '[]')
    return Array.isArray(saved) ? saved.filter(isVisit) : []
  } catch {
    return []
  }
}

export function createHistoryStore(storage: Storage): { store: HistoryStore; stop: () => void } {
  const store = createStore<{ visits: Visit[] }>(() => ({ visits: read(storage) }))
  const saving = saveInto(storage, KEY, () => JSON.stringify(store.getState().visits))
  store.subscribe(saving.changed)
  return { store, stop: saving.stop }
}

/** Notes a visit; the newest comes first. A new title of the newest address is no new visit. */
export function recordVisit(store: HistoryStore, address: string, title: string, nowMs: number) {
  store.setState(({ visits }) => {
    const known = visits.find((visit) => visit.address === address)
    const isSame = visits[0] !== undefined && visits[0] === known
    const visit: Visit = {
      address,
      title,
      lastMs: nowMs,
      count: (known?.count ?? 0) + (isSame ? 0 : 1),
    }
    return {
      visits: [visit, ...visits.filter((other) => other !== known)].slice(0, LONGEST),
    }
  })
}
