// What a player's machine sends during one game, without an audience and before one of 1 and of 15.
// Counted is all UDP payload of the machine's process; what the same machine sends while nobody plays
// is taken off, for it has links to all others of the cloud, whether they watch or not.
import { LocalCloud } from '../support/machines.ts'
import { startCountedMachine } from './counted-machine.ts'
import { playBefore } from './watched-game.ts'
import type { Traffic } from './watched-game.ts'
import { installGames, serveGames } from './games.ts'
import type { Gamer } from './games.ts'
import { compare } from './report.ts'
import type { Measure, Row } from './report.ts'

const ROUNDS = 3
const FULL_HOUSE = 15
const MACHINES = FULL_HOUSE + 2

interface Games {
  nobody: Traffic[]
  one: Traffic[]
  all: Traffic[]
}

function rowsOf({ nobody, one, all }: Games): Row[] {
  const moves = (games: readonly Traffic[]): number[] => games.map(({ movesBytes }) => movesBytes)
  // What each spectator would add, if the player served all of them itself as it serves the first.
  const starBytes = nobody.map((unwatched, round) => {
    const added = (one[round]?.movesBytes ?? 0) - unwatched.movesBytes
    return unwatched.movesBytes + FULL_HOUSE * added
  })
  const perMove = all.map(({ movesBytes, moves: count }) => movesBytes / count)
  const rawPerMove = all.map(({ rawMovesBytes, moves: count }) => rawMovesBytes / count)
  const others = MACHINES - 1
  return [
    compare(
      'nobody watching',
      'bytes',
      moves(nobody),
      'raw: its own signed moves, once',
      nobody.map(({ rawOwnBytes }) => rawOwnBytes),
    ),
    compare(
      '1 watching',
      'bytes',
      moves(one),
      'raw: the same, and all moves once',
      one.map(({ rawOwnBytes, rawMovesBytes }) => rawOwnBytes + rawMovesBytes),
    ),
    compare(`${FULL_HOUSE} watching`, 'bytes', moves(all), '1 watching (ideal 1×)', moves(one)),
    compare(
      `${FULL_HOUSE} watching`,
      'bytes',
      moves(all),
      `all ${FULL_HOUSE} served by it alone (reckoned)`,
      starBytes,
    ),
    compare(
      `${FULL_HOUSE} watching, each move`,
      'bytes',
      perMove,
      'raw: one signed move',
      rawPerMove,
    ),
    compare(
      `the end: last move, result to ${others} machines`,
      'bytes',
      all.map(({ endBytes }) => endBytes),
      'raw: the result record, once',
      all.map(({ rawResultBytes }) => rawResultBytes),
    ),
    compare(
      `taken off: ${others} idle links, for as long`,
      'bytes',
      all.map(({ idleBytes }) => idleBytes),
      `the moves, ${FULL_HOUSE} watching`,
      moves(all),
    ),
  ]
}

export const spectatorUpload: Measure = {
  name: 'spectators',
  title: 'What the busier player’s machine sends, for one game of 42 moves',
  async run(say) {
    const repository = await serveGames()
    const cloud = await LocalCloud.create()
    const closing: (() => unknown)[] = [() => repository.close(), () => cloud.close()]
    const { bootstrap } = cloud
    try {
      say(`starting ${MACHINES} machines`)
      const gamers: Gamer[] = []
      const counted: { sentBytes: () => Promise<number> }[] = []
      let cloudKey: string | undefined
      while (gamers.length < MACHINES) {
        const dataDir = await cloud.makeFolder()
        const key = cloudKey === undefined ? {} : { cloud: cloudKey }
        if (counted.length < 2) {
          const machine = await startCountedMachine({ dataDir, bootstrap, ...key })
          closing.push(machine.close)
          counted.push(machine)
          cloudKey ??= machine.cloud
        } else {
          await cloud.startDaemon({ dataDir, ...key })
        }
        const gamer = await installGames(dataDir, repository.url)
        closing.push(gamer.close)
        gamers.push(gamer)
      }
      const [players, watchers] = [gamers.slice(0, 2), gamers.slice(2)]
      const play = (audience: number, seed: string): Promise<Traffic> =>
        playBefore({ players, counted, watchers, audience, seed })

      const games: Games = { nobody: [], one: [], all: [] }
      for (let round = 1; round <= ROUNDS; round++) {
        say(`spectators, round ${round} of ${ROUNDS}`)
        games.nobody.push(await play(0, `${round} alone`))
        games.one.push(await play(1, `${round} one`))
        games.all.push(await play(FULL_HOUSE, `${round} all`))
      }
      return rowsOf(games)
    } finally {
      for (const close of closing.toReversed()) await close()
    }
  },
}
