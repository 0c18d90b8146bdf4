// The sessions that are open on this machine: opened when someone plays, watches or serves them, and
// closed a while after nobody does. A player's session goes on until its result is stored, if it is not one of
// too many.
import { setTimeout as delay } from 'node:timers/promises'
import { CloudError } from '../../contract/errors.ts'
import { MAX_VERSION_MS } from '../../contract/values.ts'
import { formatVersion } from '../../core/db/hybrid-clock.ts'
import { signAction } from '../../core/sessions/action.ts'
import { sessionId } from '../../core/sessions/position.ts'
import { Referee } from '../../core/sessions/referee.ts'
import { announcementId, seatMachines, SEATS_COLLECTION } from '../../core/sessions/seats.ts'
import type { Announcement, KnownSession } from '../../core/sessions/seats.ts'
import { readTranscript } from '../../core/sessions/transcript.ts'
import type { SessionLogs } from '../../store/session-logs.ts'
import type { AudienceLinks } from './audience-links.ts'
import type { KnownSessions } from './known-sessions.ts'
import { OpenSession } from './open-session.ts'
import type { Parts } from './parts.ts'
import { findResults } from './results.ts'
import { sealResult } from './result-seal.ts'
import type { RulesLibrary } from './rules-library.ts'
import { SessionTable } from './session-table.ts'
import type { SessionsOptions } from './sessions.ts'

/** A page that is loaded anew finds its session still open, and so does who is served from here. */
const LINGER_MS = 15_000
/**
 * Sessions of one system that stay open though nobody uses them now. A page can open any number; of more than a
 * person plays, those are closed that had no news for longest, and opened again when they are used.
 */
const MAX_LEFT_OPEN = 64
/** Moves that seats say to have stored, and that may never come, hold nobody up for longer. */
const TRANSCRIPTS_WAIT_MS = 2_000
/** A disk that was full may have room again. */
const STORE_AGAIN_MS = 5_000

interface Shared {
  logs: SessionLogs
  known: KnownSessions
  audience: AudienceLinks
  library: RulesLibrary
  parts: Parts
}

export class OpenSessions {
  readonly #options: SessionsOptions
  readonly #shared: Shared
  /** Those that had news last stand last. */
  readonly #open = new Map<string, OpenSession>()
  readonly #opening = new Map<string, Promise<OpenSession>>()
  /** What is being closed is opened again only after that: of one seat's log there is one writer. */
  readonly #closing = new Map<string, Promise<void>>()
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
    const open = [...this.#open.values()]
    for (const { lingerTimer, storeTimer } of open) {
      if (lingerTimer !== null) clearTimeout(lingerTimer)
      if (storeTimer !== null) clearTimeout(storeTimer)
    }
    await Promise.all(open.map(({ table }) => table.close()))
    // What was under way finds its table closed.
    await Promise.allSettled([
      ...open.map(({ steps }) => steps.run(async () => {})),
      ...this.#closing.values(),
    ])
  }

  /** Does something with a session, which is opened for it if need be. */
  async use<T>(known: KnownSession, action: (open: OpenSession) => Promise<T>): Promise<T> {
    const open = await this.acquire(known)
    try {
      return await action(open)
    } finally {
      this.release(open)
    }
  }

  /** Opens a session, or finds it open. Whoever acquires, releases. */
  async acquire(known: KnownSession): Promise<OpenSession> {
    const { session } = known
    let opening = this.#opening.get(session)
    if (opening === undefined) {
      opening = this.#openSession(known)
      this.#opening.set(session, opening)
      opening.catch(() => this.#opening.delete(session))
    }
    const open = await opening
    // Others may have been opened since, and this one closed for them.
    if (this.#open.get(session) !== open && !this.#closed) return this.acquire(known)
    this.#noteNews(open)
    open.users++
    if (open.lingerTimer !== null) clearTimeout(open.lingerTimer)
    open.lingerTimer = null
    return open
  }

  release(open: OpenSession): void {
    open.users--
    this.#closeLater(open)
    this.#closeSurplus(open.known.descriptor.system)
  }

  #noteNews(open: OpenSession): void {
    if (this.#open.get(open.session) !== open) return
    this.#open.delete(open.session)
    this.#open.set(open.session, open)
  }

  /** A session in which nobody has a part any more is closed after a while. */
  #closeLater(open: OpenSession): void {
    const wanted = (): boolean => open.users > 0 || open.isOwed || this.#closed
    if (wanted() || open.lingerTimer !== null) return
    open.lingerTimer = setTimeout(() => {
      open.lingerTimer = null
      if (!wanted()) this.#close(open)
    }, LINGER_MS)
    open.lingerTimer.unref()
  }

  #closeSurplus(system: string): void {
    const left = [...this.#open.values()].filter(
      ({ users, known }) => users === 0 && known.descriptor.system === system,
    )
    if (left.length <= MAX_LEFT_OPEN || this.#closed) return
    // Those that would be closed soon anyway go first.
    const inOrder = left.toSorted((a, b) => Number(a.isOwed) - Number(b.isOwed))
    for (const open of inOrder.slice(0, left.length - MAX_LEFT_OPEN)) this.#close(open)
  }

  #close(open: OpenSession): void {
    const { session, table, lingerTimer, storeTimer } = open
    if (this.#open.get(session) !== open) return
    if (lingerTimer !== null) clearTimeout(lingerTimer)
    if (storeTimer !== null) clearTimeout(storeTimer)
    this.#open.delete(session)
    this.#opening.delete(session)
    this.#shared.audience.unfollow(session)
    const closing = open.steps
      // What is in results and a transcript needs no logs any more.
      .run(() => table.close({ remove: open.isComplete }))
      .catch((error: unknown) => {
        this.#options.log.warn('a session did not close', { session, error })
      })
      .finally(() => this.#closing.delete(session))
    this.#closing.set(session, closing)
  }

  async #openSession(known: KnownSession): Promise<OpenSession> {
    await this.#closing.get(known.session)
    if (this.#closed) throw new CloudError('CANCELLED', 'This machine is leaving the cloud.')
    const { identity, log, cloud, now, records } = this.#options
    const { library } = this.#shared
    const { descriptor } = known
    const kind = library.kindOf(descriptor.system, descriptor.kind)
    const likely = seatMachines(known, identity.machine)
    const rules = await library.runnerOf(descriptor.rules, descriptor.system, likely)
    const seat = descriptor.seats.indexOf(identity.person)
    const referee = new Referee({
      descriptor,
      cloud,
      viewer: seat < 0 ? 'spectator' : seat,
      own: {
        machine: identity.machine,
        attestation: () => identity.attestationFor(cloud),
        sign: (statement) => signAction(statement, identity.machineKeys.secretKey),
      },
      isRevoked: (attestation, atMs) => {
        const timeMs = Math.min(atMs, MAX_VERSION_MS)
        return this.#options.revokes?.(attestation, formatVersion({ timeMs, counter: 0 })) ?? false
      },
    })
    const nowMs = (): number => performance.now()
    const table = new SessionTable({ referee, rules, nowMs, wallMs: now, log })
    // Seats may have been announced while the rules were on their way.
    const open = new OpenSession(kind, table, this.#shared.known.peek(known.session) ?? known)
    this.#open.set(open.session, open)
    // It is not closed before it is open.
    open.users++
    table.on('wrote', ({ form, attested }) => {
      this.#shared.audience.push(open.session, form, attested.form)
    })
    table.on('changed', () => {
      this.#noteNews(open)
      this.#tellAudience(open)
      this.#settleSoon(open)
    })
    try {
      open.setResults(await findResults(records, descriptor, kind.results))
      await this.followSeats(open)
      const taking = this.#takeTranscripts(open, likely).catch((error: unknown) => {
        if (!this.#closed) log.warn('stored moves of a session could not be read', { error })
      })
      await Promise.race([taking, delay(TRANSCRIPTS_WAIT_MS, undefined, { ref: false })])
    } catch (error) {
      this.#close(open)
      throw error
    } finally {
      open.users--
    }
    return open
  }

  /** The session as its seats have stored it; what the logs have is added to it. */
  async #takeTranscripts(
    { results, table, session }: OpenSession,
    likely: string[],
  ): Promise<void> {
    for (const { value } of results) {
      const { hash } = value.transcript
      const bytes = await this.#shared.parts.get('transcript', hash, likely)
      const transcript = bytes === null ? null : readTranscript(bytes)
      if (transcript === null || sessionId(transcript.descriptor) !== session) continue
      await table.feed(hash, transcript.blocks)
      await table.settled()
    }
  }

  /** Reads again what the seats have stored. */
  resultChanged(open: OpenSession): Promise<void> {
    return open.steps.run(async () => {
      const { descriptor } = open.known
      open.setResults(await findResults(this.#options.records, descriptor, open.kind.results))
      this.#closeLater(open)
    })
  }

  /** Opens the logs of the seats that have been announced. */
  followSeats(open: OpenSession): Promise<void> {
    return open.steps.run(async () => {
      if (this.#closed || this.#open.get(open.session) !== open) return
      const { machine } = this.#options.identity
      for (const announcement of open.known.seats.flat()) {
        if (announcement.machine === machine) await this.#holdNow(open, announcement.seat)
        else if (!open.table.follows(announcement.log)) {
          const log = await this.#shared.logs.openRemote(open.session, announcement.log)
          if (log !== null) open.table.follow(log)
        }
      }
      this.#tellAudience(open)
    })
  }

  /** Takes the person's seat on this machine. */
  hold(open: OpenSession, seat: number): Promise<void> {
    return open.steps.run(async () => {
      await this.#holdNow(open, seat)
      this.#tellAudience(open)
    })
  }

  async #holdNow({ table, session, results, known }: OpenSession, seat: number): Promise<void> {
    const { identity } = this.#options
    // Once the result is stored, the log is gone, and must not be begun a second time.
    const isStored = results.some(({ author }) => author === identity.person)
    const isOwn = known.descriptor.seats[seat] === identity.person
    if (table.referee.ownSeat !== null || isStored || !isOwn) return
    const { logs } = this.#shared
    const begun = known.seats[seat]?.find(({ machine }) => machine === identity.machine)
    if (begun === undefined) {
      table.hold(seat, await logs.openOwn(session, seat))
      return
    }
    const own = await logs.resumeOwn(session, seat, begun.log)
    if (own !== null) table.hold(seat, own)
    else table.lose(seat, await logs.openRemote(session, begun.log))
  }

  #tellAudience({ table, known, session }: OpenSession): void {
    if (this.#closed || this.#open.get(session) === undefined) return
    const { audience } = this.#shared
    audience.follow({
      session,
      seated: table.referee.ownSeat !== null,
      seatMachines: seatMachines(known, this.#options.identity.machine),
      length: table.referee.length,
    })
    audience.replicate(session)
  }

  /** Says in the cloud that this machine holds its seat. */
  async announce(open: OpenSession, seat: number, state: Announcement['state']): Promise<void> {
    const { records, identity, now } = this.#options
    const { known, session } = open
    const own = known.seats[seat]?.find(({ machine }) => machine === identity.machine)
    const log = own?.log ?? (await this.#shared.logs.keyOfOwn(session, seat))
    const announcement: Announcement = {
      session,
      seat,
      log,
      machine: identity.machine,
      descriptor: known.descriptor,
      state,
      // What others say of it decides nothing about the own seat.
      startedMs: own?.startedMs ?? now(),
    }
    await records.putBuiltIn(
      SEATS_COLLECTION,
      announcementId(session, seat, identity.machine),
      announcement,
    )
    this.#shared.known.take(announcement, identity.person)
  }

  /** After the end, a player says so and stores the result; again when others have agreed. */
  #settleSoon(open: OpenSession): void {
    const { referee } = open.table
    if (referee.ownSeat === null || referee.ending === null || this.#closed) return
    // A proof may end it ahead of the actions that readers will play.
    if (!referee.isPlayed) return
    const stamp = stampOf(referee)
    if (open.stored === stamp) return
    open.stored = stamp
    const { log } = this.#options
    open.steps
      .run(() => this.#settle(open))
      .catch((error: unknown) => {
        if (this.#closed) return
        log.error('a result could not be stored', { session: open.session, error })
        // What the system's schema refuses is refused the next time, too.
        if (error instanceof CloudError && error.kind !== 'environment') return
        open.storeTimer = setTimeout(() => {
          open.stored = ''
          this.#settleSoon(open)
        }, STORE_AGAIN_MS)
        open.storeTimer.unref()
      })
  }

  async #settle(open: OpenSession): Promise<void> {
    const { records, identity } = this.#options
    const { referee } = open.table
    if (referee.ownSeat === null || referee.ending === null || this.#closed) return
    const { value, transcript } = sealResult(referee)
    await this.#shared.parts.put(value.transcript.hash, transcript, identity.person)
    const { descriptor } = open.known
    const place = { system: descriptor.system, collection: open.kind.results, id: open.session }
    await records.put(place, value)
    open.setResults([
      ...open.results.filter(({ author }) => author !== identity.person),
      { author: identity.person, value },
    ])
    if (!open.announcedOver) {
      open.announcedOver = true
      await this.announce(open, referee.ownSeat, 'over')
    }
    this.#closeLater(open)
  }
}

/** Tells whether there is more to store. */
function stampOf(referee: Referee): string {
  const agreed = referee.agreements.map((agreement) => agreement?.hash ?? '')
  return [referee.ending?.by, referee.actions.length, ...agreed].join()
}
