// How far an event is: follows from its record, its entries and the results that count.
import type { Verdict, Verifier } from './verifier.ts'
import type { GamesStore } from './games-store.ts'
import { gamesOf } from './records.ts'
import type { ResultRecord } from './records.ts'
import type { GameEvent } from './starts.ts'
import type { Pairing, Played } from './tournament.ts'

export type Phase = 'open' | 'full' | 'playing' | 'finished' | 'cancelled'

export const PHASE_TEXT: Record<Phase, string> = {
  open: 'Open',
  full: 'Full',
  playing: 'Playing',
  finished: 'Finished',
  cancelled: 'Cancelled',
}

/** The phase, going by what the players have stored. */
export function phaseOf(event: GameEvent, store: GamesStore): Phase {
  const { status, maxPlayers } = event.value
  if (event.start === null && status === 'cancelled') return 'cancelled'
  if (event.start === null) return store.entriesOf(event.id).length < maxPlayers ? 'open' : 'full'
  const games = gamesOf(event)
  return games.length > 0 && games.every((game) => store.resultOf(event, game) !== null)
    ? 'finished'
    : 'playing'
}

export interface GameState {
  pairing: Pairing
  result: ResultRecord | null
  /** What checking the result on this machine has shown so far; null without a result. */
  verdict: Verdict | null
}

/** The games of an event, each with its result; the check of every result begins. */
export function checkedGames(event: GameEvent, store: GamesStore, verifier: Verifier): GameState[] {
  return gamesOf(event).map((pairing) => {
    const result = store.resultOf(event, pairing)
    return { pairing, result, verdict: result === null ? null : verifier.check(result) }
  })
}

/** The games that count: those whose result was checked here and holds. */
export function playedOf(games: readonly GameState[]): Played[] {
  return games.flatMap(({ pairing, verdict }) =>
    verdict?.state === 'verified' ? [{ pairing, scores: verdict.found.outcome.scores }] : [],
  )
}
