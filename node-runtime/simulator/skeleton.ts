// `npm run simulate -- --scenario skeleton --machines N`: links as the production rings and plan of links choose them, for
// clouds that are too large to run whole, and what a broadcast over them costs. No messages are simulated: machines
// are numbers, all alive, and a broadcast goes from hop to hop.
import { hash, toHex } from '../core/keys.ts'
import { MAX_LINKS } from '../core/rings/link-plan.ts'
import { positionsOf, RINGS } from '../core/rings/place.ts'
import { seededRandom } from './random.ts'

/** Links that each machine dials by chance, as `core/rings/link-plan.ts` has it. */
const CHOSEN = 2
const BROADCASTS = 5

export interface SkeletonResult {
  machines: number
  meanLinks: number
  mostLinks: number
  /** Hops until the last machine of those that live has it: the mean, and the most. */
  meanHops: number
  mostHops: number
  theoryHops: number
  /** Share of those that live that it reached. */
  reach: number
  /** Of an author's first news, over all links, for each machine. */
  floodMessages: number
  /** Of all later ones, over the tree. */
  treeMessages: number
}

/**
 * @param dead  this share of the machines is gone at once, before anything is repaired
 */
export function measureSkeleton(machines: number, dead: number, seed: number): SkeletonResult {
  const random = seededRandom(seed)
  const links = drawLinks(machines, random.next)
  const isDead = Uint8Array.from({ length: machines }, () => Number(random.chance(dead)))
  let alive = 0
  for (const gone of isDead) alive += 1 - gone
  let [mostHops, hopsSum, reach, messages] = [0, 0, 1, 0]
  for (let i = 0; i < BROADCASTS; i++) {
    let from = random.whole(0, machines - 1)
    while (isDead[from] === 1) from = random.whole(0, machines - 1)
    const { hops, reached, sent } = flood(links, isDead, from)
    mostHops = Math.max(mostHops, hops)
    hopsSum += hops
    reach = Math.min(reach, reached / alive)
    messages += sent
  }
  const degrees = links.map(({ length }) => length)
  const meanLinks = degrees.reduce((sum, degree) => sum + degree, 0) / machines
  return {
    machines,
    meanLinks,
    mostLinks: degrees.reduce((most, degree) => Math.max(most, degree), 0),
    meanHops: hopsSum / BROADCASTS,
    mostHops,
    theoryHops: Math.ceil(Math.log(machines) / Math.log(2 * RINGS - 1)),
    reach,
    floodMessages: messages / BROADCASTS / alive,
    treeMessages: (alive - 1) / alive,
  }
}

function drawLinks(machines: number, random: () => number): number[][] {
  const links: number[][] = Array.from({ length: machines }, () => [])
  const link = (a: number, b: number): void => {
    if (a === b || links[a]!.includes(b)) return
    links[a]!.push(b)
    links[b]!.push(a)
  }
  const places = Array.from({ length: machines }, (_, i) =>
    positionsOf(toHex(hash(Buffer.from(`machine ${i}`)))),
  )
  for (let ring = 0; ring < RINGS; ring++) {
    const order = Uint32Array.from({ length: machines }, (_, i) => i)
    order.sort((a, b) => places[a]![ring]! - places[b]![ring]!)
    for (let i = 0; i < machines; i++) link(order[i]!, order[(i + 1) % machines]!)
  }
  for (let a = 0; a < machines; a++) {
    for (let i = 0; i < CHOSEN; i++) {
      let other = Math.floor(random() * machines)
      // Who has all that it can keep refuses.
      while (links[other]!.length >= MAX_LINKS) other = Math.floor(random() * machines)
      if (links[a]!.length < MAX_LINKS) link(a, other)
    }
  }
  return links
}

function flood(
  links: readonly number[][],
  isDead: Uint8Array,
  from: number,
): { hops: number; reached: number; sent: number } {
  const seen = Uint8Array.from(isDead)
  seen[from] = 1
  let [frontier, hops, reached, sent] = [[from], 0, 1, 0]
  for (;;) {
    const next: number[] = []
    for (const machine of frontier) {
      for (const other of links[machine]!) {
        if (isDead[other] === 0) sent += 1
        if (seen[other] === 1) continue
        seen[other] = 1
        next.push(other)
      }
    }
    if (next.length === 0) return { hops, reached, sent: sent - (reached - 1) }
    hops += 1
    reached += next.length
    frontier = next
  }
}
