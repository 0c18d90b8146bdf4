// The ways to end a game without a move: to resign, and to claim it when the other does not act. Either is
// asked once more before it is done.
import { CloudError } from '/.dharma/sdk.js'
import type { SessionFrame } from '/.dharma/sdk.js'
import { html } from '/.dharma/lit.js'
import type { TemplateResult } from '/.dharma/lit.js'
import type { Action } from './action.ts'
import type { PageContext } from './page.ts'
import { countdownText, durationText } from './times.ts'

/** The time that is left is shown in seconds. */
const TICK_MS = 1000

export interface GameEnding {
  /** Takes in how the game stands now. */
  receive(frame: SessionFrame): void
  /** For a player of a game that goes on. */
  render(frame: SessionFrame, names: readonly string[]): TemplateResult
  dispose(): void
}

type Needs = Pick<PageContext, 'cloud' | 'update' | 'announce'>

export function createGameEnding(
  { cloud, update, announce }: Needs,
  session: string,
  action: Action,
): GameEnding {
  let asked: 'resign' | 'claim' | null = null
  /** By the page's own clock; null while there is nothing to claim. */
  let claimAtMs: number | null = null
  let timer: ReturnType<typeof setTimeout> | undefined

  const leftMs = (): number => Math.max(0, (claimAtMs ?? 0) - performance.now())
  const tick = (): void => {
    clearTimeout(timer)
    if (claimAtMs === null || leftMs() === 0) return
    timer = setTimeout(
      () => {
        if (leftMs() === 0) announce('You can claim the game now.')
        update()
        tick()
      },
      Math.min(TICK_MS, leftMs()),
    )
  }

  /** What the machine says of the time that is left goes before the page's own count. */
  const waitOn = ({ code, details }: CloudError): void => {
    const { leftMs: toWaitMs } = (details ?? {}) as { leftMs?: unknown }
    if (code !== 'SESSION_CLAIM_EARLY' || typeof toWaitMs !== 'number') return
    claimAtMs = performance.now() + toWaitMs
    tick()
  }
  const ask = (wanted: typeof asked): void => {
    asked = wanted
    update()
  }
  const end = (how: 'resign' | 'claim'): void => {
    asked = null
    void action.run(async () => {
      try {
        await cloud.sessions[how](session)
      } catch (error) {
        if (error instanceof CloudError) waitOn(error)
        throw error
      }
    })
  }

  const claiming = (frame: SessionFrame, opponent: string): TemplateResult => {
    const time = durationText(frame.claimAfterMs)
    if (claimAtMs === null) {
      return html`<p class="d-hint">
        ${opponent} can claim the game when you have not moved for ${time}.
      </p>`
    }
    if (leftMs() > 0) {
      return html`<p class="d-hint">
        If ${opponent} does not move, you can claim the game in
        <span class="countdown">${countdownText(leftMs())}</span>.
      </p>`
    }
    return html`<div class="d-notice d-notice-attention claim" role="group" aria-label="Claim">
      ${asked === 'claim'
        ? html`<p>
              The game ends at once, and you win. Everyone sees that it was by your claim, as
              ${opponent} did not act.
            </p>
            <div class="d-row">
              <button
                class="d-button d-button-primary"
                ?disabled=${action.pending}
                @click=${() => end('claim')}
              >
                Claim it for good
              </button>
              <button class="d-button d-button-quiet" @click=${() => ask(null)}>Wait on</button>
            </div>`
        : html`<p>
              ${opponent} has not acted for ${time}. You can wait on, or end the game and win it.
            </p>
            <button class="d-button" @click=${() => ask('claim')}>Claim the game…</button>`}
    </div>`
  }

  const resigning = (opponent: string): TemplateResult =>
    asked === 'resign'
      ? html`<p>You give the game up, and ${opponent} wins.</p>
          <div class="d-row">
            <button
              class="d-button d-button-danger"
              ?disabled=${action.pending}
              @click=${() => end('resign')}
            >
              Resign for good
            </button>
            <button class="d-button d-button-quiet" @click=${() => ask(null)}>Play on</button>
          </div>`
      : html`<button class="d-button d-button-quiet" @click=${() => ask('resign')}>Resign…</button>`

  return {
    receive({ claimInMs }) {
      claimAtMs = claimInMs === null ? null : performance.now() + claimInMs
      if (asked === 'claim' && (claimAtMs === null || leftMs() > 0)) asked = null
      tick()
    },
    render(frame, names) {
      const opponent = names.find((_, seat) => seat !== frame.ownSeat) ?? 'The other player'
      return html`<section class="ending" aria-label="Ending the game">
        ${claiming(frame, opponent)}
        <div class="resign">${resigning(opponent)}</div>
      </section>`
    },
    dispose: () => clearTimeout(timer),
  }
}
