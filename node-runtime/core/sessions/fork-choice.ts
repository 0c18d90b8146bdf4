// Which of a session's actions count, and in which order the rules take them. Where two machines of one
// person went different ways, the way that others built on counts. The answer depends on the actions
// alone, never on the order in which they came; what comes is put in its place, and all is decided anew
// only when it turns over what was decided before.
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
  /** On a branch that did not come to count. */
  lost: boolean
}

export class ForkChoice {
  /** All of them, causes before effects. */
  readonly #all: ActionNode[] = []
  /** Those that count, in the same order. */
  #counting: ActionNode[] = []
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
    const settled = turns ? 'open' : this.#settle(node)
    if (settled === 'open') this.#chooseAll()
    else if (settled === 'counts') this.#count(node)
  }

  /** Counts what the action was built on. True if a way that did not count may count by that. */
  #support({ heads, action }: ActionNode): boolean {
    let turns = false
    for (const [seat, head] of heads.entries()) {
      if (seat === action.seat) continue
      // An action that saw a later one of a seat saw the earlier ones, too.
      for (let node = head; node !== null; node = node.parent) {
        node.support++
        turns ||= node.lost && node.siblings.length > 1 && !isBeaten(node)
      }
    }
    return turns
  }

  /** Does a newcomer count? It is open where that changes more than what was built on one rival. */
  #settle(node: ActionNode): 'counts' | 'lost' | 'open' {
    if (node.siblings.length === 1) {
      node.lost = seesLost(node)
      return node.lost ? 'lost' : 'counts'
    }
    const winner = node.siblings.find((other) => other !== node && !other.lost)
    if (winner === undefined) return 'open'
    // A fork is decided where its first branch stands: before it is known which others see what is lost.
    if (compareNodes(node, winner) < 0 && node.siblings.some(seesLost)) return 'open'
    if (compareBranches(winner, node) < 0) {
      node.lost = true
      return 'lost'
    }
    if (seesLost(node)) return 'open'
    // As nobody has built on the newcomer yet, nobody has on whom it beats.
    this.#lose(winner)
    return 'counts'
  }

  #count(node: ActionNode): void {
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

  /** Decides each fork, the earliest first: most built on by others, else the smaller hash. */
  #chooseAll(): void {
    for (const node of this.#all) node.lost = false
    for (const node of this.#all) {
      node.lost ||= seesLost(node)
      if (node.lost || node.siblings.length === 1) continue
      let winner = node
      for (const other of node.siblings) {
        if (other.lost || seesLost(other)) continue
        other.lost = true
        if (compareBranches(other, winner) < 0) winner = other
      }
      winner.lost = false
    }
    this.#counting = this.#all.filter(({ lost }) => !lost)
    this.#order = this.#counting.map(({ action }) => action)
  }
}

/** Was it built on something that does not count? */
function seesLost({ heads }: ActionNode): boolean {
  return heads.some((head) => head?.lost === true)
}

/** Is there a branch that counts, and goes before this one? */
function isBeaten(node: ActionNode): boolean {
  const winner = node.siblings.find((other) => !other.lost)
  return winner !== undefined && compareBranches(winner, node) < 0
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
