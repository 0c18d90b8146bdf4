// Decides when each way of finding machines is asked, and keeps what came of it. All ways go at once; those
// that cost others something begin a little later. While nobody is linked they are asked again, ever more
// rarely; a change of network begins anew.
import { WAY_NAMES } from '../../contract/connection.ts'
import type { Core } from '../step.ts'

export type WayName = (typeof WAY_NAMES)[number]

interface Schedule {
  /** After the start, so that a way that costs others nothing may be faster. */
  startMs: number
  /** While nobody is linked: first after so long, then twice as long each time, up to the longest. */
  againMs: number
  longestMs: number
  /** While somebody is; null if there is nothing to gain. */
  linkedMs: number | null
  /** So long after a question a change of network asks nothing; how rarely a host is asked is its own matter. */
  leastMs: number
  /** Who has not answered by then never will. */
  limitMs: number
}

/** Two machines that start at the same moment miss each other the first time: hence the short second wait. */
const SCHEDULES: Record<WayName, Schedule> = {
  memory: {
    startMs: 0,
    againMs: 2_000,
    longestMs: 60_000,
    linkedMs: null,
    leastMs: 2_000,
    limitMs: 15_000,
  },
  lan: {
    startMs: 0,
    againMs: 1_000,
    longestMs: 30_000,
    linkedMs: 60_000,
    leastMs: 1_000,
    limitMs: 10_000,
  },
  // It is read again soon, but each public host only as rarely as a person would (`list-pace.ts`), whoever asks.
  list: {
    startMs: 300,
    againMs: 10_000,
    longestMs: 30 * 60_000,
    linkedMs: 6 * 3_600_000,
    leastMs: 5 * 60_000,
    limitMs: 60_000,
  },
  // Without a network a look-up takes half a minute.
  dht: {
    startMs: 0,
    againMs: 1_000,
    longestMs: 30_000,
    linkedMs: 30_000,
    leastMs: 1_000,
    limitMs: 120_000,
  },
}
/** Times are longer by up to this part, so that machines that failed together do not try again together. */
const SPREAD = 0.2
/** A link that ends sooner was none. */
const SHORTEST_LINK_MS = 15_000
/** Machines whose way is remembered, until they are linked. */
const MAX_NAMED = 1_024

/** What failed, for programs, and in words, with what can be done. */
export interface WayFault {
  step: string
  message: string
}

export interface WayStatus {
  way: WayName
  /** `off`: not to be tried. `waiting`: not asked yet. */
  state: 'off' | 'waiting' | 'asking' | 'answered' | 'failed'
  /** How long the last one took that has ended; null before. */
  tookMs: number | null
  /** Machines that it named, when it was asked last. */
  found: number
  /** Machines that were linked after it had named them first, since the start; each counts once. */
  reached: number
  /** Of the last one that has ended. */
  fault: WayFault | null
}

export type WaysEvent =
  | { type: 'started' }
  | { type: 'named'; way: WayName; machine: string }
  | { type: 'answered'; way: WayName }
  | { type: 'failed'; way: WayName; fault: WayFault }
  | { type: 'linkOpened'; machine: string }
  | { type: 'linkClosed'; machine: string }
  /** There is something new to ask; one that is under way is asked again when it is done. */
  | { type: 'wanted'; way: WayName }
  /** This computer has other addresses than before, or was asleep. */
  | { type: 'networkChanged' }
  | { type: 'timer'; id: string }

export type WaysEffect =
  | { type: 'ask'; way: WayName }
  /** What `status` says has changed. */
  | { type: 'changed' }
  | { type: 'setTimer'; id: string; afterMs: number }
  | { type: 'clearTimer'; id: string }

interface Way extends WayStatus {
  askedMs: number
  againMs: number
  /** When it is asked next; null if that is not planned. */
  dueMs: number | null
  /** It is to be asked once more as soon as it has ended. */
  wanted: boolean
  named: Set<string>
  wereReached: Set<string>
}

export class WaysCore implements Core<WaysEvent, WaysEffect> {
  readonly #random: () => number
  readonly #ways = new Map<WayName, Way>()
  readonly #links = new Set<string>()
  /** Since when somebody is linked. */
  #linkedMs = 0
  /** By which way a machine was heard of first. */
  readonly #namedBy = new Map<string, WayName>()

  /** @param on  the ways that this machine has; the others stay off */
  constructor({ on, random }: { on: readonly WayName[]; random: () => number }) {
    this.#random = random
    for (const way of WAY_NAMES) {
      this.#ways.set(way, {
        way,
        state: on.includes(way) ? 'waiting' : 'off',
        tookMs: null,
        found: 0,
        reached: 0,
        fault: null,
        askedMs: Number.NEGATIVE_INFINITY,
        dueMs: null,
        wanted: false,
        againMs: SCHEDULES[way].againMs,
        named: new Set(),
        wereReached: new Set(),
      })
    }
  }

  /** All ways, those that are off included, in the order of `WAY_NAMES`. */
  get status(): WayStatus[] {
    return [...this.#ways.values()].map(({ way, state, tookMs, found, reached, fault }) => ({
      way,
      state,
      tookMs,
      found,
      reached,
      fault,
    }))
  }

  step(event: WaysEvent, nowMs: number): WaysEffect[] {
    switch (event.type) {
      case 'started':
        return this.#on().flatMap(({ way }) => {
          const { startMs } = SCHEDULES[way]
          return startMs === 0 ? this.#ask(way, nowMs) : [setTimer(way, startMs)]
        })
      case 'named':
        return this.#named(event.way, event.machine)
      case 'answered':
        return this.#ended(event.way, null, nowMs)
      case 'failed':
        return this.#ended(event.way, event.fault, nowMs)
      case 'linkOpened':
        return this.#linkOpened(event.machine, nowMs)
      case 'linkClosed':
        if (!this.#links.delete(event.machine) || this.#links.size > 0) return []
        return this.#beginAnew(nowMs)
      case 'wanted':
        this.#way(event.way).wanted = this.#way(event.way).state === 'asking'
        return this.#way(event.way).state === 'off' ? [] : this.#ask(event.way, nowMs)
      case 'networkChanged':
        return this.#on().flatMap((way) => {
          const { againMs, leastMs } = SCHEDULES[way.way]
          // A network that changes all the time is no reason to ask all the time.
          if (nowMs - way.askedMs < leastMs) return []
          way.againMs = againMs
          return this.#ask(way.way, nowMs)
        })
      case 'timer':
        return this.#rang(event.id as WayName, nowMs)
    }
  }

  #way(name: WayName): Way {
    return this.#ways.get(name) as Way
  }

  #on(): Way[] {
    return [...this.#ways.values()].filter(({ state }) => state !== 'off')
  }

  /** One that is under way is not asked twice at once. */
  #ask(name: WayName, nowMs: number): WaysEffect[] {
    const way = this.#way(name)
    if (way.state === 'asking') return []
    way.state = 'asking'
    way.askedMs = nowMs
    way.dueMs = null
    way.named.clear()
    return [
      { type: 'ask', way: name },
      setTimer(name, SCHEDULES[name].limitMs),
      { type: 'changed' },
    ]
  }

  #rang(name: WayName, nowMs: number): WaysEffect[] {
    const { limitMs, linkedMs } = SCHEDULES[name]
    if (this.#way(name).state !== 'asking') {
      // Somebody was linked since the timer was set.
      this.#way(name).dueMs = null
      return linkedMs === null && this.#links.size > 0 ? [] : this.#ask(name, nowMs)
    }
    const fault = {
      step: 'TIMED_OUT',
      message: `No answer came within ${limitMs / 1_000} seconds. It is tried again.`,
    }
    return this.#ended(name, fault, nowMs)
  }

  #named(name: WayName, machine: string): WaysEffect[] {
    const way = this.#way(name)
    if (way.named.size < MAX_NAMED) way.named.add(machine)
    if (!this.#namedBy.has(machine) && !this.#links.has(machine)) {
      if (this.#namedBy.size >= MAX_NAMED) {
        for (const first of this.#namedBy.keys()) {
          this.#namedBy.delete(first)
          break
        }
      }
      this.#namedBy.set(machine, name)
    }
    return []
  }

  #ended(name: WayName, fault: WayFault | null, nowMs: number): WaysEffect[] {
    const way = this.#way(name)
    // It came too late, and was given up.
    if (way.state !== 'asking') return []
    way.state = fault === null ? 'answered' : 'failed'
    way.tookMs = nowMs - way.askedMs
    way.found = way.named.size
    way.fault = fault
    if (!way.wanted) return [...this.#later(way, nowMs), { type: 'changed' }]
    way.wanted = false
    return this.#ask(name, nowMs)
  }

  #later(way: Way, nowMs: number): WaysEffect[] {
    const { linkedMs, longestMs } = SCHEDULES[way.way]
    if (this.#links.size > 0) {
      return linkedMs === null
        ? [{ type: 'clearTimer', id: way.way }]
        : this.#plan(way, Math.max(linkedMs, way.againMs), nowMs)
    }
    const afterMs = way.againMs
    way.againMs = Math.min(2 * afterMs, longestMs)
    return this.#plan(way, afterMs, nowMs)
  }

  #linkOpened(machine: string, nowMs: number): WaysEffect[] {
    if (this.#links.size === 0) this.#linkedMs = nowMs
    this.#links.add(machine)
    const by = this.#namedBy.get(machine)
    if (by === undefined) return []
    this.#namedBy.delete(machine)
    const way = this.#way(by)
    if (way.wereReached.size < MAX_NAMED) way.wereReached.add(machine)
    way.reached = way.wereReached.size
    return [{ type: 'changed' }]
  }

  /** Nobody is linked any more. Links that come and go put nothing off, and hasten nothing. */
  #beginAnew(nowMs: number): WaysEffect[] {
    const wasLinked = nowMs - this.#linkedMs >= SHORTEST_LINK_MS
    return this.#on().flatMap((way) => {
      if (wasLinked) way.againMs = SCHEDULES[way.way].againMs
      if (way.state === 'asking' || way.state === 'waiting') return []
      if (way.dueMs !== null && way.dueMs <= nowMs + way.againMs) return []
      return this.#later(way, nowMs)
    })
  }

  #plan(way: Way, afterMs: number, nowMs: number): WaysEffect[] {
    const spreadMs = Math.ceil(afterMs * (1 + SPREAD * this.#random()))
    way.dueMs = nowMs + spreadMs
    return [setTimer(way.way, spreadMs)]
  }
}

function setTimer(id: WayName, afterMs: number): WaysEffect {
  return { type: 'setTimer', id, afterMs }
}
