// The actions of all seats' machines as what they are: a graph, in which each action names the last one
// it had seen of every seat. Here is decided which may be a part of it, and who signed two for one
// position; `fork-choice.ts` says which of them count, and in which order.
import type { Action } from './action.ts'
import { ForkChoice } from './fork-choice.ts'
import type { ActionNode } from './fork-choice.ts'
import { bytesInTranscript, MAX_ACTION_BYTES } from './transcript.ts'

/** Actions of one seat that came ahead of what they name. More of them come again, with their logs. */
const MAX_WAITING_OF_SEAT = 32
/** Actions that are known to fit nowhere: more than all seats have room for. */
const MAX_REFUSED = 20_000

/** One machine signed two actions for one position: proof of cheating. */
export interface Equivocation {
  seat: number
  first: Action
  second: Action
}

/** What became of an action that was handed in. */
export type Added = 'added' | 'known' | 'waiting' | 'refused'

export class Branches {
  readonly #seats: number
  /** By hash. Null, which names no action, may be looked for, too. */
  readonly #nodes = new Map<string | null, ActionNode>()
  readonly #roots: ActionNode[][]
  /** By seat, by hash. */
  readonly #waiting: Map<string, Action>[]
  /** By seat: bytes of what is placed of it. */
  readonly #used: number[]
  readonly #refused = new Set<string | null>()
  readonly #choice = new ForkChoice()
  equivocation: Equivocation | null = null

  constructor(seats: number) {
    this.#seats = seats
    this.#roots = Array.from({ length: seats }, () => [])
    this.#waiting = Array.from({ length: seats }, () => new Map())
    this.#used = Array.from({ length: seats }, () => 0)
  }

  /** All actions that are placed, counting or not. */
  get size(): number {
    return this.#nodes.size
  }

  /** The actions that count, in the order in which the rules take them. */
  get order(): readonly Action[] {
    return this.#choice.order
  }

  has(hash: string): boolean {
    return this.#nodes.has(hash)
  }

  /** May the seat act on, with actions of up to so many bytes? */
  hasRoom(seat: number, bytes: number): boolean {
    const used = this.#used[seat] ?? Infinity
    return used + bytes <= Math.floor(MAX_ACTION_BYTES / this.#seats)
  }

  /** By seat, the last action that counts: what a machine that acts now has seen. */
  heads(): (string | null)[] {
    const heads: (string | null)[] = Array.from({ length: this.#seats }, () => null)
    for (const { seat, hash } of this.order) heads[seat] = hash
    return heads
  }

  /** Would another action of this machine, signed now, be its second for one position? */
  hasSignedHere(seat: number, machine: string): boolean {
    const heads = this.heads().map((head) => this.#nodes.get(head) ?? null)
    return this.#findTwin({ seat, machine }, heads) !== undefined
  }

  /**
   * How many actions of all seats one with these heads had seen; if that is its place in the order, it
   * had seen all before it.
   */
  seenOf(heads: Action['heads']): number {
    return heads.reduce((sum, head) => sum + 1 + (this.#nodes.get(head)?.action.seq ?? -1), 0)
  }

  /**
   * Takes in an action whose signature and seat were checked. Those that waited for it follow. One that
   * waits itself is kept if there is room; whoever has it hands it in again.
   */
  add(action: Action): Added {
    const result = this.#place(action)
    if (result !== 'added') return result
    for (let progress = true; progress; ) {
      progress = false
      for (const waiting of this.#waiting) {
        for (const [hash, other] of waiting) {
          const placed = this.#place(other)
          if (placed === 'waiting') continue
          waiting.delete(hash)
          progress ||= placed === 'added'
        }
      }
    }
    return 'added'
  }

  #place(action: Action): Added {
    if (this.#nodes.has(action.hash)) return 'known'
    const heads = action.heads.map((head) => (head === null ? null : this.#nodes.get(head)))
    if (action.heads.some((head) => this.#refused.has(head))) return this.#refuse(action)
    if (heads.includes(undefined)) {
      const waiting = this.#waiting[action.seat]
      if (waiting !== undefined && waiting.size < MAX_WAITING_OF_SEAT) {
        waiting.set(action.hash, action)
      }
      return 'waiting'
    }
    const known = heads as (ActionNode | null)[]
    const bytes = bytesInTranscript({ type: 'action', form: action.form })
    if (!this.#isWellPlaced(action, known) || !this.hasRoom(action.seat, bytes)) {
      return this.#refuse(action)
    }
    const siblings = this.#siblingsAt(action.seat, known)
    const node: ActionNode = {
      action,
      parent: known[action.seat] ?? null,
      siblings,
      children: [],
      heads: known,
      depth: 1 + Math.max(0, ...known.map((head) => head?.depth ?? 0)),
      support: 0,
      lost: false,
    }
    if (this.equivocation === null) {
      const first = this.#findTwin(action, known)?.action
      if (first !== undefined) this.equivocation = { seat: action.seat, first, second: action }
    }
    this.#nodes.set(action.hash, node)
    this.#used[action.seat] = (this.#used[action.seat] ?? 0) + bytes
    siblings.push(node)
    this.#choice.add(node)
    return 'added'
  }

  #refuse({ hash }: Action): Added {
    if (this.#refused.size < MAX_REFUSED) this.#refused.add(hash)
    return 'refused'
  }

  /** Each head is its seat's, goes on where the own parent stood, and knows no more than this action. */
  #isWellPlaced({ seat, seq }: Action, heads: readonly (ActionNode | null)[]): boolean {
    if (seq !== (heads[seat]?.action.seq ?? -1) + 1) return false
    return heads.every((head, of) => {
      if (head === null) return true
      if (head.action.seat !== of) return false
      return head.heads.every((seen, k) => isOnWayTo(seen, heads[k] ?? null))
    })
  }

  /** The actions of a seat that go on from where one with these heads does. */
  #siblingsAt(seat: number, heads: readonly (ActionNode | null)[]): ActionNode[] {
    return heads[seat]?.children ?? this.#roots[seat] ?? []
  }

  /** What the machine has signed already for the position of an action with these heads. */
  #findTwin(
    { seat, machine }: Pick<Action, 'seat' | 'machine'>,
    heads: readonly (ActionNode | null)[],
  ): ActionNode | undefined {
    return this.#siblingsAt(seat, heads).find(
      (other) =>
        other.action.machine === machine &&
        // Ways of others that exclude each other make two positions, and two honest answers.
        other.heads.every((head, k) => {
          const own = heads[k] ?? null
          return isOnWayTo(head, own) || isOnWayTo(own, head)
        }),
    )
  }
}

/** Is `earlier` the same action as `later`, or one of those that its seat went through before? */
function isOnWayTo(earlier: ActionNode | null, later: ActionNode | null): boolean {
  if (earlier === null) return true
  let node = later
  while (node !== null && node.action.seq > earlier.action.seq) node = node.parent
  return node === earlier
}
