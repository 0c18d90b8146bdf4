// Decides which links this machine keeps: whom to dial and how patiently, at which addresses to knock first,
// whom to let in, and which of two links with one machine stays. Who is there is found by the ways of
// `ways-core.ts`.
import type { Core } from '../step.ts'
import { DialList } from './dial-list.ts'
import type { MachineAddress } from './dial-list.ts'
import { Knocks } from './knocks.ts'
import { Penalties } from './penalties.ts'

/** Twice the full mesh of a small cloud; each link costs about a megabyte. */
export const MAX_LINKS = 64
/** A machine that this one asked for, such as an opponent's, gets in beyond that. */
const MAX_LINKS_WITH_WANTED = 2 * MAX_LINKS
/** Of one address, so that one computer with many keys can't take all; a school may be behind one. */
export const MAX_LINKS_PER_ADDRESS = 32
/**
 * Two machines that dial each other at once have both links within a round trip or two. A second link
 * that comes later means that the other side has lost the first.
 */
const SIMULTANEOUS_MS = 3_000
/** So long after a change of network links that fall silent do so for that reason. */
const MOVED_MS = 10_000
/** Times vary by this part, so that machines that failed together do not try again together. */
const SPREAD = 0.2

export type FindingEvent =
  | { type: 'wanted'; machine: string }
  /** Somebody says that a machine of the cloud is, or was, at these addresses. */
  | { type: 'sighted'; machine: string; addresses: readonly MachineAddress[] }
  /** At one of the addresses somebody answered. */
  | { type: 'knockAnswered'; machine: string }
  | { type: 'linkOpened'; machine: string; link: LinkTraits }
  /** `silent`: the other side was not heard any more. */
  | { type: 'linkClosed'; machine: string; silent?: boolean }
  /** There are links enough without it. */
  | { type: 'released'; machine: string }
  /** An attempt was given up, for one through another relay: it is dialled at once, whoever began that. */
  | { type: 'redialled'; machine: string }
  /** The machine broke the rules, and lost its link for it. */
  | { type: 'misbehaved'; machine: string }
  /** The machine answered, and does not let this one in, or would not. */
  | { type: 'turnedAway'; machine: string }
  /** This machine has something else to show where it was turned away. */
  | { type: 'passChanged' }
  /** This computer has other addresses than before, or was asleep. */
  | { type: 'networkChanged' }
  | { type: 'timer'; id: string }

export type FindingEffect =
  | { type: 'dial'; machine: string }
  /** Whoever answers at one of these may be the machine; a dial says so. */
  | { type: 'knock'; machine: string; addresses: readonly MachineAddress[] }
  /** The stack below is to stop trying on its own. */
  | { type: 'stopDialling'; machine: string }
  /** Nor to answer it, before it is dialled again: each would greet the other in vain. */
  | { type: 'leaveAlone'; machine: string }
  | { type: 'setTimer'; id: string; afterMs: number }

export interface LinkTraits {
  /** Did this machine dial? */
  dialled: boolean
  openedMs: number
  /** Of the other side, without its port. Null on this very computer. */
  address: string | null
}

export interface FindingOptions {
  ownMachine: string
  /** Are the machines on this very computer? */
  loopback: boolean
  /** 0 to 1. */
  random: () => number
}

/** What becomes of a machine that has proved itself and wants a link. */
export type Admission = 'admit' | 'replace' | 'duplicate' | 'full' | 'too soon'

export class FindingCore implements Core<FindingEvent, FindingEffect> {
  readonly #ownMachine: string
  readonly #random: () => number
  readonly #links = new Map<string, LinkTraits>()
  readonly #dials: DialList
  readonly #penalties = new Penalties()
  /** Doors that were shut to this machine. */
  readonly #shut = new Penalties()
  readonly #knocks: Knocks
  /** When this computer came into another network. */
  #movedMs = Number.NEGATIVE_INFINITY

  constructor({ ownMachine, loopback, random }: FindingOptions) {
    this.#knocks = new Knocks(loopback)
    this.#ownMachine = ownMachine
    this.#random = random
    this.#dials = new DialList(ownMachine)
  }

  /** Machines that are dialled until they are linked. Bounded. */
  get wantedCount(): number {
    return this.#dials.size
  }

  /**
   * May this machine have a link? Both ends come to the same answer: of two links that were dialled
   * from both sides at once, the one that the machine with the greater key dialled stays.
   */
  admission(machine: string, link: LinkTraits): Admission {
    const held = this.#links.get(machine)
    if (this.#penalties.isWaiting(machine, link.openedMs)) return 'too soon'
    if (held === undefined) return this.#hasRoom(machine, link) ? 'admit' : 'full'
    const simultaneous = link.openedMs - held.openedMs < SIMULTANEOUS_MS
    // Who dials anew has given up the link that it dialled before; so has who comes much later.
    if (!simultaneous || held.dialled === link.dialled) return 'replace'
    return link.dialled === this.#ownMachine > machine ? 'replace' : 'duplicate'
  }

  step(event: FindingEvent, nowMs: number): FindingEffect[] {
    switch (event.type) {
      case 'wanted':
        return this.#wanted(event.machine, nowMs)
      case 'sighted':
        return this.#sighted(event.machine, event.addresses, nowMs)
      case 'knockAnswered':
        return this.#knockAnswered(event.machine, nowMs)
      case 'linkOpened':
        return this.#linkOpened(event.machine, event.link, nowMs)
      case 'linkClosed':
        return this.#linkClosed(event.machine, event.silent === true, nowMs)
      case 'released':
        return this.#dials.forget(event.machine)
          ? [{ type: 'stopDialling', machine: event.machine }]
          : []
      case 'redialled':
        return this.#redialled(event.machine, nowMs)
      case 'misbehaved':
        this.#penalties.note(event.machine, nowMs)
        return []
      case 'turnedAway':
        return this.#turnedAway(event.machine, nowMs)
      case 'passChanged':
        return this.#passChanged(nowMs)
      case 'networkChanged':
        this.#movedMs = nowMs
        this.#dials.beginAnew(nowMs, this.#links)
        return this.#dialDue(nowMs)
      case 'timer':
        return this.#dialDue(nowMs)
    }
  }

  #hasRoom(machine: string, { address }: LinkTraits): boolean {
    const most = this.#dials.has(machine) ? MAX_LINKS_WITH_WANTED : MAX_LINKS
    if (this.#links.size >= most) return false
    if (address === null) return true
    let neighbours = 0
    for (const held of this.#links.values()) if (held.address === address) neighbours++
    return neighbours < MAX_LINKS_PER_ADDRESS
  }

  #wanted(machine: string, nowMs: number, knocked = false): FindingEffect[] {
    if (machine === this.#ownMachine || this.#shut.isWaiting(machine, nowMs)) return []
    const forgotten = this.#dials.want(machine, nowMs, this.#links, knocked)
    return [
      ...forgotten.map((lost): FindingEffect => ({ type: 'stopDialling', machine: lost })),
      ...this.#dialDue(nowMs),
    ]
  }

  #sighted(machine: string, addresses: readonly MachineAddress[], nowMs: number): FindingEffect[] {
    if (machine === this.#ownMachine || this.#links.has(machine)) return []
    if (this.#shut.isWaiting(machine, nowMs)) return []
    const fresh = this.#knocks.take(addresses, nowMs)
    if (fresh.length === 0) return this.#wanted(machine, nowMs)
    return [{ type: 'knock', machine, addresses: fresh }, ...this.#wanted(machine, nowMs, true)]
  }

  #knockAnswered(machine: string, nowMs: number): FindingEffect[] {
    if (this.#links.has(machine) || !this.#dials.has(machine)) return []
    if (this.#shut.isWaiting(machine, nowMs)) return []
    return [{ type: 'dial', machine }, ...this.#dialLater(nowMs)]
  }

  /** A look-up may have begun it: from now on it is wanted here, too, so that it is also given up here. */
  #redialled(machine: string, nowMs: number): FindingEffect[] {
    if (machine === this.#ownMachine || this.#links.has(machine)) return []
    if (this.#shut.isWaiting(machine, nowMs)) return []
    const forgotten = this.#dials.want(machine, nowMs, this.#links)
    if (!this.#dials.has(machine)) return []
    return [
      ...forgotten.map((lost): FindingEffect => ({ type: 'stopDialling', machine: lost })),
      { type: 'dial', machine },
      ...this.#dialLater(nowMs),
    ]
  }

  /** It is asked again, ever more rarely; who has the door says each time the same until something changes. */
  #turnedAway(machine: string, nowMs: number): FindingEffect[] {
    if (machine === this.#ownMachine) return []
    this.#shut.note(machine, nowMs)
    const untilMs = this.#shut.untilMs(machine)
    const forgotten = this.#dials.turnedAway(machine, untilMs, nowMs, this.#links)
    // Only a dial ends that again.
    const leftAlone: FindingEffect[] = this.#dials.has(machine)
      ? [{ type: 'leaveAlone', machine }]
      : []
    return [
      ...forgotten.map((lost): FindingEffect => ({ type: 'stopDialling', machine: lost })),
      ...leftAlone,
      ...this.#dialLater(nowMs),
    ]
  }

  #passChanged(nowMs: number): FindingEffect[] {
    const { machines } = this.#shut
    this.#shut.forgiveAll()
    const forgotten = machines.flatMap((machine) =>
      this.#dials.dialAt(machine, nowMs, nowMs, this.#links),
    )
    return [
      ...forgotten.map((lost): FindingEffect => ({ type: 'stopDialling', machine: lost })),
      ...this.#dialDue(nowMs),
    ]
  }

  #linkOpened(machine: string, link: LinkTraits, nowMs: number): FindingEffect[] {
    this.#links.set(machine, link)
    return this.#dials.reached(machine, nowMs) ? [{ type: 'stopDialling', machine }] : []
  }

  #linkClosed(machine: string, isSilent: boolean, nowMs: number): FindingEffect[] {
    if (!this.#links.delete(machine)) return []
    if (!isSilent || nowMs - this.#movedMs >= MOVED_MS) {
      this.#dials.lost(machine, nowMs)
      return this.#dialLater(nowMs)
    }
    // Where this machine is now, the other one can't know: there is nobody to wait for.
    const forgotten = this.#dials.dialAt(machine, nowMs, nowMs, this.#links)
    return [
      ...forgotten.map((lost): FindingEffect => ({ type: 'stopDialling', machine: lost })),
      ...this.#dialDue(nowMs),
    ]
  }

  #dialDue(nowMs: number): FindingEffect[] {
    const { due, forgotten } = this.#dials.takeDue(nowMs, this.#links)
    return [
      ...forgotten.map((machine): FindingEffect => ({ type: 'stopDialling', machine })),
      ...due.map((machine): FindingEffect => ({ type: 'dial', machine })),
      ...this.#dialLater(nowMs),
    ]
  }

  #dialLater(nowMs: number): FindingEffect[] {
    const nextMs = this.#dials.nextMs(this.#links)
    return nextMs === null ? [] : [this.#timer('dial', Math.max(0, nextMs - nowMs))]
  }

  #timer(id: string, afterMs: number): FindingEffect {
    return { type: 'setTimer', id, afterMs: Math.ceil(afterMs * (1 + SPREAD * this.#random())) }
  }
}
