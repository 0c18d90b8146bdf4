import type { ReactNode } from 'react'
import { useStore } from 'zustand'
import { currentEntry } from '../stores/tab-history.ts'
import { Button } from '../ui/button.tsx'
import { useShell, useSystems } from './shell.tsx'
import { faceOf } from './tab-face.tsx'

/** Says that the page in front is of an older version than what is installed. */
export function UpdateBanner(): ReactNode {
  const { tabs } = useShell()
  const state = useStore(tabs.store)
  const systems = useSystems((store) => store.systems) ?? []
  const tab = state.tabs.find(({ id }) => id === state.active)
  if (tab === undefined) return null
  const entry = currentEntry(tab)
  if (entry.kind !== 'view' || !state.outdated.includes(entry.view)) return null
  const { system } = faceOf(tab, state, systems)
  if (system === null) return null
  return (
    <div className="banner" role="status">
      <p>
        <strong>
          {system.name} {system.version} is installed.
        </strong>{' '}
        This page is of the version before. Reload it when you are done with what you are writing.
      </p>
      <Button size="small" onClick={() => tabs.reload()}>
        Reload
      </Button>
    </div>
  )
}
