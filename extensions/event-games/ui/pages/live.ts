// The games that are being played in the cloud now.
import type { SessionSummary } from '/.dharma/sdk.js'
import { html, repeat } from '/.dharma/lit.js'
import type { TemplateResult } from '/.dharma/lit.js'
import { emptyTemplate, loadingTemplate } from '../loading.ts'
import { gameTitle, namesOf } from '../names.ts'
import type { Page, PageContext } from '../page.ts'
import { personTemplate } from '../person.ts'
import { pathOf } from '../routes.ts'
import { timeTemplate } from '../times.ts'
import { hasSatDown } from '../your-games.ts'

export function createLivePage({ store }: PageContext): Page {
  const stop = store.followSessions()

  const row = (summary: SessionSummary): TemplateResult => {
    const { session, descriptor, seats, state, ply, startedMs, ownSeat } = summary
    const names = namesOf(descriptor, store)
    return html`<tr>
      <td>
        <div class="versus">
          ${seats.map(({ person, online }, seat) =>
            personTemplate(person, names[seat] ?? '', { online, self: seat === ownSeat }),
          )}
        </div>
      </td>
      <td class="medium-only">${gameTitle(descriptor, store)}</td>
      <td>
        ${state === 'waiting'
          ? html`<span class="d-badge">Waiting</span>`
          : html`<span class="d-badge d-badge-attention">Move ${ply}</span>`}
      </td>
      <td class="d-muted medium-only">${timeTemplate(startedMs)}</td>
      <td class="d-number">
        <a class="d-button" href=${pathOf.game(session)}>
          ${ownSeat === null ? 'Watch' : hasSatDown(summary) ? 'Continue' : 'Play'}
          <span class="d-hidden">${names.join(' against ')}</span>
        </a>
      </td>
    </tr>`
  }

  const list = (): TemplateResult => {
    if (store.sessions === null) return loadingTemplate('Looking for games…')
    const going = store.sessions.filter(({ state }) => state !== 'over')
    if (going.length === 0) {
      return emptyTemplate(
        'Nobody plays right now',
        'Games appear here the moment they begin, wherever in the cloud they are played.',
        { path: '/', label: 'Find an event' },
      )
    }
    return html`<div class="d-table-scroll">
      <table class="d-table" aria-label="Live games">
        <thead>
          <tr>
            <th scope="col">Players</th>
            <th scope="col" class="medium-only">Event</th>
            <th scope="col">State</th>
            <th scope="col" class="medium-only">Begun</th>
            <th scope="col"><span class="d-hidden">Watch</span></th>
          </tr>
        </thead>
        <tbody>
          ${repeat(going, ({ session }) => session, row)}
        </tbody>
      </table>
    </div>`
  }

  return {
    title: () => 'Live games',
    render: () =>
      html`<h1 tabindex="-1">Live games</h1>
        ${list()}`,
    dispose: stop,
  }
}
