// What is asked of the worker that runs rules, and what it answers.

/** Limits of one call. The same on all machines, so that all agree on what is undecided. */
export interface RulesLimits {
  /** All memory of the interpreter, itself included; whole pages of 64 KiB. */
  memoryBytes: number
  stackBytes: number
  /** How often the interpreter may ask whether to go on; it asks every 10,000 steps. */
  interrupts: number
  /** State, outcome and legal actions as JSON text; and, on its own, a view. */
  outputChars: number
  /** How deep positions and views may be nested. */
  outputDepth: number
}

/** A module and those it imports, by path in the repository, without types. */
export interface RulesModules {
  entry: string
  modules: Record<string, string>
}

/** Arguments are JSON text, so that nothing but JSON crosses. `bundle` is the key of the material. */
export type RulesRequest =
  /** Does the module with its imports export the rules' functions? */
  | ({ kind: 'link'; limits: RulesLimits } & RulesModules)
  | { kind: 'start'; bundle: string; begin: string; seats: number; viewer: string }
  | { kind: 'play'; bundle: string; state: string; move: string; seats: number; viewer: string }
  | { kind: 'view'; bundle: string; state: string; viewer: string }
  /** Plays on from a state, or from the start, until `sliceMs` are over. */
  | {
      kind: 'replay'
      bundle: string
      /** [seed, options]; null to go on from `state`. */
      begin: string | null
      state: string
      /** [seat, action] as text, in order. */
      moves: string[]
      seats: number
      viewer: string
      /** The views wanted, counted from the state before the first of `moves` as 0. */
      fromPly: number
      toPly: number
      viewChars: number
      sliceMs: number
    }

/** Made of JSON texts. */
export interface PositionText {
  state: string
  outcome: string
  legal: string
}

export type RulesFault =
  | { kind: 'failed'; reason: string }
  /** A limit was exceeded. */
  | { kind: 'limit'; reason: string }

export type ViewText = { kind: 'view'; view: string } | RulesFault

export type RulesReply =
  | { kind: 'linked' }
  | { kind: 'missing'; path: string }
  | { kind: 'position'; position: PositionText; view: ViewText }
  | ViewText
  | { kind: 'illegal' }
  | {
      kind: 'replayed'
      /** How many of the moves are played; less than all when the time was over. */
      played: number
      position: PositionText | null
      views: ViewText[]
      /** Set when the move after those played was not legal, or when it went wrong there. */
      end: { kind: 'illegal' } | RulesFault | null
    }
