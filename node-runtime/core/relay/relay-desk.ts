// Decides what an open machine passes on between two others of its cloud that can't meet directly: which two,
// how many, how much and for how long. It sees neither what they say nor who they are to each other; what one
// of them does wrong ends its own circuit and no other.
import { Budget } from '../budget.ts'
import type { Core } from '../step.ts'

/** Several small clouds' worth: a home line carries so many heartbeats and games. */
export const MAX_CIRCUITS = 32
/** Circuits of one machine, those included for which it still waits. */
export const MAX_CIRCUITS_PER_MACHINE = 4
/** A game needs less in years; who copies a whole cloud goes on over a new circuit. */
export const MAX_CIRCUIT_BYTES = 256 * 1024 * 1024
export const MAX_CIRCUIT_MS = 60 * 60_000
/** The rarest beats come every nine seconds: for so long none come over a link that is gone, or goes directly by now. */
export const MAX_IDLE_MS = 60_000
/** Both ends come within a few round trips; the stack below gives up after 15 s. */
export const MAX_WAIT_MS = 15_000
/** An end that has gone over to the direct way leaves first; what it sent before may still be on its way. */
export const LINGER_MS = 5_000
/** Of one machine, over all its circuits one after the other: about 1 GB an hour. */
const BYTES_PER_MACHINE = { perSecond: 256 * 1024, burst: 2 * MAX_CIRCUIT_BYTES }
/** Machines whose use is remembered after their circuits: more than can have used up theirs. */
export const MAX_BUDGETS = 256

export type RelayEvent =
  /**
   * A machine of the cloud asks, over one connection (`end`), to be brought together with whoever names the
   * same token.
   */
  | { type: 'asked'; end: string; machine: string; token: string; isInitiator: boolean }
  /** That connection is closed. */
  | { type: 'left'; end: string }
  /** Comes once a second while there is anybody; how many bytes each circuit has passed on so far. */
  | { type: 'measured'; bytes: ReadonlyMap<string, number> }

export type RelayEffect =
  | { type: 'pair'; circuit: string; ends: readonly [initiator: string, other: string] }
  /** Ends the circuit. */
  | { type: 'cut'; circuit: string; reason: CutReason }
  /** Ends the connection of one that asked. */
  | { type: 'dismiss'; end: string; reason: DismissReason }

export type DismissReason = 'full' | 'too many of one machine' | 'used up' | 'nobody came' | 'again'
export type CutReason = 'too much' | 'too long' | 'idle' | 'used up' | 'left'

interface End {
  id: string
  machine: string
  token: string
  isInitiator: boolean
  sinceMs: number
}

interface Circuit {
  ends: readonly [initiator: End, other: End]
  openedMs: number
  bytes: number
  movedMs: number
  /** When an end left; null while both are there. */
  leftMs: number | null
}

export class RelayDesk implements Core<RelayEvent, RelayEffect> {
  /** By token: who waits for its other end. */
  readonly #waiting = new Map<string, End>()
  readonly #circuits = new Map<string, Circuit>()
  /** By end: the token that it named. */
  readonly #tokens = new Map<string, string>()
  readonly #budgets = new Map<string, Budget>()

  get circuitCount(): number {
    return this.#circuits.size
  }

  /** Is there anything to measure? */
  get isIdle(): boolean {
    return this.#waiting.size === 0 && this.#circuits.size === 0
  }

  step(event: RelayEvent, nowMs: number): RelayEffect[] {
    switch (event.type) {
      case 'asked':
        return this.#asked(
          {
            id: event.end,
            machine: event.machine,
            token: event.token,
            isInitiator: event.isInitiator,
            sinceMs: nowMs,
          },
          nowMs,
        )
      case 'left':
        return this.#left(event.end, nowMs)
      case 'measured':
        return this.#measured(event.bytes, nowMs)
    }
  }

  #asked(end: End, nowMs: number): RelayEffect[] {
    const refusal = this.#refusal(end, nowMs)
    if (refusal !== null) return [{ type: 'dismiss', end: end.id, reason: refusal }]
    this.#tokens.set(end.id, end.token)
    const other = this.#waiting.get(end.token)
    if (other === undefined) {
      this.#waiting.set(end.token, end)
      return []
    }
    this.#waiting.delete(end.token)
    const ends = end.isInitiator ? ([end, other] as const) : ([other, end] as const)
    this.#circuits.set(end.token, {
      ends,
      openedMs: nowMs,
      bytes: 0,
      movedMs: nowMs,
      leftMs: null,
    })
    return [{ type: 'pair', circuit: end.token, ends: [ends[0].id, ends[1].id] }]
  }

  #refusal(end: End, nowMs: number): DismissReason | null {
    const { id, token, machine, isInitiator } = end
    const other = this.#waiting.get(token)
    // One connection asks once; a token is for two machines, one of either kind.
    if (this.#tokens.has(id) || this.#circuits.has(token)) return 'again'
    if (other?.isInitiator === isInitiator || other?.machine === machine) return 'again'
    if (other === undefined && this.#circuits.size + this.#waiting.size >= MAX_CIRCUITS)
      return 'full'
    if (this.#countOf(machine) >= MAX_CIRCUITS_PER_MACHINE) return 'too many of one machine'
    return this.#budgetOf(machine, nowMs).left(nowMs) < 0 ? 'used up' : null
  }

  #countOf(machine: string): number {
    let count = 0
    for (const end of this.#waiting.values()) if (end.machine === machine) count++
    for (const { ends } of this.#circuits.values()) {
      if (ends.some((end) => end.machine === machine)) count++
    }
    return count
  }

  /** Those of machines that have a circuit are never forgotten; the longest unused of the others is. */
  #budgetOf(machine: string, nowMs: number): Budget {
    const budget = this.#budgets.get(machine) ?? new Budget(BYTES_PER_MACHINE, nowMs)
    this.#budgets.delete(machine)
    this.#budgets.set(machine, budget)
    if (this.#budgets.size > MAX_BUDGETS) {
      for (const oldest of this.#budgets.keys()) {
        if (this.#countOf(oldest) > 0) continue
        this.#budgets.delete(oldest)
        break
      }
    }
    return budget
  }

  #left(id: string, nowMs: number): RelayEffect[] {
    const token = this.#tokens.get(id)
    if (token === undefined) return []
    this.#tokens.delete(id)
    // Either it waits by itself, or nobody does: a token is of one circuit.
    this.#waiting.delete(token)
    const circuit = this.#circuits.get(token)
    if (circuit === undefined) return []
    const isLast = circuit.ends.every((end) => !this.#tokens.has(end.id))
    if (isLast) return this.#cut(token, circuit, 'left')
    circuit.leftMs = nowMs
    return []
  }

  #measured(bytes: ReadonlyMap<string, number>, nowMs: number): RelayEffect[] {
    const effects: RelayEffect[] = []
    for (const [token, end] of this.#waiting) {
      if (nowMs - end.sinceMs < MAX_WAIT_MS) continue
      this.#waiting.delete(token)
      this.#tokens.delete(end.id)
      effects.push({ type: 'dismiss', end: end.id, reason: 'nobody came' })
    }
    for (const [token, circuit] of this.#circuits) {
      const moved = Math.max(0, (bytes.get(token) ?? circuit.bytes) - circuit.bytes)
      if (moved > 0) circuit.movedMs = nowMs
      circuit.bytes += moved
      const isUsedUp = circuit.ends
        .map(({ machine }) => this.#budgetOf(machine, nowMs).use(moved, nowMs))
        .some((debtMs) => debtMs > 0)
      const reason = isUsedUp ? 'used up' : overdue(circuit, nowMs)
      if (reason !== null) effects.push(...this.#cut(token, circuit, reason))
    }
    return effects
  }

  #cut(token: string, circuit: Circuit, reason: CutReason): RelayEffect[] {
    this.#circuits.delete(token)
    for (const { id } of circuit.ends) this.#tokens.delete(id)
    return [{ type: 'cut', circuit: token, reason }]
  }
}

function overdue(circuit: Circuit, nowMs: number): CutReason | null {
  const { openedMs, movedMs, leftMs, bytes } = circuit
  if (bytes > MAX_CIRCUIT_BYTES) return 'too much'
  if (nowMs - openedMs >= MAX_CIRCUIT_MS) return 'too long'
  if (leftMs !== null && nowMs - leftMs >= LINGER_MS) return 'left'
  return nowMs - movedMs >= MAX_IDLE_MS ? 'idle' : null
}
