// One event: who takes part, the games, and how it stands.
import { html, nothing } from '/.dharma/lit.js'
import type { TemplateResult } from '/.dharma/lit.js'
import { createAction, problemTemplate } from '../action.ts'
import { createEntryForm } from '../entry-form.ts'
import { formatText, phaseTemplate, playersText } from '../event-badge.ts'
import { gameListTemplate } from '../game-list.ts'
import { emptyPage, loadingPage } from '../loading.ts'
import type { Page, PageContext } from '../page.ts'
import { personTemplate } from '../person.ts'
import { checkedGames, phaseOf, playedOf } from '../phase.ts'
import type { Phase } from '../phase.ts'
import { GAME_TITLE } from '../records.ts'
import type { EventValue } from '../records.ts'
import type { GameEvent } from '../starts.ts'
import { standingsTemplate } from '../standings.ts'
import { startEvent } from '../start.ts'
import { timeTemplate } from '../times.ts'
import type { Verdict } from '../verifier.ts'
import { createPlayControl } from '../your-games.ts'

export function createEventPage(context: PageContext, id: string): Page {
  const { cloud, store, verifier, me, update } = context
  const action = createAction(update)
  const entryForm = createEntryForm(context)
  const playControl = createPlayControl(context)
  const stopSessions = store.followSessions()

  const organiserBar = (event: GameEvent, phase: Phase): TemplateResult | typeof nothing => {
    if (event.author !== me.person || event.start !== null) return nothing
    const entries = store.entriesOf(event.id)
    const { format, maxPlayers } = event.value
    const cancel = (): void => {
      const value: EventValue = { ...event.value, status: 'cancelled' }
      void action.run(() => cloud.db.collection<EventValue>('events').put(event.id, value))
    }
    return html`<section class="d-card d-stack" aria-label="Organise">
      <p>
        ${format === 'single'
          ? phase === 'full'
            ? 'Both players are here. The game starts by itself; if it does not, start it.'
            : 'You organise this game. It starts by itself as soon as two players have joined.'
          : entries.length < 2
            ? 'You organise this event. You can start it when two or more have joined.'
            : `You organise this event. ${entries.length} of ${maxPlayers} have joined; you can start it now or wait for more.`}
      </p>
      <div class="d-row">
        ${format === 'single' && phase !== 'full'
          ? nothing
          : html`<button
              class="d-button d-button-primary"
              ?disabled=${entries.length < 2 || action.pending}
              @click=${() => void action.run(() => startEvent(cloud, event, entries))}
            >
              Start now
            </button>`}
        <button class="d-button d-button-danger" ?disabled=${action.pending} @click=${cancel}>
          Cancel the event
        </button>
      </div>
      ${problemTemplate(action.problem)}
    </section>`
  }

  const entrants = (event: GameEvent): TemplateResult => {
    const entries = store.entriesOf(event.id)
    return html`<section class="d-stack" aria-labelledby="entrants">
      <h2 id="entrants">Players <span class="d-muted">${entries.length}</span></h2>
      ${entries.length === 0
        ? html`<p class="d-muted">Nobody has joined yet.</p>`
        : html`<ul class="entrants" aria-labelledby="entrants">
            ${entries.map(
              ({ value }) =>
                html`<li>
                  ${personTemplate(value.person, value.name, { self: value.person === me.person })}
                  <span class="d-muted d-small">joined ${timeTemplate(value.joinedMs)}</span>
                </li>`,
            )}
          </ul>`}
    </section>`
  }

  const body = (event: GameEvent, phase: Phase): TemplateResult => {
    if (phase === 'cancelled') {
      return html`<p class="d-notice">The organiser has cancelled this event.</p>`
    }
    if (event.start === null) {
      return html`${entryForm.render(event, phase)} ${organiserBar(event, phase)} ${entrants(event)}`
    }
    const games = checkedGames(event, store, verifier)
    const count = (state: Verdict['state']): number =>
      games.filter(({ verdict }) => verdict?.state === state).length
    const refused = count('refused')
    return html`
      ${playControl.problem()}
      ${event.start.isDisputed
        ? html`<p class="d-notice d-notice-danger" role="alert">
            The organiser has started this event in two ways. Shown is the earlier one.
          </p>`
        : nothing}
      ${refused === 0
        ? nothing
        : html`<p class="d-notice d-notice-danger" role="alert">
            ${refused === 1 ? 'One result is' : `${refused} results are`} not counted: signatures or
            moves do not hold.
          </p>`}
      ${gameListTemplate(event, games, context, playControl)}
      ${event.value.format === 'single'
        ? nothing
        : standingsTemplate(event, playedOf(games), count('checking'), me.person)}
    `
  }

  return {
    title: () => store.eventOf(id)?.value.title ?? 'Event',
    render() {
      const event = store.eventOf(id)
      if (event === null) {
        return store.loaded
          ? emptyPage(
              'This event is not here',
              'No machine that can be reached now knows it. It appears as soon as one does.',
              { path: '/', label: 'All events' },
            )
          : loadingPage('Looking for this event…')
      }
      const phase = phaseOf(event, store)
      const { title, organiser, createdMs } = event.value
      return html`
        <header class="d-stack">
          <div class="d-row">
            <h1 tabindex="-1">${title}</h1>
            ${phaseTemplate(phase)}
          </div>
          <p class="facts d-muted">
            <span>${GAME_TITLE}</span>
            <span>${formatText(event.value)}, ${playersText(event.value)}</span>
            <span class="organiser">by ${personTemplate(event.author, organiser)}</span>
            <span>${timeTemplate(createdMs)}</span>
          </p>
        </header>
        ${body(event, phase)}
      `
    },
    dispose: stopSessions,
  }
}
