// Taking records in: each machine within its credit, judged by the world outside, acknowledged in the
// order they came. Who sends too much is slowed down, never turned away: others may hold it.
import { versionTimeMs } from '../db/hybrid-clock.ts'
import { hash, toHex } from '../keys.ts'
import { encodeMessage } from './messages.ts'
import type { FrameReceipt, Message } from './messages.ts'
import { frameCost } from './outbox.ts'
import type { FrameIntake, Peer, Shared } from './peer.ts'
import type { MergedItem, RecordStatus } from './replication-events.ts'

/** Honest machines check what they pass on; a few may come of a fault of ours, again and again. */
const MOST_FORGED = 8
/** What is older than this was not written just now, whatever clocks say. */
const OLD_DATED_MS = 24 * 3_600_000
/** So long after a difference was found, old records come to heal it. */
const HEALING_MS = 120_000
/** A record that could not be written: room may come. */
const UNAVAILABLE_WAIT_MS = 1000

export class Intake {
  readonly #shared: Shared
  readonly #judging = new Map<number, Peer>()
  readonly #settled: (peer: Peer) => void

  constructor(shared: Shared, settled: (peer: Peer) => void) {
    this.#shared = shared
    this.#settled = settled
  }

  /** A frame of records came. */
  take(
    peer: Peer,
    message: Extract<Message, { kind: 'pushed' | 'healed' }>,
    bytes: Uint8Array,
  ): void {
    // What overtook others on the way stands for them; the rest is found by reconciliation.
    if (message.number < peer.nextFrame) return
    peer.nextFrame = message.number + 1
    const cost = frameCost(bytes)
    if (cost > peer.granted) {
      this.#shared.refuse(peer, 'it sends more than it was granted')
      return
    }
    peer.granted -= cost
    const token = this.#shared.nextToken()
    const { attestations, records, number } = message
    peer.intake.push({ token, number, cost, records, statuses: null })
    this.#judging.set(token, peer)
    const nowMs = this.#shared.nowMs
    peer.budgets.bytes.use(cost, nowMs)
    // An attestation is a signature, too.
    peer.budgets.checks.use(records.length + attestations.length, nowMs)
    const healed = message.kind === 'healed'
    this.#shared.emit({
      type: 'acceptRecords',
      token,
      peer: peer.key,
      healed,
      attestations,
      records,
    })
  }

  /** Records of long ago that came without having been found missing. */
  chargeOldDated(records: readonly MergedItem[]): void {
    for (const { item, from } of records) {
      const peer = from === null ? undefined : this.#shared.peers.get(from)
      if (peer === undefined || this.#shared.nowMs - peer.differedMs < HEALING_MS) continue
      if (versionTimeMs(item.version) < this.#shared.wallMs - OLD_DATED_MS) {
        peer.budgets.oldDated.use(1, this.#shared.nowMs)
      }
    }
  }

  /** What became of a frame's records. */
  accepted(token: number, statuses: readonly RecordStatus[]): void {
    const peer = this.#judging.get(token)
    this.#judging.delete(token)
    if (peer === undefined || this.#shared.peers.get(peer.key) !== peer) return
    const frame = peer.intake.find((one) => one.token === token)
    if (frame === undefined) return
    frame.statuses = statuses
    if (!this.#tolerates(peer, frame.records, statuses)) {
      this.#shared.refuse(peer, 'it sends forged records')
      return
    }
    const isFull = statuses.includes('unavailable')
    while (peer.intake[0]?.statuses) peer.judged.push(judge(peer.intake.shift()!))
    this.acknowledge(peer, isFull ? UNAVAILABLE_WAIT_MS : 0)
  }

  /** Grants more, now or once the machine's budgets allow it. */
  acknowledge(peer: Peer, leastWaitMs = 0): void {
    if (peer.judged.length === 0) return
    const { bytes, checks, oldDated, unfit } = peer.budgets
    const { nowMs } = this.#shared
    const waitMs = Math.max(
      leastWaitMs,
      ...[bytes, checks, oldDated, unfit].map((budget) => budget.use(0, nowMs)),
    )
    if (waitMs > 0) {
      this.#shared.emit({ type: 'setTimer', id: `grant ${peer.key}`, afterMs: waitMs })
      return
    }
    const credit = peer.judged.reduce((sum, { cost }) => sum + cost, 0)
    const answer = encodeMessage({ kind: 'acknowledge', frames: peer.judged })
    peer.judged = []
    peer.granted += credit
    this.#shared.emit({ type: 'send', peer: peer.key, bytes: answer })
    if (peer.intake.length === 0) this.#settled(peer)
  }

  /** Charges a machine for records that do not hold; false if it has passed on too many forged ones. */
  #tolerates(
    peer: Peer,
    records: readonly Uint8Array[],
    statuses: readonly RecordStatus[],
  ): boolean {
    statuses.forEach((status, at) => {
      if (status !== 'forged' && status !== 'over-limit') return
      peer.budgets.unfit.use(1, this.#shared.nowMs)
      const bytes = records[at]
      if (status === 'over-limit' || bytes === undefined) return
      if (peer.forged.size <= MOST_FORGED) peer.forged.add(toHex(hash(bytes)))
    })
    return peer.forged.size <= MOST_FORGED
  }

  forget(peer: Peer): void {
    for (const { token } of peer.intake) this.#judging.delete(token)
  }
}

function judge(frame: FrameIntake): FrameReceipt & { cost: number } {
  const missing: number[] = []
  for (let i = 0; i < frame.records.length; i++) if (frame.statuses?.[i] !== 'held') missing.push(i)
  return { number: frame.number, cost: frame.cost, missing }
}
