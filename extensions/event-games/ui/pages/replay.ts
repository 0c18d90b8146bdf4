// A finished game, move by move, after every signature and every move was checked on this machine.
import { html, nothing } from '/.dharma/lit.js'
import type { TemplateResult } from '/.dharma/lit.js'
import type { View } from '../../rules/connect-four.ts'
import { boardTemplate, discTemplate } from '../board.ts'
import { iconTemplate } from '../icon.ts'
import type { IconName } from '../icon.ts'
import { emptyPage, loadingPage } from '../loading.ts'
import { movesTemplate, moveText } from '../moves.ts'
import { eventOf, gameTitle, namesOf } from '../names.ts'
import type { Page, PageContext } from '../page.ts'
import { personTemplate } from '../person.ts'
import { outcomeText } from '../records.ts'
import type { ResultRecord } from '../records.ts'
import { pathOf } from '../routes.ts'
import { timeTemplate } from '../times.ts'
import type { Verdict } from '../verifier.ts'

/** Between two moves when the game plays itself. */
const STEP_MS = 900

export function createReplayPage(context: PageContext, session: string): Page {
  const { store, verifier, update, announce } = context
  /** How many moves are on the board; null until asked otherwise: all of them. */
  let chosen: number | null = null
  let forward = false
  let timer: ReturnType<typeof setInterval> | undefined

  const recordOf = (): ResultRecord | null =>
    store.results.find(({ value }) => value.session === session) ?? null
  const lengthOf = (record: ResultRecord): number => record.value.actions.length
  const plyOf = (record: ResultRecord): number => chosen ?? lengthOf(record)

  const go = (to: number): void => {
    const record = recordOf()
    if (record === null) return
    const ply = plyOf(record)
    const next = Math.min(Math.max(0, to), lengthOf(record))
    if (next === ply) return
    forward = next > ply
    chosen = next
    const made = record.value.actions[next - 1]
    const names = namesOf(record.value.descriptor, store)
    announce(
      made === undefined
        ? 'Start position.'
        : `Move ${next}, ${names[made.seat] ?? ''}: ${moveText(made.action)}.`,
    )
    if (next === lengthOf(record)) pause()
    update()
  }
  const pause = (): void => {
    clearInterval(timer)
    timer = undefined
    update()
  }
  const play = (record: ResultRecord): void => {
    if (timer !== undefined) {
      pause()
      return
    }
    if (plyOf(record) === lengthOf(record)) chosen = 0
    timer = setInterval(() => go(plyOf(record) + 1), STEP_MS)
    go(plyOf(record) + 1)
  }
  /** By hand: the game stops playing itself. */
  const jump = (to: number): void => {
    if (timer !== undefined) pause()
    go(to)
  }

  const controls = (record: ResultRecord): TemplateResult => {
    const last = lengthOf(record)
    const ply = plyOf(record)
    const button = (label: string, icon: IconName, to: number): TemplateResult =>
      html`<button
        type="button"
        class="d-button d-button-icon"
        aria-label=${label}
        title=${label}
        aria-disabled=${to < 0 || to > last || to === ply ? 'true' : 'false'}
        @click=${() => jump(to)}
      >
        ${iconTemplate(icon)}
      </button>`
    return html`<div class="controls" role="group" aria-label="Replay">
      ${button('First position', 'first', 0)} ${button('Previous move', 'previous', ply - 1)}
      <button
        type="button"
        class="d-button d-button-primary d-button-icon"
        aria-label=${timer === undefined ? 'Play the game' : 'Pause'}
        @click=${() => play(record)}
      >
        ${iconTemplate(timer === undefined ? 'play' : 'pause')}
      </button>
      ${button('Next move', 'next', ply + 1)} ${button('Last position', 'last', last)}
      <input
        type="range"
        min="0"
        max=${last}
        .value=${String(ply)}
        aria-label="Move"
        aria-valuetext="Move ${ply} of ${last}"
        @input=${(event: InputEvent) => jump(Number((event.target as HTMLInputElement).value))}
      />
      <span class="d-muted ply">${ply} / ${last}</span>
    </div>`
  }

  const proof = (record: ResultRecord, verdict: Verdict): TemplateResult => {
    const { descriptor, actions } = record.value
    const names = namesOf(descriptor, store)
    if (verdict.state === 'checking') {
      return html`<p class="d-notice" role="status">Checking every signature and move…</p>`
    }
    if (verdict.state === 'refused') {
      return html`<section class="d-notice d-notice-danger" role="alert">
        <p><strong>This result does not hold.</strong> ${verdict.error.message}</p>
      </section>`
    }
    return html`<section class="d-card d-stack proof" aria-labelledby="proof">
      <h2 id="proof">${iconTemplate('check')} Signed by both players, checked on this machine</h2>
      <p class="d-muted d-small">
        ${actions.length} moves, each signed by who made it and linked to the one before, all legal
        by the rules.
      </p>
      <ul class="signers" aria-label="Signers">
        ${descriptor.seats.map(
          (person, seat) =>
            html`<li>
              ${discTemplate(seat)} ${personTemplate(person, names[seat] ?? '')}
              <code class="key">${person}</code>
            </li>`,
        )}
      </ul>
    </section>`
  }

  const view = (record: ResultRecord): TemplateResult => {
    const verdict = verifier.check(record)
    const { descriptor, outcome, actions } = record.value
    const names = namesOf(descriptor, store)
    const event = eventOf(descriptor, store)
    const frame = verdict.state === 'verified' ? verdict.replay.frames[plyOf(record)] : undefined
    return html`
      <header class="d-stack">
        <h1 tabindex="-1">${outcomeText(outcome, names)}</h1>
        <p class="facts d-muted">
          ${event === null
            ? nothing
            : html`<a href=${pathOf.event(event.id)}>${gameTitle(descriptor, store)}</a>`}
          <span>${names.join(' against ')}</span>
          <span>${outcome.reason}</span>
          <span>${timeTemplate(actions.at(-1)?.atMs ?? 0)}</span>
        </p>
      </header>
      ${frame === undefined
        ? proof(record, verdict)
        : html`<div class="game">
            <div class="game-board">
              ${boardTemplate({ view: frame.view as unknown as View, names, drops: forward })}
              ${controls(record)}
            </div>
            <div class="game-side">
              ${proof(record, verdict)}
              <section class="d-stack" aria-labelledby="moves">
                <h2 id="moves">Moves</h2>
                ${movesTemplate(actions, names, plyOf(record), jump)}
              </section>
            </div>
          </div>`}
    `
  }

  return {
    title: () => 'Replay',
    render() {
      const record = recordOf()
      if (record !== null) return view(record)
      return store.loaded
        ? emptyPage(
            'This result is not here',
            'No machine in reach has it. It appears as soon as one does.',
            { path: '/results', label: 'All results' },
          )
        : loadingPage('Looking for this game…')
    },
    keyPressed(event) {
      const record = recordOf()
      if (record === null) return false
      const ply = plyOf(record)
      const steps: Record<string, number> = {
        ArrowLeft: ply - 1,
        ArrowRight: ply + 1,
        Home: 0,
        End: Number.MAX_SAFE_INTEGER,
      }
      const to = steps[event.key]
      if (to === undefined) return false
      jump(to)
      return true
    },
    dispose: () => clearInterval(timer),
  }
}
