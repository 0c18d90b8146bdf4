// A finished game, move by move, after every signature and every move was checked on this machine by
// the rules that it was played by.
import { CloudError } from '/.dharma/sdk.js'
import type { Calls } from '/.dharma/sdk.js'
import { html, nothing } from '/.dharma/lit.js'
import type { TemplateResult } from '/.dharma/lit.js'
import type { View } from '../../rules/connect-four.ts'
import { boardTemplate, discTemplate } from '../board.ts'
import { iconTemplate } from '../icon.ts'
import type { IconName } from '../icon.ts'
import { emptyPage, loadingPage } from '../loading.ts'
import { actionText, movesTemplate } from '../moves.ts'
import { eventOf, gameTitle, namesOf } from '../names.ts'
import type { Page, PageContext } from '../page.ts'
import { personTemplate } from '../person.ts'
import { endingText, outcomeText } from '../records.ts'
import type { ResultRecord } from '../records.ts'
import { pathOf } from '../routes.ts'
import { timeTemplate } from '../times.ts'

/** Between two moves when the game plays itself. */
const STEP_MS = 900
/** What nobody in reach has is asked for again. */
const ASK_AGAIN_MS = 3000

type Replay = Awaited<ReturnType<Calls['sessions']['replay']>>

export function createReplayPage(context: PageContext, session: string): Page {
  const { cloud, store, update, announce } = context
  /** How many moves are on the board; null until asked otherwise: all of them. */
  let chosen: number | null = null
  let forward = false
  let timer: ReturnType<typeof setInterval> | undefined
  let replay: Replay | null = null
  let error: CloudError | null = null
  let asked = ''
  let askTimer: ReturnType<typeof setTimeout> | undefined

  /** Reads the positions, page by page; once for each version of the record. */
  const ask = (record: ResultRecord): void => {
    const version = `${record.author} ${record.version}`
    if (asked === version) return
    asked = version
    void (async () => {
      try {
        let page = await cloud.sessions.replay(record.value)
        const { frames } = page
        while (page.nextPly !== null) {
          page = await cloud.sessions.replay(record.value, page.nextPly)
          frames.push(...page.frames)
        }
        replay = { ...page, frames }
        error = null
      } catch (reason) {
        error = reason instanceof CloudError ? reason : new CloudError('INTERNAL', String(reason))
        if (error.kind === 'environment') askTimer = setTimeout(() => (asked = ''), ASK_AGAIN_MS)
      }
      update()
    })()
  }

  const recordOf = (): ResultRecord | null =>
    store.results.find(({ value }) => value.session === session) ?? null
  const lengthOf = (record: ResultRecord): number => record.value.plies
  const plyOf = (record: ResultRecord): number => chosen ?? lengthOf(record)

  const go = (to: number): void => {
    const record = recordOf()
    if (record === null) return
    const ply = plyOf(record)
    const next = Math.min(Math.max(0, to), lengthOf(record))
    if (next === ply) return
    forward = next > ply
    chosen = next
    const made = replay?.frames[next]
    const names = namesOf(record.value.descriptor, store)
    announce(
      made?.seat == null
        ? 'Start position.'
        : `Move ${next}, ${names[made.seat] ?? ''}: ${actionText(made)}.`,
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

  const proof = (record: ResultRecord): TemplateResult => {
    const { descriptor } = record.value
    const names = namesOf(descriptor, store)
    if (error?.kind === 'environment') {
      return html`<p class="d-notice" role="status">${error.message}</p>`
    }
    if (error !== null) {
      return html`<section class="d-notice d-notice-danger" role="alert">
        <p><strong>This result does not hold.</strong> ${error.message}</p>
      </section>`
    }
    if (replay === null) {
      return html`<p class="d-notice" role="status">Checking every signature and move…</p>`
    }
    const { agreed, plies } = replay
    const all = descriptor.seats.every((person) => agreed.includes(person))
    return html`<section class="d-card d-stack proof" aria-labelledby="proof">
      <h2 id="proof">
        ${iconTemplate('check')} ${all ? 'Signed by both players, checked' : 'Checked'} on this
        machine
      </h2>
      <p class="d-muted d-small">
        ${plies} moves, each signed by who made it and linked to the one before, all legal by the
        rules that the game began with. ${all ? '' : 'Not both have signed that they agree.'}
      </p>
      ${store.isDisputed(session)
        ? html`<p class="d-notice d-notice-danger">
            The players have stored different outcomes. This one is what these moves give.
          </p>`
        : nothing}
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
    ask(record)
    const { descriptor, outcome, by, endedMs } = record.value
    const names = namesOf(descriptor, store)
    const event = eventOf(descriptor, store)
    const frame = replay?.frames[plyOf(record)]
    const moves = (replay?.frames ?? []).flatMap(({ seat, action, type }) =>
      seat === null ? [] : [{ seat, action, type: type ?? 'move' }],
    )
    return html`
      <header class="d-stack">
        <h1 tabindex="-1">${outcomeText(outcome, names)}</h1>
        <p class="facts d-muted">
          ${event === null
            ? nothing
            : html`<a href=${pathOf.event(event.id)}>${gameTitle(descriptor, store)}</a>`}
          <span>${names.join(' against ')}</span>
          <span>${endingText(by, outcome, names) ?? outcome.reason}</span>
          <span>${timeTemplate(endedMs)}</span>
        </p>
      </header>
      ${frame === undefined
        ? proof(record)
        : html`<div class="game">
            <div class="game-board">
              ${boardTemplate({ view: frame.view as unknown as View, names, drops: forward })}
              ${controls(record)}
            </div>
            <div class="game-side">
              ${proof(record)}
              <section class="d-stack" aria-labelledby="moves">
                <h2 id="moves">Moves</h2>
                ${movesTemplate(moves, names, plyOf(record), jump)}
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
    dispose() {
      clearInterval(timer)
      clearTimeout(askTimer)
    },
  }
}
