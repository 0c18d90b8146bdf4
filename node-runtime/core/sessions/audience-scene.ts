// What all parts of an audience share: who is linked, what time it is, chance, and what is to be done.
import type { AudienceMessage } from './audience-messages.ts'

/** What is followed here: whether a seat is held, the machines of the seats, and how far it has come. */
export interface Followed {
  session: string
  seated: boolean
  seatMachines: readonly string[]
  length: number
}

export type AudienceEffect =
  | { type: 'send'; to: string; message: AudienceMessage }
  | { type: 'reach'; machine: string }
  /** With exactly these machines the session's logs are replicated now. */
  | { type: 'replicate'; session: string; machines: string[] }
  /** Replaces the timer of that id. */
  | { type: 'setTimer'; id: string; afterMs: number }
  | { type: 'clearTimer'; id: string }

/** The timers of a session: seeking a source, watching over it, and the guest's end. */
const TIMER_KINDS = ['seek', 'watch', 'guest'] as const
export type TimerKind = (typeof TIMER_KINDS)[number]

export interface AudienceOptions {
  machine: string
  /** From 0 to 1, less than 1. */
  random: () => number
}

export class Scene {
  readonly machine: string
  /** From 0 to 1, less than 1. */
  readonly random: () => number
  /** The machines that speak the protocol with this one now. */
  readonly peers = new Set<string>()
  #effects: AudienceEffect[] = []
  #nowMs = 0

  constructor({ machine, random }: AudienceOptions) {
    this.machine = machine
    this.random = random
  }

  get nowMs(): number {
    return this.#nowMs
  }

  /** What is to be done, in order, after what happens now. */
  play(nowMs: number, happen: () => void): AudienceEffect[] {
    this.#effects = []
    this.#nowMs = nowMs
    happen()
    return this.#effects
  }

  do(effect: AudienceEffect): void {
    this.#effects.push(effect)
  }

  send(to: string, message: AudienceMessage): void {
    this.do({ type: 'send', to, message })
  }

  setTimer(kind: TimerKind, session: string, afterMs: number): void {
    this.do({ type: 'setTimer', id: `${kind} ${session}`, afterMs })
  }

  clearTimers(session: string): void {
    for (const kind of TIMER_KINDS) this.do({ type: 'clearTimer', id: `${kind} ${session}` })
  }

  /** Somewhere around this time, so that an audience does not ask all at once. */
  soon(afterMs: number): number {
    return afterMs * (0.75 + this.random() / 2)
  }

  shuffled(machines: readonly string[]): string[] {
    return machines
      .map((machine) => ({ machine, at: this.random() }))
      .sort((a, b) => a.at - b.at)
      .map(({ machine }) => machine)
  }
}
