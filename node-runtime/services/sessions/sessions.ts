// The sessions of this machine in one cloud: those it plays, those it watches, those it knows of.
import type { CloudRecord } from '../../contract/db.ts'
import { CloudError } from '../../contract/errors.ts'
import type { SessionDescriptor, SessionFrame, SessionSummary } from '../../contract/sessions.ts'
import type { Json } from '../../contract/values.ts'
import type { Log } from '../../core/log.ts'
import { beginChain, sessionId } from '../../core/session-chain.ts'
import { snapshots } from '../../core/streams.ts'
import { SessionLogs } from '../../store/session-logs.ts'
import type { UploadCount } from '../../store/session-logs.ts'
import type { Network } from '../../swarm/network.ts'
import { LiveSession, notSeated } from './live-session.ts'
import { OpenSession, announcedState, summarize } from './open-session.ts'
import type { Onlooker, Progress } from './open-session.ts'
import { PlyBoard } from './ply-board.ts'
import { findResult, readResult, resultBytes, storeResult } from './results.ts'
import type { SessionRecords } from './results.ts'
import { RulesLibrary } from './rules-library.ts'
import type { InstalledSystems } from './rules-library.ts'
import { SeatIndex, announcementId, startedMs } from './seat-index.ts'
import type { Announcement, KnownSession } from './seat-index.ts'
import { SpectatorTree } from './spectator-tree.ts'

const BUILT_IN_SYSTEM = 'dharma'
const SEATS_COLLECTION = 'seats'
const PAGE_RECORDS = 500
/** A page that is loaded anew finds its session still open, and so does who is served from here. */
const LINGER_MS = 15_000

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
  readonly #open = new Map<string, OpenSession>()
  readonly #opening = new Map<string, Promise<OpenSession>>()
  readonly library: RulesLibrary
  #stopRecords: () => void = () => {}
  #closed = false

  private constructor(options: SessionsOptions, logs: SessionLogs) {
    const { network, identity, systems } = options
    this.#options = options
    this.#logs = logs
    this.library = new RulesLibrary(systems)
    this.#tree = new SpectatorTree(network, identity.machine, () => {
      for (const open of this.#open.values()) open.emit('changed')
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
    await this.#use(descriptor, async (open) => {
      await this.#hold(open, seat)
      if (earlier === null) await this.#announce(open, 'live')
    })
    return session
  }

  /** @returns the action's ply. @throws as LiveSession.act, and SESSION_UNKNOWN */
  async act(session: string, action: Json): Promise<number> {
    return this.#use(this.#known(session).descriptor, async (open) => {
      if (open.hasResult) throw new CloudError('SESSION_OVER', 'This session is over.')
      return open.live.act(action)
    })
  }

  /** The system that a session belongs to. @throws CloudError SESSION_UNKNOWN */
  systemOf(session: string): string {
    return this.#known(session).descriptor.system
  }

  /** The session now, and again after every change, until the signal is given. */
  async watch(
    session: string,
    signal: AbortSignal | undefined,
  ): Promise<AsyncGenerator<SessionFrame, void>> {
    const open = await this.#acquire(this.#known(session).descriptor)
    const subscribe = (changed: () => void): (() => void) => {
      open.on('changed', changed)
      return () => open.off('changed', changed)
    }
    let inUse = true
    const release = (): void => {
      if (inUse) this.#release(open)
      inUse = false
    }
    // Whoever goes away before the first frame has not begun the stream.
    signal?.addEventListener('abort', release)
    const read = (): Promise<SessionFrame> => open.frame(this.#known(session), this.#onlooker())
    return (async function* () {
      try {
        yield* snapshots(subscribe, read, signal)
      } finally {
        signal?.removeEventListener('abort', release)
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
    const elsewhere = chosen.filter(({ session }) => !this.#open.has(session))
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
    this.#closed = true
    this.#stopRecords()
    await Promise.allSettled(this.#opening.values())
    this.#tree.close()
    this.#plies.close()
    for (const open of this.#open.values()) {
      if (open.lingerTimer !== null) clearTimeout(open.lingerTimer)
    }
    await this.library.close()
    await Promise.all([...this.#open.values()].map(({ live }) => live.close()))
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
      if (this.#ownAnnouncement(known) === null) continue
      try {
        if ((await this.#resultProgress(known)) !== null) continue
        await this.#use(known.descriptor, () => Promise.resolve())
      } catch (error) {
        if (this.#closed) return
        log.warn('a session could not be opened again', { session: known.session, error })
      }
    }
  }

  #ownAnnouncement({ seats, descriptor }: KnownSession): Announcement | null {
    const { person, machine } = this.#options.identity
    const own = seats[descriptor.seats.indexOf(person)] ?? null
    return own?.machine === machine ? own : null
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
      () => this.#closeLater(open),
      (error: unknown) => {
        if (this.#closed) return
        this.#options.log.warn('a result does not hold', { session: record.id, error })
      },
    )
  }

  #onAnnounced(session: string): void {
    const open = this.#open.get(session)
    if (open === undefined) return
    this.#followSeats(open).catch((error: unknown) => {
      if (!this.#closed) this.#options.log.error('a log could not be opened', { session, error })
    })
    open.emit('changed')
  }

  async #use<T>(
    descriptor: SessionDescriptor,
    action: (open: OpenSession) => Promise<T>,
  ): Promise<T> {
    const open = await this.#acquire(descriptor)
    try {
      return await action(open)
    } finally {
      this.#release(open)
    }
  }

  async #acquire(descriptor: SessionDescriptor): Promise<OpenSession> {
    const session = sessionId(descriptor)
    let opening = this.#opening.get(session)
    if (opening === undefined) {
      opening = this.#openSession(descriptor)
      this.#opening.set(session, opening)
      opening.catch(() => this.#opening.delete(session))
    }
    const open = await opening
    open.users++
    if (open.lingerTimer !== null) clearTimeout(open.lingerTimer)
    open.lingerTimer = null
    return open
  }

  #release(open: OpenSession): void {
    open.users--
    this.#closeLater(open)
  }

  /** A session in which nobody has a part any more is closed after a while. */
  #closeLater(open: OpenSession): void {
    const wanted = (): boolean =>
      open.users > 0 || (open.live.ownSeat !== null && !open.hasResult) || this.#closed
    if (wanted() || open.lingerTimer !== null) return
    open.lingerTimer = setTimeout(() => {
      open.lingerTimer = null
      if (wanted()) return
      this.#open.delete(open.session)
      this.#opening.delete(open.session)
      this.#tree.remove(open.session)
      void open.live.close()
    }, LINGER_MS)
    open.lingerTimer.unref()
  }

  async #openSession(descriptor: SessionDescriptor): Promise<OpenSession> {
    const { records, identity, log } = this.#options
    const kind = this.library.kindOf(descriptor.system, descriptor.kind)
    const rules = await this.library.rulesOf(descriptor.system, descriptor.kind)
    const head = await beginChain(descriptor, rules)
    const live = new LiveSession({
      head,
      rules,
      resultBytes: (ended) => resultBytes(ended, kind.results),
    })
    const open = new OpenSession(kind, rules, live)
    const { session } = open
    this.#open.set(session, open)
    live.on('changed', () => void this.#settle(open))
    this.#tree.add({
      session,
      logs: () => live.logs,
      seated: () => live.ownSeat !== null,
      seatMachines: () =>
        (this.#index.get(session)?.seats ?? []).flatMap((seat) =>
          seat === null || seat.machine === identity.machine ? [] : [seat.machine],
        ),
    })
    await this.#followSeats(open)
    const result = await findResult(records, descriptor, session, kind.results)
    try {
      if (result !== null) await open.finish(result)
    } catch (error) {
      log.warn('a result does not hold', { session, error })
    }
    return open
  }

  /** Opens the logs of the seats that have been announced. */
  #followSeats(open: OpenSession): Promise<void> {
    return open.seating.run(async () => {
      const known = this.#index.get(open.session)
      if (known === undefined || this.#closed) return
      const own = this.#ownAnnouncement(known)
      if (own !== null) await this.#holdNow(open, own.seat)
      for (const seat of known.seats) {
        if (seat === null || seat === own || open.live.logOf(seat.seat) !== null) continue
        open.live.follow(seat.seat, await this.#logs.openRemote(seat.log))
      }
      this.#tree.update(open.session)
    })
  }

  #hold(open: OpenSession, seat: number): Promise<void> {
    return open.seating.run(async () => {
      await this.#holdNow(open, seat)
      this.#tree.update(open.session)
    })
  }

  async #holdNow({ live, session }: OpenSession, seat: number): Promise<void> {
    const { identity, now } = this.#options
    if (live.ownSeat !== null) return
    await live.hold({
      seat,
      log: await this.#logs.openOwn(session, seat),
      sign: (bytes) => identity.signAsPerson(bytes),
      now,
    })
  }

  async #announce(open: OpenSession, state: Announcement['state']): Promise<void> {
    const { records, identity, now } = this.#options
    const { live, session } = open
    const seat = live.ownSeat
    const log = seat === null ? null : live.logOf(seat)
    if (seat === null || log === null) throw new Error('a seat that is not held was announced')
    const announcement: Announcement = {
      session,
      seat,
      log: log.key,
      machine: identity.machine,
      descriptor: live.head.descriptor,
      state,
      startedMs: this.#index.get(session)?.seats[seat]?.startedMs ?? now(),
    }
    await records.putBuiltIn(SEATS_COLLECTION, announcementId(session, seat), announcement)
  }

  /** After the end, a player says so and stores the result as soon as all have signed it. */
  async #settle(open: OpenSession): Promise<void> {
    const { records, log } = this.#options
    const { live } = open
    if (live.ownSeat === null || live.head.position.outcome === null || this.#closed) return
    try {
      if (!open.announcedOver) {
        open.announcedOver = true
        await this.#announce(open, 'over')
      }
      const signatures = live.signatures.filter((signature) => signature !== null)
      if (signatures.length < live.signatures.length || open.storing || open.hasResult) return
      open.storing = true
      // Its change event gives the session its result.
      await storeResult(records, live.head, open.kind.results, signatures)
    } catch (error) {
      open.storing = false
      if (!this.#closed) log.error('a result could not be stored', { session: open.session, error })
    }
  }
}
