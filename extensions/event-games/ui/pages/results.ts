// All finished games of the cloud.
import { html, nothing, repeat } from '/.dharma/lit.js'
import type { TemplateResult } from '/.dharma/lit.js'
import { verdictTemplate } from '../event-badge.ts'
import { emptyTemplate, loadingTemplate } from '../loading.ts'
import { gameTitle, namesOf } from '../names.ts'
import type { Page, PageContext } from '../page.ts'
import { personTemplate } from '../person.ts'
import { endingText, outcomeText } from '../records.ts'
import type { ResultRecord } from '../records.ts'
import { pathOf } from '../routes.ts'
import { timeTemplate } from '../times.ts'

/** Rows drawn at first, and added by "Show more". */
const ROWS_STEP = 100
/** By how many players have signed the result. */
const AGREED = ['Signed by neither', 'Signed by one', 'Signed by both']
const BOTH = 2
const WHAT_AGREEING_IS =
  'Who of the players has signed that they agree. The moves, which are signed one by one, decide without it.'

export function createResultsPage({ store, verifier, update }: PageContext): Page {
  let shown = ROWS_STEP

  const check = (record: ResultRecord): TemplateResult => {
    const { session, signatures } = record.value
    if (store.isDisputed(session)) return html`<span class="d-badge d-badge-danger">Disputed</span>`
    const verdict = verifier.peek(record)
    if (verdict !== null) return verdictTemplate(verdict)
    const text = AGREED[Math.min(signatures.length, BOTH)]
    return html`<span class="d-badge" title=${WHAT_AGREEING_IS}>${text}</span>`
  }

  const row = (record: ResultRecord): TemplateResult => {
    const { descriptor, outcome, by, session, plies, endedMs } = record.value
    const names = namesOf(descriptor, store)
    const why = endingText(by, outcome, names)
    return html`<tr>
      <td>
        <div class="versus">
          ${descriptor.seats.map((person, seat) => personTemplate(person, names[seat] ?? ''))}
        </div>
      </td>
      <td>
        <a href=${pathOf.replay(session)}>${outcomeText(outcome, names)}</a>
        ${why === null ? nothing : html`<br /><span class="d-muted d-small">${why}</span>`}
      </td>
      <td class="medium-only">${gameTitle(descriptor, store)}</td>
      <td class="d-number wide-only">${plies}</td>
      <td class="medium-only">${check(record)}</td>
      <td class="d-muted wide-only">${timeTemplate(endedMs)}</td>
    </tr>`
  }

  const list = (): TemplateResult => {
    if (!store.loaded) return loadingTemplate('Reading the results of the cloud…')
    if (store.results.length === 0) {
      return emptyTemplate(
        'No finished games yet',
        'When a game ends, the players store the result, and it stays in the cloud even when they have left.',
        { path: '/live', label: 'Watch live games' },
      )
    }
    return html`<div class="d-table-scroll">
        <table class="d-table" aria-label="Results">
          <thead>
            <tr>
              <th scope="col">Players</th>
              <th scope="col">Result</th>
              <th scope="col" class="medium-only">Event</th>
              <th scope="col" class="d-number wide-only">Moves</th>
              <th scope="col" class="medium-only">Signatures</th>
              <th scope="col" class="wide-only">Ended</th>
            </tr>
          </thead>
          <tbody>
            ${repeat(store.results.slice(0, shown), ({ value }) => value.session, row)}
          </tbody>
        </table>
      </div>
      ${store.results.length > shown
        ? html`<button
            class="d-button"
            @click=${() => {
              shown += ROWS_STEP
              update()
            }}
          >
            Show more
          </button>`
        : nothing}
      ${store.completeness?.complete === false
        ? html`<p class="d-muted d-small" role="status">
            Not all machines in reach have been compared yet; more may follow.
          </p>`
        : nothing}`
  }

  return {
    title: () => 'Results',
    render: () =>
      html`<h1 tabindex="-1">Results</h1>
        ${list()}`,
  }
}
