import { expect, test } from 'vitest'
import { gameStatus } from './game-status.ts'

const names = ['Ann', 'Bob']
const seats = [
  { person: 'a', online: true },
  { person: 'b', online: true },
]
const live = { state: 'live', ownSeat: null, outcome: null, seats, toAct: [1] } as const
const over = {
  ...live,
  state: 'over',
  toAct: [],
  outcome: { scores: [1, 0], reason: 'four in a row' },
}

test('a running game says whose move it is, from the point of view of who looks', () => {
  expect(gameStatus({ ...live, seats: [...seats], toAct: [1] }, names)).toBe('Bob is to move.')
  expect(gameStatus({ ...live, seats: [...seats], toAct: [1], ownSeat: 1 }, names)).toBe(
    'Your move.',
  )
})

test('a finished game says who won and why', () => {
  expect(gameStatus({ ...over, state: 'over' }, names)).toBe('Ann won: four in a row.')
  expect(gameStatus({ ...over, state: 'over', ownSeat: 0 }, names)).toBe('You won: four in a row.')
  const draw = { scores: [0.5, 0.5], reason: 'the board is full' }
  expect(gameStatus({ ...over, state: 'over', outcome: draw }, names)).toBe(
    'Draw: the board is full.',
  )
})

test('a game that has not begun says who is missing', () => {
  const half = [
    { person: 'a', online: true },
    { person: 'b', online: null },
  ]
  const frame = { ...live, state: 'waiting' as const, seats: half, toAct: [] }
  expect(gameStatus({ ...frame, ownSeat: 0 }, names)).toBe('Waiting for Bob to sit down.')
})
