import { describe, expect, test } from 'vitest'
import { drawLots, pairingsOf, pointsText, standingsOf } from './tournament.ts'
import type { Pairing, Played } from './tournament.ts'

const SIZES = Array.from({ length: 15 }, (_, i) => i + 2)

describe('a round robin', () => {
  test.each(SIZES)('of %i pairs everyone with everyone exactly once', (size) => {
    const pairs = pairingsOf('round-robin', size).map(({ seats }) => [...seats].sort().join('-'))
    expect(pairs).toHaveLength((size * (size - 1)) / 2)
    expect(new Set(pairs).size).toBe(pairs.length)
  })

  test.each(SIZES)('of %i gives nobody two games in one round', (size) => {
    const pairings = pairingsOf('round-robin', size)
    const rounds = size % 2 === 0 ? size - 1 : size
    expect(new Set(pairings.map(({ round }) => round)).size).toBe(rounds)
    for (let round = 1; round <= rounds; round++) {
      const seated = pairings.filter((p) => p.round === round).flatMap((p) => p.seats)
      expect(new Set(seated).size).toBe(seated.length)
    }
  })

  test.each(SIZES)('of %i lets nobody begin more than once too often', (size) => {
    const balance = Array.from({ length: size }, () => 0)
    for (const { seats } of pairingsOf('round-robin', size)) {
      balance[seats[0]] = (balance[seats[0]] ?? 0) + 1
      balance[seats[1]] = (balance[seats[1]] ?? 0) - 1
    }
    expect(Math.max(...balance.map(Math.abs))).toBeLessThanOrEqual(1)
  })

  test('of four turns around the last player', () => {
    const text = pairingsOf('round-robin', 4).map(
      ({ round, table, seats }) => `${round}.${table} ${seats[0] + 1}-${seats[1] + 1}`,
    )
    expect(text).toEqual(['1.1 4-1', '1.2 3-2', '2.1 2-4', '2.2 1-3', '3.1 4-3', '3.2 2-1'])
  })
})

test('a single game has one pairing, and needs two players', () => {
  expect(pairingsOf('single', 2)).toEqual([{ round: 1, table: 1, seats: [0, 1] }])
  expect(pairingsOf('single', 1)).toEqual([])
  expect(pairingsOf('round-robin', 1)).toEqual([])
})

test('lots keep every player, depend on the seed, and are the same everywhere', () => {
  const players = ['ann', 'bob', 'cid', 'dee', 'eve']
  expect(drawLots(players, 'seed')).toEqual(drawLots(players, 'seed'))
  expect([...drawLots(players, 'seed')].sort()).toEqual(players)
  const orders = new Set(
    Array.from({ length: 50 }, (_, i) => drawLots(players, `seed ${i}`).join()),
  )
  expect(orders.size).toBeGreaterThan(25)
  expect(drawLots(players, 'seed')).toEqual(['dee', 'eve', 'bob', 'cid', 'ann'])
})

describe('standings', () => {
  const game = (a: number, b: number, scores: [number, number]): Played => {
    const pairing: Pairing = { round: 1, table: 1, seats: [a, b] }
    return { pairing, scores }
  }
  const table = (count: number, games: Played[]): string[] =>
    standingsOf(count, games).map((s) => `${s.rank}. ${s.player} ${pointsText(s.doublePoints)}`)

  test('count wins, draws and losses', () => {
    const games = [game(0, 1, [1, 0]), game(1, 2, [0.5, 0.5]), game(2, 0, [0, 1])]
    expect(table(3, games)).toEqual(['1. 0 2', '2. 1 ½', '2. 2 ½'])
    expect(standingsOf(3, games)[1]).toMatchObject({ played: 2, won: 0, drawn: 1, lost: 1 })
  })

  test('before the first game everyone is first', () => {
    expect(table(3, [])).toEqual(['1. 0 0', '1. 1 0', '1. 2 0'])
  })

  test('players with as many points are ranked by their game against each other', () => {
    const games = [
      game(0, 1, [0, 1]),
      game(0, 2, [1, 0]),
      game(0, 3, [1, 0]),
      game(1, 2, [1, 0]),
      game(1, 3, [0, 1]),
      game(2, 3, [1, 0]),
    ]
    expect(table(4, games)).toEqual(['1. 1 2', '2. 0 2', '3. 2 1', '4. 3 1'])
  })

  test('a circle of wins is broken by the points of the beaten, else shared', () => {
    const circle = [game(0, 1, [1, 0]), game(1, 2, [1, 0]), game(2, 0, [1, 0])]
    expect(table(3, circle)).toEqual(['1. 0 1', '1. 1 1', '1. 2 1'])
    const withTwoMore = [
      ...circle,
      game(0, 3, [1, 0]),
      game(0, 4, [0, 1]),
      game(1, 3, [0, 1]),
      game(1, 4, [1, 0]),
      game(2, 3, [0.5, 0.5]),
      game(2, 4, [0.5, 0.5]),
    ]
    // 0, 1 and 2 have two points each. Sonneborn-Berger: 0 beat 1 and 3, 1 beat 2 and 4.
    const rows = standingsOf(5, withTwoMore)
    const scores = rows.map((row) => [row.player, row.sonnebornBerger])
    expect(scores).toContainEqual([0, 2 * 4 + 2 * 3])
    expect(rows.every((row, i) => i === 0 || (rows[i - 1]?.rank ?? 0) <= row.rank)).toBe(true)
  })
})
