// The rules of a session kind, as something that runs: what the referee needs, and how it hears what
// went wrong. Only `illegal` and `failed` say something about a seat or the rules; they are the same on
// every machine. `unavailable` says nothing about anybody.
import type { Outcome } from '../contract/sessions.ts'
import type { Json } from '../contract/values.ts'

/** Whose view of a position. */
export type Viewer = number | 'spectator'

/** A position, and what the rules say of it. */
export interface RulesPosition {
  state: Json
  outcome: Outcome | null
  /** The legal actions by seat; all empty after the end. */
  legal: Json[][]
}

/** No answer, for a reason that is this machine's or a limit's: undecided, and nobody's fault. */
export interface RulesUnavailable {
  kind: 'unavailable'
  reason: string
  /** Would asking again give the same (fuel, memory, size)? Else try again later. */
  lasting: boolean
}

/** The rules threw, or gave back what makes no sense; so it is on every machine. */
export interface RulesFailure {
  kind: 'failed'
  reason: string
}

export type RulesAnswer<T> = ({ kind: 'ok' } & T) | RulesFailure | RulesUnavailable

/** The view is apart from the position: whatever becomes of it decides nothing. */
export type ViewAnswer = RulesAnswer<{ view: Json }>

export type StartAnswer = RulesAnswer<RulesPosition & { view: ViewAnswer }>

/** `illegal`: the rules do not allow this seat this action in this position. */
export type PlayAnswer = StartAnswer | { kind: 'illegal' }

/** A page of a replay. `ply` is the number of actions before the position; 0 is the first position. */
export type ReplayAnswer =
  | RulesAnswer<{
      /** After all actions. */
      position: RulesPosition
      views: { ply: number; view: ViewAnswer }[]
      /** Where the next page of views begins; null when these were the last. */
      nextPly: number | null
    }>
  /** The action at this index (0 for the first) is not legal, or follows the end. */
  | { kind: 'illegal'; ply: number }

export interface StartQuestion {
  seed: string
  options: Json
  /** How many. */
  seats: number
  viewer: Viewer
}

export interface PlayQuestion {
  state: Json
  seat: number
  action: Json
  seats: number
  viewer: Viewer
}

export interface ReplayQuestion extends StartQuestion {
  actions: readonly { seat: number; action: Json }[]
  /** Which positions' views are wanted; without it, none. */
  views?: { fromPly: number; count: number }
}

/** One bundle of rules. Never rejects. */
export interface RulesRunner {
  /** The bundle's hash. */
  readonly hash: string
  start(question: StartQuestion): Promise<StartAnswer>
  /** The position after the action, if it is legal. */
  play(question: PlayQuestion): Promise<PlayAnswer>
  view(question: { state: Json; viewer: Viewer }): Promise<ViewAnswer>
  replay(question: ReplayQuestion): Promise<ReplayAnswer>
}
