// The table of a tournament with every result in it: standings and crosstable in one.
import { html } from '/.dharma/lit.js'
import type { TemplateResult } from '/.dharma/lit.js'
import { personTemplate } from './person.ts'
import type { GameEvent } from './starts.ts'
import { pointsText, standingsOf } from './tournament.ts'
import type { Played } from './tournament.ts'

export function standingsTemplate(
  event: GameEvent,
  played: readonly Played[],
  checking: number,
  self: string,
): TemplateResult {
  const players = event.start?.players ?? []
  const standings = standingsOf(players.length, played)
  const scoreOf = (player: number, opponent: number): string => {
    for (const { pairing, scores } of played) {
      const [a, b] = pairing.seats
      if (a === player && b === opponent) return pointsText((scores[0] ?? 0) * 2)
      if (b === player && a === opponent) return pointsText((scores[1] ?? 0) * 2)
    }
    return ''
  }
  return html`<section class="d-stack" aria-labelledby="standings">
    <div class="d-row">
      <h2 id="standings">Standings</h2>
      ${checking === 0
        ? ''
        : html`<span class="d-muted d-small" role="status">Checking ${checking} more…</span>`}
    </div>
    <div class="d-table-scroll" tabindex="0" role="group" aria-labelledby="standings">
      <table class="d-table crosstable" aria-labelledby="standings">
        <thead>
          <tr>
            <th scope="col" class="d-number">#</th>
            <th scope="col">Player</th>
            ${standings.map(
              ({ player }, i) =>
                html`<th scope="col" class="cross" title=${players[player]?.name ?? ''}>
                  ${i + 1}
                </th>`,
            )}
            <th scope="col" class="d-number">Played</th>
            <th scope="col" class="d-number">Points</th>
          </tr>
        </thead>
        <tbody>
          ${standings.map(({ player, rank, doublePoints, played: count }) => {
            const { person = '', name = '' } = players[player] ?? {}
            return html`<tr>
              <td class="d-number">${rank}</td>
              <th scope="row">${personTemplate(person, name, { self: person === self })}</th>
              ${standings.map(({ player: opponent }) =>
                opponent === player
                  ? html`<td class="cross own"></td>`
                  : html`<td class="cross">${scoreOf(player, opponent)}</td>`,
              )}
              <td class="d-number">${count}</td>
              <td class="d-number"><strong>${pointsText(doublePoints)}</strong></td>
            </tr>`
          })}
        </tbody>
      </table>
    </div>
  </section>`
}
