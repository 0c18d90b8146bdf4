// A tab and its own history, through built-in pages and views alike. Pure.
import type { ViewState } from '../../electron/contract/tabs.ts'
import { pageAddress, parseAddress, viewKind } from '../client/address.ts'
import type { BuiltInPage, Target } from '../client/address.ts'

/**
 * A stretch of a tab's history: a built-in page, or a view, which keeps the history of its own pages
 * (several web pages, or several pages of one system).
 */
export type Entry =
  | { kind: 'page'; page: BuiltInPage }
  | { kind: 'view'; view: string; viewKind: string; openedAt: string }

export interface Tab {
  id: string
  entries: Entry[]
  index: number
  /** Grows when a built-in page is reloaded. */
  generation: number
}

/** What the host of the tabs must do for a step. */
export type Effect =
  | { type: 'open'; view: string; url: string }
  | { type: 'navigate'; view: string; url: string }
  | { type: 'back' | 'forward' | 'reload' | 'close'; view: string }

export type Step = [tab: Tab, effects: Effect[]]

export type Views = Record<string, ViewState>
/** Why a view shows no page, in words. */
export type Failure = NonNullable<ViewState['failure']>

export function currentEntry(tab: Tab): Entry {
  return tab.entries[tab.index] as Entry
}

/** The address that the tab shows now. */
export function currentAddress(tab: Tab, views: Views): string {
  const entry = currentEntry(tab)
  if (entry.kind === 'page') return pageAddress(entry.page)
  return views[entry.view]?.url ?? entry.openedAt
}

/** Goes to `target`; `newView` is the id for a view, should one be needed. */
export function goTo(tab: Tab, target: Target, newView: string): Step {
  const entry = currentEntry(tab)
  const kind = viewKind(target)
  if (entry.kind === 'page' && target.kind === 'page' && entry.page === target.page)
    return [tab, []]
  const dropped = tab.entries.slice(tab.index + 1)
  const effects: Effect[] = dropped
    .filter((later) => later.kind === 'view')
    .map(({ view }) => ({ type: 'close', view }))
  const kept = tab.entries.slice(0, tab.index + 1)
  if (entry.kind === 'view' && entry.viewKind === kind) {
    return [
      { ...tab, entries: kept },
      [...effects, { type: 'navigate', view: entry.view, url: target.address }],
    ]
  }
  const next: Entry =
    target.kind === 'page'
      ? { kind: 'page', page: target.page }
      : { kind: 'view', view: newView, viewKind: kind, openedAt: target.address }
  if (next.kind === 'view') effects.push({ type: 'open', view: newView, url: target.address })
  return [{ ...tab, entries: [...kept, next], index: kept.length }, effects]
}

export function canGo(tab: Tab, views: Views, by: -1 | 1): boolean {
  const entry = currentEntry(tab)
  const view = entry.kind === 'view' ? views[entry.view] : undefined
  return (
    (by === -1 ? view?.canGoBack : view?.canGoForward) === true ||
    tab.entries[tab.index + by] !== undefined
  )
}

/** One step back or forward: first within the view, then to the next stretch of the history. */
export function step(tab: Tab, views: Views, by: -1 | 1): Step {
  const entry = currentEntry(tab)
  if (entry.kind === 'view') {
    const state = views[entry.view]
    if (by === -1 ? state?.canGoBack : state?.canGoForward) {
      return [tab, [{ type: by === -1 ? 'back' : 'forward', view: entry.view }]]
    }
  }
  if (tab.entries[tab.index + by] === undefined) return [tab, []]
  return [{ ...tab, index: tab.index + by }, []]
}

/** The tab without a view that has gone; null if nothing is left of it. */
export function withoutView(tab: Tab, view: string): Tab | null {
  const at = tab.entries.findIndex((entry) => entry.kind === 'view' && entry.view === view)
  if (at === -1) return tab
  const entries = tab.entries.toSpliced(at, 1)
  if (entries.length === 0) return null
  const index = tab.index > at || tab.index === entries.length ? tab.index - 1 : tab.index
  return { ...tab, entries, index }
}

/** A tab whose first place is `address`, or Home when it is no address. */
export function newTab(id: string, address: string, newView: string): Step {
  const target = parseAddress(address)
  if (target === null || target.kind === 'page') {
    return [
      { id, entries: [{ kind: 'page', page: target?.page ?? 'home' }], index: 0, generation: 0 },
      [],
    ]
  }
  return [
    {
      id,
      entries: [
        { kind: 'view', view: newView, viewKind: viewKind(target), openedAt: target.address },
      ],
      index: 0,
      generation: 0,
    },
    [{ type: 'open', view: newView, url: target.address }],
  ]
}
