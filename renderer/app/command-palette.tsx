import { Command } from 'cmdk'
import { useEffect, useRef } from 'react'
import type { ReactNode } from 'react'
import { useStore } from 'zustand'
import type { Shortcut } from '../../electron/contract/shortcuts.ts'
import { BUILT_IN_PAGES, pageAddress, systemAddress } from '../client/address.ts'
import { PAGES } from './pages.tsx'
import { useCloud, useOverlay, useShell, useSystems } from './shell.tsx'
import { IS_MAC, keyLabel } from './key-labels.ts'
import { faceOf } from './tab-face.tsx'
import './command-palette.css'

interface Action {
  title: string
  keys?: string
  run: () => void
}

/** Reaches every page and every action of the window by name. */
export function CommandPalette(): ReactNode {
  const shell = useShell()
  const { tabs, overlays, theme, notices } = shell
  const dialog = useRef<HTMLDialogElement>(null)
  const state = useStore(tabs.store)
  const systems = useSystems((store) => store.systems) ?? []
  const status = useCloud((store) => store.status)
  useOverlay(true, 'dims')

  useEffect(() => {
    const element = dialog.current
    element?.showModal()
    return () => element?.close()
  }, [])

  const close = (): void => overlays.setState({ paletteOpen: false })
  const shortcut = (title: string, name: Shortcut, keys?: string): Action => ({
    title,
    ...(keys === undefined ? {} : { keys }),
    run: () => shell.emitShortcut(name),
  })
  const copy = (what: string, text: string) => (): void =>
    void navigator.clipboard
      .writeText(text)
      .then(() => notices.say(`${what} copied.`), notices.fail)

  const actions: Action[] = [
    shortcut('New tab', 'new-tab', keyLabel('T')),
    shortcut('Close tab', 'close-tab', keyLabel('W')),
    shortcut('Reopen closed tab', 'reopen-tab', IS_MAC ? '⇧⌘T' : 'Ctrl+Shift+T'),
    shortcut('Next tab', 'next-tab', 'Ctrl+Tab'),
    shortcut('Previous tab', 'previous-tab', 'Ctrl+Shift+Tab'),
    shortcut('Move tab left', 'move-tab-left'),
    shortcut('Move tab right', 'move-tab-right'),
    shortcut('Go to the address bar', 'focus-address', keyLabel('L')),
    shortcut('Back', 'back'),
    shortcut('Forward', 'forward'),
    shortcut('Reload', 'reload', keyLabel('R')),
    shortcut('Show or hide the side bar', 'toggle-rail', keyLabel('B')),
    { title: 'Theme: light', run: () => theme.choose('light') },
    { title: 'Theme: dark', run: () => theme.choose('dark') },
    {
      title: 'Theme: as the computer has it',
      run: () => theme.choose('system'),
    },
    ...(status === null
      ? []
      : [
          { title: 'Copy the cloud key', run: copy('The cloud key was', status.cloud) },
          {
            title: 'Copy the key of this machine',
            run: copy('The machine key was', status.machine),
          },
        ]),
  ]
  const item = (key: string, title: string, run: () => void, end?: ReactNode): ReactNode => (
    <Command.Item
      key={key}
      value={`${title} ${key}`}
      onSelect={() => {
        close()
        // The focus returns first; what follows may move it.
        requestAnimationFrame(run)
      }}
    >
      <span>{title}</span>
      {end !== undefined && <span className="palette-end">{end}</span>}
    </Command.Item>
  )

  return (
    <dialog
      ref={dialog}
      className="palette"
      aria-label="Command palette"
      onCancel={(event) => {
        event.preventDefault()
        close()
      }}
      onClick={(event) => {
        if (event.target === dialog.current) close()
      }}
    >
      <Command label="Command palette" loop>
        <Command.Input
          placeholder="Go to a page, a system, a tab, or do something"
          aria-label="Command"
          autoFocus
        />
        <Command.List label="Commands">
          <Command.Empty>Nothing goes by that name.</Command.Empty>
          <Command.Group heading="Pages">
            {BUILT_IN_PAGES.map((page) =>
              item(pageAddress(page), PAGES[page].title, () => tabs.go(pageAddress(page))),
            )}
          </Command.Group>
          {systems.length > 0 && (
            <Command.Group heading="Systems">
              {systems.map(({ id, host, name }) =>
                item(systemAddress(host), name, () => tabs.go(systemAddress(host)), id),
              )}
            </Command.Group>
          )}
          <Command.Group heading="Open tabs">
            {state.tabs.map((tab) => {
              const face = faceOf(tab, state, systems)
              return item(tab.id, face.title, () => tabs.activate(tab.id), face.address)
            })}
          </Command.Group>
          <Command.Group heading="Actions">
            {actions.map(({ title, keys, run }) =>
              item(title, title, run, keys === undefined ? undefined : <kbd>{keys}</kbd>),
            )}
          </Command.Group>
        </Command.List>
      </Command>
    </dialog>
  )
}
