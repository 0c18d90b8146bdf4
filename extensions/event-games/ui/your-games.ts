// The games that this person is to play: started, paired, and without a result.
import type { SessionSummary } from '/.dharma/sdk.js'
import { html, nothing, repeat } from '/.dharma/lit.js'
import type { TemplateResult } from '/.dharma/lit.js'
import { createAction, problemTemplate } from './action.ts'
import type { PageContext } from './page.ts'
import { personTemplate } from './person.ts'
import { descriptorOf, gamesOf } from './records.ts'
import type { GameEvent } from './starts.ts'
import { pathOf } from './routes.ts'
import type { Pairing } from './tournament.ts'

export interface OwnGame {
  event: GameEvent
  pairing: Pairing
  opponent: { person: string; name: string }
}

type Needs = Pick<PageContext, 'cloud' | 'store' | 'me' | 'update'>

/** Games of the person in this event that are still to be played or finished. */
export function ownGamesOf(event: GameEvent, { store, me }: Needs): OwnGame[] {
  const players = event.start?.players ?? []
  return gamesOf(event).flatMap((pairing) => {
    const [first, second] = pairing.seats.map((seat) => players[seat])
    if (first === undefined || second === undefined) return []
    if (first.person !== me.person && second.person !== me.person) return []
    if (store.resultOf(event, pairing) !== null) return []
    const session = store.sessionOf(event, pairing)
    if (session?.state === 'over') return []
    return [{ event, pairing, opponent: first.person === me.person ? second : first }]
  })
}

/** Has this person begun the game, on whichever machine? */
export function hasSatDown({ seats, ownSeat }: SessionSummary): boolean {
  return ownSeat !== null && seats[ownSeat]?.online !== null
}

export interface PlayControl {
  /** Takes the seat and goes to the board. */
  play(game: OwnGame): void
  button(game: OwnGame): TemplateResult
  problem(): TemplateResult | typeof nothing
}

/** The button that leads to the board, the same wherever it stands. */
export function createPlayControl({ cloud, store, update }: Needs): PlayControl {
  const action = createAction(update)
  const play = ({ event, pairing }: OwnGame): void => {
    const descriptor = descriptorOf(event, pairing)
    if (descriptor === null) return
    void action.run(async () => {
      const { session } = await cloud.sessions.open(descriptor)
      cloud.location.navigate(pathOf.game(session))
    })
  }
  return {
    play,
    problem: () => problemTemplate(action.problem),
    button(game) {
      const session = store.sessionOf(game.event, game.pairing)
      const going = session !== null && hasSatDown(session)
      return html`<button
        class="d-button d-button-primary"
        ?disabled=${action.pending}
        @click=${() => play(game)}
      >
        ${going ? 'Continue' : 'Play'}
        <span class="d-hidden">against ${game.opponent.name}</span>
      </button>`
    },
  }
}

/** The list on the front page: all own games that wait, over all events. */
export function createYourGames(needs: Needs): { render(): unknown; dispose(): void } {
  const { store } = needs
  const control = createPlayControl(needs)
  const stop = store.followSessions()
  return {
    dispose: stop,
    render() {
      const games = store.events.flatMap((event) => ownGamesOf(event, needs))
      if (games.length === 0) return nothing
      return html`<section class="d-card d-stack" aria-labelledby="your-games">
        <h2 id="your-games">Your games</h2>
        ${control.problem()}
        <ul class="game-list">
          ${repeat(
            games,
            ({ event, pairing }) => `${event.id}/${pairing.round}/${pairing.table}`,
            (game) =>
              html`<li>
                <span class="game-event">
                  <a href=${pathOf.event(game.event.id)}>${game.event.value.title}</a>
                  ${game.event.value.format === 'single'
                    ? nothing
                    : html`<span class="d-muted">Round ${game.pairing.round}</span>`}
                </span>
                ${personTemplate(game.opponent.person, game.opponent.name)} ${control.button(game)}
              </li>`,
          )}
        </ul>
      </section>`
    },
  }
}
