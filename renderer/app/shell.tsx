// Everything the window's components stand on, made once, and the hooks that read it.
import { createContext, useContext, useEffect } from 'react'
import { useStore } from 'zustand'
import type { StoreApi } from 'zustand/vanilla'
import type { Shortcut } from '../../electron/contract/shortcuts.ts'
import type { Client } from '../../node-runtime/rpc/client.ts'
import type { Connection } from '../client/connection.ts'
import { createNamedTabs } from '../client/named-tabs.ts'
import type { ShellHost } from '../client/shell-host.ts'
import { createCloudStore } from '../stores/cloud.ts'
import type { CloudState, CloudStore } from '../stores/cloud.ts'
import { createHistoryStore, recordVisit } from '../stores/history.ts'
import type { HistoryStore } from '../stores/history.ts'
import { createIdentityStore } from '../stores/identity.ts'
import type { IdentityState, IdentityStore } from '../stores/identity.ts'
import { createJoinStore } from '../stores/join.ts'
import type { JoinStore } from '../stores/join.ts'
import { createNotices } from '../stores/notices.ts'
import type { Notices } from '../stores/notices.ts'
import { createOverlaysStore, holdOverlay } from '../stores/overlays.ts'
import type { OverlayLook, OverlaysStore } from '../stores/overlays.ts'
import { createPreferencesStore } from '../stores/preferences.ts'
import type { PreferencesStore } from '../stores/preferences.ts'
import { createSystemsStore } from '../stores/systems.ts'
import type { SystemsState, SystemsStore } from '../stores/systems.ts'
import { createWindowTheme } from '../stores/theme.ts'
import type { WindowTheme } from '../stores/theme.ts'
import { createTabs } from '../stores/tabs.ts'
import type { Tabs } from '../stores/tabs.ts'

export interface Shell {
  host: ShellHost
  cloud: CloudStore
  systems: SystemsStore
  identity: IdentityStore
  preferences: PreferencesStore
  theme: WindowTheme
  history: HistoryStore
  overlays: OverlaysStore
  join: JoinStore
  notices: Notices
  tabs: Tabs
  /** Listeners to browser shortcuts, wherever they were pressed. */
  onShortcut: (listener: (shortcut: Shortcut) => void) => () => void
  emitShortcut: (shortcut: Shortcut) => void
  /** Shows on Home where the link of an invitation leads; joining takes a click there. */
  openInvitation: (link: string) => void
  dispose: () => void
}

export function createShell(host: ShellHost, page: Window): Shell {
  const cloud = createCloudStore(host.connection)
  const systems = createSystemsStore(host.connection)
  const identity = createIdentityStore(host.connection)
  const history = createHistoryStore(page.localStorage)
  const notices = createNotices()
  const listeners = new Set<(shortcut: Shortcut) => void>()
  const emitShortcut = (shortcut: Shortcut): void => {
    for (const listener of listeners) listener(shortcut)
  }
  const preferences = createPreferencesStore(page.localStorage)
  const join = createJoinStore()
  const openInvitation = (link: string): void => {
    join.setState({ text: link, inFront: true })
    // Who was invited knows what to do here.
    preferences.setState({ beginningChosen: true })
    tabs.openPage('home')
  }
  const tabs = createTabs({
    host: createNamedTabs(host.tabs, systems.names),
    storage: page.sessionStorage,
    onError: notices.fail,
    onShortcut: emitShortcut,
    onVisit: (address, title) => recordVisit(history.store, address, title, Date.now()),
    onInvitation: (link) => openInvitation(link),
  })
  const theme = createWindowTheme(host.tabs, notices.fail)
  const stopReloading = onReconnected(host.connection, () => tabs.reloadSystems())
  const stopUpdating = systems.store.subscribe((after, before) => {
    if (after.systems !== null && after.systems !== before.systems) {
      host.systemsListed?.(after.systems.map(({ key }) => key))
    }
    for (const { key, host: name, commit } of after.systems ?? []) {
      const earlier = before.systems?.find((system) => system.key === key)
      if (earlier !== undefined && earlier.commit !== commit) tabs.systemUpdated(name)
    }
  })
  const overlays = createOverlaysStore()
  const stopDimming = overlays.subscribe(({ dimming }, before) => {
    if (dimming > 0 === before.dimming > 0) return
    host.tabs.dim?.(dimming > 0).catch(notices.fail)
  })
  return {
    host,
    cloud: cloud.store,
    systems: systems.store,
    identity: identity.store,
    preferences,
    theme,
    history: history.store,
    overlays,
    join,
    notices,
    tabs,
    onShortcut(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    emitShortcut,
    openInvitation,
    dispose() {
      stopReloading()
      stopUpdating()
      stopDimming()
      theme.stop()
      tabs.stop()
      history.stop()
      cloud.stop()
      systems.stop()
      identity.stop()
      host.connection.close()
      host.tabs.dispose()
    },
  }
}

/** Calls `listener` whenever a connection stands again that was lost after it had stood. */
function onReconnected({ state }: Connection, listener: () => void): () => void {
  let stood = false
  return state.subscribe(({ phase }, before) => {
    if (phase !== 'connected' || before.phase === 'connected') return
    if (stood) listener()
    stood = true
  })
}

export const ShellContext = createContext<Shell | null>(null)

export function useShell(): Shell {
  const shell = useContext(ShellContext)
  if (shell === null) throw new Error('There is no shell around this component.')
  return shell
}

/** The runtime's client; without a connection its calls fail with UNAVAILABLE. */
export function useClient(): Client {
  return useStore(useShell().host.connection.state, ({ client }) => client)
}

export function useCloud<T>(select: (state: CloudState) => T): T {
  return useStore(useShell().cloud, select)
}

export function useSystems<T>(select: (state: SystemsState) => T): T {
  return useStore(useShell().systems, select)
}

export function useIdentity<T>(select: (state: IdentityState) => T): T {
  return useStore(useShell().identity, select)
}

export function useStoreOf<S, T>(pick: (shell: Shell) => StoreApi<S>, select: (state: S) => T): T {
  return useStore(pick(useShell()), select)
}

/** Says that something lies over the page while `open`, and how. */
export function useOverlay(open: boolean, look: OverlayLook): void {
  const { overlays } = useShell()
  useEffect(() => (open ? holdOverlay(overlays, look) : undefined), [open, look, overlays])
}

/** Names the document while a page is in front. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} – Dharma`
  }, [title])
}
