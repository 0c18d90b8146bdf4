// How a bot plays Connect Four: it takes a win, stops one, and else likes the middle. Pure.

/** Rows from the top; the seat whose disc lies in a cell, or null. */
export type Board = readonly (readonly (number | null)[])[]

const LINE = 4
const DIRECTIONS = [
  [0, 1],
  [1, 0],
  [1, 1],
  [1, -1],
] as const

/** Would a disc of `seat` in `column` complete a line? */
function wins(board: Board, column: number, seat: number): boolean {
  const row = board.findLastIndex((cells) => cells[column] === null)
  if (row < 0) return false
  return DIRECTIONS.some(([down, right]) => {
    let length = 1
    for (const sense of [1, -1]) {
      for (
        let step = 1;
        board[row + sense * step * down]?.[column + sense * step * right] === seat;
      ) {
        length++
        step++
      }
    }
    return length >= LINE
  })
}

/** The board with a disc of `seat` in `column`. */
function drop(board: Board, column: number, seat: number): Board {
  const target = board.findLastIndex((cells) => cells[column] === null)
  return board.map((cells, row) => (row === target ? cells.with(column, seat) : cells))
}

/**
 * The column to play.
 * @param legal   the columns that have room; at least one
 * @param random  from 0 to 1, less than 1
 */
export function chooseColumn(
  board: Board,
  legal: readonly number[],
  seat: number,
  random: () => number,
): number {
  const opponent = 1 - seat
  const winning = legal.find((column) => wins(board, column, seat))
  if (winning !== undefined) return winning
  const threatened = legal.find((column) => wins(board, column, opponent))
  if (threatened !== undefined) return threatened
  const safe = legal.filter((column) => !wins(drop(board, column, seat), column, opponent))
  const candidates = safe.length > 0 ? safe : legal
  const middle = ((board[0]?.length ?? 1) - 1) / 2
  const weighted = candidates.flatMap((column) => {
    const weight = Math.ceil(middle + 1 - Math.abs(column - middle))
    return Array.from({ length: weight }, () => column)
  })
  return weighted[Math.floor(random() * weighted.length)] ?? legal[0]!
}
