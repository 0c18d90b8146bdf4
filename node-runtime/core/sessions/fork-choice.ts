// Which of a session's actions count, and in which order the rules take them. Where a seat went several ways
// (it plays on two machines), the way that others built on counts, of those that have seen nothing that does not:
// so some way always counts, and who acts on goes on from there. The answer depends on the actions alone,
// never on the order in which they came; what comes is put in its place, and all is decided anew only when it
// turns over what was decided before.
import type { SeatAction } from './action.ts'

/** An action in the graph of all actions. */
export interface ActionNode {
  readonly action: SeatAction
  /** Of the same seat. */
  readonly parent: ActionNode | null
  /** All that go on from the same parent, this one included. */
  readonly siblings: ActionNode[]
  readonly children: ActionNode[]
  /** By seat: what the action had seen. */
  readonly heads: readonly (ActionNode | null)[]
  /** Longest way to it. Grows along every arrow, so that sorting by it keeps causes before effects. */
  readonly depth: number
  /** Actions of other seats that were built on it, or on what its seat built on it. */
  support: number
  /** It does not count. */
  lost: boolean
}

export class ForkChoice {
  /** All of them, causes before effects. */
  readonly #all: ActionNode[] = []
  /** Those that count, in the same order. */
  #counting: ActionNode[] = []
  /** Did ways have to be cut, since each waited for another? Then what comes may turn over any of them. */
  #isKnotted = false
  #order: SeatAction[] = []

  /** The actions that count, in the order in which the rules take them. */
  get order(): readonly SeatAction[] {
    return this.#order
  }

  /** All, counting or not, in the same order. */
  get all(): SeatAction[] {
    return this.#all.map(({ action }) => action)
  }

  /** Takes in an action that all in `heads` came before, and that is among its siblings already. */
  add(node: ActionNode): void {
    this.#all.splice(placeOf(this.#all, node), 0, node)
    const turns = this.#support(node)
    if (turns || this.#isKnotted || !this.#settle(node)) this.#chooseAll()
  }

  /** Counts what the action was built on. True if a way that did not count goes before one that does. */
  #support({ heads, action }: ActionNode): boolean {
    let turns = false
    for (const [seat, head] of heads.entries()) {
      if (seat === action.seat) continue
      // An action that saw a later one of a seat saw the earlier ones, too.
      for (let node = head; node !== null; node = node.parent) {
        node.support++
        if (!node.lost || node.siblings.length === 1) continue
        const winner = winnerOf(node.siblings)
        turns ||= winner !== undefined && compareBranches(node, winner) < 0
      }
    }
    return turns
  }

  /** Finds out whether a newcomer counts. False where that may change more than what goes on from a rival. */
  #settle(node: ActionNode): boolean {
    node.lost = true
    const winner = winnerOf(node.siblings)
    if (winner !== undefined) {
      if (compareBranches(winner, node) < 0) return true
      // It goes before the winner, until it is known that what it has seen does not count.
      if (!isReady(node)) return false
      // As nobody has built on the newcomer yet, nobody has on whom it beats.
      this.#lose(winner)
    }
    if (isReady(node)) this.#count(node)
    return true
  }

  #count(node: ActionNode): void {
    node.lost = false
    const place = placeOf(this.#counting, node)
    this.#counting.splice(place, 0, node)
    this.#order.splice(place, 0, node.action)
  }

  /** A branch counts no more on which no other seat has built: it is all that goes. */
  #lose(branch: ActionNode): void {
    const losing = [branch]
    for (let node = losing.pop(); node !== undefined; node = losing.pop()) {
      if (node.lost) continue
      losing.push(...node.children)
      node.lost = true
      const place = placeOf(this.#counting, node)
      this.#counting.splice(place, 1)
      this.#order.splice(place, 1)
    }
  }

  /** Goes on from where each seat's way stands, until none can go on. */
  #chooseAll(): void {
    /** By seat: what goes on from there. */
    const next = new Map<number, readonly ActionNode[]>()
    for (const node of this.#all) {
      node.lost = true
      if (node.parent === null) next.set(node.action.seat, node.siblings)
    }
    const take = (node: ActionNode): void => {
      node.lost = false
      next.set(node.action.seat, node.children)
    }
    this.#isKnotted = false
    for (let progress = true; progress; ) {
      progress = false
      for (const rivals of next.values()) {
        const best = bestOf(rivals, (node) => rivals.length === 1 || isOpen(node, next))
        if (best === null || !isReady(best)) continue
        take(best)
        progress = true
      }
      if (progress) continue
      // The best of each seat waits for what is not the best of another. The first that need not wait counts.
      const ready = [...next.values()].flatMap((rivals) => bestOf(rivals, isReady) ?? [])
      const [first] = ready.sort(compareNodes)
      if (first === undefined) break
      take(first)
      progress = this.#isKnotted = true
    }
    this.#counting = this.#all.filter(({ lost }) => !lost)
    this.#order = this.#counting.map(({ action }) => action)
  }
}

function winnerOf(siblings: readonly ActionNode[]): ActionNode | undefined {
  return siblings.find(({ lost }) => !lost)
}

/** Does all count that it was built on? */
function isReady({ heads }: ActionNode): boolean {
  return heads.every((head) => head?.lost !== true)
}

/** Does all count that it was built on, or may still come to, as the ways of the seats stand? */
function isOpen({ heads }: ActionNode, next: ReadonlyMap<number, readonly ActionNode[]>): boolean {
  return heads.every((head, seat) => {
    if (head?.lost !== true) return true
    let first = head
    while (first.parent?.lost === true) first = first.parent
    return first.siblings === next.get(seat)
  })
}

/** Of those that may, the one that goes before the others. */
function bestOf(
  rivals: readonly ActionNode[],
  may: (node: ActionNode) => boolean,
): ActionNode | null {
  let best: ActionNode | null = null
  for (const node of rivals) {
    if ((best === null || compareBranches(node, best) < 0) && may(node)) best = node
  }
  return best
}

/** Negative if `a` counts rather than `b`. */
function compareBranches(a: ActionNode, b: ActionNode): number {
  return b.support - a.support || (a.action.hash < b.action.hash ? -1 : 1)
}

/** Where it stands, or is to stand, in a list in order. */
function placeOf(nodes: readonly ActionNode[], node: ActionNode): number {
  let [from, to] = [0, nodes.length]
  // Nearly all come in order.
  const last = nodes.at(-1)
  if (last !== undefined && compareNodes(last, node) < 0) return to
  while (from < to) {
    const middle = (from + to) >> 1
    const at = nodes[middle]
    if (at !== undefined && compareNodes(at, node) < 0) from = middle + 1
    else to = middle
  }
  return from
}

function compareNodes(a: ActionNode, b: ActionNode): number {
  if (a.depth !== b.depth) return a.depth - b.depth
  // Who moved in time was not silent: a claim of the same moment comes after it.
  const claims = Number(a.action.type === 'claim') - Number(b.action.type === 'claim')
  if (claims !== 0) return claims
  if (a.action.seat !== b.action.seat) return a.action.seat - b.action.seat
  return a.action.hash < b.action.hash ? -1 : 1
}
