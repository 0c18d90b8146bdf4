// The Connect Four board: a picture, a table of the same for those who listen, and, for the player to
// move, one button a column.
import { html, nothing, svg } from '/.dharma/lit.js'
import type { TemplateResult } from '/.dharma/lit.js'
import type { Cell, View } from '../rules/connect-four.ts'

/** Side of a cell in the picture's own units. */
const CELL = 100
const HOLE_RADIUS = 38
const MARGIN = 24
/** Below the cells, with room for the numbers of the columns. */
const FOOT = 50

export interface BoardOptions {
  view: View
  /** Names by seat. */
  names: readonly string[]
  /** Lets the last disc fall in; false when going back in a replay. */
  drops?: boolean
  /** What the player may do; without it the board is only to look at. */
  play?: {
    seat: number
    /** Columns that are legal now. */
    columns: readonly number[]
    /** The column that is being sent. */
    pending: number | null
    /** The column that the keyboard is on. */
    focused: number
    choose: (column: number) => void
    focus: (column: number) => void
  }
}

function center({ row, column }: Cell): { x: number; y: number } {
  return { x: MARGIN + (column + 0.5) * CELL, y: MARGIN + (row + 0.5) * CELL }
}

/** A disc: its colour and its mark tell the seat, so that neither alone has to. */
function disc(cell: Cell, seat: number, classes: string): TemplateResult {
  const { x, y } = center(cell)
  const mark =
    seat === 0
      ? svg`<circle cx=${x} cy=${y} r="15" class="mark" />`
      : svg`<rect x=${x - 12} y=${y - 12} width="24" height="24" rx="3"
          transform="rotate(45 ${x} ${y})" class="mark" />`
  const style = `--fall: ${-(cell.row + 1) * CELL}px`
  return svg`<g class="disc seat-${seat} ${classes}" style=${style}>
    <circle cx=${x} cy=${y} r=${HOLE_RADIUS + 3} />
    <circle cx=${x} cy=${y} r="29" class="rim" />
    ${mark}
  </g>`
}

function isIn(cells: readonly Cell[], { row, column }: Cell): boolean {
  return cells.some((cell) => cell.row === row && cell.column === column)
}

/** Where a disc would come to lie, or null if the column is full. */
function landing({ board }: View, column: number): Cell | null {
  const row = board.findLastIndex((cells) => cells[column] === null)
  return row < 0 ? null : { row, column }
}

function pictureOf({ view, drops = true, play }: BoardOptions): TemplateResult {
  const { board, lastMove, winningLine } = view
  const rows = board.length
  const columns = board[0]?.length ?? 0
  const width = columns * CELL + 2 * MARGIN
  const height = rows * CELL + MARGIN + FOOT
  const cells = board.flatMap((line, row) =>
    line.map((seat, column) => ({ cell: { row, column }, seat })),
  )
  const over = winningLine.length > 0
  const pendingCell = play?.pending == null ? null : landing(view, play.pending)
  return html`<svg class="board-picture" viewBox="0 0 ${width} ${height}" aria-hidden="true">
    <mask id="holes">
      <rect width=${width} height=${height} fill="#fff" />
      ${cells.map(({ cell }) => {
        const { x, y } = center(cell)
        return svg`<circle cx=${x} cy=${y} r=${HOLE_RADIUS} fill="#000" />`
      })}
    </mask>
    <rect class="back" x="6" y="6" width=${width - 12} height=${height - 12} rx="44" />
    ${cells.map(({ cell, seat }) => {
      if (seat === null) return nothing
      const last = lastMove !== null && isIn([lastMove], cell)
      const wins = isIn(winningLine, cell)
      const classes = [
        last && drops ? 'drops' : '',
        over && !wins ? 'beaten' : '',
        wins ? 'wins' : '',
      ]
      return disc(cell, seat, classes.join(' '))
    })}
    ${pendingCell === null || play === undefined
      ? nothing
      : disc(pendingCell, play.seat, 'pending')}
    <rect class="panel" width=${width} height=${height} rx="48" mask="url(#holes)" />
    ${Array.from(
      { length: columns },
      (_, column) =>
        svg`<text class="number" x=${center({ row: 0, column }).x} y=${height - 17}>${column + 1}</text>`,
    )}
    ${cells.map(({ cell }) => {
      const { x, y } = center(cell)
      const wins = isIn(winningLine, cell)
      const last = lastMove !== null && isIn([lastMove], cell)
      const kind = wins ? 'hole-wins' : last ? 'hole-last' : ''
      return svg`<circle class="hole ${kind}" cx=${x} cy=${y} r=${HOLE_RADIUS} />`
    })}
  </svg>`
}

/** The position as a table, the way a screen reader can walk through it. */
function tableOf({ view, names }: BoardOptions): TemplateResult {
  const columns = view.board[0]?.length ?? 0
  return html`<div class="d-hidden">
    <table aria-label="Position">
      <thead>
        <tr>
          <td></td>
          ${Array.from(
            { length: columns },
            (_, column) => html`<th scope="col">${column + 1}</th>`,
          )}
        </tr>
      </thead>
      <tbody>
        ${view.board.map(
          (cells, row) =>
            html`<tr>
              <th scope="row">Row ${view.board.length - row}</th>
              ${cells.map(
                (seat) =>
                  html`<td>${seat === null ? 'empty' : (names[seat] ?? `seat ${seat}`)}</td>`,
              )}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`
}

function columnsOf({ view, play }: BoardOptions): TemplateResult | typeof nothing {
  if (play === undefined) return nothing
  const move = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0
    if (step === 0) return
    event.preventDefault()
    const count = view.board[0]?.length ?? 0
    const next = (play.focused + step + count) % count
    play.focus(next)
    const buttons = (event.currentTarget as HTMLElement).querySelectorAll('button')
    buttons[next]?.focus()
  }
  return html`<div
    class="columns seat-${play.seat}"
    role="group"
    aria-label="Columns"
    @keydown=${move}
  >
    ${(view.board[0] ?? []).map((_, column) => {
      const legal = play.columns.includes(column) && play.pending === null
      const cell = landing(view, column)
      const row = cell === null ? 0 : cell.row
      return html`<button
        type="button"
        class="column"
        style="--landing: ${row}"
        aria-label="Column ${column + 1}"
        aria-disabled=${legal ? 'false' : 'true'}
        tabindex=${column === play.focused ? 0 : -1}
        @focus=${() => play.focus(column)}
        @click=${() => {
          if (legal) play.choose(column)
        }}
      >
        ${legal ? html`<span class="ghost"></span>` : nothing}
      </button>`
    })}
  </div>`
}

export function boardTemplate(options: BoardOptions): TemplateResult {
  return html`<div
    class="board ${options.play === undefined ? '' : 'board-play'}"
    role="region"
    aria-label="Board"
  >
    ${pictureOf(options)} ${tableOf(options)} ${columnsOf(options)}
  </div>`
}

/** A small disc beside a name. */
export function discTemplate(seat: number): TemplateResult {
  return html`<svg
    class="disc-small"
    viewBox="${MARGIN} ${MARGIN} ${CELL} ${CELL}"
    aria-hidden="true"
  >
    ${disc({ row: 0, column: 0 }, seat, 'in-text')}
  </svg>`
}
