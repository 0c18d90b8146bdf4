// People see and type a system's host (`cloud://event-games/`); its pages lie under its key, so that
// what they keep in the browser is theirs alone, whoever else takes the same id. The names are
// exchanged here, between the window and whatever shows the pages.
import type { TabsEvent } from '../../electron/contract/tabs.ts'
import { CloudError } from '../../node-runtime/contract/errors.ts'
import type { InstalledSystem } from '../../node-runtime/contract/systems.ts'
import { parseAddress, systemAddress } from './address.ts'
import type { TabHost } from './tab-host.ts'

type Named = Pick<InstalledSystem, 'key' | 'host' | 'id'>

/** The system that an address names: by its host, its key, or an id that no other has. */
export function findSystem<S extends Named>(systems: readonly S[], name: string): S | null {
  const found = systems.find(({ host, key }) => host === name || key === name)
  if (found !== undefined) return found
  const [only, another] = systems.filter(({ id }) => id === name)
  return another === undefined ? (only ?? null) : null
}

export interface SystemNames {
  /** The installed systems; a promise only where the list has not come yet. */
  known: () => readonly Named[] | Promise<readonly Named[]>
  /** Asks the machine: what was installed this moment may not have been told yet. */
  ask: () => Promise<readonly Named[]>
}

/** A host whose addresses name systems as people do, over one whose addresses name them by key. */
export function createNamedTabs(inner: TabHost, { known, ask }: SystemNames): TabHost {
  /** Hosts by key, of the systems that were opened: an uninstalled one keeps its name on its tab. */
  const hosts = new Map<string, string>()

  const addressOf = (system: Named, path: string): string => {
    hosts.set(system.key, system.host)
    return systemAddress(system.key, path)
  }
  const find = async (name: string): Promise<Named> => {
    const system = findSystem(await known(), name) ?? findSystem(await ask(), name)
    if (system !== null) return system
    throw new CloudError('SYSTEM_NOT_INSTALLED', `"${name}" is not installed on this machine.`, {
      id: name,
    })
  }
  const toHost = (url: string): string => {
    const target = url.startsWith('cloud:') ? parseAddress(url) : null
    if (target?.kind !== 'system') return url
    return systemAddress(hosts.get(target.system) ?? target.system, target.path)
  }
  const named = (event: TabsEvent): TabsEvent => {
    if (event.type === 'openRequested') return { ...event, url: toHost(event.url) }
    if (event.type !== 'viewChanged') return event
    const { view } = event
    const title = hosts.get(view.title) ?? view.title
    return { ...event, view: { ...view, url: toHost(view.url), title } }
  }
  const go = (call: 'open' | 'navigate', view: string, url: string): Promise<void> => {
    const target = parseAddress(url)
    if (target?.kind !== 'system') return inner[call](view, url)
    const systems = known()
    const system = systems instanceof Promise ? null : findSystem(systems, target.system)
    // At once where it can be: what is asked of a view afterwards must find it.
    if (system !== null) return inner[call](view, addressOf(system, target.path))
    return find(target.system).then((found) => inner[call](view, addressOf(found, target.path)))
  }

  return {
    ...inner,
    open: (view, url) => go('open', view, url),
    navigate: (view, url) => go('navigate', view, url),
    subscribe: (listener) => inner.subscribe((event) => listener(named(event))),
  }
}
