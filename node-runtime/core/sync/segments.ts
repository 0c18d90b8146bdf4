// Bulk: a machine that lacks much is offered sealed runs, which it can download from anybody, before it
// compares. Nothing depends on them: what a segment lacks or has too much of is found by comparing.
import { fingerprintBytes } from './fingerprint.ts'
import { toHex } from '../keys.ts'
import { KEY_WORDS, keyItem } from './item.ts'
import { encodeMessage, MOST_SEGMENTS } from './messages.ts'
import type { Segment } from './messages.ts'
import type { Peer, Shared } from './peer.ts'
import { cutRuns, holdsRun, RUN_SIZES } from './runs.ts'
import type { Run, RunSizes } from './runs.ts'

export const SEGMENTS_CAPABILITY = 'segments'
/** Who lacks fewer records is faster served by frames. */
const MUCH_MISSING = 4000
/** Smaller ones let a simulator see segments among few records. All machines of a cloud have the same. */
export interface BulkSizes {
  muchMissing: number
  runs: RunSizes
}

export const BULK_SIZES: BulkSizes = { muchMissing: MUCH_MISSING, runs: RUN_SIZES }

/** Sealed runs that are remembered. */
const MOST_SEALED = 1024
/** Downloaded at once, so that one slow source does not hold up all. */
const PARALLEL_FETCHES = 2
/** Sealing a million records takes about ten seconds. */
const OFFER_WAIT_MS = 60_000
/** A run that could not be sealed may be later: the disk was full, or a record of it had just gone. */
const SEAL_AGAIN_MS = 5 * 60_000

function runName({ from, to, fingerprint }: Run): string {
  const ends = [...from, ...to].join(' ')
  return `${ends} ${toHex(fingerprintBytes(fingerprint))}`
}

/** What is being made ready for those who asked, and what of it waits to be sealed. */
interface Offer {
  runs: readonly { name: string; run: Run }[]
  next: number
}

interface Fetching {
  peer: Peer
  offered: boolean
  waiting: Segment[]
  tokens: Set<number>
}

export class Segments {
  readonly #shared: Shared
  readonly #sizes: BulkSizes
  readonly #done: (peer: Peer) => void
  readonly #progress: (peer: Peer) => void
  /** Keys of sealed runs; of those that could not be sealed, when that was, ms. */
  readonly #sealed = new Map<string, Uint8Array | number>()
  /** The run that is being sealed. */
  #sealing: { token: number; name: string } | null = null
  readonly #askers = new Set<Peer>()
  #offer: Offer | null = null
  #fetching: Fetching | null = null

  /** @param done  called when there is nothing more to fetch for that machine's turn */
  constructor(
    shared: Shared,
    sizes: BulkSizes,
    done: (peer: Peer) => void,
    progress: (peer: Peer) => void,
  ) {
    this.#shared = shared
    this.#sizes = sizes
    this.#done = done
    this.#progress = progress
  }

  /** Asks for segments if this machine lacks much of what the other has. True if it did. */
  ask(peer: Peer): boolean {
    const { greeting } = peer
    if (greeting === null || peer.askedSegments || this.#fetching !== null) return false
    if (!greeting.capabilities.has(SEGMENTS_CAPABILITY)) return false
    if (greeting.count - this.#shared.tree.size <= this.#sizes.muchMissing) return false
    peer.askedSegments = true
    this.#fetching = { peer, offered: false, waiting: [], tokens: new Set() }
    this.#shared.emit({ type: 'setTimer', id: `offer ${peer.key}`, afterMs: OFFER_WAIT_MS })
    const bytes = encodeMessage({ kind: 'wantSegments' })
    this.#shared.emit({ type: 'send', peer: peer.key, bytes })
    return true
  }

  /** The offer did not come. */
  offerDue(peer: Peer): void {
    if (this.#fetching?.peer === peer && !this.#fetching.offered) this.#end()
  }

  /** What the machine that was asked offers. */
  offered(peer: Peer, segments: readonly Segment[]): void {
    if (this.#fetching?.peer !== peer || this.#fetching.offered) return
    this.#fetching.offered = true
    this.#fetching.waiting = segments.filter(
      (segment) => segment.fingerprint.count > 0 && !holdsRun(this.#shared.tree, segment),
    )
    this.#fetchOn()
  }

  fetched(token: number): void {
    if (this.#fetching?.tokens.delete(token) !== true) return
    this.#progress(this.#fetching.peer)
    this.#fetchOn()
  }

  /** A machine lacks much: seal what is not sealed yet, then tell it. */
  wanted(peer: Peer): void {
    this.#askers.add(peer)
    this.#sealOn()
  }

  sealed(token: number, key: Uint8Array | null): void {
    if (this.#sealing?.token !== token) return
    const { name } = this.#sealing
    this.#sealing = null
    // Behind all others, also when it was there before.
    this.#sealed.delete(name)
    this.#sealed.set(name, key ?? this.#shared.nowMs)
    if (this.#sealed.size > MOST_SEALED) {
      for (const oldest of this.#sealed.keys()) {
        this.#sealed.delete(oldest)
        break
      }
    }
    this.#sealOn()
  }

  forget(peer: Peer): void {
    this.#askers.delete(peer)
    if (this.#fetching?.peer === peer) this.#fetching = null
  }

  #fetchOn(): void {
    const fetching = this.#fetching
    if (fetching === null) return
    while (fetching.tokens.size < PARALLEL_FETCHES) {
      const segment = fetching.waiting.shift()
      if (segment === undefined) break
      const token = this.#shared.nextToken()
      fetching.tokens.add(token)
      this.#shared.emit({
        type: 'fetchSegment',
        token,
        peer: fetching.peer.key,
        key: segment.key,
        count: segment.fingerprint.count,
      })
    }
    if (fetching.tokens.size === 0) this.#end()
  }

  #end(): void {
    const peer = this.#fetching?.peer
    this.#fetching = null
    if (peer !== undefined) this.#done(peer)
  }

  #sealOn(): void {
    if (this.#sealing !== null) return
    if (this.#askers.size === 0) {
      this.#offer = null
      return
    }
    // Cut once for all who ask meanwhile: with each run that is sealed anew, it would take the square of it.
    const offer = (this.#offer ??= this.#cut())
    const { tree } = this.#shared
    while (offer.next < offer.runs.length) {
      const { name, run } = offer.runs[offer.next++] as Offer['runs'][number]
      if (!this.#isToBeSealed(name) || !holdsRun(tree, run)) continue
      const token = this.#shared.nextToken()
      this.#sealing = { token, name }
      const from = tree.rank(run.from)
      const keys = tree.keys(from, from + run.fingerprint.count)
      const items = Array.from({ length: run.fingerprint.count }, (_, i) =>
        keyItem(keys, i * KEY_WORDS),
      )
      this.#shared.emit({ type: 'sealSegment', token, run, items })
      return
    }
    this.#offer = null
    const segments = offer.runs.flatMap(({ name, run }): Segment[] => {
      const key = this.#sealed.get(name)
      return key instanceof Uint8Array ? [{ ...run, key }] : []
    })
    const bytes = encodeMessage({ kind: 'segments', segments })
    for (const peer of this.#askers) this.#shared.emit({ type: 'send', peer: peer.key, bytes })
    this.#askers.clear()
  }

  #cut(): Offer {
    const runs = cutRuns(this.#shared.tree, this.#sizes.runs).slice(0, MOST_SEGMENTS)
    return { runs: runs.map((run) => ({ name: runName(run), run })), next: 0 }
  }

  #isToBeSealed(name: string): boolean {
    const known = this.#sealed.get(name)
    if (typeof known === 'number') return this.#shared.nowMs - known >= SEAL_AGAIN_MS
    return known === undefined
  }
}
