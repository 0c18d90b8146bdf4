// Connect Four: two seats drop discs into seven columns of six; four of one's own in a line win.
import type { Rules } from '/.dharma/sdk.js'

export const COLUMNS = 7
export const ROWS = 6
const LINE = 4

/** The discs by column, each from the bottom up, as the seats that dropped them. */
export interface State {
  columns: number[][]
  /** The column of the last disc; null before the first. */
  last: number | null
}

/** The column to drop a disc into, 0 (left) to 6. */
export type Action = number

/** Row 0 is the top one. */
export interface Cell {
  row: number
  column: number
}

export interface View {
  /** Rows from the top, each from the left: the seat whose disc lies there, or null. */
  board: (number | null)[][]
  lastMove: Cell | null
  /** The cells of the winning line or lines; empty while nobody has won. */
  winningLine: Cell[]
  /** The seat to move; null after the end. */
  toMove: number | null
}

/** One direction of each of the four lines through a cell, as [columns, rows upwards]. */
const DIRECTIONS = [
  [1, 0],
  [0, 1],
  [1, 1],
  [1, -1],
] as const

function discCount(state: State): number {
  return state.columns.reduce((count, column) => count + column.length, 0)
}

/** The cells of all lines of four or more that the last disc completed, as [column, height]. */
function completedLine(state: State): [number, number][] {
  const { columns, last } = state
  if (last === null) return []
  const height = (columns[last]?.length ?? 0) - 1
  const seat = columns[last]?.[height]
  const completed: [number, number][] = [[last, height]]
  for (const [across, up] of DIRECTIONS) {
    const line: [number, number][] = []
    for (const sense of [1, -1]) {
      for (let step = 1; ; step++) {
        const x = last + sense * step * across
        const y = height + sense * step * up
        if (columns[x]?.[y] !== seat) break
        line.push([x, y])
      }
    }
    if (line.length >= LINE - 1) completed.push(...line)
  }
  return completed.length > 1 ? completed : []
}

function cellAt(column: number, height: number): Cell {
  return { row: ROWS - 1 - height, column }
}

const rules: Rules<State, Action, View> = {
  init() {
    return { columns: Array.from({ length: COLUMNS }, () => []), last: null }
  },

  legal(state, seat) {
    if (rules.outcome(state) !== null || discCount(state) % 2 !== seat) return []
    return state.columns.flatMap((discs, column) => (discs.length < ROWS ? [column] : []))
  },

  apply(state, seat, action) {
    return {
      columns: state.columns.map((discs, column) => (column === action ? [...discs, seat] : discs)),
      last: action,
    }
  },

  outcome(state) {
    const discs = discCount(state)
    if (completedLine(state).length > 0) {
      const winner = (discs - 1) % 2
      return { scores: [1 - winner, winner], reason: 'four in a row' }
    }
    return discs === COLUMNS * ROWS ? { scores: [0.5, 0.5], reason: 'the board is full' } : null
  },

  view(state) {
    const { columns, last } = state
    return {
      board: Array.from({ length: ROWS }, (_, row) =>
        columns.map((discs) => discs[ROWS - 1 - row] ?? null),
      ),
      lastMove: last === null ? null : cellAt(last, (columns[last]?.length ?? 0) - 1),
      winningLine: completedLine(state)
        .map(([column, height]) => cellAt(column, height))
        .sort((a, b) => a.row - b.row || a.column - b.column),
      toMove: rules.outcome(state) === null ? discCount(state) % 2 : null,
    }
  },
}

export const init = rules.init
export const legal = rules.legal
export const apply = rules.apply
export const outcome = rules.outcome
export const view = rules.view
