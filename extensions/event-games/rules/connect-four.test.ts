import { describe, expect, it } from 'vitest'
import { apply, init, legal, outcome, view } from './connect-four.ts'
import type { State } from './connect-four.ts'

function play(columns: readonly number[]): State {
  let state = init('seed', {})
  for (const [ply, column] of columns.entries()) {
    expect(outcome(state)).toBeNull()
    expect(legal(state, ply % 2)).toContain(column)
    expect(legal(state, 1 - (ply % 2))).toEqual([])
    state = apply(state, ply % 2, column)
  }
  return state
}

/** Sequences of so many actions. */
function perft(state: State, depth: number, seat = 0): number {
  if (depth === 0) return 1
  return legal(state, seat).reduce(
    (count, column) => count + perft(apply(state, seat, column), depth - 1, 1 - seat),
    0,
  )
}

describe('Connect Four', () => {
  it.each([
    [1, 7],
    [2, 49],
    [3, 343],
    [4, 2_401],
    [5, 16_807],
  ])('has as many sequences of %i actions as it should', (depth, count) => {
    expect(perft(init('seed', {}), depth)).toBe(count)
  })

  it.each([
    [
      'upwards',
      [3, 0, 3, 0, 3, 0, 3],
      0,
      [
        [2, 3],
        [3, 3],
        [4, 3],
        [5, 3],
      ],
    ],
    [
      'across',
      [0, 0, 1, 1, 2, 2, 3],
      0,
      [
        [5, 0],
        [5, 1],
        [5, 2],
        [5, 3],
      ],
    ],
    [
      'across, closed in the middle',
      [0, 0, 1, 1, 3, 3, 2],
      0,
      [
        [5, 0],
        [5, 1],
        [5, 2],
        [5, 3],
      ],
    ],
    [
      'rising',
      [0, 1, 1, 2, 2, 3, 2, 3, 3, 0, 3],
      0,
      [
        [2, 3],
        [3, 2],
        [4, 1],
        [5, 0],
      ],
    ],
    [
      'falling',
      [6, 5, 5, 4, 4, 3, 4, 3, 3, 0, 3],
      0,
      [
        [2, 3],
        [3, 4],
        [4, 5],
        [5, 6],
      ],
    ],
    [
      'by the second seat',
      [0, 3, 0, 3, 0, 3, 1, 3],
      1,
      [
        [2, 3],
        [3, 3],
        [4, 3],
        [5, 3],
      ],
    ],
  ])('is won by four %s', (_way, columns, winner, cells) => {
    const state = play(columns)
    expect(outcome(state)).toEqual({
      scores: winner === 0 ? [1, 0] : [0, 1],
      reason: 'four in a row',
    })
    expect(view(state, 'spectator')).toMatchObject({
      winningLine: cells.map(([row, column]) => ({ row, column })),
      toMove: null,
    })
    expect([legal(state, 0), legal(state, 1)]).toEqual([[], []])
  })

  it('is not won by three, nor by four around the edge', () => {
    expect(outcome(play([0, 0, 1, 1, 2, 2]))).toBeNull()
    expect(outcome(play([4, 0, 5, 1, 6, 1, 0]))).toBeNull()
  })

  it('is drawn when the board is full', () => {
    // Columns in pairs, so that no four of a kind come together.
    const columns = [
      ...[0, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0],
      ...[2, 3, 2, 3, 2, 3, 3, 2, 3, 2, 3, 2],
      ...[4, 5, 4, 5, 4, 5, 5, 4, 5, 4, 5, 4],
      ...[6, 6, 6, 6, 6, 6],
    ]
    const state = play(columns)
    expect(outcome(state)).toEqual({ scores: [0.5, 0.5], reason: 'the board is full' })
    expect(view(state, 0).winningLine).toEqual([])
  })

  it('takes no disc in a full column', () => {
    const state = play([3, 3, 3, 3, 3, 3])
    expect(legal(state, 0)).toEqual([0, 1, 2, 4, 5, 6])
  })

  it('shows the board from the top, and the last disc', () => {
    const { board, lastMove, toMove } = view(play([3, 3, 4]), 1)
    expect(board).toHaveLength(6)
    expect(board[0]).toEqual([null, null, null, null, null, null, null])
    expect(board[4]).toEqual([null, null, null, 1, null, null, null])
    expect(board[5]).toEqual([null, null, null, 0, 0, null, null])
    expect(lastMove).toEqual({ row: 5, column: 4 })
    expect(toMove).toBe(1)
  })
})
