// What a rules module is: the five functions that a session's players, spectators and readers of its
// result all run, each on their own machine, and that must give all of them the same answers.

import type { Json, Outcome } from './values.ts'

/**
 * The rules of a session kind. A rules module (the manifest's `sessions.<kind>.rules`) exports these
 * five functions by name: make one object of this type, so that TypeScript checks it, and write
 * `export const init = rules.init` and so on. (The sandbox knows no `export const { init } = rules`.)
 *
 * They are pure and deterministic: the same arguments give the same result, on every machine. They
 * run in a sandbox without clock, chance, network or files, with limited time and memory, and nothing
 * survives between two calls but what they return. All values are JSON. A module may import other
 * files of its own repository by relative paths.
 *
 * In every position that is not the end, at least one seat has legal actions: one where seats take
 * turns, several where they act at once. What one does in the same moment as another is applied after
 * it, in the order of the seats.
 * Numbers that decide anything should be integers.
 */
export interface Rules<State, Action, View = State, Options = Json> {
  /** The first position. `seed` is the only source of chance; throw if the options make no sense. */
  init(seed: string, options: Options): State
  /** All actions that this seat may take now; an empty list when it is not its turn. */
  legal(state: State, seat: number): Action[]
  /** The position after the action, which is always one of the legal ones. */
  apply(state: State, seat: number, action: Action): State
  /** Null while the session goes on. */
  outcome(state: State): Outcome | null
  /** What this seat, or a spectator, may see of the position. */
  view(state: State, seat: number | 'spectator'): View
}
