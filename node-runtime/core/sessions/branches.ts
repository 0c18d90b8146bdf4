// The actions of all seats' machines as what they are: a graph, in which each action names the last one
// it had seen of every seat. Here is decided which may be a part of it, and who signed two for one
// position, or too much; `fork-choice.ts` says which of them count, and in which order.
import type { Attestation } from '../forms/attestation.ts'
import type { Action, SeatAction } from './action.ts'
import { ForkChoice } from './fork-choice.ts'
import type { ActionNode } from './fork-choice.ts'
import { SeatRoom } from './seat-room.ts'

/** Actions of one seat that came ahead of what they name. More of them come again, with their logs. */
const MAX_WAITING_OF_SEAT = 32
/** Actions of all seats that are known to fit nowhere, the last of each: more than all have room for. */
const MAX_REFUSED = 20_000

/** What the actions of a seat prove by themselves, without rules: that it cheats. */
export interface Breach {
  seat: number
  /** Two actions of one machine for one position; null where all of them are more than a seat may sign. */
  twins: readonly [SeatAction, SeatAction] | null
}

/** What became of an action that was handed in. */
export type Added = 'added' | 'known' | 'waiting' | 'refused'

export class Branches {
  readonly #seats: number
  /** By hash. Null, which names no action, may be looked for, too. */
  readonly #nodes = new Map<string | null, ActionNode>()
  readonly #roots: ActionNode[][]
  /** By seat, by hash. */
  readonly #waiting: Map<string, SeatAction>[]
  /** By seat: what is placed of it. */
  readonly #rooms: SeatRoom[]
  /** By seat, so that who floods takes nothing from another. Null, which is none of them, may be looked for, too. */
  readonly #refused: Set<string | null>[]
  readonly #choice = new ForkChoice()
  /** By seat, the first that was found. */
  readonly #breaches: (Breach | null)[]

  constructor(seats: number) {
    this.#seats = seats
    this.#roots = Array.from({ length: seats }, () => [])
    this.#waiting = Array.from({ length: seats }, () => new Map())
    this.#refused = Array.from({ length: seats }, () => new Set())
    this.#rooms = Array.from({ length: seats }, () => new SeatRoom(seats))
    this.#breaches = Array.from({ length: seats }, () => null)
  }

  /** Of the seats that cheat, by what they signed alone. Which they are, all find who have the same. */
  get breaches(): readonly Breach[] {
    return this.#breaches.filter((breach) => breach !== null)
  }

  /** All actions that are placed, counting or not. */
  get size(): number {
    return this.#nodes.size
  }

  /** The actions that count, in the order in which the rules take them. */
  get order(): readonly SeatAction[] {
    return this.#choice.order
  }

  /** All that are placed, counting or not, causes before effects. */
  get all(): readonly SeatAction[] {
    return this.#choice.all
  }

  has(hash: string): boolean {
    return this.#nodes.has(hash)
  }

  /** An attestation under which a seat has acted. */
  attestationOf(hash: string): Attestation | undefined {
    for (const room of this.#rooms) {
      const attestation = room.attestation(hash)
      if (attestation !== undefined) return attestation
    }
    return undefined
  }

  /** What the seat may sign; undefined if there is no such seat. */
  roomOf(seat: number): SeatRoom | undefined {
    return this.#rooms[seat]
  }

  /** By seat, the last action that counts: what a machine that acts now has seen. */
  heads(): (string | null)[] {
    const heads: (string | null)[] = Array.from({ length: this.#seats }, () => null)
    for (const { seat, hash } of this.order) heads[seat] = hash
    return heads
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
  add(action: SeatAction): Added {
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

  #place(action: SeatAction): Added {
    if (this.#nodes.has(action.hash)) return 'known'
    const heads = action.heads.map((head) => (head === null ? null : this.#nodes.get(head)))
    if (action.heads.some((head) => this.#isRefused(head))) return this.#refuse(action)
    if (heads.includes(undefined)) {
      const waiting = this.#waiting[action.seat]
      if (waiting !== undefined && waiting.size < MAX_WAITING_OF_SEAT) {
        waiting.set(action.hash, action)
      }
      return 'waiting'
    }
    const known = heads as (ActionNode | null)[]
    const room = this.#rooms[action.seat]
    if (!this.#isWellPlaced(action, known) || room?.take(action) !== true) {
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
    this.#breaches[action.seat] ??= this.#findBreach(action, known, room)
    this.#nodes.set(action.hash, node)
    siblings.push(node)
    this.#choice.add(node)
    return 'added'
  }

  #findBreach(
    action: SeatAction,
    heads: readonly (ActionNode | null)[],
    room: SeatRoom,
  ): Breach | null {
    const { seat } = action
    const first = this.#findTwin(action, heads)?.action
    if (first !== undefined) return { seat, twins: [first, action] }
    return room.isOverused ? { seat, twins: null } : null
  }

  #isRefused(head: string | null): boolean {
    return this.#refused.some((refused) => refused.has(head))
  }

  #refuse({ seat, hash }: SeatAction): Added {
    const refused = this.#refused[seat]
    if (refused === undefined) return 'refused'
    refused.add(hash)
    if (refused.size <= MAX_REFUSED / this.#seats) return 'refused'
    for (const oldest of refused) {
      refused.delete(oldest)
      break
    }
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
    { seat, machine }: Action,
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
