// Sending records: fresh ones at once to all who may lack them, missing ones as they are found, each
// machine as fast as it takes them in. What waits for one machine is in its outbox, whose sketch shows the
// ways from there; `pump` goes them whenever something has changed: credit, a reading, or what waits.
import { encodeMessage, FRAME_BYTES, frameRecords } from './messages.ts'
import type { Message } from './messages.ts'
import type { Frame, FrameKind } from './outbox.ts'
import { MOST_AGAIN_MS } from './peer.ts'
import type { Peer, Shared } from './peer.ts'
import type { MergedItem, OutgoingRecord } from './replication-events.ts'

/** Read at a time for one machine: a few frames, so that small records are not read twice. */
const READ_BYTES = 4 * FRAME_BYTES
/** Receipts may be held back for longer; but a link may lose something, too. */
const LOST_MS = 60_000

export class Pushing {
  readonly #shared: Shared
  /** Whom each reading that is under way is for, by its token. */
  readonly #readers = new Map<number, Peer>()
  /** Called when a machine has taken in all that was sent to it. */
  readonly #settled: (peer: Peer) => void

  constructor(shared: Shared, settled: (peer: Peer) => void) {
    this.#shared = shared
    this.#settled = settled
  }

  /** Sends what was merged to all who may lack it. */
  push(records: readonly MergedItem[], passOn: boolean): void {
    const fresh = records.filter(
      ({ from, healed }) => from === null || (passOn && !healed && from !== 'segment'),
    )
    if (fresh.length === 0) return
    const inHand = fresh.flatMap(({ outgoing }) => (outgoing === undefined ? [] : [outgoing]))
    // Most machines get the very same frames.
    const shared = framesOf('pushed', inHand)
    for (const peer of this.#shared.peers.values()) {
      if (peer.greeting === null) {
        // It may have said what it holds already, and not yet heard what is held here.
        for (const { item, from } of fresh) if (from !== peer.key) peer.outbox.queuePush(item)
        continue
      }
      const lacking = fresh.filter(({ item, from }) => from !== peer.key && !peer.knows(item))
      if (lacking.length === fresh.length && inHand.length === fresh.length) {
        this.#sendOrQueue(peer, shared)
        continue
      }
      const ready = lacking.flatMap(({ outgoing }) => (outgoing === undefined ? [] : [outgoing]))
      this.#sendOrQueue(peer, framesOf('pushed', ready))
      for (const { item, outgoing } of lacking) {
        if (outgoing === undefined) peer.outbox.queuePush(item)
      }
      this.pump(peer)
    }
  }

  /** Goes on sending, as far as credit reaches. */
  pump(peer: Peer): void {
    const { outbox } = peer
    while (outbox.ready.length > 0) {
      if (!this.#send(peer, outbox.ready[0]!)) return
      outbox.ready.shift()
    }
    if (outbox.credit >= FRAME_BYTES) {
      const reading = outbox.nextReading(this.#shared.tree, this.#shared.nextToken())
      if (reading !== null) {
        const { token, items } = reading
        this.#readers.set(token, peer)
        this.#shared.emit({ type: 'readRecords', token, items, mostBytes: READ_BYTES })
      }
    }
    if (peer.owesDrained && outbox.healed) {
      peer.owesDrained = false
      this.#shared.emit({
        type: 'send',
        peer: peer.key,
        bytes: encodeMessage({ kind: 'drained' }),
      })
    }
    if (outbox.idle) this.#settled(peer)
  }

  /** Records that were read for a machine. */
  recordsRead(token: number, records: readonly (OutgoingRecord | null)[]): void {
    const peer = this.#readers.get(token)
    this.#readers.delete(token)
    if (peer === undefined || this.#shared.peers.get(peer.key) !== peer) return
    const { outbox } = peer
    const reading = outbox.reading
    if (reading?.token !== token) return
    // An empty answer to a question is no progress: those items can't be read.
    outbox.endReading(records.length === 0 ? reading.items.length : records.length)
    const found = records.filter((record) => record !== null)
    outbox.ready = framesOf(reading.kind, found)
    this.pump(peer)
  }

  /** A machine says what became of the oldest frames it was sent. */
  acknowledged(peer: Peer, message: Extract<Message, { kind: 'acknowledge' }>): void {
    for (const receipt of message.frames) {
      const items = peer.outbox.takeReceipt(receipt)
      if (items === null) {
        this.#shared.refuse(peer, 'it acknowledges what was not sent')
        return
      }
      if (receipt.missing.length > 0) this.#tryAgain(peer)
      const missing = new Set(receipt.missing)
      items.forEach((item, number) => {
        if (missing.has(number)) peer.noteMissing(item)
      })
    }
    this.pump(peer)
  }

  /** Frames that nobody acknowledged for so long may be lost: from then on comparing says what is missing. */
  giveUpLost(): void {
    for (const peer of this.#shared.peers.values()) {
      peer.outbox.giveUp(this.#shared.nowMs - LOST_MS)
      this.pump(peer)
    }
  }

  /** A machine is gone, and with it what was read for it. */
  forget(peer: Peer): void {
    for (const [token, reader] of this.#readers) if (reader === peer) this.#readers.delete(token)
  }

  #sendOrQueue(peer: Peer, frames: readonly Frame[]): void {
    for (const frame of frames) {
      if (peer.outbox.ready.length > 0 || !this.#send(peer, frame)) {
        for (const item of frame.items) peer.outbox.queuePush(item)
      }
    }
  }

  #send(peer: Peer, frame: Frame): boolean {
    const bytes = peer.outbox.takeCredit(frame, this.#shared.nowMs)
    if (bytes === null) return false
    for (const item of frame.items) peer.noteKnown(item)
    this.#shared.emit({ type: 'send', peer: peer.key, bytes })
    return true
  }

  /** It could not take something in, for lack of room or because of its clock: that may change. */
  #tryAgain(peer: Peer): void {
    this.#shared.emit({ type: 'setTimer', id: `again ${peer.key}`, afterMs: peer.againMs })
    peer.againMs = Math.min(2 * peer.againMs, MOST_AGAIN_MS)
  }
}

function framesOf(kind: FrameKind, records: readonly OutgoingRecord[]): Frame[] {
  return frameRecords(records).map(({ body, records }) => {
    return { kind, body, items: records.map(({ item }) => item) }
  })
}
