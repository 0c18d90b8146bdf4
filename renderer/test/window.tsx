// The whole window in jsdom, on a runtime of the tests and a host that keeps views in memory.
import { cleanup, configure, render } from '@testing-library/react'
import type { RenderResult } from '@testing-library/react'
import type { ReactNode } from 'react'
import { MessageChannel } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { afterEach, beforeEach } from 'vitest'
import type { TabsEvent, Theme, ViewState } from '../../electron/contract/tabs.ts'
import { ShellContext, createShell } from '../app/shell.tsx'
import type { Shell } from '../app/shell.tsx'
import { createConnection } from '../client/connection.ts'
import type { OpenedPort } from '../client/connection.ts'
import type { TabHost } from '../client/tab-host.ts'
import { createFakeRuntime } from './fake-runtime.ts'
import type { FakeRuntime } from './fake-runtime.ts'

// A busy machine takes longer than the second that is usual.
configure({ asyncUtilTimeout: 10_000 })

/** What jsdom lacks of a window. */
function completeWindow(): void {
  HTMLDialogElement.prototype.showModal ??= function (this: HTMLDialogElement) {
    this.open = true
    this.querySelector<HTMLElement>('[autofocus]')?.focus()
  }
  HTMLDialogElement.prototype.close ??= function (this: HTMLDialogElement) {
    this.open = false
  }
  // It would say of each drawing that there is no canvas.
  HTMLCanvasElement.prototype.getContext = () => null
  Element.prototype.scrollIntoView ??= () => undefined
  window.matchMedia ??= (query) =>
    ({
      matches: false,
      media: query,
      addEventListener: () => undefined,
      removeEventListener: () => undefined,
    }) as unknown as MediaQueryList
  globalThis.ResizeObserver ??= class {
    observe = (): void => undefined
    unobserve = (): void => undefined
    disconnect = (): void => undefined
  }
}

/** Node's port in the shape of the DOM's, which it has but for the types. */
export function openTestPort(fake: FakeRuntime): OpenedPort & { far: MessagePort } {
  const { port1, port2 } = new MessageChannel()
  fake.serve(port2 as unknown as Parameters<FakeRuntime['serve']>[0])
  port2.start()
  const closed = new Promise<void>((resolve) => port1.once('close', resolve))
  queueMicrotask(() => port1.start())
  return {
    port: port1 as unknown as OpenedPort['port'],
    closed,
    close: () => port1.close(),
    far: port2,
  }
}

export interface MemoryHost extends TabHost {
  /** What was asked, in order, such as `open v1 https://example.org/`. */
  asked: string[]
  emit: (event: TabsEvent) => void
  /** A view says something of itself. */
  change: (view: string, changes: Partial<ViewState>) => void
  /** The next opening fails with this. */
  failNext: Error | null
}

export function createMemoryHost(): MemoryHost {
  const listeners = new Set<(event: TabsEvent) => void>()
  const states = new Map<string, ViewState>()
  const asked: string[] = []
  let theme: Theme = 'system'
  const emit: MemoryHost['emit'] = (event) => {
    for (const listener of listeners) listener(event)
  }
  const change: MemoryHost['change'] = (view, changes) => {
    const state: ViewState = {
      tab: view,
      kind: 'web',
      url: '',
      title: '',
      favicon: null,
      loading: false,
      canGoBack: false,
      canGoForward: false,
      security: 'secure',
      failure: null,
      ...states.get(view),
      ...changes,
    }
    states.set(view, state)
    emit({ type: 'viewChanged', view: state })
  }
  const note =
    (name: string) =>
    async (view: string): Promise<void> =>
      void asked.push(`${name} ${view}`)
  const host: MemoryHost = {
    asked,
    emit,
    change,
    failNext: null,
    async open(view, url) {
      asked.push(`open ${view} ${url}`)
      const { failNext } = host
      host.failNext = null
      if (failNext !== null) throw failNext
      change(view, { url, kind: url.startsWith('cloud:') ? 'system' : 'web' })
    },
    async navigate(view, url) {
      asked.push(`navigate ${view} ${url}`)
      change(view, { url, canGoBack: true })
    },
    back: note('back'),
    forward: note('forward'),
    reload: note('reload'),
    stop: note('stop'),
    close: note('close'),
    show: async (view) => void asked.push(`show ${view ?? 'none'}`),
    dim: async (dimmed) => void asked.push(`dim ${dimmed}`),
    async setTheme(chosen) {
      asked.push(`theme ${chosen}`)
      theme = chosen
      emit({ type: 'themeChanged', theme })
    },
    subscribe(listener) {
      listener({ type: 'themeChanged', theme })
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    dispose: () => listeners.clear(),
  }
  return host
}

export interface TestWindow extends RenderResult {
  fake: FakeRuntime
  host: MemoryHost
  shell: Shell
}

/**
 * Draws `ui` in a shell, of a folder in which the first question was answered. Everything is taken down after
 * the test.
 */
export function renderInShell(
  ui: ReactNode,
  fake: FakeRuntime = createFakeRuntime(),
  open: () => Promise<OpenedPort> = async () => openTestPort(fake),
  { isNew = false }: { isNew?: boolean } = {},
): TestWindow {
  const host = createMemoryHost()
  const connection = createConnection(open)
  const shell = createShell({ kind: 'browser', connection, tabs: host }, window)
  shells.push(shell)
  if (!isNew) shell.preferences.setState({ beginningChosen: true })
  const result = render(<ShellContext value={shell}>{ui}</ShellContext>)
  return { ...result, fake, host, shell }
}

const shells: Shell[] = []

beforeEach(() => {
  completeWindow()
  localStorage.clear()
  sessionStorage.clear()
})

afterEach(() => {
  cleanup()
  for (const shell of shells.splice(0)) shell.dispose()
})
