// The moves of a game as a list, and in words.
import { html } from '/.dharma/lit.js'
import type { TemplateResult } from '/.dharma/lit.js'
import type { Json } from '/.dharma/sdk.js'
import { discTemplate } from './board.ts'

export interface Move {
  seat: number
  action: Json
}

/** Such as `column 4`. */
export function moveText(action: Json): string {
  return typeof action === 'number' ? `column ${action + 1}` : 'an unknown move'
}

/** `current` is the number of moves made at the position shown; `go`, if given, leads to others. */
export function movesTemplate(
  moves: readonly Move[],
  names: readonly string[],
  current: number,
  go?: (ply: number) => void,
): TemplateResult {
  if (moves.length === 0) return html`<p class="d-muted">No moves yet.</p>`
  return html`<ol class="moves" aria-label="Moves">
    ${moves.map(({ seat, action }, i) => {
      const ply = i + 1
      const text = html`<span class="move-number">${ply}</span> ${discTemplate(seat)}
        <span><span class="d-hidden">${names[seat] ?? ''}: </span>${moveText(action)}</span>`
      const isCurrent = ply === current
      return html`<li
        class=${isCurrent ? 'current' : ''}
        aria-current=${isCurrent ? 'step' : 'false'}
      >
        ${go === undefined
          ? text
          : html`<button type="button" class="move" @click=${() => go(ply)}>${text}</button>`}
      </li>`
    })}
  </ol>`
}
