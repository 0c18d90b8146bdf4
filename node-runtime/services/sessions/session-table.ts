// What the referee of one session needs of the world: hands it the blocks of the seats' logs, has the rules answer
// it, and writes what it signs. It decides nothing, and when something is tried again says the referee.
import { EventEmitter } from 'node:events'
import { CloudError } from '../../contract/errors.ts'
import type { SignedForm } from '../../contract/values.ts'
import type { SeatAction } from '../../core/sessions/action.ts'
import { MAX_LOG_BLOCKS } from '../../core/sessions/block.ts'
import type { Position, RulesAnswer, RulesRequest } from '../../core/sessions/position.ts'
import type { Referee } from '../../core/sessions/referee.ts'
import type { OwnAction, RefereeEffect, RefereeEvent } from '../../core/sessions/referee-events.ts'
import { Driver } from '../../flow/driver.ts'
import type { TimerEffect, TimerEvent } from '../../flow/driver.ts'
import { inTurns } from '../../flow/in-turns.ts'
import type { Log } from '../../ports/log.ts'
import type { PlayAnswer, RulesRunner } from '../../ports/rules.ts'
import type { SeatLog } from '../../store/session-logs.ts'

/** Each may take the check of a signature or two: some 20 ms on a slow machine. */
export const BLOCKS_AT_ONCE = 64

/** What the driver does by itself is none of these. */
type Happening = Exclude<RefereeEvent, TimerEvent>
type Deed = Exclude<RefereeEffect, TimerEffect>

export interface TableOptions {
  referee: Referee
  rules: RulesRunner
  /** Monotonic. */
  nowMs: () => number
  wallMs: () => number
  log: Log
}

interface Followed {
  log: SeatLog
  /** Set while the next block may not be read. */
  readOn: (() => void) | null
  mayReadOn: boolean
}

interface Waiting {
  resolve: (ply: number) => void
  reject: (error: CloudError) => void
}

interface TableEvents {
  changed: []
  /** An action of this machine is on its disk. */
  wrote: [action: SeatAction]
}

export class SessionTable extends EventEmitter<TableEvents> {
  readonly referee: Referee
  readonly #options: TableOptions
  readonly #logs = new Map<string, Followed>()
  /** Logs and transcripts that are not read on. */
  readonly #dropped = new Set<string>()
  readonly #waiting = new Map<number, Waiting>()
  /** Ends each `settled` that waits, by its token. */
  readonly #settling = new Map<number, () => void>()
  readonly #driver: Driver<Happening, Deed>
  #own: SeatLog | null = null
  #nextToken = 1
  #closed = false

  constructor(options: TableOptions) {
    super()
    this.setMaxListeners(0)
    this.#options = options
    const { referee, nowMs, log } = options
    this.referee = referee
    this.#driver = new Driver<Happening, Deed>({
      core: referee,
      perform: (effect) => this.#perform(effect),
      onFault: (error) => log.error('a fault in a session', { session: referee.session, error }),
      // Of each log one block waits at most, and the rest is asked for here.
      mustKeep: () => true,
      now: nowMs,
    })
    this.#post({ type: 'started' })
  }

  /** In so many ms the own seat may claim; see the referee. */
  get claimInMs(): number | null {
    return this.referee.claimInMs(this.#options.nowMs())
  }

  get logs(): SeatLog[] {
    return [...this.#logs.values()].map(({ log }) => log)
  }

  follows(log: string): boolean {
    return this.#logs.has(log)
  }

  /** Reads a seat's log, from its beginning and for as long as it goes on. */
  follow(log: SeatLog): void {
    this.#begin(log, MAX_LOG_BLOCKS)
  }

  #begin(log: SeatLog, untilBlock: number): void {
    if (this.#logs.has(log.key) || this.#closed) return
    const followed = { log, readOn: null, mayReadOn: false }
    this.#logs.set(log.key, followed)
    void this.#read(followed, untilBlock)
  }

  /** Takes the own seat, with all that its log holds already. */
  hold(seat: number, log: SeatLog): void {
    if (this.#own !== null) return
    this.#own = log
    this.#post({ type: 'held', seat, log: log.key, blocks: log.length })
    // What it writes from now on it knows; to wait for it would ask the others for it.
    this.#begin(log, log.length)
  }

  /**
   * Takes the own seat only to say that it is lost: what this machine has signed in it may not all be here.
   * @param log  the log that it began, to be read as others' are
   */
  lose(seat: number, log: SeatLog | null): void {
    this.#post({ type: 'lost', seat })
    if (log !== null) this.follow(log)
  }

  /**
   * Acts in the own seat. It is on disk when the promise resolves, with its ply.
   * @throws CloudError SESSION_NOT_SEATED, SESSION_OVER, SESSION_NOT_YOUR_TURN, UNAVAILABLE,
   *   SESSION_ACTION_ILLEGAL, SESSION_TOO_LARGE, BAD_INPUT, SESSION_TRANSCRIPT_FORGED,
   *   SESSION_CLAIM_EARLY, CANCELLED
   */
  async act(action: OwnAction): Promise<number> {
    await this.settled()
    if (this.#closed) throw closed()
    const token = this.#nextToken++
    return new Promise((resolve, reject) => {
      this.#waiting.set(token, { resolve, reject })
      this.#post({ type: 'act', token, action, wallMs: this.#options.wallMs() })
    })
  }

  /** An action that came ahead of its log. */
  take(form: SignedForm, attestation: SignedForm): void {
    this.#post({ type: 'action', form, attestation })
  }

  /** Takes in a transcript, as if it were a log: as far as its blocks are of this session. */
  async feed(name: string, blocks: readonly string[]): Promise<void> {
    for await (const text of inTurns(blocks, BLOCKS_AT_ONCE)) {
      if (this.#closed || this.#dropped.has(name)) return
      this.#post({ type: 'block', log: name, text, isStored: true })
    }
  }

  /** Until all that is here is played, or something keeps it from being played; not for ever. */
  async settled(): Promise<void> {
    if (this.#closed) return
    const token = this.#nextToken++
    await new Promise<void>((resolve) => {
      this.#settling.set(token, resolve)
      this.#post({ type: 'awaited', token })
    })
  }

  /** Stops reading. The logs are closed, or removed from the disk. */
  async close({ remove = false } = {}): Promise<void> {
    this.#closed = true
    this.removeAllListeners()
    this.#driver.close()
    for (const done of this.#settling.values()) done()
    for (const { reject } of this.#waiting.values()) reject(closed())
    for (const { readOn } of this.#logs.values()) readOn?.()
    await Promise.all(this.logs.map((log) => (remove ? log.remove() : log.close())))
  }

  #post(event: Happening): void {
    this.#driver.post(event)
  }

  #perform(effect: Deed): void {
    switch (effect.type) {
      case 'changed':
        this.emit('changed')
        return
      case 'askRules':
        void this.#askRules(effect.token, effect.request)
        return
      case 'append':
        void this.#append(effect.token, effect.texts)
        return
      case 'wrote':
        this.emit('wrote', effect.action)
        return
      case 'acted':
        this.#waiting.get(effect.token)?.resolve(effect.ply)
        this.#waiting.delete(effect.token)
        return
      case 'refused': {
        const { token, code, message, details } = effect
        this.#waiting.get(token)?.reject(new CloudError(code, message, details))
        this.#waiting.delete(token)
        return
      }
      case 'readOn': {
        const followed = this.#logs.get(effect.log)
        if (followed === undefined) return
        followed.mayReadOn = true
        followed.readOn?.()
        return
      }
      case 'dropLog': {
        const { log, reason } = effect
        const { session } = this.referee
        if (this.#dropped.has(log)) return
        this.#dropped.add(log)
        this.#options.log.warn('a log of a session is not read on', { session, log, reason })
        this.#logs.get(log)?.readOn?.()
        return
      }
      case 'settled':
        this.#settling.get(effect.token)?.()
        this.#settling.delete(effect.token)
    }
  }

  async #read(followed: Followed, untilBlock: number): Promise<void> {
    const { log } = followed
    for (let next = 0; next < untilBlock; next++) {
      const text = await this.#readBlock(followed, next)
      if (text === null || this.#closed) return
      followed.mayReadOn = false
      this.#post({ type: 'block', log: log.key, text })
      if (!followed.mayReadOn && !this.#dropped.has(log.key)) {
        await new Promise<void>((resolve) => (followed.readOn = resolve))
        followed.readOn = null
      }
      if (this.#dropped.has(log.key) || this.#closed) return
    }
  }

  /** The text of a block, however long the disk does not give it; null if it never will. */
  async #readBlock(followed: Followed, block: number): Promise<string | null> {
    const { log } = followed
    for (;;) {
      try {
        return await log.read(block)
      } catch (error) {
        // Of a log that was closed, or forked by its owner, what was read stays.
        if (this.#closed || log.isOver) return null
        const { session } = this.referee
        this.#options.log.warn('a log could not be read', { session, log: log.key, block, error })
      }
      await new Promise<void>((resolve) => {
        followed.readOn = resolve
        this.#post({ type: 'unread', log: log.key })
      })
      followed.readOn = null
    }
  }

  async #append(token: number, texts: string[]): Promise<void> {
    const kept = (): void => this.#post({ type: 'kept', token })
    try {
      if (this.#own === null) throw new Error('there is no log to write to')
      this.#own.once('kept', kept)
      await this.#own.append(...texts)
      this.#post({ type: 'appended', token, ok: true })
    } catch (error) {
      if (this.#closed) return
      const { session } = this.referee
      this.#options.log.error('an action could not be written', { session, error })
      const message = 'This machine cannot write to its disk now. It tries again by itself.'
      this.#post({ type: 'appended', token, ok: false, message })
    } finally {
      this.#own?.off('kept', kept)
    }
  }

  async #askRules(token: number, request: RulesRequest): Promise<void> {
    const answer = await askRules(this.#options.rules, this.referee, request)
    this.#post({ type: 'rules', token, answer })
  }
}

function closed(): CloudError {
  return new CloudError('CANCELLED', 'The session was closed.')
}

/** Asks the rules what the referee wants to know. Never rejects. */
export async function askRules(
  rules: RulesRunner,
  { descriptor }: Pick<Referee, 'descriptor'>,
  request: RulesRequest,
): Promise<RulesAnswer> {
  const seats = descriptor.seats.length
  if (request.call === 'start') {
    const { seed, options } = descriptor
    return answerOf(await rules.start({ seed, options, seats, viewer: request.viewer }))
  }
  const { state, seat, action, viewer } = request
  return answerOf(await rules.play({ state, seat, action, seats, viewer }))
}

function answerOf(answer: PlayAnswer): RulesAnswer {
  switch (answer.kind) {
    case 'illegal':
      return { status: 'illegal' }
    case 'failed':
      return { status: 'failed', message: `The rules of this session failed: ${answer.reason}.` }
    case 'unavailable':
      return {
        status: answer.lasting ? 'failed' : 'unavailable',
        message: `The rules of this session did not answer: ${answer.reason}.`,
      }
    case 'ok': {
      const { state, outcome, legal, view } = answer
      // What is shown decides nothing: without a view the game goes on.
      const position: Position = {
        state,
        outcome,
        legal,
        view: view.kind === 'ok' ? view.view : null,
      }
      return { status: 'ok', position }
    }
  }
}
