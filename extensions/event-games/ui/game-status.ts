// How a game stands, in words, and its two players.
import type { SessionFrame } from '/.dharma/sdk.js'
import { html } from '/.dharma/lit.js'
import type { TemplateResult } from '/.dharma/lit.js'
import { discTemplate } from './board.ts'
import { endingText } from './records.ts'
import { personTemplate } from './person.ts'

type Standing = Pick<SessionFrame, 'state' | 'ownSeat' | 'outcome' | 'by' | 'seats' | 'toAct'>

/** One sentence, from the point of view of whoever looks. */
export function gameStatus(frame: Standing, names: readonly string[]): string {
  const { state, ownSeat, outcome, by, seats, toAct } = frame
  if (state === 'over' && outcome !== null) {
    const [a = 0, b = 0] = outcome.scores
    if (a === b) return `Draw: ${outcome.reason}.`
    const winner = a > b ? 0 : 1
    const who = winner === ownSeat ? 'You' : (names[winner] ?? 'A player')
    const toOnlooker = names.map((name, seat) => (seat === ownSeat ? 'you' : name))
    const why = endingText(by, outcome, toOnlooker) ?? outcome.reason
    return by === 'claim' ? `${who} won ${why}.` : `${who} won: ${why}.`
  }
  if (state === 'waiting') {
    const missing = seats.flatMap(({ online }, seat) => (online === null ? [seat] : []))
    const others = missing.filter((seat) => seat !== ownSeat).map((seat) => names[seat])
    if (others.length === 0) return 'Waiting for the game to begin.'
    const waiting = `Waiting for ${others.join(' and ')} to sit down.`
    const canMove = ownSeat !== null && toAct.includes(ownSeat)
    return canMove ? `${waiting} You can make your move already.` : waiting
  }
  const [seat] = toAct
  if (seat === undefined) return 'The game is over.'
  return seat === ownSeat ? 'Your move.' : `${names[seat] ?? 'The other player'} is to move.`
}

/** Both players, the one to move marked. */
export function seatsTemplate(frame: SessionFrame, names: readonly string[]): TemplateResult {
  return html`<ul class="seats" aria-label="Players">
    ${frame.seats.map(({ person, online }, seat) => {
      const moves = frame.state !== 'over' && frame.toAct.includes(seat)
      return html`<li class=${moves ? 'to-move' : ''}>
        ${discTemplate(seat)}
        ${personTemplate(person, names[seat] ?? '', {
          online: seat === frame.ownSeat ? true : online,
          self: seat === frame.ownSeat,
        })}
        ${moves ? html`<span class="d-hidden">to move</span>` : ''}
      </li>`
    })}
  </ul>`
}
