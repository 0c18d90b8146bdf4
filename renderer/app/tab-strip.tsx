import { Plus, X } from 'lucide-react'
import { useRef } from 'react'
import type { KeyboardEvent, ReactNode } from 'react'
import { IconButton } from '../ui/button.tsx'
import { Spinner } from '../ui/progress.tsx'
import { useShell, useStoreOf, useSystems } from './shell.tsx'
import { keyLabel } from './key-labels.ts'
import { faceOf } from './tab-face.tsx'
import './tab-strip.css'

/** Ids that tie a tab to its panel. */
export function tabElementId(tab: string): string {
  return `tab-${tab}`
}
export const PANEL_ID = 'page'

/** The tabs. Arrow keys go between them, Delete closes one, Control+Shift+Page Up and Down move it. */
export function TabStrip(): ReactNode {
  const { tabs: actions, emitShortcut } = useShell()
  const tabs = useStoreOf(
    ({ tabs }) => tabs.store,
    (state) => state.tabs,
  )
  const active = useStoreOf(
    ({ tabs }) => tabs.store,
    (state) => state.active,
  )
  const views = useStoreOf(
    ({ tabs }) => tabs.store,
    (state) => state.views,
  )
  const unopened = useStoreOf(
    ({ tabs }) => tabs.store,
    (state) => state.unopened,
  )
  const systems = useSystems((state) => state.systems) ?? []
  const list = useRef<HTMLDivElement>(null)

  const focusActive = (): void => {
    // After the state has been drawn.
    requestAnimationFrame(() =>
      list.current?.querySelector<HTMLElement>('[aria-selected="true"]')?.focus(),
    )
  }
  const onKeyDown = (event: KeyboardEvent, tab: string): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (event.key === 'ArrowRight') actions.activateNext(1)
    else if (event.key === 'ArrowLeft') actions.activateNext(-1)
    else if (event.key === 'Home') actions.activateAt(0)
    else if (event.key === 'End') actions.activateAt(-1)
    else if (event.key === 'Delete') actions.close(tab)
    else return
    event.preventDefault()
    focusActive()
  }

  return (
    <header className="tab-strip">
      <div className="tab-list" role="tablist" aria-label="Tabs" ref={list}>
        {tabs.map((tab) => {
          const face = faceOf(tab, { views, unopened }, systems)
          const selected = tab.id === active
          return (
            <div
              key={tab.id}
              role="presentation"
              className={selected ? 'tab tab-selected' : 'tab'}
              draggable
              onDragStart={(event) => event.dataTransfer.setData('text/dharma-tab', tab.id)}
              onDragOver={(event) => event.preventDefault()}
              onDrop={(event) => {
                event.preventDefault()
                actions.moveBefore(event.dataTransfer.getData('text/dharma-tab'), tab.id)
              }}
              onMouseDown={(event) => {
                if (event.button === 1) event.preventDefault()
              }}
              onAuxClick={(event) => {
                if (event.button === 1) actions.close(tab.id)
              }}
            >
              <button
                type="button"
                role="tab"
                id={tabElementId(tab.id)}
                aria-selected={selected}
                aria-controls={PANEL_ID}
                aria-keyshortcuts="Delete"
                tabIndex={selected ? 0 : -1}
                title={`${face.title}\n${face.address}`}
                onClick={() => actions.activate(tab.id)}
                onKeyDown={(event) => onKeyDown(event, tab.id)}
              >
                <span className="tab-icon" aria-hidden="true">
                  {face.loading ? <Spinner /> : face.icon}
                </span>
                <span className="tab-title">{face.title}</span>
              </button>
              {/* For the pointer. The keyboard has Delete and the close shortcut, and a tab list may
                  hold nothing but tabs. */}
              <button
                type="button"
                className="tab-close"
                tabIndex={-1}
                aria-hidden="true"
                title={`Close tab (${keyLabel('W')})`}
                onClick={() => actions.close(tab.id)}
              >
                <X />
              </button>
            </div>
          )
        })}
      </div>
      <IconButton
        label="New tab"
        keys={keyLabel('T')}
        className="tab-new"
        onClick={() => emitShortcut('new-tab')}
      >
        <Plus />
      </IconButton>
    </header>
  )
}
