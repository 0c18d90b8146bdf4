// One game before an audience, and what the player's machine sent meanwhile.
import type { CloudRecord } from '../../node-runtime/contract/db.ts'
import { resultValueSchema } from '../../node-runtime/contract/sessions.ts'
import type { ResultValue } from '../../node-runtime/contract/sessions.ts'
import { DRAWN_GAME, SYSTEM, describeGame, sitDown, watchGame } from './games.ts'
import type { Board, Gamer } from './games.ts'
import { until } from './patience.ts'

/** A move comes so often, so that all games last alike and the heartbeats beside them are alike. */
const MOVE_EVERY_MS = 150
/** Idle traffic is counted for this long before each game: several heartbeats. */
const IDLE_MS = 3_000

/** Of the player that sent more; bytes, less what the machine sends in the same time while idle. */
export interface Traffic {
  /** How many moves are counted: all but the last, which the result follows at once. */
  moves: number
  /** Sent while the audience came and those moves were played. */
  movesBytes: number
  /** Sent from then on, until every machine of the cloud had the result. */
  endBytes: number
  /** What was taken off `movesBytes`. */
  idleBytes: number
  /** Those moves as they stand in the players' logs: the player's own, and both players'. */
  rawOwnBytes: number
  rawMovesBytes: number
  /** The result record, as JSON. */
  rawResultBytes: number
}

interface WatchedGame {
  players: readonly Gamer[]
  /** How the players' machines tell what they have sent, by seat. */
  counted: readonly { sentBytes: () => Promise<number> }[]
  watchers: readonly Gamer[]
  /** How many of the watchers watch this one. */
  audience: number
  seed: string
}

interface Reading {
  atMs: number
  sentBytes: number[]
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** So many moves as they stand in the players' logs; the transcript holds them all. */
function sizeOfMoves({ transcript, plies }: ResultValue, moves: number): number {
  return (transcript.length / plies) * moves
}

/** The result as one of the players has stored it. */
async function findResult(
  { client }: Gamer,
  session: string,
  author: string,
): Promise<CloudRecord | null> {
  return (await client.db.get({ system: SYSTEM, collection: 'results', id: session, author }))
    .record
}

async function seatAudience(
  { players, watchers, audience }: WatchedGame,
  session: string,
): Promise<Board[]> {
  const boards: Board[] = []
  for (const watcher of watchers.slice(0, audience)) {
    await until(
      async () =>
        (await watcher.client.sessions.list({ system: SYSTEM })).sessions.some(
          (known) => known.session === session && known.seats.length === players.length,
        ),
      'a spectator knows of the game',
    )
    const board = await watchGame(watcher, session)
    await board.shows('a spectator sees the players', ({ seats }) =>
      seats.every(({ online }) => online !== null),
    )
    boards.push(board)
  }
  return boards
}

export async function playBefore(game: WatchedGame): Promise<Traffic> {
  const { players, counted, watchers, seed } = game
  const read = async (): Promise<Reading> => ({
    sentBytes: await Promise.all(counted.map(({ sentBytes }) => sentBytes())),
    atMs: performance.now(),
  })
  const idleFrom = await read()
  await pause(IDLE_MS)
  const idleTo = await read()

  const { session, boards } = await sitDown(players, describeGame(players, seed))
  const from = await read()
  boards.push(...(await seatAudience(game, session)))
  const lastPly = DRAWN_GAME.length - 1
  let nextMs = performance.now()
  for (const [ply, action] of DRAWN_GAME.slice(0, lastPly).entries()) {
    await pause(nextMs - performance.now())
    nextMs = performance.now() + MOVE_EVERY_MS
    const mover = ply % players.length
    await boards[mover]!.shows(`move ${ply} has arrived`, (frame) => frame.ply === ply)
    await players[mover]!.client.sessions.act({ session, action })
  }
  for (const board of boards) {
    await board.shows('all moves but one have arrived', (frame) => frame.ply === lastPly)
  }
  const played = await read()

  const last = players[lastPly % players.length]!
  await last.client.sessions.act({ session, action: DRAWN_GAME[lastPly]! })
  for (const board of boards) {
    await board.shows('the result is stored', ({ resultId }) => resultId !== null)
    board.close()
  }
  for (const machine of watchers) {
    const found = async () => (await findResult(machine, session, last.person)) !== null
    await until(found, 'all have the result')
  }
  const ended = await read()
  const record = await findResult(last, session, last.person)
  const result = resultValueSchema.parse(record?.value)

  const traffics = players.map((_player, seat) => {
    const sent = (a: Reading, b: Reading): number => b.sentBytes[seat]! - a.sentBytes[seat]!
    const idlePerMs = sent(idleFrom, idleTo) / (idleTo.atMs - idleFrom.atMs)
    const idleBytes = idlePerMs * (played.atMs - from.atMs)
    return {
      moves: lastPly,
      movesBytes: sent(from, played) - idleBytes,
      endBytes: sent(played, ended) - idlePerMs * (ended.atMs - played.atMs),
      idleBytes,
      rawOwnBytes: sizeOfMoves(result, (lastPly + 1 - seat) / players.length),
      rawMovesBytes: sizeOfMoves(result, lastPly),
      rawResultBytes: JSON.stringify(record).length,
    }
  })
  return traffics.reduce((busier, one) => (one.movesBytes > busier.movesBytes ? one : busier))
}
