// Links between simulated machines: slow, lossy, out of order, cut in one direction or both, as a seed
// has drawn them.
import type { Random } from './random.ts'
import type { World } from './world.ts'

/** What links are like while there are faults. */
export interface NetworkFaults {
  delayMs: number
  /** How much longer than `delayMs` a message may take. */
  jitterMs: number
  loss: number
  duplication: number
  /** Share of messages that overtake others. */
  reordering: number
  /** Share of links that are slow. */
  slowLinks: number
  slowBytesPerMs: number
}

export const NO_FAULTS: NetworkFaults = {
  delayMs: 5,
  jitterMs: 5,
  loss: 0,
  duplication: 0,
  reordering: 0,
  slowLinks: 0,
  slowBytesPerMs: 1,
}

/** A dead link is noticed after so long: a phi detector with a heartbeat a second. */
const NOTICED_MS = 4000

/** What a network does to a machine. Machines that are down do nothing. */
export interface Station {
  readonly key: string
  readonly isUp: boolean
  opened(peer: string): void
  closed(peer: string): void
  received(peer: string, bytes: Uint8Array): void
}

interface Line {
  readonly ends: readonly [Station, Station]
  slow: boolean
  /** Cut from the first to the second end, and back. */
  cut: [boolean, boolean]
  open: boolean
  /** Counts the openings, so that what is on its way dies with its link. */
  life: number
  /** When the last message arrives at each end, and when the line is free again. */
  arrivesMs: [number, number]
  freeMs: [number, number]
}

export class SimulatedNetwork {
  faults: NetworkFaults
  readonly #world: World
  readonly #random: Random
  readonly #lines = new Map<string, Line>()
  readonly #linesOf = new Map<string, Line[]>()
  /** Told of every message that arrives, before it does. */
  tap: (from: string, to: string, bytes: Uint8Array) => void = () => {}

  constructor(world: World, random: Random, faults: NetworkFaults) {
    this.#world = world
    this.#random = random
    this.faults = faults
  }

  get lines(): number {
    return this.#lines.size
  }

  /** Lays a line between two machines; it opens when both are up. */
  connect(a: Station, b: Station): void {
    const name = nameOf(a.key, b.key)
    if (a.key === b.key || this.#lines.has(name)) return
    const line: Line = {
      ends: a.key < b.key ? [a, b] : [b, a],
      slow: this.#random.chance(this.faults.slowLinks),
      cut: [false, false],
      open: false,
      life: 0,
      arrivesMs: [0, 0],
      freeMs: [0, 0],
    }
    this.#lines.set(name, line)
    for (const end of line.ends) {
      this.#linesOf.set(end.key, [...(this.#linesOf.get(end.key) ?? []), line])
    }
    this.#tryOpen(line)
  }

  /** A machine came up: its lines open. */
  up(key: string): void {
    for (const line of this.#linesOf.get(key) ?? []) this.#tryOpen(line)
  }

  /** A machine went down: the others notice that after a while. */
  down(key: string): void {
    for (const line of this.#linesOf.get(key) ?? []) this.#close(line, key)
  }

  /** One end wants the link closed; it comes back after a while. */
  reset(a: string, b: string): void {
    const line = this.#lines.get(nameOf(a, b))
    if (line === undefined) return
    this.#close(line, '')
    this.#world.after(NOTICED_MS, () => this.#tryOpen(line))
  }

  /** Cuts a random line, in one direction or both, for a time. */
  cutLine(durationMs: number, oneWay: boolean): void {
    const lines = [...this.#lines.values()]
    if (lines.length === 0) return
    this.#cut([this.#random.pick(lines)], durationMs, oneWay)
  }

  /** Cuts all lines between two parts of the machines for a time. */
  partition(isInFirst: (key: string) => boolean, durationMs: number, oneWay: boolean): void {
    const between = [...this.#lines.values()].filter(
      ({ ends: [a, b] }) => isInFirst(a.key) !== isInFirst(b.key),
    )
    this.#cut(between, durationMs, oneWay)
  }

  /** Mends everything. */
  heal(): void {
    this.faults = { ...NO_FAULTS }
    for (const line of this.#lines.values()) {
      line.cut = [false, false]
      line.slow = false
      this.#tryOpen(line)
    }
  }

  send(from: string, to: string, bytes: Uint8Array): void {
    const line = this.#lines.get(nameOf(from, to))
    if (line === undefined || !line.open) return
    const direction = line.ends[0].key === from ? 0 : 1
    const { loss, duplication } = this.faults
    if (line.cut[direction] || this.#random.chance(loss)) return
    this.#deliver(line, direction, bytes)
    if (this.#random.chance(duplication)) this.#deliver(line, direction, bytes)
  }

  #deliver(line: Line, direction: 0 | 1, bytes: Uint8Array): void {
    const { delayMs, jitterMs, reordering, slowBytesPerMs } = this.faults
    const { nowMs } = this.#world
    const { life } = line
    const transmitMs = line.slow ? bytes.length / slowBytesPerMs : 0
    const sentMs = Math.max(nowMs, line.freeMs[direction]) + transmitMs
    line.freeMs[direction] = sentMs
    let arrivesMs = sentMs + delayMs + this.#random.next() * jitterMs
    // Links keep the order, unless the seed says that these don't.
    if (this.#random.chance(reordering)) arrivesMs += jitterMs
    else arrivesMs = Math.max(arrivesMs, line.arrivesMs[direction])
    line.arrivesMs[direction] = Math.max(arrivesMs, line.arrivesMs[direction])
    this.#world.after(arrivesMs - nowMs, () => {
      if (!line.open || line.life !== life || line.cut[direction]) return
      const from = line.ends[direction]
      const to = line.ends[direction === 0 ? 1 : 0]
      if (!to.isUp) return
      this.tap(from.key, to.key, bytes)
      to.received(from.key, bytes)
    })
  }

  #cut(lines: readonly Line[], durationMs: number, oneWay: boolean): void {
    for (const line of lines) {
      const direction = this.#random.chance(0.5) ? 0 : 1
      line.cut = oneWay ? [direction === 0, direction === 1] : [true, true]
    }
    // Short cuts lose messages; long ones are noticed, and end the link.
    if (durationMs > NOTICED_MS) {
      this.#world.after(NOTICED_MS, () => {
        for (const line of lines) if (line.cut[0] || line.cut[1]) this.#close(line, '')
      })
    }
    this.#world.after(durationMs, () => {
      for (const line of lines) {
        line.cut = [false, false]
        this.#tryOpen(line)
      }
    })
  }

  #tryOpen(line: Line): void {
    const [a, b] = line.ends
    if (line.open || line.cut[0] || line.cut[1] || !a.isUp || !b.isUp) return
    line.open = true
    line.life += 1
    line.arrivesMs = [this.#world.nowMs, this.#world.nowMs]
    line.freeMs = [this.#world.nowMs, this.#world.nowMs]
    a.opened(b.key)
    b.opened(a.key)
  }

  /** @param gone  the end that went down, if one did */
  #close(line: Line, gone: string): void {
    if (!line.open) return
    line.open = false
    const { life } = line
    for (const [i, end] of line.ends.entries()) {
      const other = line.ends[1 - i]!
      if (end.key === gone) continue
      this.#world.after(gone === '' ? 0 : NOTICED_MS * this.#random.next(), () => {
        if (end.isUp && !(line.open && line.life !== life)) end.closed(other.key)
      })
    }
  }
}

function nameOf(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`
}
