// Where a system's page is: addresses inside the system, kept in the browser's history and told to
// the shell, so that its address bar, bookmarks and back button work.
import type { Disposer } from './stream.ts'

/** The place inside the system, as the address bar shows it after `cloud://<id>`. */
export interface CloudLocation {
  /** Path with query, such as `/events/7?tab=games`. */
  readonly path: string
  /** Goes to a path of this system, as a link would. Going where one is does nothing. */
  navigate(path: string): void
  /** Like `navigate`, without an entry in the history: for redirects. */
  replace(path: string): void
  /** Called after every change of the path, be it by `navigate`, a link or the back button. */
  onNavigate(listener: (path: string) => void): Disposer
  /** Names the page: in the tab, and in the history. */
  setTitle(title: string): void
}

/** The link that a click means to follow inside this page, if it does. */
function linkOf(event: MouseEvent, page: Window): URL | null {
  if (event.defaultPrevented || event.button !== 0) return null
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return null
  const link = event
    .composedPath()
    .find((node): node is HTMLAnchorElement => (node as Element).tagName === 'A')
  if (link === undefined || !link.hasAttribute('href') || link.hasAttribute('download')) return null
  if (link.target !== '' && link.target !== '_self') return null
  const url = new URL(link.href, page.location.href)
  return url.host === page.location.host && url.protocol === page.location.protocol ? url : null
}

/** Starts at `startPath`, and makes links between pages of the system navigate without a reload. */
export function createLocation(page: Window, startPath: string): CloudLocation {
  const listeners = new Set<(path: string) => void>()
  const current = (): string => page.location.pathname + page.location.search
  const report = (): void =>
    page.parent.postMessage(
      { type: 'dharma:location', path: current(), title: page.document.title },
      '*',
    )
  const changed = (): void => {
    report()
    for (const listener of listeners) listener(current())
  }
  const go = (path: string, how: 'pushState' | 'replaceState'): void => {
    if (path === current()) return
    page.history[how](null, '', path)
    changed()
  }
  if (startPath.startsWith('/') && startPath !== current()) {
    page.history.replaceState(null, '', startPath)
  }
  page.addEventListener('popstate', changed)
  // The window asks whether the frame still shows this page: browsers do not tell it.
  page.addEventListener('message', (event: MessageEvent<unknown>) => {
    if (event.source !== page.parent || typeof event.data !== 'object' || event.data === null)
      return
    if ((event.data as { type?: unknown }).type === 'dharma:where') report()
  })
  page.document.addEventListener('click', (event) => {
    const url = linkOf(event, page)
    // A link to a place on the same page is the browser's own business.
    if (url === null || (url.hash !== '' && url.pathname + url.search === current())) return
    event.preventDefault()
    go(url.pathname + url.search, 'pushState')
  })
  report()
  return {
    get path() {
      return current()
    },
    navigate: (path) => go(path, 'pushState'),
    replace: (path) => go(path, 'replaceState'),
    onNavigate(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    setTitle(title) {
      page.document.title = title
      report()
    },
  }
}
