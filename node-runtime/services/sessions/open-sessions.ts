// The sessions that are open on this machine: opened when someone plays, watches or serves them, and
// closed a while after nobody does. A player's session goes on until its result is stored.
import type { SessionDescriptor } from '../../contract/sessions.ts'
import { beginChain, sessionId } from '../../core/sessions/session-chain.ts'
import type { SessionLogs } from '../../store/session-logs.ts'
import { LiveSession } from './live-session.ts'
import { OpenSession } from './open-session.ts'
import { findResult, resultBytes, storeResult } from './results.ts'
import type { RulesLibrary } from './rules-library.ts'
import { SEATS_COLLECTION, announcementId } from './seat-index.ts'
import type { Announcement, KnownSession, SeatIndex } from './seat-index.ts'
import type { SessionsOptions } from './sessions.ts'
import type { SpectatorTree } from './spectator-tree.ts'

/** A page that is loaded anew finds its session still open, and so does who is served from here. */
const LINGER_MS = 15_000

interface Shared {
  logs: SessionLogs
  index: SeatIndex
  tree: SpectatorTree
  library: RulesLibrary
}

export class OpenSessions {
  readonly #options: SessionsOptions
  readonly #shared: Shared
  readonly #open = new Map<string, OpenSession>()
  readonly #opening = new Map<string, Promise<OpenSession>>()
  #closed = false

  constructor(options: SessionsOptions, shared: Shared) {
    this.#options = options
    this.#shared = shared
  }

  get(session: string): OpenSession | undefined {
    return this.#open.get(session)
  }

  values(): IterableIterator<OpenSession> {
    return this.#open.values()
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.allSettled(this.#opening.values())
    for (const { lingerTimer } of this.#open.values()) {
      if (lingerTimer !== null) clearTimeout(lingerTimer)
    }
    await Promise.all([...this.#open.values()].map(({ live }) => live.close()))
  }

  /** What this machine has announced of the person's seat, if it holds it. */
  ownAnnouncement({ seats, descriptor }: KnownSession): Announcement | null {
    const { person, machine } = this.#options.identity
    const own = seats[descriptor.seats.indexOf(person)] ?? null
    return own?.machine === machine ? own : null
  }

  /** Does something with a session, which is opened for it if need be. */
  async use<T>(
    descriptor: SessionDescriptor,
    action: (open: OpenSession) => Promise<T>,
  ): Promise<T> {
    const open = await this.acquire(descriptor)
    try {
      return await action(open)
    } finally {
      this.release(open)
    }
  }

  /** Opens a session, or finds it open. Whoever acquires, releases. */
  async acquire(descriptor: SessionDescriptor): Promise<OpenSession> {
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

  release(open: OpenSession): void {
    open.users--
    this.closeLater(open)
  }

  /** A session in which nobody has a part any more is closed after a while. */
  closeLater(open: OpenSession): void {
    const wanted = (): boolean =>
      open.users > 0 || (open.live.ownSeat !== null && !open.hasResult) || this.#closed
    if (wanted() || open.lingerTimer !== null) return
    open.lingerTimer = setTimeout(() => {
      open.lingerTimer = null
      if (wanted()) return
      this.#open.delete(open.session)
      this.#opening.delete(open.session)
      this.#shared.tree.remove(open.session)
      void open.live.close()
    }, LINGER_MS)
    open.lingerTimer.unref()
  }

  async #openSession(descriptor: SessionDescriptor): Promise<OpenSession> {
    const { records, identity, log } = this.#options
    const kind = this.#shared.library.kindOf(descriptor.system, descriptor.kind)
    const rules = await this.#shared.library.rulesOf(descriptor.system, descriptor.kind)
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
    this.#shared.tree.add({
      session,
      logs: () => live.logs,
      seated: () => live.ownSeat !== null,
      seatMachines: () =>
        (this.#shared.index.get(session)?.seats ?? []).flatMap((seat) =>
          seat === null || seat.machine === identity.machine ? [] : [seat.machine],
        ),
    })
    await this.followSeats(open)
    const result = await findResult(records, descriptor, session, kind.results)
    try {
      if (result !== null) await open.finish(result)
    } catch (error) {
      log.warn('a result does not hold', { session, error })
    }
    return open
  }

  /** Opens the logs of the seats that have been announced. */
  followSeats(open: OpenSession): Promise<void> {
    return open.seating.run(async () => {
      const known = this.#shared.index.get(open.session)
      if (known === undefined || this.#closed) return
      const own = this.ownAnnouncement(known)
      if (own !== null) await this.#holdNow(open, own.seat)
      for (const seat of known.seats) {
        if (seat === null || seat === own || open.live.logOf(seat.seat) !== null) continue
        open.live.follow(seat.seat, await this.#shared.logs.openRemote(seat.log))
      }
      this.#shared.tree.update(open.session)
    })
  }

  /** Takes the person's seat. */
  hold(open: OpenSession, seat: number): Promise<void> {
    return open.seating.run(async () => {
      await this.#holdNow(open, seat)
      this.#shared.tree.update(open.session)
    })
  }

  async #holdNow({ live, session }: OpenSession, seat: number): Promise<void> {
    const { identity, now } = this.#options
    if (live.ownSeat !== null) return
    await live.hold({
      seat,
      log: await this.#shared.logs.openOwn(session, seat),
      sign: (bytes) => identity.signAsPerson(bytes),
      now,
    })
  }

  /** Says in the cloud that this machine holds its seat. */
  async announce(open: OpenSession, state: Announcement['state']): Promise<void> {
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
      startedMs: this.#shared.index.get(session)?.seats[seat]?.startedMs ?? now(),
    }
    await records.putBuiltIn(SEATS_COLLECTION, announcementId(session, seat), announcement)
  }

  /** After the end, a player says so and stores the result as soon as all have signed it. */
  async #settle(open: OpenSession): Promise<void> {
    const { records, log } = this.#options
    const { live } = open
    if (live.ownSeat === null || live.head.position.outcome === null || this.#closed) return
    try {
      const announced = this.#shared.index.get(open.session)?.seats[live.ownSeat]
      if (!open.announcedOver && announced?.state !== 'over') {
        open.announcedOver = true
        await this.announce(open, 'over')
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
