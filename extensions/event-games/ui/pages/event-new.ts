// The form that announces an event to the cloud.
import { html, nothing } from '/.dharma/lit.js'
import { createAction, problemTemplate } from '../action.ts'
import type { Page, PageContext } from '../page.ts'
import { entryOf } from '../entering.ts'
import { eventIdOf, GAME, GAME_TITLE, MAX_PLAYERS } from '../records.ts'
import type { EntryValue, EventValue } from '../records.ts'
import { pathOf } from '../routes.ts'
import type { Format } from '../tournament.ts'

const RANDOM_LETTERS = 'abcdefghijklmnopqrstuvwxyz234567'
const DEFAULT_PLAYERS = 4

function randomPart(): string {
  return [...crypto.getRandomValues(new Uint8Array(8))]
    .map((byte) => RANDOM_LETTERS[byte % RANDOM_LETTERS.length])
    .join('')
}

export function createNewEventPage({ cloud, me, update }: PageContext): Page {
  const action = createAction(update)
  let format: Format = 'single'

  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    const fields = new FormData(event.target as HTMLFormElement)
    const text = (name: string): string => String(fields.get(name) ?? '').trim()
    const organiser = text('name')
    const id = eventIdOf(randomPart(), me.person)
    const nowMs = Date.now()
    const value: EventValue = {
      title: text('title'),
      game: GAME,
      format,
      maxPlayers: format === 'single' ? 2 : Number(text('maxPlayers')),
      organiser,
      status: 'open',
      createdMs: nowMs,
    }
    void action.run(async () => {
      await cloud.db.collection<EventValue>('events').put(id, value)
      if (fields.has('takesPart')) {
        await cloud.db.collection<EntryValue>('entries').add(entryOf(id, me.person, organiser))
      }
      cloud.location.replace(pathOf.event(id))
    })
  }

  const choice = (value: Format, label: string, hint: string) => html`
    <label class="choice">
      <input
        type="radio"
        name="format"
        value=${value}
        .checked=${format === value}
        @change=${() => {
          format = value
          update()
        }}
      />
      <span><strong>${label}</strong><span class="d-hint">${hint}</span></span>
    </label>
  `

  return {
    title: () => 'Announce an event',
    render: () => html`
      <h1 tabindex="-1">Announce an event</h1>
      <form class="form" aria-label="New event" @submit=${submit}>
        <div class="d-field">
          <label for="title">Title</label>
          <input
            class="d-input"
            id="title"
            name="title"
            required
            maxlength="80"
            pattern=".*\\S.*"
            title="A few words that tell it apart"
            placeholder="Friday Cup"
            autocomplete="off"
          />
        </div>
        <div class="d-field">
          <label for="game">Game</label>
          <select class="d-input" id="game" name="game">
            <option value=${GAME}>${GAME_TITLE}</option>
          </select>
        </div>
        <fieldset class="d-field">
          <legend>Format</legend>
          ${choice(
            'single',
            'Single game',
            'Two players. It starts by itself as soon as both have joined.',
          )}
          ${choice('round-robin', 'Round robin', 'Everyone plays everyone once. You start it.')}
        </fieldset>
        ${format === 'single'
          ? nothing
          : html`<div class="d-field">
              <label for="max-players">Most players</label>
              <input
                class="d-input short"
                id="max-players"
                name="maxPlayers"
                type="number"
                required
                min="2"
                max=${MAX_PLAYERS}
                value=${DEFAULT_PLAYERS}
              />
            </div>`}
        <div class="d-field">
          <label for="name">Your name</label>
          <input
            class="d-input"
            id="name"
            name="name"
            required
            maxlength="60"
            pattern=".*\\S.*"
            title="The name that others will see"
            .defaultValue=${me.name}
            autocomplete="off"
          />
          <span class="d-hint">Others see it beside your key.</span>
        </div>
        <label class="check">
          <input type="checkbox" name="takesPart" checked />
          I take part myself
        </label>
        ${problemTemplate(action.problem)}
        <div class="d-row">
          <button class="d-button d-button-primary" ?disabled=${action.pending}>
            ${action.pending ? 'Announcing…' : 'Announce'}
          </button>
          <a class="d-button d-button-quiet" href="/">Cancel</a>
        </div>
      </form>
    `,
  }
}
