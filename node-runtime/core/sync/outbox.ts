// What is to be sent to one machine: what fits into its credit leaves at once, a bounded rest waits as
// ids, and what is beyond that is dropped, to be found by reconciliation. So a slow machine costs a
// fixed amount of memory, and slows nobody else down.
//
//   ids: pushes, heals, spans        bytes: `ready`         on the way: `inFlight`
//          │  full: `dropped`             ▲    │                │    │
//          └──── `reading` ── read ───────┘    └── takeCredit ──┘    ├── receipt: credit is back
//                one at a time          a frame's cost of credit     └── none for long: `dropped`
//
// Frames of records at hand go through `takeCredit` at once, and wait as ids only without credit. What
// was `dropped` is found by comparing anew, once the outbox is `idle`.
import type { FingerprintTree } from './fingerprint-tree.ts'
import { compareKeys, keyItem } from './item.ts'
import type { Item, Key } from './item.ts'
import { encodeFrame, MOST_FRAME_RECORDS } from './messages.ts'
import type { FrameReceipt } from './messages.ts'
import type { Span } from './ranges.ts'
import type { Missing } from './reconcile.ts'

/** Fresh records that wait for credit. More of them are a matter for reconciliation. */
const MOST_PUSHES = 1024
/** Records that were found missing; whole spans of them count as one. */
const MOST_HEALS = 8192
const MOST_SPANS = 256
/** What each frame costs besides its bytes, so that many small ones are no way around the credit. */
const FRAME_COST = 512

/** How much credit a frame takes. */
export function frameCost(bytes: Uint8Array): number {
  return bytes.length + FRAME_COST
}

export interface Frame {
  kind: FrameKind
  body: Uint8Array
  items: readonly Item[]
}

interface SentFrame {
  number: number
  cost: number
  items: readonly Item[]
  atMs: number
  /** Nobody waits for its receipt any more; its credit comes back with that alone. */
  isGivenUp: boolean
}

export type FrameKind = 'pushed' | 'healed'

/** Items that are being read, to be sent. */
export interface Reading {
  token: number
  kind: FrameKind
  items: readonly Item[]
}

export class Outbox {
  /** How much may be sent until more is granted. */
  credit = 0
  /** Sent and not acknowledged, oldest first; no more than fits into the credit. */
  readonly inFlight: SentFrame[] = []
  /** Read, and waiting for credit: one reading's worth; the next one begins when it has left. */
  ready: Frame[] = []
  /** Asked of the store, one at a time. */
  reading: Reading | null = null
  /** Something was dropped since the last reconciliation. */
  dropped = false
  #sent = 0
  #pushes: Item[] = []
  #heals: Item[] = []
  #spans: Span[] = []

  /** Nothing that was found missing waits to be sent; fresh records may. */
  get healed(): boolean {
    // What is ready came of one reading, so it is all of one kind.
    const isHealing = this.reading?.kind === 'healed' || this.ready[0]?.kind === 'healed'
    return this.#heals.length === 0 && this.#spans.length === 0 && !isHealing
  }

  /** Nothing waits, and nothing is on its way. */
  get idle(): boolean {
    return this.healed && this.waiting === 0 && !this.#isOnWay && this.reading === null
  }

  get #isOnWay(): boolean {
    return this.inFlight.at(-1)?.isGivenUp === false
  }

  /** How many things are kept in memory for this machine. */
  get waiting(): number {
    const own = this.#pushes.length + this.#heals.length + this.#spans.length + this.ready.length
    return own + (this.reading?.items.length ?? 0)
  }

  /** The bytes to be sent, if there is enough credit now. Then the frame counts as sent. */
  takeCredit({ kind, body, items }: Frame, atMs: number): Uint8Array | null {
    const bytes = encodeFrame(kind, this.#sent, body)
    const cost = frameCost(bytes)
    if (this.credit < cost) return null
    this.credit -= cost
    this.inFlight.push({ number: this.#sent, cost, items, atMs, isGivenUp: false })
    this.#sent += 1
    return bytes
  }

  /**
   * A frame was taken in, and so its credit is back. Frames before it that were not are lost.
   * @returns its items; empty if it was acknowledged before, null if it was never sent
   */
  takeReceipt({ number }: FrameReceipt): readonly Item[] | null {
    if (number >= this.#sent) return null
    for (let frame = this.inFlight[0]; frame !== undefined; frame = this.inFlight[0]) {
      if (frame.number > number) break
      this.inFlight.shift()
      this.credit += frame.cost
      if (frame.number === number) return frame.items
      this.dropped ||= !frame.isGivenUp
    }
    return []
  }

  /**
   * Waits no longer for frames that were sent before a time: comparing finds what is missing of them. Their
   * credit is still taken, as the other side may only hold their receipts back.
   */
  giveUp(beforeMs: number): void {
    for (const frame of this.inFlight) {
      if (frame.atMs >= beforeMs) break
      if (frame.isGivenUp) continue
      frame.isGivenUp = true
      this.dropped = true
    }
  }

  /** A fresh record waits for credit. */
  queuePush(item: Item): void {
    if (this.#pushes.length < MOST_PUSHES) this.#pushes.push(item)
    else this.dropped = true
  }

  /** What the machine was found to lack. */
  queueMissing(missing: readonly Missing[]): void {
    const sent = new Set(
      this.inFlight.flatMap(({ items, isGivenUp }) => (isGivenUp ? [] : items.map(({ id }) => id))),
    )
    for (const part of missing) {
      if (part.kind === 'span') {
        if (this.#spans.length < MOST_SPANS) this.#spans.push(part.span)
        else this.dropped = true
        continue
      }
      for (const key of part.keys) {
        const item = keyItem(key)
        if (sent.has(item.id)) continue
        if (this.#heals.length < MOST_HEALS) this.#heals.push(item)
        else this.dropped = true
      }
    }
  }

  /** Items to read next; fresh ones first. Null if there are none, or some are being read. */
  nextReading(tree: FingerprintTree, token: number): Reading | null {
    if (this.reading !== null || this.ready.length > 0) return null
    if (this.#pushes.length > 0) {
      this.reading = { token, kind: 'pushed', items: this.#pushes.splice(0, MOST_FRAME_RECORDS) }
    } else if (this.#heals.length > 0) {
      this.reading = { token, kind: 'healed', items: this.#heals.splice(0, MOST_FRAME_RECORDS) }
    } else {
      const items = this.#nextOfSpans(tree)
      this.reading = items.length === 0 ? null : { token, kind: 'healed', items }
    }
    return this.reading
  }

  /** The reading ended after so many of its items; the rest waits again. */
  endReading(done: number): void {
    if (this.reading === null) return
    const { kind, items } = this.reading
    this.reading = null
    if (kind === 'pushed') this.#pushes.unshift(...items.slice(done))
    else this.#heals.unshift(...items.slice(done))
  }

  #nextOfSpans(tree: FingerprintTree): Item[] {
    for (let span = this.#spans[0]; span !== undefined; span = this.#spans[0]) {
      const from = tree.rank(span.from)
      const to = Math.min(tree.rank(span.to), from + MOST_FRAME_RECORDS)
      if (from >= to) {
        this.#spans.shift()
        continue
      }
      const next = after(tree.keyAt(to - 1))
      if (compareKeys(next, span.to) >= 0) this.#spans.shift()
      else this.#spans[0] = { from: next, to: span.to }
      return tree.items(from, to)
    }
    return []
  }
}

/** The next key after one. */
function after(key: Readonly<Key>): Key {
  const next = key.slice()
  for (let i = next.length - 1; i >= 0; i--) {
    next[i] = next[i]! + 1
    if (next[i] !== 0) break
  }
  return next
}
