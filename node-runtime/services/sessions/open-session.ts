// A session that is open on this machine, and how it looks to the person: live from the seats' logs,
// or from its stored result when that says more.
import { EventEmitter } from 'node:events'
import type { SessionKind } from '../../contract/manifest.ts'
import type { ResultValue, SessionFrame, SessionSummary } from '../../contract/sessions.ts'
import { replay, seatToAct } from '../../core/sessions/session-chain.ts'
import type { ChainHead, RulesRunner } from '../../core/sessions/session-chain.ts'
import { SerialQueue } from '../../flow/serial-queue.ts'
import type { LiveSession } from './live-session.ts'
import { startedMs } from './seat-index.ts'
import type { KnownSession } from './seat-index.ts'

/** Who looks, and whom this machine can reach. */
export interface Onlooker {
  person: string
  isOnline: (machine: string) => boolean
}

export class OpenSession extends EventEmitter<{ changed: [] }> {
  readonly kind: SessionKind
  readonly rules: RulesRunner
  readonly live: LiveSession
  /** Changes of who sits where, one after the other. */
  readonly seating = new SerialQueue()
  /** Streams and calls that use it now. */
  users = 0
  lingerTimer: NodeJS.Timeout | null = null
  announcedOver = false
  storing = false
  #result: { head: ChainHead } | null = null

  constructor(kind: SessionKind, rules: RulesRunner, live: LiveSession) {
    super()
    this.setMaxListeners(0)
    this.kind = kind
    this.rules = rules
    this.live = live
    live.on('changed', () => this.emit('changed'))
  }

  get session(): string {
    return this.live.head.session
  }

  get head(): ChainHead {
    return this.#result?.head ?? this.live.head
  }

  get hasResult(): boolean {
    return this.#result !== null
  }

  /**
   * The session's result is in the database.
   * @throws CloudError if its actions do not hold
   */
  async finish(result: ResultValue): Promise<void> {
    if (this.#result !== null || result.session !== this.session) return
    this.#result = { head: await replay(result, this.rules) }
    this.emit('changed')
  }

  summary(known: KnownSession, onlooker: Onlooker): SessionSummary {
    return summarize(known, onlooker, {
      ply: this.head.actions.length,
      outcome: this.head.position.outcome,
    })
  }

  /** What the person sees: its own seat's view, or a spectator's. */
  async frame(known: KnownSession, onlooker: Onlooker): Promise<SessionFrame> {
    const { head, live } = this
    const { fault, ownSeat } = live
    const { position, descriptor } = head
    const personSeat = descriptor.seats.indexOf(onlooker.person)
    const toAct = fault === null ? seatToAct(head) : null
    // All of one moment: while the view is computed, the session may go on.
    const moment = {
      ...this.summary(known, onlooker),
      legal: toAct !== null && toAct === ownSeat ? (position.legal[toAct] ?? []) : [],
      toAct: toAct === null ? [] : [toAct],
      actions: head.actions.map(({ ply, seat, action }) => ({ ply, seat, action })),
      resultId: this.hasResult ? this.session : null,
      fault,
    }
    const view = await this.rules.view(position.state, personSeat < 0 ? 'spectator' : personSeat)
    return { ...moment, view }
  }
}

/** How far a session is, as far as this machine knows. */
export interface Progress {
  ply: number
  outcome: SessionSummary['outcome']
}

export function summarize(
  known: KnownSession,
  { person, isOnline }: Onlooker,
  { ply, outcome }: Progress,
): SessionSummary {
  const { session, descriptor, seats } = known
  const ownSeat = descriptor.seats.indexOf(person)
  return {
    session,
    descriptor,
    state: outcome === null ? announcedState(known) : 'over',
    seats: descriptor.seats.map((seatPerson, seat) => {
      const announcement = seats[seat]
      return {
        person: seatPerson,
        online: announcement == null ? null : isOnline(announcement.machine),
      }
    }),
    ply,
    outcome,
    startedMs: startedMs(known),
    ownSeat: ownSeat < 0 ? null : ownSeat,
  }
}

/** The state as the players' machines announce it. */
export function announcedState({ seats }: KnownSession): SessionSummary['state'] {
  if (seats.some((seat) => seat?.state === 'over')) return 'over'
  return seats.every((seat) => seat !== null) ? 'live' : 'waiting'
}
