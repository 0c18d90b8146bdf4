// How records reach the other machines: pushed as they are written, compared now and then, in bulk to
// who joins. Decides everything about that and touches nothing: see `replication-events.ts`.
import type { Core } from '../step.ts'
import { FingerprintTree } from './fingerprint-tree.ts'
import { Healing } from './healing.ts'
import { Intake } from './intake.ts'
import { decodeMessage, encodeMessage } from './messages.ts'
import type { Message } from './messages.ts'
import { Peer, WINDOW } from './peer.ts'
import type { Shared } from './peer.ts'
import { Pushing } from './pushing.ts'
import type { MergedItem, ReplicationEffect, ReplicationEvent } from './replication-events.ts'
import { BULK_SIZES, Segments, SEGMENTS_CAPABILITY } from './segments.ts'
import type { BulkSizes } from './segments.ts'

export interface ReplicationOptions {
  /** This machine's key. */
  self: string
  /** What it holds. From now on the core keeps it up to date. */
  tree: FingerprintTree
  /** 0 to 1. */
  random: () => number
  /** What this machine can do beyond what all can; segments, if there is a place for them. */
  capabilities?: readonly string[]
  bulk?: BulkSizes
}

export class ReplicationCore implements Core<ReplicationEvent, ReplicationEffect> {
  readonly #options: ReplicationOptions
  readonly #peers = new Map<string, Peer>()
  readonly #pushing: Pushing
  readonly #intake: Intake
  readonly #healing: Healing
  readonly #segments: Segments
  #effects: ReplicationEffect[] = []
  #nowMs = 0
  #wallMs = 0
  #token = 0
  #machines = 0
  #started = false

  constructor(options: ReplicationOptions) {
    this.#options = options
    const shared = this.#share()
    const settled = (peer: Peer): void => {
      if (peer.outbox.dropped && peer.outbox.idle) {
        peer.outbox.dropped = false
        this.#healing.want(peer)
      }
      this.#healing.settle(peer)
    }
    this.#pushing = new Pushing(shared, settled)
    this.#intake = new Intake(shared, settled)
    this.#segments = new Segments(
      shared,
      options.bulk ?? BULK_SIZES,
      (peer) => this.#healing.bulkFetched(peer),
      (peer) => this.#healing.noteProgress(peer),
    )
    this.#healing = new Healing(
      shared,
      (peer) => this.#pushing.pump(peer),
      (peer) => this.#segments.ask(peer),
    )
  }

  get tree(): FingerprintTree {
    return this.#options.tree
  }

  /** How many things are kept in memory for other machines: bounded for each. */
  get waiting(): number {
    let sum = 0
    for (const { outbox, intake } of this.#peers.values()) {
      sum += outbox.waiting + outbox.inFlight.length + intake.length
    }
    return sum
  }

  step(event: ReplicationEvent, nowMs: number): ReplicationEffect[] {
    this.#nowMs = nowMs
    this.#wallMs = event.wallMs
    this.#effects = []
    if (!this.#started) {
      this.#started = true
      this.#healing.scheduleRound()
    }
    this.#handle(event)
    return this.#effects
  }

  #handle(event: ReplicationEvent): void {
    switch (event.type) {
      case 'peerOpened':
        this.#open(event.peer)
        break
      case 'peerClosed':
        this.#forget(event.peer)
        break
      case 'machinesCounted':
        this.#machines = event.count
        break
      case 'received':
        this.#receive(event.peer, event.bytes)
        break
      case 'merged':
        this.#merge(event.records)
        break
      case 'accepted':
        this.#intake.accepted(event.token, event.statuses)
        break
      case 'recordsRead':
        this.#pushing.recordsRead(event.token, event.records)
        break
      case 'segmentSealed':
        this.#segments.sealed(event.token, event.key)
        break
      case 'segmentFetched':
        this.#segments.fetched(event.token)
        break
      case 'lost':
        for (const item of event.items) this.tree.remove(item)
        for (const peer of this.#peers.values()) if (peer.greeting) this.#healing.want(peer)
        break
      case 'timer':
        this.#timer(event.id)
        break
    }
  }

  #timer(id: string): void {
    const [what, key] = id.split(' ')
    const peer = key === undefined ? undefined : this.#peers.get(key)
    if (what === 'round') this.#round()
    else if (what === 'soon') this.#healing.soon()
    else if (what === 'watch') this.#healing.watch()
    else if (peer === undefined) return
    else if (what === 'again') this.#healing.want(peer)
    else if (what === 'grant') this.#intake.acknowledge(peer)
    else if (what === 'offer') this.#segments.offerDue(peer)
    else if (what === 'question' && peer.question !== null) {
      this.#healing.question(peer, peer.question)
    }
  }

  #round(): void {
    this.#pushing.giveUpLost()
    // Their greeting was lost, or came before they were linked here.
    for (const peer of this.#peers.values()) if (peer.greeting === null) this.#sayHello(peer)
    this.#healing.round()
  }

  #open(key: string): void {
    if (key === this.#options.self) return
    this.#forget(key)
    const peer = new Peer(key, this.#nowMs)
    this.#peers.set(key, peer)
    this.#sayHello(peer)
  }

  #sayHello(peer: Peer): void {
    const { key, greeting } = peer
    peer.said = this.tree.size
    const hello = encodeMessage({
      kind: 'hello',
      capabilities: this.#options.capabilities ?? [SEGMENTS_CAPABILITY],
      count: this.tree.size,
      window: WINDOW,
      newest: this.tree.newestVersion ?? '000000000000-0000',
      greeted: greeting !== null,
    })
    this.#effects.push({ type: 'send', peer: key, bytes: hello })
  }

  #forget(key: string): void {
    const peer = this.#peers.get(key)
    if (peer === undefined) return
    this.#peers.delete(key)
    this.#pushing.forget(peer)
    this.#intake.forget(peer)
    this.#segments.forget(peer)
    this.#healing.forget(peer)
  }

  #merge(records: readonly MergedItem[]): void {
    const healedFrom = new Set<string | null>()
    for (const { item, superseded, from, healed: heals } of records) {
      if (superseded !== undefined) this.tree.remove(superseded)
      this.tree.insert(item)
      if (heals) healedFrom.add(from)
      if (from !== null) this.#peers.get(from)?.noteKnown(item)
    }
    this.#intake.chargeOldDated(records)
    this.#pushing.push(records, this.#peers.size < this.#machines)
    if (healedFrom.size > 0) this.#healing.healedHere(healedFrom)
  }

  #receive(key: string, bytes: Uint8Array): void {
    const peer = this.#peers.get(key)
    if (peer === undefined) return
    const message = decodeMessage(bytes)
    if (message === null) return this.#refuse(peer, 'a message is not understood')
    if (message.kind === 'hello') return this.#greet(peer, message)
    if (peer.greeting === null) return
    this.#healing.noteProgress(peer)
    switch (message.kind) {
      case 'pushed':
      case 'healed':
        return this.#intake.take(peer, message, bytes)
      case 'acknowledge':
        return this.#pushing.acknowledged(peer, message)
      case 'question':
        return this.#healing.question(peer, message.bytes)
      case 'answer':
        return this.#healing.answer(peer, message)
      case 'drained':
        return this.#healing.drained(peer)
      case 'segments':
        return this.#segments.offered(peer, message.segments)
      case 'wantSegments':
        if (peer.budgets.words.use(1, this.#nowMs) === 0) this.#segments.wanted(peer)
        return
      case 'unknown':
        if (peer.budgets.words.use(1, this.#nowMs) > 0) this.#refuse(peer, 'it talks nonsense')
    }
  }

  #greet(peer: Peer, message: Extract<Message, { kind: 'hello' }>): void {
    if (peer.greeting !== null) {
      if (!message.greeted) this.#sayHello(peer)
      return
    }
    const { capabilities, count, window, newest } = message
    peer.greeting = { capabilities: new Set(capabilities), count }
    peer.newest = newest
    // Its own memory is at stake, and ours only up to what we take ourselves.
    peer.outbox.credit = Math.min(window, WINDOW)
    this.#pushing.pump(peer)
    const size = peer.said
    // Who has less asks, so that it can take its turns; it is the one that gets the most.
    if (size < count || (size === count && this.#options.self < peer.key)) {
      this.#healing.want(peer)
    }
  }

  #refuse(peer: Peer, reason: string): void {
    this.#effects.push({ type: 'refuse', peer: peer.key, reason })
    this.#forget(peer.key)
  }

  #share(): Shared {
    const read = {
      nowMs: () => this.#nowMs,
      wallMs: () => this.#wallMs,
    }
    const { self, tree, random } = this.#options
    return {
      self,
      tree,
      random,
      peers: this.#peers,
      get nowMs() {
        return read.nowMs()
      },
      get wallMs() {
        return read.wallMs()
      },
      emit: (effect) => void this.#effects.push(effect),
      nextToken: () => (this.#token += 1),
      refuse: (peer, reason) => this.#refuse(peer, reason),
    }
  }
}
