// The moves of a game as a list, and in words.
import { html } from '/.dharma/lit.js'
import type { TemplateResult } from '/.dharma/lit.js'
import type { Json } from '/.dharma/sdk.js'
import { discTemplate } from './board.ts'

export interface Move {
  seat: number
  action: Json
  /** A move of the game, unless said otherwise. */
  type?: string | null
}

/** Such as `column 4`. */
export function moveText(action: Json): string {
  return typeof action === 'number' ? `column ${action + 1}` : 'an unknown move'
}

/** Such as `column 4` or `resigned`. */
export function actionText({ type = 'move', action }: Pick<Move, 'type' | 'action'>): string {
  if (type === 'resign') return 'resigned'
  return type === 'claim' ? 'claimed the game' : moveText(action)
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
    ${moves.map((move, i) => {
      const { seat } = move
      const ply = i + 1
      const text = html`<span class="move-number">${ply}</span> ${discTemplate(seat)}
        <span><span class="d-hidden">${names[seat] ?? ''}: </span>${actionText(move)}</span>`
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
