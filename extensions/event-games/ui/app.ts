// The entry: connects, reads, and draws the page of the address.
import { CloudError, connectToCloud } from '/.dharma/sdk.js'
import type { Cloud } from '/.dharma/sdk.js'
import { html, nothing, render } from '/.dharma/lit.js'
import type { TemplateResult } from '/.dharma/lit.js'
import { problemTemplate } from './action.ts'
import { startGamesStore } from './games-store.ts'
import { emptyPage, loadingPage } from './loading.ts'
import type { Page, PageContext } from './page.ts'
import { createEventsPage } from './pages/events.ts'
import { createEventPage } from './pages/event.ts'
import { createGamePage } from './pages/game.ts'
import { createLivePage } from './pages/live.ts'
import { createNewEventPage } from './pages/event-new.ts'
import { createReplayPage } from './pages/replay.ts'
import { createResultsPage } from './pages/results.ts'
import { routeOf } from './routes.ts'
import type { Route } from './routes.ts'
import { createAutoStart } from './start.ts'
import { createVerifier } from './verifier.ts'

/** Relative times grow old. */
const REDRAW_MS = 30_000

const SECTIONS: readonly { path: string; label: string; pages: readonly Route['page'][] }[] = [
  { path: '/', label: 'Events', pages: ['events', 'event', 'new-event'] },
  { path: '/live', label: 'Live', pages: ['live', 'game'] },
  { path: '/results', label: 'Results', pages: ['results', 'replay'] },
]

function createPage(context: PageContext, route: Route): Page {
  switch (route.page) {
    case 'events':
      return createEventsPage(context)
    case 'new-event':
      return createNewEventPage(context)
    case 'event':
      return createEventPage(context, route.event)
    case 'live':
      return createLivePage(context)
    case 'game':
      return createGamePage(context, route.session)
    case 'results':
      return createResultsPage(context)
    case 'replay':
      return createReplayPage(context, route.session)
    case 'unknown':
      return {
        title: () => 'Not found',
        render: () =>
          emptyPage('There is no such page', 'The address may be mistyped.', {
            path: '/',
            label: 'Events',
          }),
      }
  }
}

/** Runs the system on a cloud, drawing into `root`. */
export async function startApp(cloud: Cloud, root: HTMLElement): Promise<void> {
  const me = await cloud.identity.whoami()
  let scheduled = false
  let announcement = ''
  let closed = false
  let title = ''

  const update = (): void => {
    if (scheduled) return
    scheduled = true
    queueMicrotask(() => {
      scheduled = false
      draw()
    })
  }
  const store = startGamesStore(cloud, () => {
    autoStart()
    update()
  })
  const autoStart = createAutoStart(cloud, store, me.person)
  const context: PageContext = {
    cloud,
    store,
    verifier: createVerifier(cloud, update),
    me,
    update,
    announce(text) {
      announcement = text
      update()
    },
  }
  let route = routeOf(cloud.location.path)
  let page = createPage(context, route)

  const navigation = (): TemplateResult =>
    html`<header class="top">
      <nav aria-label="Event Games">
        ${SECTIONS.map(({ path, label, pages }) => {
          const current = pages.includes(route.page)
          return html`<a href=${path} aria-current=${current ? 'page' : 'false'}>${label}</a>`
        })}
      </nav>
    </header>`

  const draw = (): void => {
    render(
      html`${navigation()}
        <main class="d-page" id="page">
          ${closed
            ? html`<p class="d-notice d-notice-danger" role="alert">
                The connection to this machine was closed.
                <button class="d-button" @click=${() => location.reload()}>Reload</button>
              </p>`
            : nothing}
          ${problemTemplate(closed ? '' : (store.error?.message ?? ''))}${page.render()}
        </main>
        <p class="d-hidden" aria-live="polite" role="status" aria-label="News">${announcement}</p>`,
      root,
    )
    if (page.title() === title) return
    title = page.title()
    cloud.location.setTitle(title)
  }

  cloud.location.onNavigate((path) => {
    page.dispose?.()
    route = routeOf(path)
    announcement = ''
    page = createPage(context, route)
    draw()
    scrollTo(0, 0)
    root.querySelector<HTMLElement>('h1')?.focus()
  })
  cloud.onClosed(() => {
    closed = true
    update()
  })
  document.addEventListener('keydown', (event) => {
    const { target } = event
    const typing =
      target instanceof HTMLInputElement ||
      target instanceof HTMLSelectElement ||
      target instanceof HTMLTextAreaElement
    if (typing || event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return
    if (page.keyPressed?.(event) === true) event.preventDefault()
  })
  setInterval(update, REDRAW_MS)
  draw()
}

/** What is shown when the system cannot run at all. */
export function failureTemplate(error: unknown): TemplateResult {
  const message = error instanceof CloudError ? error.message : String(error)
  return html`<main class="d-page">
    <h1>Event Games cannot start</h1>
    ${problemTemplate(message)}
    <div><button class="d-button" @click=${() => location.reload()}>Try again</button></div>
  </main>`
}

/** Connects and starts. */
export async function main(root: HTMLElement): Promise<void> {
  render(html`<main class="d-page">${loadingPage('Connecting…')}</main>`, root)
  try {
    await startApp(await connectToCloud(), root)
  } catch (error) {
    render(failureTemplate(error), root)
  }
}
