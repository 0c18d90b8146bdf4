// The sessions of this machine in one cloud: those it plays, those it watches, those it knows of.
import type { CloudRecord } from '../../contract/db.ts'
import { CloudError } from '../../contract/errors.ts'
import type { SessionDescriptor, SessionFrame, SessionSummary } from '../../contract/sessions.ts'
import type { Json } from '../../contract/values.ts'
import type { Log } from '../../ports/log.ts'
import { sessionId } from '../../core/sessions/session-chain.ts'
import { snapshots } from '../../flow/streams.ts'
import { SessionLogs } from '../../store/session-logs.ts'
import type { UploadCount } from '../../store/session-logs.ts'
import type { Network } from '../../swarm/network.ts'
import { notSeated } from './live-session.ts'
import { announcedState, summarize } from './open-session.ts'
import type { Onlooker, Progress } from './open-session.ts'
import { OpenSessions } from './open-sessions.ts'
import { PlyBoard } from './ply-board.ts'
import { findResult, readResult } from './results.ts'
import type { SessionRecords } from './results.ts'
import { RulesLibrary } from './rules-library.ts'
import type { InstalledSystems } from './rules-library.ts'
import { SEATS_COLLECTION, SeatIndex, startedMs } from './seat-index.ts'
import type { KnownSession } from './seat-index.ts'
import { SpectatorTree } from './spectator-tree.ts'

const BUILT_IN_SYSTEM = 'dharma'
const PAGE_RECORDS = 500

export interface SessionsOptions {
  /** For the logs of this cloud's sessions. */
  folder: string
  identity: {
    readonly person: string
    readonly machine: string
    /** Hex. */
    signAsPerson(bytes: Uint8Array): string
  }
  network: Network
  systems: InstalledSystems
  records: SessionRecords
  log: Log
  now: () => number
}

export class Sessions {
  readonly #options: SessionsOptions
  readonly #logs: SessionLogs
  readonly #index = new SeatIndex()
  readonly #tree: SpectatorTree
  readonly #plies: PlyBoard
  readonly #open: OpenSessions
  readonly library: RulesLibrary
  readonly #closing = new AbortController()
  #stopRecords: () => void = () => {}

  private constructor(options: SessionsOptions, logs: SessionLogs) {
    const { network, identity, systems } = options
    this.#options = options
    this.#logs = logs
    this.library = new RulesLibrary(systems)
    this.#tree = new SpectatorTree(network, identity.machine, () => {
      for (const open of this.#open.values()) open.emit('changed')
    })
    const { library } = this
    this.#open = new OpenSessions(options, {
      logs,
      index: this.#index,
      tree: this.#tree,
      library,
    })
    this.#plies = new PlyBoard(
      network,
      (session) => this.#open.get(session)?.head.actions.length ?? null,
    )
  }

  /** Opens what this machine knows of sessions, and goes on with those it was playing. */
  static async open(options: SessionsOptions): Promise<Sessions> {
    const sessions = new Sessions(options, await SessionLogs.open(options.folder))
    await sessions.#start()
    return sessions
  }

  /**
   * Takes the person's seat and announces it. Opening a session that is open changes nothing.
   * @throws CloudError SYSTEM_NOT_INSTALLED, SESSION_KIND_UNKNOWN, SESSION_SEATS_INVALID,
   *   SESSION_NOT_SEATED, SESSION_SEAT_ELSEWHERE, RULES_FAILED
   */
  async open(descriptor: SessionDescriptor): Promise<string> {
    const { person, machine } = this.#options.identity
    const { seats, system } = descriptor
    const kind = this.library.kindOf(system, descriptor.kind)
    if (seats.length !== kind.seats || new Set(seats).size !== seats.length) {
      throw new CloudError(
        'SESSION_SEATS_INVALID',
        `A session of this kind has ${kind.seats} seats, each for another person.`,
        { expected: kind.seats, given: seats.length },
      )
    }
    const seat = seats.indexOf(person)
    if (seat < 0) throw notSeated()
    const session = sessionId(descriptor)
    const earlier = this.#index.get(session)?.seats[seat] ?? null
    if (earlier !== null && earlier.machine !== machine) {
      throw new CloudError(
        'SESSION_SEAT_ELSEWHERE',
        'You have taken this seat on another of your machines. Go on there.',
        { machine: earlier.machine },
      )
    }
    if (earlier?.state === 'over') return session
    await this.#open.use(descriptor, async (open) => {
      await this.#open.hold(open, seat)
      if (earlier === null) await this.#open.announce(open, 'live')
    })
    return session
  }

  /** @returns the action's ply. @throws as LiveSession.act, and SESSION_UNKNOWN */
  async act(session: string, action: Json): Promise<number> {
    return this.#open.use(this.#known(session).descriptor, async (open) => {
      if (open.hasResult) throw new CloudError('SESSION_OVER', 'This session is over.')
      return open.live.act(action)
    })
  }

  /** The system that a session belongs to. @throws CloudError SESSION_UNKNOWN */
  systemOf(session: string): string {
    return this.#known(session).descriptor.system
  }

  /** The session now, and again after every change, until the signal is given. */
  async watch(session: string, signal?: AbortSignal): Promise<AsyncGenerator<SessionFrame, void>> {
    const open = await this.#open.acquire(this.#known(session).descriptor)
    const closing = this.#closing.signal
    const ending = signal === undefined ? closing : AbortSignal.any([signal, closing])
    const subscribe = (changed: () => void): (() => void) => {
      open.on('changed', changed)
      return () => open.off('changed', changed)
    }
    let inUse = true
    const release = (): void => {
      if (inUse) this.#open.release(open)
      inUse = false
    }
    // Whoever goes away before the first frame has not begun the stream.
    ending.addEventListener('abort', release)
    const read = (): Promise<SessionFrame> => open.frame(this.#known(session), this.#onlooker())
    return (async function* () {
      try {
        yield* snapshots(subscribe, read, ending)
      } catch (error) {
        // A position that was being computed when the machine left the cloud.
        if (!closing.aborted) throw error
      } finally {
        ending.removeEventListener('abort', release)
        release()
      }
    })()
  }

  /** Known sessions of a system, newest first. */
  async list(
    system: string,
    state: SessionSummary['state'] | undefined,
    limit: number,
  ): Promise<SessionSummary[]> {
    const stateOf = (known: KnownSession): SessionSummary['state'] =>
      this.#open.get(known.session)?.head.position.outcome != null ? 'over' : announcedState(known)
    const chosen = [...this.#index.values()]
      .filter((known) => known.descriptor.system === system)
      .filter((known) => state === undefined || stateOf(known) === state)
      .sort((a, b) => startedMs(b) - startedMs(a))
      .slice(0, limit)
    const elsewhere = chosen.filter(({ session }) => this.#open.get(session) === undefined)
    const plies = await this.#plies.ask(
      elsewhere
        .filter((known) => announcedState(known) === 'live')
        .flatMap(({ session, seats }) =>
          seats.flatMap((seat) => (seat === null ? [] : [{ session, machine: seat.machine }])),
        ),
    )
    return Promise.all(
      chosen.map(async (known) => {
        const open = this.#open.get(known.session)
        if (open !== undefined) return open.summary(known, this.#onlooker())
        const ended = announcedState(known) === 'over' ? await this.#resultProgress(known) : null
        const progress = ended ?? { ply: plies.get(known.session) ?? 0, outcome: null }
        return summarize(known, this.#onlooker(), progress)
      }),
    )
  }

  /** What each log of an open session has given to other machines, by seat. */
  uploads(session: string): (UploadCount | null)[] {
    const open = this.#open.get(session)
    return (open?.head.descriptor.seats ?? []).map((_, seat) => {
      const log = open?.live.logOf(seat)
      return log == null ? null : { ...log.uploaded }
    })
  }

  /** Who serves this machine in a session, and whom it serves. */
  placeOf(session: string): { source: string | null; children: string[] } | null {
    return this.#tree.placeOf(session)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#stopRecords()
    this.#tree.close()
    this.#plies.close()
    await this.library.close()
    await this.#open.close()
    await this.#logs.close()
  }

  #known(session: string): KnownSession {
    const known = this.#index.get(session)
    if (known !== undefined) return known
    throw new CloudError('SESSION_UNKNOWN', 'This session is not known here (yet).', { session })
  }

  #onlooker(): Onlooker {
    const { identity } = this.#options
    return {
      person: identity.person,
      isOnline: (machine) => machine === identity.machine || this.#tree.isOnline(machine),
    }
  }

  async #start(): Promise<void> {
    const { records } = this.#options
    this.#index.on('announced', (session) => this.#onAnnounced(session))
    this.#stopRecords = records.onChange((record) => this.#onRecord(record))
    let cursor: string | undefined
    do {
      const page = await records.query({
        system: BUILT_IN_SYSTEM,
        collection: SEATS_COLLECTION,
        limit: PAGE_RECORDS,
        ...(cursor === undefined ? {} : { cursor }),
      })
      for (const record of page.records) this.#index.take(record)
      cursor = page.cursor
    } while (cursor !== undefined)
    void this.#resume()
  }

  /** Opens the sessions again in which this machine has a seat and which have no result yet. */
  async #resume(): Promise<void> {
    const { log } = this.#options
    for (const known of [...this.#index.values()]) {
      if (this.#open.ownAnnouncement(known) === null) continue
      try {
        if ((await this.#resultProgress(known)) !== null) continue
        await this.#open.use(known.descriptor, () => Promise.resolve())
      } catch (error) {
        if (this.#closing.signal.aborted) return
        log.warn('a session could not be opened again', { session: known.session, error })
      }
    }
  }

  async #resultProgress({ session, descriptor }: KnownSession): Promise<Progress | null> {
    const { records, systems } = this.#options
    const kind = systems.get(descriptor.system)?.manifest.sessions[descriptor.kind]
    if (kind === undefined) return null
    const result = await findResult(records, descriptor, session, kind.results)
    return result === null ? null : { ply: result.actions.length, outcome: result.outcome }
  }

  #onRecord(record: CloudRecord): void {
    if (record.system === BUILT_IN_SYSTEM && record.collection === SEATS_COLLECTION) {
      this.#index.take(record)
      return
    }
    const open = this.#open.get(record.id)
    if (open === undefined || record.collection !== open.kind.results) return
    const result = record.system === open.head.descriptor.system ? readResult(record) : null
    if (result === null) return
    open.finish(result).then(
      () => this.#open.closeLater(open),
      (error: unknown) => {
        if (this.#closing.signal.aborted) return
        this.#options.log.warn('a result does not hold', { session: record.id, error })
      },
    )
  }

  #onAnnounced(session: string): void {
    const open = this.#open.get(session)
    if (open === undefined) return
    this.#open.followSeats(open).catch((error: unknown) => {
      if (!this.#closing.signal.aborted)
        this.#options.log.error('a log could not be opened', { session, error })
    })
    open.emit('changed')
  }
}
