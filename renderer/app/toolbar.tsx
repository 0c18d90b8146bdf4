import { ArrowLeft, ArrowRight, PanelLeft, RotateCw, X } from 'lucide-react'
import type { ReactNode } from 'react'
import { useStore } from 'zustand'
import { currentEntry } from '../stores/tab-history.ts'
import { IconButton } from '../ui/button.tsx'
import { AddressBar } from './address-bar.tsx'
import { CloudState } from './cloud-state.tsx'
import { useShell, useStoreOf, useSystems } from './shell.tsx'
import { IS_MAC, keyLabel } from './key-labels.ts'
import { faceOf } from './tab-face.tsx'

/** Back, forward, reload, the address bar and the cloud state. */
export function Toolbar(): ReactNode {
  const { tabs, preferences, host, notices } = useShell()
  const state = useStore(tabs.store)
  const systems = useSystems((store) => store.systems) ?? []
  const railShown = useStoreOf(
    (shell) => shell.preferences,
    (chosen) => chosen.railShown,
  )
  const tab = state.tabs.find(({ id }) => id === state.active)
  if (tab === undefined) return null
  const face = faceOf(tab, state, systems)
  const entry = currentEntry(tab)
  return (
    <section className="toolbar" aria-label="Navigation">
      <IconButton
        label={railShown ? 'Hide the side bar' : 'Show the side bar'}
        keys={keyLabel('B')}
        onClick={() => preferences.setState({ railShown: !railShown })}
      >
        <PanelLeft />
      </IconButton>
      <IconButton
        label="Back"
        keys={IS_MAC ? '⌘[' : 'Alt+←'}
        disabled={!face.canGoBack}
        onClick={() => tabs.back()}
      >
        <ArrowLeft />
      </IconButton>
      <IconButton
        label="Forward"
        keys={IS_MAC ? '⌘]' : 'Alt+→'}
        disabled={!face.canGoForward}
        onClick={() => tabs.forward()}
      >
        <ArrowRight />
      </IconButton>
      {face.loading && entry.kind === 'view' ? (
        <IconButton
          label="Stop"
          onClick={() => void host.tabs.stop(entry.view).catch(notices.fail)}
        >
          <X />
        </IconButton>
      ) : (
        <IconButton label="Reload" keys={keyLabel('R')} onClick={() => tabs.reload()}>
          <RotateCw />
        </IconButton>
      )}
      <AddressBar tab={tab.id} face={face} />
      <CloudState address={face.address} />
    </section>
  )
}
