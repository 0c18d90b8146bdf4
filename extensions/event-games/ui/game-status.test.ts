import { expect, test } from 'vitest'
import { gameStatus } from './game-status.ts'

const names = ['Ann', 'Bob']
const seats = [
  { person: 'a', online: true },
  { person: 'b', online: true },
]
const live = { state: 'live', ownSeat: null, outcome: null, by: null, seats, toAct: [1] } as const
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

test('a game that ended without its last move says how', () => {
  const ended = (by: 'claim' | 'resignation' | 'fault' | 'rules', ownSeat: number | null) =>
    gameStatus({ ...over, state: 'over', by, ownSeat }, names)
  expect(ended('claim', null)).toBe('Ann won by claim: Bob did not act.')
  expect(ended('claim', 1)).toBe('Ann won by claim: you did not act.')
  expect(ended('resignation', 0)).toBe('You won: Bob resigned.')
  expect(ended('fault', null)).toBe('Ann won: Bob broke the rules.')
  expect(ended('rules', null)).toBe('Ann won: four in a row.')
})

test('a game that has not begun says who is missing', () => {
  const half = [
    { person: 'a', online: true },
    { person: 'b', online: null },
  ]
  const frame = { ...live, state: 'waiting' as const, seats: half, toAct: [] }
  expect(gameStatus({ ...frame, ownSeat: 0 }, names)).toBe('Waiting for Bob to sit down.')
  expect(gameStatus({ ...frame, ownSeat: 0, toAct: [0] }, names)).toBe(
    'Waiting for Bob to sit down. You can make your move already.',
  )
  expect(gameStatus({ ...frame, toAct: [0] }, names)).toBe('Waiting for Bob to sit down.')
})
