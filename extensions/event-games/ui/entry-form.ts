// Joining and leaving an event that is still open.
import { html } from '/.dharma/lit.js'
import type { TemplateResult } from '/.dharma/lit.js'
import { createAction, problemTemplate } from './action.ts'
import type { PageContext } from './page.ts'
import type { Phase } from './phase.ts'
import { entryOf } from './entering.ts'
import type { EntryValue, WithdrawalValue } from './records.ts'
import type { GameEvent } from './starts.ts'

export interface EntryForm {
  render(event: GameEvent, phase: Phase): TemplateResult
}

export function createEntryForm({ cloud, store, me, update }: PageContext): EntryForm {
  const action = createAction(update)
  const entries = cloud.db.collection<EntryValue>('entries')
  const withdrawals = cloud.db.collection<WithdrawalValue>('withdrawals')

  const join = (event: GameEvent, submit: SubmitEvent): void => {
    submit.preventDefault()
    const name = String(new FormData(submit.target as HTMLFormElement).get('name')).trim()
    void action.run(() => entries.add(entryOf(event.id, me.person, name)))
  }

  return {
    render(event, phase) {
      const entry = store.entriesOf(event.id).find(({ author }) => author === me.person)
      if (entry !== undefined) {
        return html`<section class="d-stack" aria-label="Your entry">
          <div class="d-notice">
            <span>You take part. </span>
            <button
              class="d-button"
              ?disabled=${action.pending}
              @click=${() => void action.run(() => withdrawals.put(entry.id, { event: event.id }))}
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
