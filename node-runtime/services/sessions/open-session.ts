// A session that is open on this machine, and how it looks to the person.
import { EventEmitter } from 'node:events'
import { MAX_FRAME_ACTIONS } from '../../contract/sessions.ts'
import type { SessionKind } from '../../contract/manifest.ts'
import type { SessionFrame, SessionSummary } from '../../contract/sessions.ts'
import { announcedState, startedMs } from '../../core/sessions/seats.ts'
import type { KnownSession } from '../../core/sessions/seats.ts'
import { SerialQueue } from '../../flow/serial-queue.ts'
import { areDisputed } from './results.ts'
import type { SeatResult } from './results.ts'
import type { SessionTable } from './session-table.ts'

/** Who looks, and whom this machine can reach. */
export interface Onlooker {
  person: string
  isOnline: (machine: string) => boolean
}

export class OpenSession extends EventEmitter<{ changed: [] }> {
  readonly kind: SessionKind
  readonly table: SessionTable
  known: KnownSession
  /** Changes of who sits where, and of results, one after the other. */
  readonly steps = new SerialQueue()
  /** Streams and calls that use it now. */
  users = 0
  lingerTimer: NodeJS.Timeout | null = null
  /** Until the own result is tried to be stored again. */
  storeTimer: NodeJS.Timeout | null = null
  /** What the own seat has stored of its end; see `stampOf`. */
  stored = ''
  announcedOver = false
  #results: SeatResult[] = []

  constructor(kind: SessionKind, table: SessionTable, known: KnownSession) {
    super()
    this.setMaxListeners(0)
    this.kind = kind
    this.table = table
    this.known = known
    table.on('changed', () => this.emit('changed'))
  }

  get session(): string {
    return this.known.session
  }

  get results(): readonly SeatResult[] {
    return this.#results
  }

  setResults(results: SeatResult[]): void {
    this.#results = results
    this.emit('changed')
  }

  /** Has this machine a part in it that is not over: a seat whose result is not stored yet? */
  get isOwed(): boolean {
    const { ownSeat } = this.table.referee
    if (ownSeat === null) return false
    return !this.#results.some(({ author }) => author === this.known.descriptor.seats[ownSeat])
  }

  /** Is everything about it in results and a transcript, with nothing more to come? */
  get isComplete(): boolean {
    const { ending, agreements } = this.table.referee
    return (
      this.#results.length > 0 && ending !== null && agreements.every((action) => action !== null)
    )
  }

  summary(onlooker: Onlooker): SessionSummary {
    const { referee } = this.table
    return summarize(this.known, onlooker, {
      ply: referee.actions.length,
      outcome: referee.ending?.outcome ?? null,
    })
  }

  /** What the person sees: its own seat's view, or a spectator's. */
  frame(onlooker: Onlooker): SessionFrame {
    const { referee } = this.table
    const { position, toAct, ownSeat, ending, fault } = referee
    const legal =
      ownSeat !== null && toAct.includes(ownSeat) ? (position?.legal[ownSeat] ?? []) : []
    return {
      ...this.summary(onlooker),
      view: position?.view ?? null,
      legal,
      toAct: [...toAct],
      actions: referee.actions
        .slice(-MAX_FRAME_ACTIONS)
        .map(({ ply, seat, type, body }) => ({ ply, seat, type, action: body })),
      by: ending?.by ?? null,
      agreed: referee.agreements.flatMap((action, seat) => (action === null ? [] : [seat])),
      resultId: this.#results.length > 0 ? this.session : null,
      disputed: areDisputed(this.#results),
      fault,
      trouble: referee.trouble,
      claimAfterMs: referee.claimAfterMs,
      claimInMs: this.table.claimInMs,
    }
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
      const machines = seats[seat] ?? []
      return {
        person: seatPerson,
        online: machines.length === 0 ? null : machines.some(({ machine }) => isOnline(machine)),
      }
    }),
    ply,
    outcome,
    startedMs: startedMs(known),
    ownSeat: ownSeat < 0 ? null : ownSeat,
  }
}
