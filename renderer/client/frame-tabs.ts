// The TabHost where the window is itself a page of a browser: tabs are frames that the page draws.
import { createStore } from 'zustand/vanilla'
import type { TabsEvent, ViewState } from '../../electron/contract/tabs.ts'
import { CloudError } from '../../node-runtime/contract/errors.ts'
import { Pace } from '../../node-runtime/flow/pace.ts'
import { parseAddress, systemAddress } from './address.ts'
import type { Target } from './address.ts'
import type { OpenedPort } from './connection.ts'
import type { PageTheme } from './page-theme.ts'
import type { Frame, TabHost } from './tab-host.ts'

/** One place a frame has been. The frame's own history belongs to the browser and cannot be read. */
interface Place {
  url: string
  src: string
}

interface View {
  kind: 'web' | 'system'
  system: string | null
  places: Place[]
  index: number
  title: string
  loading: boolean
  /** Is what the frame shows a page of its system, by its own word from its own origin? */
  atHome: boolean
  /** Ends the wait for that word. */
  waiting: ReturnType<typeof setTimeout> | undefined
  /** Tells of changes, not more often than one can see. */
  report: Pace
  generation: number
  element: HTMLIFrameElement | null
  /** Ends the ports that pages in this frame were given. */
  ports: Set<() => void>
}

/** What a system's page may pass on; the browser keeps the keys of its own tabs. */
const FRAME_SHORTCUTS = ['command-palette', 'focus-address'] as const

/** A page needs one; each is a connection of its own to the runtime. */
const MAX_PORTS_PER_FRAME = 16

/** After a frame has loaded something, its page has so long to say that it still is the system's. */
const HOME_WORD_MS = 1_000
/** As frames can tell of new places and titles in a loop. */
const REPORT_GAP_MS = 100
/** As browsers have it for a page's own history. */
const LONGEST_HISTORY = 50

export interface FrameTabsOptions {
  /** Origin under which a system's pages are served, such as `http://<id>.localhost:4000`. */
  systemOrigin: (system: string) => string
  /** A port that speaks for that system. */
  openSystemPort: (system: string) => OpenedPort & { port: MessagePort }
  theme: PageTheme
  page: Window
}

export interface FrameTabs extends TabHost {
  /** Ends the pages of a system that is not installed any more; their tabs say so. */
  evict(system: string): void
}

/** See `TabHost`. */
export function createFrameTabs(options: FrameTabsOptions): FrameTabs {
  const { page, theme } = options
  const views = new Map<string, View>()
  const listeners = new Set<(event: TabsEvent) => void>()
  const store = createStore<{ frames: Frame[] }>(() => ({ frames: [] }))
  let shown: string | null = null

  const placeOf = (target: Target): Place => {
    if (target.kind === 'web') return { url: target.url, src: target.url }
    if (target.kind === 'system') {
      return { url: target.address, src: options.systemOrigin(target.system) + target.path }
    }
    throw new CloudError('TAB_ADDRESS_INVALID', 'A built-in page has no view of its own.')
  }
  const parse = (url: string): Target => {
    const target = parseAddress(url)
    if (target === null || target.kind === 'page') {
      throw new CloudError('TAB_ADDRESS_INVALID', `"${url}" cannot be shown in a tab.`)
    }
    // Pages of the window's own origin would not be held by the frame's sandbox.
    if (target.kind === 'web' && new URL(target.url).origin === page.location.origin) {
      throw new CloudError('TAB_ADDRESS_INVALID', 'The window cannot be shown inside itself.')
    }
    return target
  }
  const find = (id: string): View => {
    const view = views.get(id)
    if (view === undefined) throw new CloudError('TAB_UNKNOWN', 'This tab is no longer open.')
    return view
  }
  const place = (view: View): Place => view.places[view.index] as Place

  /** A frame may have gone elsewhere by itself, and no browser tells. A lock would be a guess. */
  const security = (view: View): ViewState['security'] =>
    view.kind === 'system' && view.atHome ? 'cloud' : 'unknown'
  const emit = (event: TabsEvent): void => {
    for (const listener of listeners) listener(event)
  }
  const draw = (): void =>
    store.setState({
      frames: [...views].map(([id, view]) => ({
        view: id,
        kind: view.kind,
        // What the frame was made with; later places are set on the element itself.
        src: place(view).src,
        title: view.title,
        generation: view.generation,
        shown: id === shown,
      })),
    })
  const tell = (id: string, view: View): void => {
    if (views.get(id) !== view) return
    draw()
    emit({
      type: 'viewChanged',
      view: {
        tab: id,
        kind: view.kind,
        url: place(view).url,
        title: view.title,
        favicon: null,
        loading: view.loading,
        canGoBack: view.index > 0,
        canGoForward: view.index < view.places.length - 1,
        security: security(view),
        failure: null,
      },
    })
  }
  /** What was asked of the frame shows at once. */
  const changed = (id: string, view: View): void => {
    view.report.stop()
    tell(id, view)
  }
  /** Goes to a place; what lay ahead is forgotten, and what is long ago. */
  const visit = (view: View, next: Place): void => {
    view.places.splice(view.index + 1, Infinity, next)
    if (view.places.length > LONGEST_HISTORY) view.places.shift()
    view.index = view.places.length - 1
  }
  const remake = (id: string, view: View): void => {
    closePorts(view)
    clearTimeout(view.waiting)
    // We have just sent it there.
    view.atHome = true
    view.loading = true
    view.generation += 1
    changed(id, view)
  }
  const step = (id: string, by: number): void => {
    const view = find(id)
    if (view.places[view.index + by] === undefined) return
    view.index += by
    if (view.kind === 'web') view.title = titleOf(place(view).url)
    remake(id, view)
  }

  const receive = (event: MessageEvent<unknown>): void => {
    const entry = [...views].find(
      ([, view]) => view.element !== null && view.element.contentWindow === event.source,
    )
    if (entry === undefined || typeof event.data !== 'object' || event.data === null) return
    const [id, view] = entry
    const { system } = view
    // A frame that has left its system's origin speaks for nobody.
    if (system === null || event.origin !== options.systemOrigin(system)) return
    const message = event.data as Record<string, unknown>
    clearTimeout(view.waiting)
    if (!view.atHome) {
      view.atHome = true
      changed(id, view)
    }
    if (message.type === 'dharma:connect') handOver(view, system, event.origin)
    if (message.type === 'dharma:location' && typeof message.path === 'string') {
      moved(view, system, message.path, message.title)
    }
    if (message.type === 'dharma:shortcut') pressed(id, message.shortcut)
  }
  const handOver = (view: View, system: string, origin: string): void => {
    if (view.ports.size >= MAX_PORTS_PER_FRAME) return
    const { port, close, closed } = options.openSystemPort(system)
    const frame = view.element?.contentWindow
    const path = place(view).url.slice(systemAddress(system, '').length)
    view.ports.add(close)
    frame?.postMessage({ type: 'dharma:port', system, path, theme: theme.looks }, origin, [port])
    void closed.then(() => {
      // Not every browser tells a page that its port was closed.
      if (view.ports.delete(close)) frame?.postMessage({ type: 'dharma:closed' }, origin)
    })
  }
  /** Keys pressed in the page in front, by the person and not by a script of it. */
  const pressed = (id: string, shortcut: unknown): void => {
    if (id !== shown || !page.navigator.userActivation.isActive) return
    const known = FRAME_SHORTCUTS.find((name) => name === shortcut)
    if (known !== undefined) emit({ type: 'shortcut', shortcut: known })
  }
  const moved = (view: View, system: string, path: string, title: unknown): void => {
    const target = parseAddress(systemAddress(system, path))
    // A path may also go on with the id, as `.notes/` does, and would name another system.
    if (target?.kind !== 'system' || target.system !== system) return
    if (target.address !== place(view).url) {
      visit(view, placeOf(target))
    }
    if (typeof title === 'string' && title.trim() !== '') view.title = title.trim().slice(0, 200)
    view.report.request()
  }
  /** A page has loaded, which one only it can say; the system's are asked. */
  const awaitWord = (id: string, view: View): void => {
    const { system } = view
    if (system === null) return
    const origin = options.systemOrigin(system)
    // Delivered to a page of that origin only.
    view.element?.contentWindow?.postMessage({ type: 'dharma:where' }, origin)
    clearTimeout(view.waiting)
    view.waiting = setTimeout(() => {
      view.atHome = false
      changed(id, view)
    }, HOME_WORD_MS)
  }
  const forget = (view: View): void => {
    closePorts(view)
    clearTimeout(view.waiting)
    view.report.stop()
  }
  const closePorts = (view: View): void => {
    for (const close of view.ports) close()
    view.ports.clear()
  }

  const tellTheme = (): void => {
    for (const { system, element } of views.values()) {
      if (system === null) continue
      element?.contentWindow?.postMessage(
        { type: 'dharma:theme', theme: theme.looks },
        options.systemOrigin(system),
      )
    }
  }
  const stopFollowing = theme.onComputerChange(tellTheme)

  page.addEventListener('message', receive)
  return {
    async open(id, url) {
      const target = parse(url)
      const view: View = {
        kind: target.kind === 'system' ? 'system' : 'web',
        system: target.kind === 'system' ? target.system : null,
        places: [placeOf(target)],
        index: 0,
        title: titleOf(url),
        loading: true,
        atHome: true,
        waiting: undefined,
        report: new Pace(REPORT_GAP_MS, () => tell(id, view)),
        generation: 0,
        element: null,
        ports: new Set(),
      }
      views.set(id, view)
      changed(id, view)
    },
    async navigate(id, url) {
      const view = find(id)
      const target = parse(url)
      if ((target.kind === 'system' ? target.system : null) !== view.system) {
        throw new CloudError('TAB_ADDRESS_INVALID', 'This address needs a view of its own.')
      }
      visit(view, placeOf(target))
      if (view.kind === 'web') view.title = titleOf(url)
      remake(id, view)
    },
    back: async (id) => step(id, -1),
    forward: async (id) => step(id, 1),
    reload: async (id) => remake(id, find(id)),
    evict(system) {
      // Made anew, a frame holds what its origin answers now.
      for (const [id, view] of views) if (view.system === system) remake(id, view)
    },
    async stop(id) {
      const view = find(id)
      view.loading = false
      changed(id, view)
    },
    async close(id) {
      const view = find(id)
      forget(view)
      views.delete(id)
      if (shown === id) shown = null
      draw()
      emit({ type: 'viewClosed', tab: id })
    },
    async show(id) {
      if (id !== null) find(id)
      if (shown === id) return
      shown = id
      draw()
    },
    async setTheme(next) {
      theme.choose(next)
      tellTheme()
      emit({ type: 'themeChanged', theme: next })
    },
    subscribe(listener) {
      listener({ type: 'themeChanged', theme: theme.chosen })
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    frames: {
      store,
      attach(id, element) {
        const view = views.get(id)
        if (view !== undefined) view.element = element
      },
      loaded(id) {
        const view = views.get(id)
        if (view === undefined) return
        awaitWord(id, view)
        if (!view.loading) return
        view.loading = false
        changed(id, view)
      },
    },
    dispose() {
      page.removeEventListener('message', receive)
      stopFollowing()
      for (const view of views.values()) forget(view)
      views.clear()
      listeners.clear()
    },
  }
}

/** What a page is called before it has said its own title, or where it cannot be asked for it. */
function titleOf(url: string): string {
  const target = parseAddress(url)
  if (target?.kind === 'web') return new URL(target.url).host
  return target?.kind === 'system' ? target.system : url
}
