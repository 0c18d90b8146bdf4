// What a tab shows of itself: name, picture, address, and where it can go.
import { Globe } from 'lucide-react'
import type { ReactNode } from 'react'
import type { ViewState } from '../../electron/contract/tabs.ts'
import type { InstalledSystem } from '../../node-runtime/contract/systems.ts'
import { parseAddress } from '../client/address.ts'
import type { Target } from '../client/address.ts'
import { findSystem } from '../client/named-tabs.ts'
import { SystemIcon } from '../features/systems/system-icon.tsx'
import { canGo, currentAddress, currentEntry } from '../stores/tab-history.ts'
import type { Failure, Tab } from '../stores/tab-history.ts'
import type { TabsState } from '../stores/tabs.ts'
import { PAGES } from './pages.tsx'

export interface TabFace {
  title: string
  icon: ReactNode
  address: string
  target: Target | null
  /** The system it shows, if that is installed. */
  system: InstalledSystem | null
  view: ViewState | null
  /** Why it shows no page: it did not load, or its view could not be opened. */
  failure: Failure | null
  loading: boolean
  canGoBack: boolean
  canGoForward: boolean
}

/** The name of an address, where its page has not said one. */
export function nameOf(address: string, systems: readonly InstalledSystem[]): string {
  const target = parseAddress(address)
  if (target === null) return address
  if (target.kind === 'page') return PAGES[target.page].title
  if (target.kind === 'system') {
    return findSystem(systems, target.system)?.name ?? target.system
  }
  return new URL(target.url).host
}

export function iconOf(target: Target | null, systems: readonly InstalledSystem[]): ReactNode {
  if (target?.kind === 'page') return PAGES[target.page].icon
  if (target?.kind === 'system') {
    const system = findSystem(systems, target.system)
    return <SystemIcon id={target.system} system={system} size={16} />
  }
  return <Globe />
}

export function faceOf(
  tab: Tab,
  { views, unopened }: Pick<TabsState, 'views' | 'unopened'>,
  systems: readonly InstalledSystem[],
): TabFace {
  const entry = currentEntry(tab)
  const address = currentAddress(tab, views)
  const target = parseAddress(address)
  const view = entry.kind === 'view' ? (views[entry.view] ?? null) : null
  const failedToOpen = entry.kind === 'view' ? (unopened[entry.view] ?? null) : null
  // A system that has not named its page yet is called by its name, not by its id.
  const named = view !== null && view.title !== '' && !isBareId(view.title, target)
  return {
    title: named ? view.title : nameOf(address, systems),
    icon:
      view?.favicon === null || view === null ? (
        iconOf(target, systems)
      ) : (
        <img src={view.favicon} alt="" width={16} height={16} />
      ),
    address,
    target,
    system: target?.kind === 'system' ? findSystem(systems, target.system) : null,
    view,
    failure: failedToOpen ?? view?.failure ?? null,
    loading: entry.kind === 'view' && failedToOpen === null && (view?.loading ?? true),
    canGoBack: canGo(tab, views, -1),
    canGoForward: canGo(tab, views, 1),
  }
}

function isBareId(title: string, target: Target | null): boolean {
  return target?.kind === 'system' && title === target.system
}
