// The games of an event, round by round, each with what can be done with it now.
import { html, nothing } from '/.dharma/lit.js'
import type { TemplateResult } from '/.dharma/lit.js'
import { namesOf } from './names.ts'
import type { PageContext } from './page.ts'
import { personTemplate } from './person.ts'
import { endingText, sentence } from './records.ts'
import type { GameState } from './phase.ts'
import { verdictTemplate } from './event-badge.ts'
import type { GameEvent } from './starts.ts'
import { pathOf } from './routes.ts'
import { pointsText } from './tournament.ts'
import { ownGamesOf } from './your-games.ts'
import type { PlayControl } from './your-games.ts'

export function gameListTemplate(
  event: GameEvent,
  games: readonly GameState[],
  context: PageContext,
  control: PlayControl,
): TemplateResult {
  const { store, me } = context
  const players = event.start?.players ?? []
  const own = ownGamesOf(event, context)
  const rounds = [...new Set(games.map(({ pairing }) => pairing.round))]

  const middle = ({ pairing, result, verdict }: GameState): TemplateResult | string => {
    if (result !== null) {
      const [a = 0, b = 0] = result.value.outcome.scores
      const score = `${pointsText(a * 2)} : ${pointsText(b * 2)}`
      return verdict?.state === 'verified' ? score : html`<span class="d-muted">${score}</span>`
    }
    const session = store.sessionOf(event, pairing)
    if (session === null) return html`<span class="d-muted">–</span>`
    return session.state === 'live' ? html`<span class="live-mark">${session.ply}</span>` : '…'
  }

  const state = ({ pairing, result, verdict }: GameState): TemplateResult | string => {
    if (result !== null) {
      return html`<a href=${pathOf.replay(result.value.session)}>Replay</a> ${verdict === null
          ? nothing
          : verdictTemplate(verdict)}`
    }
    const mine = own.find((game) => sameGame(game.pairing, pairing))
    if (mine !== undefined) return control.button(mine)
    const session = store.sessionOf(event, pairing)
    if (session === null) return html`<span class="d-muted">Not begun</span>`
    if (session.state === 'over') return html`<span class="d-muted">Being signed</span>`
    return html`<a class="d-button" href=${pathOf.game(session.session)}>Watch</a>`
  }

  /** How it ended, where the board does not show it. */
  const note = ({ result }: GameState): TemplateResult | typeof nothing => {
    if (result === null) return nothing
    const { by, outcome, descriptor } = result.value
    const why = endingText(by, outcome, namesOf(descriptor, store))
    return why === null
      ? nothing
      : html`<span class="game-note d-muted d-small">${sentence(why)}</span>`
  }

  const row = (game: GameState): TemplateResult => {
    const [first, second] = game.pairing.seats.map((seat) => players[seat])
    if (first === undefined || second === undefined) return html``
    return html`<li>
      <span class="side">
        ${personTemplate(first.person, first.name, { self: first.person === me.person })}
      </span>
      <span class="score">${middle(game)}</span>
      <span class="side">
        ${personTemplate(second.person, second.name, { self: second.person === me.person })}
      </span>
      <span class="game-action">${state(game)}</span>
      ${note(game)}
    </li>`
  }

  return html`<section class="d-stack" aria-labelledby="games">
    <h2 id="games">${event.value.format === 'single' ? 'The game' : 'Games'}</h2>
    ${rounds.map(
      (round) => html`
        ${event.value.format === 'single' ? nothing : html`<h3 class="d-muted">Round ${round}</h3>`}
        <ul class="pairings">
          ${games.filter(({ pairing }) => pairing.round === round).map(row)}
        </ul>
      `,
    )}
  </section>`
}

function sameGame(
  a: { round: number; table: number },
  b: { round: number; table: number },
): boolean {
  return a.round === b.round && a.table === b.table
}
