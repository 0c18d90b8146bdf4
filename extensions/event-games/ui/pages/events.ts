// All events of the cloud, and the games that wait for this person.
import { html, nothing, repeat } from '/.dharma/lit.js'
import type { TemplateResult } from '/.dharma/lit.js'
import { emptyTemplate, loadingTemplate } from '../loading.ts'
import type { Page, PageContext } from '../page.ts'
import { formatText, phaseTemplate } from '../event-badge.ts'
import { PHASE_TEXT, phaseOf } from '../phase.ts'
import type { Phase } from '../phase.ts'
import { GAME_TITLE } from '../records.ts'
import type { GameEvent } from '../starts.ts'
import { pathOf } from '../routes.ts'
import { timeTemplate } from '../times.ts'
import { createYourGames } from '../your-games.ts'

/** Rows drawn at first, and added by "Show more". */
const ROWS_STEP = 100

export function createEventsPage({ cloud, store, me, update }: PageContext): Page {
  const yourGames = createYourGames({ cloud, store, me, update })
  let search = ''
  let phase: Phase | 'all' = 'all'
  let shown = ROWS_STEP

  const row = (event: GameEvent): TemplateResult => {
    const { title, organiser, maxPlayers, createdMs } = event.value
    const entered = event.start?.players.length ?? store.entriesOf(event.id).length
    return html`<tr>
      <td><a class="title-link" href=${pathOf.event(event.id)}>${title}</a></td>
      <td class="wide-only">${GAME_TITLE} · ${formatText(event.value)}</td>
      <td class="medium-only">${event.author === me.person ? 'You' : organiser}</td>
      <td class="d-number">${entered}<span class="d-muted"> / ${maxPlayers}</span></td>
      <td>${phaseTemplate(phaseOf(event, store))}</td>
      <td class="d-muted medium-only">${timeTemplate(createdMs)}</td>
    </tr>`
  }

  const list = (): TemplateResult => {
    if (store.events.length === 0) {
      return emptyTemplate(
        'No events yet',
        'Nobody in this cloud has announced one. Be the first: it takes a title and a click, and everyone can find it.',
        { path: '/events/new', label: 'Announce an event' },
      )
    }
    const wanted = search.trim().toLowerCase()
    const found = store.events.filter(
      (event) =>
        (phase === 'all' || phaseOf(event, store) === phase) &&
        `${event.value.title}\n${event.value.organiser}`.toLowerCase().includes(wanted),
    )
    if (found.length === 0) {
      return emptyTemplate('Nothing fits', 'No event has these words and this status.')
    }
    return html`<div class="d-table-scroll">
        <table class="d-table" aria-label="Events">
          <thead>
            <tr>
              <th scope="col">Event</th>
              <th scope="col" class="wide-only">Game</th>
              <th scope="col" class="medium-only">Organiser</th>
              <th scope="col" class="d-number">Players</th>
              <th scope="col">Status</th>
              <th scope="col" class="medium-only">Announced</th>
            </tr>
          </thead>
          <tbody>
            ${repeat(found.slice(0, shown), (event) => event.id, row)}
          </tbody>
        </table>
      </div>
      ${found.length > shown
        ? html`<button
            class="d-button"
            @click=${() => {
              shown += ROWS_STEP
              update()
            }}
          >
            Show more
          </button>`
        : nothing}`
  }

  return {
    title: () => 'Events',
    render: () => html`
      <div class="d-row d-spread">
        <h1 tabindex="-1">Events</h1>
        ${store.loaded && store.events.length === 0
          ? nothing
          : html`<a class="d-button d-button-primary" href="/events/new">Announce an event</a>`}
      </div>
      ${yourGames.render()}
      ${store.loaded
        ? html`<section class="d-stack" aria-label="Events of the cloud">
            ${store.events.length === 0
              ? nothing
              : html`<div class="filters">
                  <input
                    class="d-input"
                    type="search"
                    aria-label="Filter events"
                    placeholder="Filter by title or organiser"
                    .value=${search}
                    @input=${(event: InputEvent) => {
                      search = (event.target as HTMLInputElement).value
                      update()
                    }}
                  />
                  <select
                    class="d-input"
                    aria-label="Status"
                    @change=${(event: Event) => {
                      phase = (event.target as HTMLSelectElement).value as Phase | 'all'
                      update()
                    }}
                  >
                    <option value="all">All</option>
                    ${Object.entries(PHASE_TEXT).map(
                      ([value, text]) => html`<option value=${value}>${text}</option>`,
                    )}
                  </select>
                </div>`}
            ${list()}
          </section>`
        : loadingTemplate('Reading the events of the cloud…')}
    `,
    dispose: yourGames.dispose,
  }
}
