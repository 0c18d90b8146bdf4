import { useEffect } from 'react'
import type { ReactNode } from 'react'
import { useStore } from 'zustand'
import { shortcutOf } from '../../electron/contract/shortcuts.ts'
import type { Shortcut } from '../../electron/contract/shortcuts.ts'
import { applyTheme } from '../stores/theme.ts'
import { InstallPrompt } from '../features/systems/install-prompt.tsx'
import { Toasts } from '../ui/toast.tsx'
import { CommandPalette } from './command-palette.tsx'
import { ConnectionBanner } from './connection-banner.tsx'
import { PageArea } from './page-area.tsx'
import { Rail } from './rail.tsx'
import { useShell } from './shell.tsx'
import type { Shell } from './shell.tsx'
import { IS_MAC } from './key-labels.ts'
import { TabStrip } from './tab-strip.tsx'
import { Toolbar } from './toolbar.tsx'
import { UpdateBanner } from './update-banner.tsx'
import './app.css'

/** What a shortcut does; `focus-address` is the toolbar's. */
function perform({ tabs, overlays, preferences }: Shell, shortcut: Shortcut): void {
  const { active } = tabs.store.getState()
  switch (shortcut) {
    case 'new-tab':
      return tabs.open()
    case 'close-tab':
      return tabs.close()
    case 'reopen-tab':
      return tabs.reopen()
    case 'next-tab':
      return tabs.activateNext(1)
    case 'previous-tab':
      return tabs.activateNext(-1)
    case 'move-tab-left':
      return tabs.move(active, -1)
    case 'move-tab-right':
      return tabs.move(active, 1)
    case 'reload':
      return tabs.reload()
    case 'back':
      return tabs.back()
    case 'forward':
      return tabs.forward()
    case 'command-palette':
      return overlays.setState(({ paletteOpen }) => ({ paletteOpen: !paletteOpen }))
    case 'toggle-rail':
      return preferences.setState(({ railShown }) => ({ railShown: !railShown }))
    case 'focus-address':
      return
    default: {
      const position = Number(shortcut.slice('tab-'.length))
      // As in every browser, 9 is the last tab.
      tabs.activateAt(position === 9 ? -1 : position - 1)
    }
  }
}

/** The whole window. */
export function App(): ReactNode {
  const shell = useShell()
  const { railShown } = useStore(shell.preferences)
  const { theme } = useStore(shell.theme.store)
  const installUrl = useStore(shell.overlays, (state) => state.installUrl)
  const paletteOpen = useStore(shell.overlays, (state) => state.paletteOpen)
  const notices = useStore(shell.notices.store, (state) => state.notices)

  useEffect(() => applyTheme(document.documentElement, theme), [theme])

  useEffect(() => shell.onShortcut((shortcut) => perform(shell, shortcut)), [shell])
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      const shortcut = shortcutOf(event, IS_MAC)
      if (shortcut === null) return
      event.preventDefault()
      shell.emitShortcut(shortcut)
    }
    window.addEventListener('keydown', listen)
    return () => window.removeEventListener('keydown', listen)
  }, [shell])

  return (
    <div className={railShown ? 'window' : 'window window-without-rail'}>
      <TabStrip />
      {railShown && <Rail />}
      <div className="main">
        <Toolbar />
        <ConnectionBanner />
        <UpdateBanner />
        <main className="page-frame">
          <PageArea />
        </main>
        <Toasts items={notices} onDismiss={shell.notices.dismiss} />
      </div>
      {paletteOpen && <CommandPalette />}
      {installUrl !== null && (
        <InstallPrompt
          key={installUrl}
          url={installUrl}
          onClose={() => shell.overlays.setState({ installUrl: null })}
        />
      )}
    </div>
  )
}
