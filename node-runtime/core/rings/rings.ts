// Members in the order of each ring: who comes next, who came before, who is near, and how many there must be
// if they stand as thick everywhere as around here.
import { RINGS } from './place.ts'

/** A machine on the rings. */
export interface Spot {
  readonly machine: string
  /** Its position on each ring, 0 to 1. */
  readonly at: readonly number[]
}

/** How far it is from one position on, clockwise, to another. */
export function clockwise(from: number, to: number): number {
  return to >= from ? to - from : to - from + 1
}

/** How far apart two positions are, the shorter way. */
export function apart(a: number, b: number): number {
  const way = Math.abs(a - b)
  return Math.min(way, 1 - way)
}

function isBefore(a: Spot, b: Spot, ring: number): boolean {
  const [x, y] = [a.at[ring]!, b.at[ring]!]
  return x < y || (x === y && a.machine < b.machine)
}

export class Rings<S extends Spot> {
  readonly #spots = new Map<string, S>()
  readonly #orders: S[][] = Array.from({ length: RINGS }, () => [])

  get size(): number {
    return this.#spots.size
  }

  has(machine: string): boolean {
    return this.#spots.has(machine)
  }

  get(machine: string): S | undefined {
    return this.#spots.get(machine)
  }

  all(): Iterable<S> {
    return this.#spots.values()
  }

  put(spot: S): void {
    this.remove(spot.machine)
    this.#spots.set(spot.machine, spot)
    this.#orders.forEach((order, ring) => order.splice(rank(order, spot, ring), 0, spot))
  }

  remove(machine: string): void {
    const spot = this.#spots.get(machine)
    if (spot === undefined) return
    this.#spots.delete(machine)
    this.#orders.forEach((order, ring) => order.splice(rank(order, spot, ring), 1))
  }

  /**
   * The nearest on one side of a spot, nearest first; never the spot itself.
   * @param step  1: those that come after it, -1: those before
   */
  beside(spot: Spot, ring: number, step: 1 | -1, count: number): S[] {
    const order = this.#orders[ring]!
    const found: S[] = []
    if (order.length === 0) return found
    let at = rank(order, spot, ring)
    if (step === -1) at -= 1
    for (let seen = 0; seen < order.length && found.length < count; seen++, at += step) {
      const other = order[((at % order.length) + order.length) % order.length]!
      if (other.machine !== spot.machine) found.push(other)
    }
    return found
  }

  /** Those nearest to a spot on both sides of all rings, each once. */
  near(spot: Spot, perSide: number): S[] {
    const found = new Map<string, S>()
    for (let ring = 0; ring < RINGS; ring++) {
      for (const step of [1, -1] as const) {
        for (const other of this.beside(spot, ring, step, perSide)) found.set(other.machine, other)
      }
    }
    return [...found.values()]
  }

  /** How many machines there are, by how near the nearest are; this spot included. */
  estimate(spot: Spot, perSide: number): number {
    let gaps = 0
    let span = 0
    for (let ring = 0; ring < RINGS; ring++) {
      const after = this.beside(spot, ring, 1, perSide)
      const before = this.beside(spot, ring, -1, perSide)
      const [last, first] = [after.at(-1), before.at(-1)]
      if (last === undefined || first === undefined) continue
      gaps += after.length + before.length
      span += clockwise(spot.at[ring]!, last.at[ring]!) + clockwise(first.at[ring]!, spot.at[ring]!)
    }
    return span === 0 ? this.size + 1 : Math.round(gaps / span)
  }
}

/** Where a spot is, or would be, in the order of a ring. */
function rank(order: readonly Spot[], spot: Spot, ring: number): number {
  let low = 0
  let high = order.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (isBefore(order[middle]!, spot, ring)) low = middle + 1
    else high = middle
  }
  return low
}
