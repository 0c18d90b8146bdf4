// The views of the window's tabs: web pages and systems.
import type { BrowserWindow, Session, WebContents } from 'electron'
import { EventEmitter } from 'node:events'
import { CloudError } from '../../node-runtime/contract/errors.ts'
import type { Bounds, TabsEvent } from '../contract/tabs.ts'
import type { PageOwner, Target } from './navigation.ts'
import { parseTarget } from './navigation.ts'
import { Turns } from './favicon.ts'
import { View } from './view.ts'

export interface TabsOptions {
  window: BrowserWindow
  sessionOf: (owner: PageOwner) => Session
  /** The preload script of systems' pages. */
  systemPreload: string
}

/** Views by the id that the shell chose. */
export class Tabs {
  readonly #options: TabsOptions
  readonly #views = new Map<string, View>()
  readonly #events = new EventEmitter<{ event: [TabsEvent] }>()
  /** What nobody has listened for yet: addresses from outside, while the shell still starts. */
  #unheard: TabsEvent[] = []
  readonly #faviconTurns = new Turns()
  #shown: { tab: string; bounds: Bounds } | null = null

  constructor(options: TabsOptions) {
    this.#options = options
    this.#events.setMaxListeners(0)
  }

  /** Calls `listener` with the present views, then with every event; returns how to stop that. */
  subscribe(listener: (event: TabsEvent) => void): () => void {
    for (const view of this.#views.values()) listener({ type: 'viewChanged', view: view.state })
    for (const event of this.#unheard.splice(0)) listener(event)
    this.#events.on('event', listener)
    return () => this.#events.off('event', listener)
  }

  open(tab: string, url: string): void {
    const target = this.#parse(url)
    this.#discard(tab)
    this.#create(tab, target)
  }

  /** In the same view where the address belongs to the same storage, else in a new one. */
  navigate(tab: string, url: string): void {
    const view = this.#find(tab)
    const target = this.#parse(url)
    if (isSamePlace(view.target, target)) view.load(target.url)
    else this.open(tab, url)
  }

  back(tab: string): void {
    this.#find(tab).contents.navigationHistory.goBack()
  }

  forward(tab: string): void {
    this.#find(tab).contents.navigationHistory.goForward()
  }

  reload(tab: string): void {
    this.#find(tab).reload()
  }

  stop(tab: string): void {
    this.#find(tab).contents.stop()
  }

  close(tab: string): void {
    if (this.#discard(tab)) this.#emit({ type: 'viewClosed', tab })
  }

  show(tab: string | null, bounds: Bounds): void {
    if (tab !== null) this.#find(tab)
    this.#shown = tab === null ? null : { tab, bounds }
    for (const [id, view] of this.#views) view.show(id === tab ? bounds : null)
  }

  /** Without its page, nobody would know the views any more. */
  closeAll(): void {
    this.#shown = null
    for (const tab of [...this.#views.keys()]) this.#discard(tab)
  }

  /** An address from outside of the window, or from one of its pages. */
  requestOpen(url: string, fromTab: string | null = null): void {
    this.#emit({ type: 'openRequested', url, fromTab })
  }

  /** The system whose page this is, and that page's view; null if it is none. */
  systemOf(contents: WebContents): { system: string; view: View } | null {
    for (const view of this.#views.values()) {
      if (view.contents !== contents) continue
      return view.target.kind === 'system' ? { system: view.target.system, view } : null
    }
    return null
  }

  /** Ends the pages of a system that has gone. */
  evictSystem(system: string): void {
    for (const view of this.#views.values()) {
      if (view.target.kind === 'system' && view.target.system === system) view.evict()
    }
  }

  /** The pages of all systems that are open. */
  systemPages(): WebContents[] {
    return [...this.#views.values()]
      .filter(({ target }) => target.kind === 'system')
      .map(({ contents }) => contents)
  }

  #parse(url: string): Target {
    const target = parseTarget(url)
    if (target !== null) return target
    throw new CloudError('TAB_ADDRESS_INVALID', 'A tab can show web pages and systems only.', {
      url,
    })
  }

  #find(tab: string): View {
    const view = this.#views.get(tab)
    if (view !== undefined) return view
    throw new CloudError('TAB_UNKNOWN', 'This tab is not open any more.', { tab })
  }

  #emit(event: TabsEvent): void {
    if (this.#events.listenerCount('event') > 0) this.#events.emit('event', event)
    else if (event.type === 'openRequested') this.#unheard.push(event)
  }

  #create(tab: string, target: Target): void {
    const { window, sessionOf, systemPreload } = this.#options
    const view: View = new View({
      tab,
      target,
      session: sessionOf(target),
      preload: target.kind === 'system' ? systemPreload : null,
      faviconTurns: this.#faviconTurns,
      changed: (state) => this.#emit({ type: 'viewChanged', view: state }),
      handOver: (url) => this.requestOpen(url, tab),
      pressed: (shortcut, focusShell) => {
        if (focusShell) window.webContents.focus()
        this.#emit({ type: 'shortcut', shortcut })
      },
      closed: () => {
        // A page may close itself. Another view may have taken its place since.
        if (this.#views.get(tab) === view) this.close(tab)
      },
    })
    this.#views.set(tab, view)
    window.contentView.addChildView(view.native)
    if (this.#shown?.tab === tab) view.show(this.#shown.bounds)
    view.load(target.url)
  }

  /** Takes the view away, if there is one. */
  #discard(tab: string): boolean {
    const view = this.#views.get(tab)
    if (view === undefined) return false
    this.#views.delete(tab)
    const { window } = this.#options
    if (!window.isDestroyed()) window.contentView.removeChildView(view.native)
    view.close()
    return true
  }
}

function isSamePlace(one: Target, other: Target): boolean {
  if (one.kind === 'system') return other.kind === 'system' && other.system === one.system
  return other.kind === 'web'
}
