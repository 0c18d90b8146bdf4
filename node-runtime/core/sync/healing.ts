// Finding what was not pushed (anti-entropy): this machine compares with one other at a time, streams what differs both
// ways, and compares again until nothing does. That, and nothing else, is "in step".
import { formatVersion, MAX_DRIFT_MS } from '../db/hybrid-clock.ts'
import { hash } from '../keys.ts'
import { SALT_BYTES } from './comparison.ts'
import { encodeMessage } from './messages.ts'
import type { Message } from './messages.ts'
import { LEAST_AGAIN_MS } from './peer.ts'
import type { Peer, Shared } from './peer.ts'
import { decodeQuestion, encodeAnswer } from './reconcile-messages.ts'
import type { Limits } from './reconcile-messages.ts'
import { answerQuestion } from './reconcile.ts'
import { Reconciliation } from './reconciliation.ts'

/** Every minute, give or take, with one other machine. */
const ROUND_LEAST_MS = 45_000
const ROUND_SPREAD_MS = 30_000
/** After records came to heal: others may lack them, too. */
const SOON_LEAST_MS = 500
const SOON_SPREAD_MS = 1500
const SOON_PEERS = 3
/** A turn without any progress for so long goes to the next machine. */
const STALLED_MS = 15_000
/** The same while segments are downloaded: 40 MB on a slow line. */
const BULK_STALLED_MS = 120_000
const WATCH_MS = 5000
/** While others wait, a turn ends after so long, whatever its machine says; it comes again after them. */
const TURN_MS = 30_000
/** How often one turn compares; more differences come again in the next one. */
const MOST_COMPARISONS = 32
/** Nothing was deleted for good yet, so there is nothing below which machines must not compare. */
const LEAST_VERSION = '000000000000-0000'
const LAST_COUNTER = 0xffff

interface Turn {
  peer: Peer
  comparisons: number
  progressMs: number
  startedMs: number
  reconciliation: Reconciliation | null
  /** The other side said that records follow. */
  expecting: boolean
  /** Segments come first. */
  fetching: boolean
}

export class Healing {
  readonly #shared: Shared
  /** Whom to compare with, in order. */
  readonly #wanted = new Set<Peer>()
  #turn: Turn | null = null
  #session = 0
  #soon = false
  /** Sends what was found missing. */
  readonly #pump: (peer: Peer) => void
  /** Takes what a machine that lacks much gets first; true if the turn waits for that. */
  readonly #fetchBulk: (peer: Peer) => boolean

  constructor(shared: Shared, pump: (peer: Peer) => void, fetchBulk: (peer: Peer) => boolean) {
    this.#shared = shared
    this.#pump = pump
    this.#fetchBulk = fetchBulk
  }

  /** Compares with that machine as soon as it is its turn. */
  want(peer: Peer): void {
    this.#wanted.add(peer)
    if (this.#turn === null) this.#nextTurn()
  }

  /** Sets the timer for the next round. */
  scheduleRound(): void {
    const afterMs = ROUND_LEAST_MS + this.#shared.random() * ROUND_SPREAD_MS
    this.#shared.emit({ type: 'setTimer', id: 'round', afterMs })
  }

  round(): void {
    this.scheduleRound()
    const [peer] = this.#choose(1)
    if (peer !== undefined) this.want(peer)
  }

  /** Records came to heal: all others may lack them, too, those behind the only bridge among them. */
  healedHere(from: ReadonlySet<string | null>): void {
    for (const peer of this.#shared.peers.values()) {
      if (!from.has(peer.key)) peer.mayLack = true
    }
    this.#scheduleSoon()
  }

  #scheduleSoon(): void {
    if (this.#soon || ![...this.#shared.peers.values()].some(({ mayLack }) => mayLack)) return
    this.#soon = true
    const afterMs = SOON_LEAST_MS + this.#shared.random() * SOON_SPREAD_MS
    this.#shared.emit({ type: 'setTimer', id: 'soon', afterMs })
  }

  soon(): void {
    this.#soon = false
    for (const peer of this.#choose(SOON_PEERS, ({ mayLack }) => mayLack)) {
      peer.mayLack = false
      this.want(peer)
    }
    this.#scheduleSoon()
  }

  /** A turn without progress ends, and one that others have waited for long enough. */
  watch(): void {
    const turn = this.#turn
    if (turn === null) return
    if (this.#wanted.size > 0 && this.#shared.nowMs - turn.startedMs > TURN_MS) {
      // Talk is no progress that could be measured: what is due comes again.
      this.#wanted.add(turn.peer)
      this.#nextTurn()
      return
    }
    const stalledMs = turn.fetching ? BULK_STALLED_MS : STALLED_MS
    if (this.#shared.nowMs - turn.progressMs > stalledMs) this.#nextTurn()
    else this.#shared.emit({ type: 'setTimer', id: 'watch', afterMs: WATCH_MS })
  }

  forget(peer: Peer): void {
    this.#wanted.delete(peer)
    if (this.#turn?.peer === peer) this.#nextTurn()
  }

  /** Something came from, or was taken in by, that machine. */
  noteProgress(peer: Peer): void {
    if (this.#turn?.peer === peer) this.#turn.progressMs = this.#shared.nowMs
  }

  drained(peer: Peer): void {
    if (this.#turn?.peer !== peer) return
    this.#turn.expecting = false
    this.settle(peer)
  }

  /** All that came is judged, or all that was sent is taken in: compare again if nothing is open. */
  settle(peer: Peer): void {
    const turn = this.#turn
    if (turn?.peer !== peer || turn.reconciliation !== null || turn.expecting || turn.fetching)
      return
    if (peer.intake.length > 0 || peer.judged.length > 0 || !peer.outbox.idle) return
    this.#compare(turn)
  }

  /** What had to come first, came. */
  bulkFetched(peer: Peer): void {
    if (this.#turn?.peer !== peer || !this.#turn.fetching) {
      this.want(peer)
      return
    }
    this.#turn.fetching = false
    this.#compare(this.#turn)
  }

  answer(peer: Peer, message: Extract<Message, { kind: 'answer' }>): void {
    const turn = this.#turn
    // Late answers of turns that were given up.
    if (turn?.peer !== peer || turn.reconciliation === null) return
    const reconciliation = turn.reconciliation
    const progress = reconciliation.receive(message.bytes)
    if (progress.kind === 'stale') return
    if (message.sending) turn.expecting = true
    this.#noteNewest(peer, message.newest)
    if (progress.kind === 'refused') {
      this.#shared.refuse(peer, progress.reason)
    } else if (progress.kind === 'narrower') {
      this.#compare(turn, progress.limits)
    } else {
      if (reconciliation.differences > 0) peer.differedMs = this.#shared.nowMs
      peer.outbox.queueMissing(progress.missing)
      if (this.#ask(turn)) {
        this.#pump(peer)
        return
      }
      turn.reconciliation = null
      if (reconciliation.differences === 0 && !reconciliation.incomplete) {
        this.#inStep(peer)
        peer.outbox.dropped = false
        this.#nextTurn()
      } else {
        this.#pump(peer)
        this.settle(peer)
      }
    }
  }

  /** Answers a question, or lets it wait until the machine's budget allows. */
  question(peer: Peer, bytes: Uint8Array): void {
    const { nowMs, tree, random } = this.#shared
    const waitMs = peer.budgets.ranges.use(0, nowMs)
    if (waitMs > 0) {
      // Anew each time, as the one that rang may have done so a little early.
      this.#shared.emit({ type: 'setTimer', id: `question ${peer.key}`, afterMs: waitMs })
      // Who asks again before the answer came has given the first question up.
      peer.question = bytes
      return
    }
    peer.question = null
    const question = decodeQuestion(bytes)
    if (question === null) {
      this.#shared.refuse(peer, 'a question is not understood')
      return
    }
    const { answer, missing, equal } = answerQuestion(question, tree, this.#limits(), random)
    peer.outbox.queueMissing(missing)
    const sending = missing.length > 0
    if (sending) peer.owesDrained = true
    if (answer.kind === 'ranges' && !equal) peer.differedMs = nowMs
    const encoded = encodeAnswer(answer, question.limits)
    peer.budgets.ranges.use(bytes.length + encoded.length, nowMs)
    const newest = tree.newestVersion ?? LEAST_VERSION
    this.#shared.emit({
      type: 'send',
      peer: peer.key,
      bytes: encodeMessage({ kind: 'answer', sending, newest, bytes: encoded }),
    })
    if (equal) this.#inStep(peer)
    this.#pump(peer)
  }

  #inStep(peer: Peer): void {
    peer.againMs = LEAST_AGAIN_MS
    peer.mayLack = false
    this.#shared.emit({ type: 'inStep', peer: peer.key, atMs: this.#shared.nowMs })
  }

  /** The newest version that a machine says it holds; `#askedLimits` goes no further than the present. */
  #noteNewest(peer: Peer, version: string): void {
    if (version > peer.newest) peer.newest = version
  }

  /** Up to what is not from the future. */
  #limits(): Limits {
    const timeMs = this.#shared.wallMs + MAX_DRIFT_MS
    return { least: LEAST_VERSION, greatest: formatVersion({ timeMs, counter: LAST_COUNTER }) }
  }

  /** What is written from now on is newer than this, so that comparing comes to an end. */
  #askedLimits(peer: Peer): Limits {
    const { least, greatest } = this.#limits()
    const now = formatVersion({ timeMs: this.#shared.wallMs, counter: LAST_COUNTER })
    const newest = [now, this.#shared.tree.newestVersion ?? now, peer.newest].sort().at(-1)!
    return { least, greatest: newest < greatest ? newest : greatest }
  }

  #choose(count: number, isWanted: (peer: Peer) => boolean = () => true): Peer[] {
    const peers = [...this.#shared.peers.values()].filter(
      (peer) => peer.greeting !== null && isWanted(peer),
    )
    const chosen: Peer[] = []
    while (chosen.length < count && peers.length > 0) {
      const [peer] = peers.splice(Math.floor(this.#shared.random() * peers.length), 1)
      if (peer !== undefined) chosen.push(peer)
    }
    return chosen
  }

  #nextTurn(): void {
    this.#turn = null
    for (const peer of this.#wanted) {
      this.#wanted.delete(peer)
      const { nowMs } = this.#shared
      this.#turn = {
        peer,
        comparisons: 0,
        progressMs: nowMs,
        startedMs: nowMs,
        reconciliation: null,
        expecting: false,
        fetching: false,
      }
      this.#shared.emit({ type: 'setTimer', id: 'watch', afterMs: WATCH_MS })
      if (this.#fetchBulk(peer)) this.#turn.fetching = true
      else this.#compare(this.#turn)
      return
    }
  }

  #compare(turn: Turn, limits?: Limits): void {
    turn.reconciliation = null
    turn.comparisons += 1
    if (turn.comparisons > MOST_COMPARISONS) {
      this.#nextTurn()
      return
    }
    const { tree, random, self } = this.#shared
    this.#session += 1
    const seed = [this.#session, random(), random(), random(), self].join(' ')
    const salt = hash(Buffer.from(seed)).subarray(0, SALT_BYTES)
    turn.reconciliation = new Reconciliation(
      this.#session,
      { tree, salt, random },
      limits ?? this.#askedLimits(turn.peer),
    )
    // There is always a first question.
    this.#ask(turn)
  }

  #ask(turn: Turn): boolean {
    const bytes = turn.reconciliation?.next() ?? null
    if (bytes === null) return false
    this.#shared.emit({
      type: 'send',
      peer: turn.peer.key,
      bytes: encodeMessage({ kind: 'question', bytes }),
    })
    return true
  }
}
