// The sessions of this machine in one cloud: those it plays, those it watches, those it knows of.
import { join } from 'node:path'
import type { CloudRecord } from '../../contract/db.ts'
import { CloudError } from '../../contract/errors.ts'
import type {
  ResultValue,
  SessionDescriptor,
  SessionFrame,
  SessionSummary,
} from '../../contract/sessions.ts'
import { canonicalJson } from '../../core/canonical.ts'
import type { Attestation } from '../../core/forms/attestation.ts'
import { sessionId } from '../../core/sessions/position.ts'
import type { OwnAction } from '../../core/sessions/referee-events.ts'
import {
  announcedState,
  isSeatRecord,
  MAX_DESCRIPTOR_CHARS,
  startedMs,
} from '../../core/sessions/seats.ts'
import type { KnownSession } from '../../core/sessions/seats.ts'
import { seatMachines, withAnnouncement } from '../../core/sessions/seats.ts'
import { readTranscript } from '../../core/sessions/transcript.ts'
import type { Transcript } from '../../core/sessions/transcript.ts'
import { snapshots } from '../../flow/streams.ts'
import type { Log } from '../../ports/log.ts'
import type { RulesRunner } from '../../ports/rules.ts'
import { RulesPool } from '../../sandbox/rules-pool.ts'
import { PartFiles } from '../../store/part-files.ts'
import { SessionLogs } from '../../store/session-logs.ts'
import type { UploadCount } from '../../store/session-logs.ts'
import type { Network } from '../../swarm/network.ts'
import { AudienceLinks } from './audience-links.ts'
import { KnownSessions } from './known-sessions.ts'
import { summarize } from './open-session.ts'
import type { Onlooker } from './open-session.ts'
import { OpenSessions } from './open-sessions.ts'
import { Parts } from './parts.ts'
import { PlyBoard } from './ply-board.ts'
import { ResultKeeper } from './result-keeper.ts'
import { readResult } from './results.ts'
import type { SessionRecords } from './results.ts'
import { RulesLibrary } from './rules-library.ts'
import type { InstalledSystems } from './rules-library.ts'
import { judge } from './verdicts.ts'
import type { Judged } from './verdicts.ts'

/** Own sessions that are opened again at a start: the newest, and none that was left long ago. */
const MAX_RESUMED = 32
const RESUMED_MS = 7 * 24 * 3_600_000

export interface SessionsOptions {
  cloud: string
  /** For the logs, rules and transcripts of this cloud's sessions. */
  folder: string
  identity: {
    readonly person: string
    readonly machine: string
    readonly machineKeys: { readonly secretKey: Uint8Array }
    attestationFor(cloud: string): Attestation
  }
  network: Network
  systems: InstalledSystems
  records: SessionRecords
  /** Does what a machine signed with this version not count, because its person has revoked it? */
  revokes?: (attested: Attestation, version: string) => boolean
  log: Log
  /** Wall clock. */
  now: () => number
}

export class Sessions {
  readonly #options: SessionsOptions
  readonly #logs: SessionLogs
  readonly #known: KnownSessions
  readonly #audience: AudienceLinks
  readonly #plies: PlyBoard
  readonly #parts: Parts
  readonly #keeper: ResultKeeper
  readonly #open: OpenSessions
  readonly #pool = new RulesPool()
  readonly library: RulesLibrary
  readonly #closing = new AbortController()
  #stopRecords: () => void = () => {}
  #started: Promise<void> = Promise.resolve()
  /** Resolves when the sessions that were played before the start are open again. */
  resumed: Promise<void> = Promise.resolve()

  private constructor(options: SessionsOptions, logs: SessionLogs, files: PartFiles) {
    const { network, identity, systems, records } = options
    this.#options = options
    this.#logs = logs
    this.#known = new KnownSessions(records)
    this.#parts = new Parts(files, network)
    this.#keeper = new ResultKeeper(this.#parts, options.log)
    this.library = new RulesLibrary(systems, this.#pool, this.#parts)
    this.#audience = new AudienceLinks({
      network,
      machine: identity.machine,
      logsOf: (session) => this.#open.get(session)?.table.logs ?? [],
      onAction: (session, action, attestation) =>
        this.#open.get(session)?.table.take(action, attestation),
      onPeers: () => {
        for (const open of this.#open.values()) open.emit('changed')
      },
      log: options.log,
    })
    this.#open = new OpenSessions(options, {
      logs,
      known: this.#known,
      audience: this.#audience,
      library: this.library,
      parts: this.#parts,
    })
    this.#plies = new PlyBoard(
      network,
      (session) => this.#open.get(session)?.table.referee.actions.length ?? null,
    )
  }

  /** Opens what this machine has of sessions, and goes on with those it was playing. */
  static async open(options: SessionsOptions): Promise<Sessions> {
    const { folder } = options
    const [logs, files] = await Promise.all([
      SessionLogs.open(options),
      PartFiles.open(join(folder, 'parts')),
    ])
    const sessions = new Sessions(options, logs, files)
    sessions.#start()
    return sessions
  }

  /**
   * Takes the person's seat and announces it. Opening a session that is open changes nothing.
   * @throws CloudError SYSTEM_NOT_INSTALLED, SESSION_KIND_UNKNOWN, SESSION_SEATS_INVALID,
   *   SESSION_NOT_SEATED, SESSION_TOO_LARGE, RULES_FAILED, RULES_MISSING
   */
  async open(
    given: Omit<SessionDescriptor, 'rules'> & { rules?: string | undefined },
  ): Promise<string> {
    const { person, machine } = this.#options.identity
    const { seats, system } = given
    const kind = this.library.kindOf(system, given.kind)
    if (seats.length !== kind.seats || new Set(seats).size !== seats.length) {
      throw new CloudError(
        'SESSION_SEATS_INVALID',
        `A session of this kind has ${kind.seats} seats, each for another person.`,
        { expected: kind.seats, given: seats.length },
      )
    }
    const seat = seats.indexOf(person)
    if (seat < 0) {
      throw new CloudError(
        'SESSION_NOT_SEATED',
        'You have no seat in this session on this machine. You can watch it.',
      )
    }
    const rules = given.rules ?? (await this.library.installedRules(system, given.kind))
    const descriptor: SessionDescriptor = { ...given, rules }
    const chars = canonicalJson(descriptor).length
    if (chars > MAX_DESCRIPTOR_CHARS) {
      throw new CloudError('SESSION_TOO_LARGE', 'Seed, options and context are too large.', {
        chars,
        limitChars: MAX_DESCRIPTOR_CHARS,
      })
    }
    const session = sessionId(descriptor)
    const unknown: KnownSession = { session, descriptor, seats: seats.map(() => []) }
    const known = (await this.#known.find(session)) ?? unknown
    await this.#open.use(known, async (open) => {
      const own = open.known.seats[seat]?.some((held) => held.machine === machine) ?? false
      await open.table.settled()
      const { trouble } = open.table.referee
      // Nobody is called to a session that begins nowhere.
      if (!own && trouble?.what === 'rules') throw new CloudError('RULES_FAILED', trouble.message)
      await this.#open.hold(open, seat)
      if (!own && open.table.referee.ownSeat !== null) await this.#open.announce(open, seat, 'live')
    })
    return session
  }

  /** @returns the action's ply. @throws as SessionTable.act, and SESSION_UNKNOWN */
  async act(session: string, action: OwnAction): Promise<number> {
    const known = await this.#known.get(session)
    const { person } = this.#options.identity
    return this.#open.use(known, ({ table }) =>
      table.act(action).catch((error: unknown) => {
        const isSeated = known.descriptor.seats.includes(person)
        if (!isSeated || !(error instanceof CloudError) || error.code !== 'SESSION_NOT_SEATED')
          throw error
        throw new CloudError(
          'SESSION_NOT_SEATED',
          'You have a seat in this session, but not on this machine yet: open the session here, by the ' +
            'same descriptor, as sessions.list shows it.',
          error.details,
        )
      }),
    )
  }

  /** The system that a session belongs to. @throws CloudError SESSION_UNKNOWN */
  async systemOf(session: string): Promise<string> {
    return (await this.#known.get(session)).descriptor.system
  }

  /** The session now, and again after every change, until the signal is given. */
  async watch(session: string, signal?: AbortSignal): Promise<AsyncGenerator<SessionFrame, void>> {
    const open = await this.#open.acquire(await this.#known.get(session))
    await open.table.settled()
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
    const read = (): SessionFrame => open.frame(this.#onlooker())
    return (async function* () {
      try {
        yield* snapshots(subscribe, read, ending)
      } finally {
        ending.removeEventListener('abort', release)
        release()
      }
    })()
  }

  /**
   * The newest known sessions of a system, newest first; those from before it had its present key, too.
   * Those that are not open here are not judged.
   */
  async list(
    system: string,
    state: SessionSummary['state'] | undefined,
    limit: number,
  ): Promise<SessionSummary[]> {
    await this.#started
    const stateOf = (known: KnownSession): SessionSummary['state'] =>
      this.#open.get(known.session)?.table.referee.ending != null ? 'over' : announcedState(known)
    const chosen = this.#known
      .values()
      .filter(({ descriptor }) => this.#isOf(descriptor, system))
      .filter((known) => state === undefined || stateOf(known) === state)
      .sort((a, b) => startedMs(b) - startedMs(a))
      .slice(0, limit)
    const plies = await this.#plies.ask(
      chosen
        .filter((known) => announcedState(known) === 'live')
        .filter(({ session }) => this.#open.get(session) === undefined)
        .flatMap(({ session, seats }) => seats.flat().map(({ machine }) => ({ session, machine }))),
    )
    return chosen.map((known) => {
      const open = this.#open.get(known.session)
      if (open !== undefined) return open.summary(this.#onlooker())
      // What a seat has stored of its end is its word: without the moves and the rules it says nothing.
      const ply = plies.get(known.session) ?? 0
      return summarize(known, this.#onlooker(), { ply, outcome: null })
    })
  }

  /**
   * What a result's transcript and its rules say.
   * @throws CloudError SESSION_TRANSCRIPT_FORGED, SESSION_TRANSCRIPT_MISSING, RULES_MISSING, RULES_FAILED
   */
  async judge(result: ResultValue): Promise<{ judged: Judged; rules: RulesRunner }> {
    const { descriptor, session } = result
    const { system, kind, seats } = descriptor
    if (this.library.kindOf(system, kind).seats !== seats.length) {
      const reason = 'it has another number of seats than its kind'
      throw new CloudError('SESSION_TRANSCRIPT_FORGED', `The result does not hold: ${reason}.`, {
        reason,
      })
    }
    const known = await this.#known.find(session)
    const likely = known === undefined ? [] : seatMachines(known, this.#options.identity.machine)
    const rules = await this.library.runnerOf(descriptor.rules, system, likely)
    const transcript = await this.#transcriptOf(result, likely)
    const judged = await judge(result, transcript, rules, this.#options.cloud)
    return { judged, rules }
  }

  /** Results whose moves and rules are kept here, and those that wait for them. */
  get keptResults(): number {
    return this.#keeper.kept
  }

  get wantedResults(): number {
    return this.#keeper.waiting
  }

  /** What each log of an open session has given to other machines. */
  uploads(session: string): UploadCount[] {
    const logs = this.#open.get(session)?.table.logs ?? []
    return logs.map(({ uploaded }) => ({ ...uploaded }))
  }

  /** Is a session replicated with that machine? */
  uses(machine: string): boolean {
    return this.#audience.uses(machine)
  }

  /** Who serves this machine in a session, and whom it serves. */
  placeOf(session: string): { source: string | null; children: string[] } | null {
    return this.#audience.placeOf(session)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#stopRecords()
    this.#keeper.close()
    await this.#started
    await this.#open.close()
    this.#audience.close()
    this.#plies.close()
    await this.#parts.close()
    await this.#pool.close()
    await this.#logs.close()
  }

  #isOf(descriptor: SessionDescriptor, system: string): boolean {
    const { systems } = this.#options
    return descriptor.system === system || systems.ownerOf(descriptor.system)?.key === system
  }

  #onlooker(): Onlooker {
    const { identity } = this.#options
    return {
      person: identity.person,
      isOnline: (machine) => machine === identity.machine || this.#audience.isOnline(machine),
    }
  }

  async #transcriptOf({ transcript }: ResultValue, likely: string[]): Promise<Transcript> {
    const bytes = await this.#parts.get('transcript', transcript.hash, likely)
    if (bytes === null) {
      throw new CloudError(
        'SESSION_TRANSCRIPT_MISSING',
        'No machine in reach has the moves of this game. It works as soon as one does.',
        { transcript: transcript.hash },
      )
    }
    const read = readTranscript(bytes)
    if (read !== null) return read
    const reason = 'its transcript cannot be read'
    throw new CloudError('SESSION_TRANSCRIPT_FORGED', `The result does not hold: ${reason}.`, {
      reason,
    })
  }

  #start(): void {
    const { records, log } = this.#options
    this.#stopRecords = records.onChange((record) => this.#onRecord(record))
    this.#started = this.#known.load(this.#closing.signal).catch((error: unknown) => {
      if (!this.#closing.signal.aborted) log.error('the seats could not be read', { error })
    })
    this.resumed = this.#started.then(() => this.#resume())
    this.resumed.catch((error: unknown) => {
      if (!this.#closing.signal.aborted) log.error('sessions were not resumed', { error })
    })
  }

  /** Opens the sessions again in which this machine has a seat and which are not over. */
  async #resume(): Promise<void> {
    const { log, identity, now } = this.#options
    const announced = await this.#known.ofPerson(identity.person, MAX_RESUMED)
    for (const { session, machine, state, startedMs: beganMs } of announced) {
      if (this.#closing.signal.aborted) return
      if (machine !== identity.machine || state === 'over' || now() - beganMs > RESUMED_MS) continue
      try {
        await this.#open.use(await this.#known.get(session), () => Promise.resolve())
      } catch (error) {
        if (this.#closing.signal.aborted) return
        log.warn('a session could not be opened again', { session, error })
      }
    }
  }

  #onRecord(record: CloudRecord): void {
    const { log } = this.#options
    const failed = (error: unknown): void => {
      if (this.#closing.signal.aborted) return
      log.error('news of a session could not be taken in', { record: record.id, error })
    }
    if (isSeatRecord(record)) {
      const announcement = this.#known.takeRecord(record)
      const open = announcement === null ? undefined : this.#open.get(announcement.session)
      if (announcement === null || open === undefined) return
      open.known = withAnnouncement(open.known, announcement)
      this.#open.followSeats(open).catch(failed)
      open.emit('changed')
      return
    }
    this.#keeper.consider(record)
    const open = this.#open.get(record.id)
    if (open === undefined || record.collection !== open.kind.results) return
    if (readResult(record) !== null) this.#open.resultChanged(open).catch(failed)
  }
}
