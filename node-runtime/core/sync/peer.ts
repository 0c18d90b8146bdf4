// What the replication core keeps about one linked machine, and what its parts share.
import { Budget } from '../budget.ts'
import type { FingerprintTree } from './fingerprint-tree.ts'
import type { Item } from './item.ts'
import type { FrameReceipt } from './messages.ts'
import { Outbox } from './outbox.ts'
import type { RecordStatus, ReplicationEffect } from './replication-events.ts'

/** Bytes of frames (and their costs) that a machine may send ahead: more than the longest record. */
export const WINDOW = 1_048_576
/** When a machine that could not take something in is compared with again: at first, and at most. */
export const LEAST_AGAIN_MS = 5000
export const MOST_AGAIN_MS = 60_000
/** Ids that a machine is remembered to have, so that they are not passed on to it. */
const MOST_KNOWN = 1024

/** What a peer may cost in a second, and at once. */
const LIMITS = {
  /** Signature checks: a machine that joins takes in 20,000 a second at most. */
  checks: { burst: 20_000, perSecond: 20_000 },
  /** Bytes of frames. */
  bytes: { burst: 32_000_000, perSecond: 32_000_000 },
  /** Bytes of questions and answers about ranges: about an eighth of a processor. */
  ranges: { burst: 2_000_000, perSecond: 256_000 },
  /** Records of long ago that were not found missing: nobody writes those. */
  oldDated: { burst: 1000, perSecond: 10 },
  /** Records that do not hold, and are no reason to turn it away: each costs checking it. */
  unfit: { burst: 1000, perSecond: 100 },
  /** Everything that is not a frame, an acknowledgement or a range. */
  words: { burst: 100, perSecond: 1 },
} as const

/** A frame that is being judged. */
export interface FrameIntake {
  token: number
  number: number
  cost: number
  records: readonly Uint8Array[]
  /** Null until all of it is judged. */
  statuses: readonly RecordStatus[] | null
}

export interface Greeting {
  capabilities: ReadonlySet<string>
  count: number
}

export class Peer {
  readonly key: string
  greeting: Greeting | null = null
  /** How many records it was told are held here, so that both know which of them asks. */
  said = 0
  readonly outbox = new Outbox()
  /** What it may still send. */
  granted = WINDOW
  /** Frames of it that are being judged, oldest first. */
  readonly intake: FrameIntake[] = []
  /** Frames that are judged, and whose acknowledgement waits until its budget allows. */
  judged: (FrameReceipt & { cost: number })[] = []
  /** The number of its next frame. */
  nextFrame = 0
  /** Its records that turned out to be forged, by the hash of their bytes; each counts once. */
  readonly forged = new Set<string>()
  /** The newest version it said it holds. */
  newest = ''
  /** A question that waits until its budget allows. */
  question: Uint8Array | null = null
  /** It was told that records follow, and not yet that they all came. */
  owesDrained = false
  /** When the two were last found to differ; -Infinity: never. */
  differedMs = Number.NEGATIVE_INFINITY
  /** It could not take something in; grows while that is so. */
  againMs = LEAST_AGAIN_MS
  /** Records came from others to heal, which it may lack. */
  mayLack = false
  /** It was asked for segments, once in the life of a link. */
  askedSegments = false
  readonly budgets: { readonly [name in keyof typeof LIMITS]: Budget }
  readonly #known = new Set<string>()

  constructor(key: string, nowMs: number) {
    this.key = key
    const budget = (name: keyof typeof LIMITS): Budget => new Budget(LIMITS[name], nowMs)
    this.budgets = {
      checks: budget('checks'),
      bytes: budget('bytes'),
      ranges: budget('ranges'),
      oldDated: budget('oldDated'),
      unfit: budget('unfit'),
      words: budget('words'),
    }
  }

  /** Is it known to have this record? */
  knows({ id }: Item): boolean {
    return this.#known.has(id)
  }

  noteMissing({ id }: Item): void {
    this.#known.delete(id)
  }

  noteKnown({ id }: Item): void {
    this.#known.add(id)
    if (this.#known.size <= MOST_KNOWN) return
    for (const oldest of this.#known) {
      this.#known.delete(oldest)
      break
    }
  }
}

/** What the parts of the replication core have in common. */
export interface Shared {
  /** This machine's key. */
  readonly self: string
  readonly tree: FingerprintTree
  readonly peers: ReadonlyMap<string, Peer>
  readonly random: () => number
  readonly nowMs: number
  readonly wallMs: number
  emit(effect: ReplicationEffect): void
  /** For a request whose answer is an event. */
  nextToken(): number
  refuse(peer: Peer, reason: string): void
}
