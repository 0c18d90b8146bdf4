// Everything about a tournament that follows from its records: rounds, tables, scores, ranks. Pure and
// integer only, so that every machine computes the same.

export type Format = 'single' | 'round-robin'

/** One game of a tournament. `seats` are indexes into the list of players; seat 0 moves first. */
export interface Pairing {
  /** From 1. */
  round: number
  /** From 1. */
  table: number
  seats: readonly [number, number]
}

/** How a game of the tournament ended: points by seat, 1, 0 or 0.5. */
export interface Played {
  pairing: Pairing
  scores: readonly number[]
}

export interface Standing {
  /** Index into the list of players. */
  player: number
  /** From 1; equal for players that nothing tells apart. */
  rank: number
  /** Points times two, so that a draw is a whole number. */
  doublePoints: number
  played: number
  won: number
  drawn: number
  lost: number
  /** Sonneborn-Berger score times four: points of the beaten, and half of those drawn with. */
  sonnebornBerger: number
}

/** A 32-bit hash of a text (FNV-1a). */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0
  }
  return hash
}

/**
 * The players in an order that nobody chose: shuffled by the seed (Fisher-Yates; each step hashes the
 * seed with its number).
 */
export function drawLots<T>(players: readonly T[], seed: string): T[] {
  const order = [...players]
  for (let i = order.length - 1; i > 0; i--) {
    const j = hashOf(`${seed}/${i}`) % (i + 1)
    const a = order[i] as T
    order[i] = order[j] as T
    order[j] = a
  }
  return order
}

/**
 * All games of a tournament in the order of rounds and tables.
 * A round robin is paired by the circle method: with an odd number of players one rests
 * each round, and nobody moves first more than once more often than second.
 */
export function pairingsOf(format: Format, playerCount: number): Pairing[] {
  if (playerCount < 2) return []
  if (format === 'single') return [{ round: 1, table: 1, seats: [0, 1] }]
  const size = playerCount + (playerCount % 2)
  const rounds = size - 1
  const pairings: Pairing[] = []
  for (let round = 0; round < rounds; round++) {
    let table = 1
    for (let i = 0; i < size / 2; i++) {
      // The last player stays; the others turn around it by one place a round.
      const a = i === 0 ? size - 1 : (round + i) % rounds
      const b = i === 0 ? round : (round + rounds - i) % rounds
      if (a >= playerCount || b >= playerCount) continue
      const swap = i === 0 ? round % 2 === 1 : i % 2 === 1
      pairings.push({ round: round + 1, table: table++, seats: swap ? [b, a] : [a, b] })
    }
  }
  return pairings
}

/**
 * The table of a tournament, best first. Ties are broken by the points of the tied among each other,
 * then Sonneborn-Berger, then wins; what is still equal shares its rank, in the order of the lots.
 */
export function standingsOf(playerCount: number, games: readonly Played[]): Standing[] {
  const rows: Standing[] = Array.from({ length: playerCount }, (_, player) => ({
    player,
    rank: 0,
    doublePoints: 0,
    played: 0,
    won: 0,
    drawn: 0,
    lost: 0,
    sonnebornBerger: 0,
  }))
  const results = games.flatMap(({ pairing: { seats }, scores }) => {
    const [a, b] = seats
    const doubleA = Math.round((scores[0] ?? 0) * 2)
    const doubleB = Math.round((scores[1] ?? 0) * 2)
    return [
      { player: a, opponent: b, own: doubleA, other: doubleB },
      { player: b, opponent: a, own: doubleB, other: doubleA },
    ]
  })
  for (const { player, own, other } of results) {
    const row = rows[player]
    if (row === undefined) continue
    row.played += 1
    row.doublePoints += own
    if (own > other) row.won += 1
    else if (own < other) row.lost += 1
    else row.drawn += 1
  }
  for (const { player, opponent, own } of results) {
    const row = rows[player]
    if (row !== undefined) row.sonnebornBerger += own * (rows[opponent]?.doublePoints ?? 0)
  }
  /** Points made against those with as many points. */
  const amongTied = (row: Standing): number =>
    results
      .filter(
        ({ player, opponent }) =>
          player === row.player && rows[opponent]?.doublePoints === row.doublePoints,
      )
      .reduce((sum, { own }) => sum + own, 0)
  const measures = new Map(
    rows.map((row) => [row, [row.doublePoints, amongTied(row), row.sonnebornBerger, row.won]]),
  )
  const compare = (a: Standing, b: Standing): number => {
    const [ofA = [], ofB = []] = [measures.get(a), measures.get(b)]
    for (const [i, measure] of ofA.entries()) {
      const difference = (ofB[i] ?? 0) - measure
      if (difference !== 0) return difference
    }
    return 0
  }
  const sorted = [...rows].sort((a, b) => compare(a, b) || a.player - b.player)
  for (const [i, row] of sorted.entries()) {
    const above = sorted[i - 1]
    row.rank = above !== undefined && compare(above, row) === 0 ? above.rank : i + 1
  }
  return sorted
}

/** Points in words: `2½` for 5 halves. */
export function pointsText(doublePoints: number): string {
  const whole = Math.trunc(doublePoints / 2)
  if (doublePoints % 2 === 0) return String(whole)
  return whole === 0 ? '½' : `${whole}½`
}
