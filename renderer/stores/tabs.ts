// The tabs of the window. The host's events are the only writer of `views`, which is what views say of
// themselves; that a view could not be opened at all is known here, and kept beside them.
import { createStore } from 'zustand/vanilla'
import type { StoreApi } from 'zustand/vanilla'
import type { Shortcut } from '../../electron/contract/shortcuts.ts'
import type { Bounds, TabsEvent, ViewState } from '../../electron/contract/tabs.ts'
import { isInvitationLink } from '../../node-runtime/contract/join-text.ts'
import { toCloudError } from '../client/cloud-error.ts'
import { pageAddress, parseAddress } from '../client/address.ts'
import type { BuiltInPage } from '../client/address.ts'
import type { TabHost } from '../client/tab-host.ts'
import { saveInto } from './saving.ts'
import {
  canGo,
  currentAddress,
  currentEntry,
  goTo,
  newTab,
  step,
  withoutView,
} from './tab-history.ts'
import type { Effect, Failure, Step, Tab, Views } from './tab-history.ts'

export interface TabsState {
  tabs: Tab[]
  /** Id of the tab in front. There always is one. */
  active: string
  views: Views
  /** Why the host does not have these views: their opening failed. */
  unopened: Record<string, Failure>
  /** The views whose page is of an older version than what is installed now. */
  outdated: string[]
  /** Addresses of closed tabs, the last closed one first. */
  closed: string[]
}

export interface Tabs {
  readonly store: StoreApi<TabsState>
  /** Opens a tab, in front unless said otherwise. */
  open(address?: string, options?: { behind?: boolean }): void
  /** Takes the active tab to an address; false if it is none. */
  go(address: string): boolean
  /** Brings a built-in page to the front: the tab that shows it, or a new one. */
  openPage(page: BuiltInPage): void
  back(tab?: string): void
  forward(tab?: string): void
  reload(tab?: string): void
  /** Loads the pages of all systems anew: with the machine their ports have gone. */
  reloadSystems(): void
  /**
   * Another version of the system of this host is installed. Its pages are loaded anew, because what they load
   * later would be of the new version; the one before the person's eyes is marked, and theirs to load.
   */
  systemUpdated(system: string): void
  close(tab?: string): void
  reopen(): void
  activate(tab: string): void
  /** Tab by position; -1 is the last. */
  activateAt(index: number): void
  activateNext(by: -1 | 1): void
  /** Moves the tab by one place. */
  move(tab: string, by: -1 | 1): void
  /** Puts the tab before another. */
  moveBefore(tab: string, other: string): void
  /** Shows the active view there, or none with null. */
  show(bounds: Bounds | null): void
  stop(): void
}

export interface TabsOptions {
  host: TabHost
  /** Where the open tabs are kept over a reload of the window's page. */
  storage: Storage
  onError: (error: unknown) => void
  onShortcut: (shortcut: Shortcut) => void
  /** A tab came to an address, or its page named itself. */
  onVisit: (address: string, title: string) => void
  /** A link of an invitation was opened, outside of the window or in a page. */
  onInvitation: (link: string) => void
}

const KEY = 'dharma.tabs'
const CLOSED_KEPT = 20
const NO_BOUNDS: Bounds = { x: 0, y: 0, width: 0, height: 0 }

function readSaved(storage: Storage): { addresses: string[]; active: number } {
  try {
    const saved = JSON.parse(storage.getItem(KEY) ?? 'null') as {
      addresses?: unknown
      active?: unknown
    } | null
    const addresses = Array.isArray(saved?.addresses)
      ? saved.addresses.filter((address) => typeof address === 'string')
      : []
    return { addresses, active: typeof saved?.active === 'number' ? saved.active : 0 }
  } catch {
    return { addresses: [], active: 0 }
  }
}

export function createTabs(options: TabsOptions): Tabs {
  const { host, storage, onError, onShortcut, onVisit, onInvitation } = options
  const store = createStore<TabsState>(() => ({
    tabs: [],
    active: '',
    views: {},
    unopened: {},
    outdated: [],
    closed: [],
  }))
  const { getState, setState } = store
  const newId = (): string => crypto.randomUUID()
  /** A view can be shown only once its opening has been answered. */
  const opening = new Map<string, Promise<void>>()
  let lastShow = 0
  /** The view that can be seen. */
  let seen: string | null = null

  const failToOpen = (view: string, error: unknown): void => {
    opening.delete(view)
    const { code, message } = toCloudError(error)
    setState(({ unopened }) => ({ unopened: { ...unopened, [view]: { code, message } } }))
  }
  /** It is opened again, or wanted no more. */
  const forgetFailure = (view: string): void => {
    const { [view]: failure, ...unopened } = getState().unopened
    if (failure !== undefined) setState({ unopened })
  }
  const run = (effects: Effect[]): void => {
    for (const effect of effects) {
      if (effect.type === 'open' || effect.type === 'close') forgetFailure(effect.view)
      // The host never had it, or has it no more.
      if (effect.type === 'close' && !opening.delete(effect.view)) continue
      const done =
        effect.type === 'open' || effect.type === 'navigate'
          ? host[effect.type](effect.view, effect.url)
          : host[effect.type](effect.view)
      if (effect.type === 'open') {
        opening.set(effect.view, done)
        done.catch((error: unknown) => {
          // It may have been closed meanwhile, or opened again.
          if (opening.get(effect.view) === done) failToOpen(effect.view, error)
        })
      } else done.catch(onError)
    }
  }
  const find = (id: string | undefined): Tab | undefined =>
    getState().tabs.find((tab) => tab.id === (id ?? getState().active))
  const replace = ([next, effects]: Step): void => {
    setState(({ tabs }) => ({ tabs: tabs.map((tab) => (tab.id === next.id ? next : tab)) }))
    run(effects)
  }

  const open: Tabs['open'] = (address = pageAddress('home'), { behind = false } = {}) => {
    const [tab, effects] = newTab(newId(), address, newId())
    setState(({ tabs, active }) => {
      const at = tabs.findIndex(({ id }) => id === active)
      return {
        tabs: behind ? tabs.toSpliced(at + 1, 0, tab) : [...tabs, tab],
        active: behind ? active : tab.id,
      }
    })
    run(effects)
  }
  const go: Tabs['go'] = (address) => {
    const target = parseAddress(address)
    const tab = find(undefined)
    if (target === null || tab === undefined) return false
    replace(goTo(tab, target, newId()))
    return true
  }
  const remove = (id: string): void => {
    const { tabs, active } = getState()
    const at = tabs.findIndex((tab) => tab.id === id)
    const rest = tabs.filter((tab) => tab.id !== id)
    setState({
      tabs: rest,
      active: id === active ? (rest[Math.min(at, rest.length - 1)]?.id ?? '') : active,
    })
    // A window without a tab would be a dead end.
    if (rest.length === 0) open()
  }
  const close: Tabs['close'] = (id) => {
    const tab = find(id)
    if (tab === undefined) return
    const address = currentAddress(tab, getState().views)
    setState(({ closed }) => ({ closed: [address, ...closed].slice(0, CLOSED_KEPT) }))
    remove(tab.id)
    run(
      tab.entries
        .filter((entry) => entry.kind === 'view')
        .map(({ view }) => ({ type: 'close', view })),
    )
  }
  const move = (id: string, place: (from: number, rest: Tab[]) => number): void =>
    setState(({ tabs }) => {
      const from = tabs.findIndex((tab) => tab.id === id)
      const tab = tabs[from]
      if (tab === undefined) return {}
      const rest = tabs.toSpliced(from, 1)
      return { tabs: rest.toSpliced(Math.max(0, place(from, rest)), 0, tab) }
    })

  const receive = (event: TabsEvent): void => {
    if (event.type === 'viewChanged') {
      const { view } = event
      const before = getState().views[view.tab]
      setState(({ views, outdated }) => ({
        views: { ...views, [view.tab]: view },
        outdated: view.loading ? outdated.filter((old) => old !== view.tab) : outdated,
      }))
      if (isVisit(view, before)) onVisit(view.url, view.title)
    } else if (event.type === 'viewClosed') {
      const { [event.tab]: gone, ...views } = getState().views
      if (gone !== undefined) setState({ views })
      const tab = getState().tabs.find(({ entries }) =>
        entries.some((entry) => entry.kind === 'view' && entry.view === event.tab),
      )
      if (tab === undefined) return
      const next = withoutView(tab, event.tab)
      if (next === null) remove(tab.id)
      else replace([next, []])
    } else if (event.type === 'openRequested') {
      if (isInvitationLink(event.url)) onInvitation(event.url)
      else open(event.url)
    } else if (event.type === 'shortcut') onShortcut(event.shortcut)
  }
  const unsubscribe = host.subscribe(receive)

  const saved = readSaved(storage)
  for (const address of saved.addresses) open(address)
  if (saved.addresses.length === 0) open()
  else setState(({ tabs }) => ({ active: (tabs[saved.active] ?? (tabs[0] as Tab)).id }))
  const saving = saveInto(storage, KEY, () => {
    const { tabs, active, views } = getState()
    const addresses = tabs.map((tab) => currentAddress(tab, views))
    return JSON.stringify({ addresses, active: tabs.findIndex(({ id }) => id === active) })
  })
  store.subscribe(saving.changed)

  const goBy = (id: string | undefined, by: -1 | 1): void => {
    const tab = find(id)
    if (tab !== undefined && canGo(tab, getState().views, by)) {
      replace(step(tab, getState().views, by))
    }
  }
  return {
    store,
    open,
    go,
    openPage(page) {
      const { tabs, active } = getState()
      const shows = (tab: Tab): boolean => {
        const entry = currentEntry(tab)
        return entry.kind === 'page' && entry.page === page
      }
      const shown = tabs.find((tab) => tab.id === active && shows(tab)) ?? tabs.find(shows)
      if (shown === undefined) open(pageAddress(page))
      else setState({ active: shown.id })
    },
    back: (id) => goBy(id, -1),
    forward: (id) => goBy(id, 1),
    reload(id) {
      const tab = find(id)
      if (tab === undefined) return
      const entry = currentEntry(tab)
      replace(
        entry.kind === 'view'
          ? [
              tab,
              opening.has(entry.view)
                ? [{ type: 'reload', view: entry.view }]
                : [{ type: 'open', view: entry.view, url: currentAddress(tab, getState().views) }],
            ]
          : [{ ...tab, generation: tab.generation + 1 }, []],
      )
    },
    reloadSystems() {
      const systems = Object.values(getState().views).filter(({ kind }) => kind === 'system')
      run(
        systems
          .filter(({ tab }) => opening.has(tab))
          .map(({ tab }) => ({ type: 'reload', view: tab })),
      )
    },
    systemUpdated(system) {
      const of = Object.values(getState().views)
        .filter(({ url }) => {
          const target = parseAddress(url)
          return target?.kind === 'system' && target.system === system
        })
        .map(({ tab }) => tab)
        .filter((view) => opening.has(view))
      if (seen !== null && of.includes(seen)) {
        const front = seen
        setState(({ outdated }) => ({ outdated: [...outdated, front] }))
      }
      run(of.filter((view) => view !== seen).map((view) => ({ type: 'reload', view })))
    },
    close,
    reopen() {
      const [address, ...closed] = getState().closed
      if (address === undefined) return
      setState({ closed })
      open(address)
    },
    activate: (id) => {
      if (find(id) !== undefined) setState({ active: id })
    },
    activateAt(index) {
      const tab = getState().tabs.at(index)
      if (tab !== undefined) setState({ active: tab.id })
    },
    activateNext(by) {
      const { tabs, active } = getState()
      const at = tabs.findIndex(({ id }) => id === active)
      const next = tabs[(at + by + tabs.length) % tabs.length]
      if (next !== undefined) setState({ active: next.id })
    },
    move: (id, by) => move(id, (from) => from + by),
    moveBefore(id, other) {
      if (id !== other) move(id, (_, rest) => rest.findIndex((tab) => tab.id === other))
    },
    show(bounds) {
      const tab = find(undefined)
      const entry = tab === undefined ? undefined : currentEntry(tab)
      const view = bounds !== null && entry?.kind === 'view' ? entry.view : null
      const turn = ++lastShow
      seen = view
      const show = (): void => {
        if (turn === lastShow) host.show(view, bounds ?? NO_BOUNDS).catch(onError)
      }
      // Its failure is reported where it was opened.
      if (view === null) show()
      else opening.get(view)?.then(show, () => undefined)
    },
    stop() {
      unsubscribe()
      saving.stop()
    },
  }
}

/** Has a page arrived, or been given another title? */
function isVisit(view: ViewState, before: ViewState | undefined): boolean {
  if (view.failure !== null || view.security === 'pending') return false
  if (before === undefined || before.security === 'pending') return true
  return before.url !== view.url || before.title !== view.title
}
