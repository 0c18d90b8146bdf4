// Referees at one table without a machine under them, for tests: rules that answer at once, logs in
// memory, and blocks that reach the others when the test says so.
import type { SessionDescriptor } from '../contract/sessions.ts'
import type { Json } from '../contract/values.ts'
import { signAttestation } from '../core/forms/attestation.ts'
import type { Attestation } from '../core/forms/attestation.ts'
import { encodeKey, hash, keyPair } from '../core/keys.ts'
import { signAction } from '../core/sessions/action.ts'
import type { Action, ActionStatement } from '../core/sessions/action.ts'
import type { Position, RulesAnswer, RulesRequest } from '../core/sessions/position.ts'
import { Referee } from '../core/sessions/referee.ts'
import type { OwnAction, RefereeEffect, RefereeEvent } from '../core/sessions/referee-events.ts'

/** A key pair that is the same in every run. */
export function keysOf(name: string) {
  const keys = keyPair(hash(Buffer.from(name)))
  return { ...keys, key: encodeKey(keys.publicKey) }
}

export const CLOUD = keysOf('cloud').key

/** A machine of a person, attested. */
export interface Holder {
  person: string
  machine: string
  attestation: Attestation
  sign: (statement: ActionStatement) => Action
}

/** @param more  fields of a later version in its attestation */
export function holder(
  person: string,
  machine = `${person}'s machine`,
  more: Record<string, Json> = {},
): Holder {
  const owner = keysOf(person)
  const keys = keysOf(machine)
  return {
    person: owner.key,
    machine: keys.key,
    attestation: signAttestation(
      {
        ...more,
        person: owner.key,
        machine: keys.key,
        cloud: CLOUD,
        sequence: 1,
        expiresMs: 10 ** 13,
      },
      owner.secretKey,
    ),
    sign: (statement) => signAction(statement, keys.secretKey),
  }
}

/** Two seats add 1 to 3 in turn; who reaches the goal wins. */
export const race: RulesOf = {
  start: () => position({ sum: 0, next: 0 }, 0, 10),
  play: (state, seat, action) => {
    const { sum, next } = state as { sum: number; next: number }
    if (seat !== next || typeof action !== 'number' || ![1, 2, 3].includes(action)) return null
    return position({ sum: sum + action, next: 1 - next }, sum + action, 10)
  },
}

/** The same without an end in sight. */
export const longRace: RulesOf = {
  start: () => position({ sum: 0, next: 0 }, 0, 900),
  play: (state, seat, action) => {
    const { sum, next } = state as { sum: number; next: number }
    if (seat !== next || action !== 1) return null
    return position({ sum: sum + 1, next: 1 - next }, sum + 1, 900)
  },
}

/** Both seats choose at once; the greater number wins. */
export const auction: RulesOf = {
  start: () => bids([null, null]),
  play: (state, seat, action) => {
    const made = state as (number | null)[]
    if (made[seat] !== null || typeof action !== 'number' || action > 9) return null
    return bids(made.with(seat, action))
  },
}

/** There is one coin, and whoever takes it first has it. Seat 0 may also wait. */
export const coin: RulesOf = {
  start: () => coinAt(null, false),
  play: (state, seat, action) => {
    const { taken, waited } = state as { taken: number | null; waited: boolean }
    if (action === 'wait') return seat === 0 && !waited ? coinAt(taken, true) : null
    return taken === null && action === 'take' ? coinAt(seat, waited) : null
  },
}

/** Any seat may play one of these, at any time, and nothing comes of it. */
export function speech(...texts: Json[]): RulesOf {
  const position = { state: 0, outcome: null, legal: [texts, texts], view: null }
  return { start: () => position, play: () => position }
}

function coinAt(taken: number | null, waited: boolean): Position {
  const take = taken === null ? ['take'] : []
  return {
    state: { taken, waited },
    outcome: null,
    legal: [waited ? take : [...take, 'wait'], taken === null ? take : ['nod']],
    view: taken,
  }
}

export interface RulesOf {
  start(): Position
  /** Null where the action is not legal. */
  play(state: Json, seat: number, action: Json): Position | null
}

function position(state: { sum: number; next: number }, sum: number, goal: number): Position {
  const over = sum >= goal
  const winner = 1 - state.next
  return {
    state,
    outcome: over ? { scores: [1 - winner, winner], reason: 'the goal' } : null,
    legal: [0, 1].map((seat) => (over || seat !== state.next ? [] : goal > 10 ? [1] : [1, 2, 3])),
    view: sum,
  }
}

function bids(made: (number | null)[]): Position {
  const [a = null, b = null] = made
  const outcome =
    a === null || b === null
      ? null
      : { scores: [a > b ? 1 : 0, b > a ? 1 : 0], reason: 'the greater number' }
  return {
    state: made,
    outcome,
    legal: made.map((bid) => (bid === null ? [1, 2, 3, 4, 5, 6, 7, 8, 9] : [])),
    view: outcome === null ? null : made,
  }
}

export function descriptorOf(seats: readonly Holder[], options: Json = {}): SessionDescriptor {
  return {
    system: 'org.example.games',
    kind: 'race',
    seats: seats.map(({ person }) => person),
    seed: '',
    options,
    context: null,
    rules: '0'.repeat(64),
  }
}

/** One machine's referee, with its log. Effects are answered at once, unless a test steps in. */
export class Table {
  readonly referee: Referee
  readonly holder: Holder | null
  readonly log: string[] = []
  readonly effects: RefereeEffect[] = []
  readonly dropped: string[] = []
  readonly #rules: RulesOf
  readonly #cursors = new Map<string, number>()
  /** Logs whose next block is not asked for: for now, or for ever. */
  readonly #halted = new Set<string>()
  answer: ((request: RulesRequest) => RulesAnswer) | null = null
  failDisk = false
  /** The disk keeps it, and the log does not take it. */
  failLog = false
  /** The disk has not answered yet. */
  slowDisk = false
  nowMs = 0

  constructor(descriptor: SessionDescriptor, rules: RulesOf, own: Holder | null) {
    this.#rules = rules
    this.holder = own
    this.referee = new Referee({
      descriptor,
      cloud: CLOUD,
      viewer: 'spectator',
      own:
        own === null
          ? null
          : { machine: own.machine, attestation: () => own.attestation, sign: own.sign },
    })
    const seat = own === null ? -1 : descriptor.seats.indexOf(own.person)
    if (seat >= 0) this.step({ type: 'held', seat, log: this.name, blocks: 0 })
    else this.step({ type: 'started' })
  }

  get name(): string {
    return this.holder?.machine ?? 'spectator'
  }

  step(event: RefereeEvent): void {
    for (const effect of this.referee.step(event, this.nowMs)) {
      this.effects.push(effect)
      if (effect.type === 'askRules') {
        this.step({ type: 'rules', token: effect.token, answer: this.#ask(effect.request) })
      } else if (effect.type === 'append' && this.slowDisk) {
        continue
      } else if (effect.type === 'append' && this.failDisk) {
        this.step({ type: 'appended', token: effect.token, ok: false, message: 'no space' })
      } else if (effect.type === 'append') {
        this.step({ type: 'kept', token: effect.token })
        if (this.failLog) {
          this.step({ type: 'appended', token: effect.token, ok: false, message: 'no space' })
          continue
        }
        this.log.push(...effect.texts)
        this.step({ type: 'appended', token: effect.token, ok: true })
      } else if (effect.type === 'dropLog') {
        this.dropped.push(effect.reason)
      } else if (effect.type === 'readOn') {
        this.#halted.delete(effect.log)
      }
    }
  }

  /** Acts, and says how it went: a ply, or the code of the refusal. */
  act(body: Json | OwnAction): number | string {
    const action: OwnAction =
      typeof body === 'object' && body !== null && 'type' in body
        ? (body as OwnAction)
        : { type: 'move', body: body as Json }
    const told = this.told(() => this.step({ type: 'act', token: -1, action, wallMs: 1 }))
    for (const effect of told) {
      if (effect.type === 'acted') return effect.ply
      if (effect.type === 'refused') return effect.code
    }
    return 'no answer'
  }

  /** What is to be done as that happens. */
  told(happen: () => void): RefereeEffect[] {
    const begin = this.effects.length
    happen()
    return this.effects.slice(begin)
  }

  /** Reads another's log as far as it may be read. */
  read({ name, log }: { name: string; log: readonly string[] }): void {
    while (!this.#halted.has(name)) {
      const next = this.#cursors.get(name) ?? 0
      const text = log[next]
      if (text === undefined) return
      this.#cursors.set(name, next + 1)
      this.#halted.add(name)
      this.step({ type: 'block', log: name, text })
    }
  }

  #ask(request: RulesRequest): RulesAnswer {
    if (this.answer !== null) return this.answer(request)
    if (request.call === 'start') return { status: 'ok', position: this.#rules.start() }
    const played = this.#rules.play(request.state, request.seat, request.action)
    return played === null ? { status: 'illegal' } : { status: 'ok', position: played }
  }
}

/** A table for each of these; null watches. */
export function tablesOf<Seats extends readonly (Holder | null)[]>(
  descriptor: SessionDescriptor,
  rules: RulesOf,
  ...holders: Seats
): { [Place in keyof Seats]: Table } {
  const tables = holders.map((holder) => new Table(descriptor, rules, holder))
  return tables as { [Place in keyof Seats]: Table }
}

/** Everybody reads everybody's log until nothing new comes. */
export function exchange(...tables: Table[]): void {
  for (let length = -1; length !== total(tables); ) {
    length = total(tables)
    for (const reader of tables) {
      for (const writer of tables) if (writer !== reader) reader.read(writer)
    }
  }
}

function total(tables: readonly Table[]): number {
  return tables.reduce((sum, { log, referee }) => sum + log.length + referee.length, 0)
}
