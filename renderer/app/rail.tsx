import type { ReactNode } from 'react'
import { BUILT_IN_PAGES, pageAddress, systemAddress } from '../client/address.ts'
import { SystemIcon } from '../features/systems/system-icon.tsx'
import { currentAddress } from '../stores/tab-history.ts'
import { parseAddress } from '../client/address.ts'
import { PAGES } from './pages.tsx'
import { useShell, useStoreOf, useSystems } from './shell.tsx'
import './rail.css'

/** Systems shown in the rail; the others are on the Systems page. */
const MOST_SYSTEMS = 8

/** The built-in pages and the installed systems. A click shows it in this tab, the middle button in a new one. */
export function Rail(): ReactNode {
  const { tabs } = useShell()
  const systems = useSystems((state) => state.systems) ?? []
  const here = useStoreOf(
    (shell) => shell.tabs.store,
    (state) => {
      const tab = state.tabs.find(({ id }) => id === state.active)
      return tab === undefined ? '' : currentAddress(tab, state.views)
    },
  )
  const target = parseAddress(here)

  const item = (address: string, title: string, icon: ReactNode, current: boolean): ReactNode => (
    <li key={address}>
      <a
        href={address}
        className="rail-item"
        aria-current={current ? 'page' : undefined}
        draggable={false}
        onClick={(event) => {
          event.preventDefault()
          if (event.ctrlKey || event.metaKey) tabs.open(address, { behind: true })
          else tabs.go(address)
        }}
        onAuxClick={(event) => {
          event.preventDefault()
          if (event.button === 1) tabs.open(address, { behind: true })
        }}
      >
        <span className="rail-icon" aria-hidden="true">
          {icon}
        </span>
        <span className="rail-label">{title}</span>
      </a>
    </li>
  )
  const page = (name: (typeof BUILT_IN_PAGES)[number]): ReactNode =>
    item(
      pageAddress(name),
      PAGES[name].title,
      PAGES[name].icon,
      target?.kind === 'page' && target.page === name,
    )

  return (
    <nav className="rail" aria-label="Main">
      <ul>{BUILT_IN_PAGES.filter((name) => name !== 'settings').map(page)}</ul>
      {systems.length > 0 && (
        <ul className="rail-systems" aria-label="Installed systems">
          {systems
            .slice(0, MOST_SYSTEMS)
            .map((system) =>
              item(
                systemAddress(system.host),
                system.name,
                <SystemIcon id={system.id} system={system} size={22} />,
                target?.kind === 'system' && target.system === system.host,
              ),
            )}
        </ul>
      )}
      <ul className="rail-end">{page('settings')}</ul>
    </nav>
  )
}
