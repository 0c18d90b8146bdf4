// Joining and leaving an event that is still open.
import { html } from '/.dharma/lit.js'
import type { TemplateResult } from '/.dharma/lit.js'
import { createAction, problemTemplate } from './action.ts'
import type { PageContext } from './page.ts'
import type { Phase } from './phase.ts'
import { entryIdOf } from './records.ts'
import type { EntryValue, EventRecord } from './records.ts'

export interface EntryForm {
  render(event: EventRecord, phase: Phase): TemplateResult
}

export function createEntryForm({ cloud, store, me, update }: PageContext): EntryForm {
  const action = createAction(update)
  const entries = cloud.db.collection<EntryValue>('entries')

  const join = (event: EventRecord, submit: SubmitEvent): void => {
    submit.preventDefault()
    const name = String(new FormData(submit.target as HTMLFormElement).get('name')).trim()
    const entry = { event: event.id, person: me.person, name, joinedMs: Date.now() }
    void action.run(() => entries.put(entryIdOf(event.id, me.person), entry))
  }

  return {
    render(event, phase) {
      const entered = store.entriesOf(event.id).some((entry) => entry.author === me.person)
      if (entered) {
        return html`<section class="d-stack" aria-label="Your entry">
          <div class="d-notice">
            <span>You take part. </span>
            <button
              class="d-button"
              ?disabled=${action.pending}
              @click=${() => void action.run(() => entries.delete(entryIdOf(event.id, me.person)))}
            >
              Leave
            </button>
          </div>
          ${problemTemplate(action.problem)}
        </section>`
      }
      if (phase === 'full') {
        return html`<p class="d-notice">
          All places are taken. You can watch when it has started.
        </p>`
      }
      return html`<form
        class="join d-card"
        aria-label="Join"
        @submit=${(submit: SubmitEvent) => join(event, submit)}
      >
        <div class="d-field">
          <label for="join-name">Your name</label>
          <input
            class="d-input"
            id="join-name"
            name="name"
            required
            maxlength="60"
            pattern=".*\\S.*"
            title="The name that others will see"
            .defaultValue=${me.name}
            autocomplete="off"
          />
        </div>
        <button class="d-button d-button-primary" ?disabled=${action.pending}>
          ${action.pending ? 'Joining…' : 'Join'}
        </button>
        ${problemTemplate(action.problem)}
      </form>`
    },
  }
}
