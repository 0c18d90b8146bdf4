// A player at a running machine: `game-player.ts FOLDER PACE` installs the games there and says who it is; each line that
// it is given then, as JSON, is a game to play to its end, each move so many ms after the other one's. Says what its machine shows of it.
import { createInterface } from 'node:readline'
import * as z from 'zod'
import { hash, keyPair } from '../../../node-runtime/core/keys.ts'
import { serveRepository } from '../../support/git-server.ts'
import { describeGame, DRAWN_GAME, EXTENSION, installGames, watchGame } from '../games.ts'

/** What it says, a line each. */
export type PlayerReport =
  | { type: 'ready'; person: string }
  /** Both players are at the table. */
  | { type: 'seated' }
  /** So many moves are shown. */
  | { type: 'shown'; ply: number }
  | { type: 'over' }

const gameSchema = z.object({ seats: z.array(z.string()), seed: z.string() })

const [dataDir, paceMs] = z.tuple([z.string(), z.coerce.number()]).parse(process.argv.slice(2))
const say = (report: PlayerReport): void => void process.stdout.write(`${JSON.stringify(report)}\n`)
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, paceMs))

// Each computer has the repository on itself; that it is the same publisher's is what makes it the same system.
const repository = await serveRepository(
  EXTENSION,
  keyPair(hash(Buffer.from('who publishes the games'))),
)
const gamer = await installGames(dataDir, repository.url)
say({ type: 'ready', person: gamer.person })

for await (const line of createInterface({ input: process.stdin })) {
  const { seats, seed } = gameSchema.parse(JSON.parse(line))
  const seat = seats.indexOf(gamer.person)
  const { session } = await gamer.client.sessions.open(
    describeGame(
      seats.map((person) => ({ person })),
      seed,
    ),
  )
  const board = await watchGame(gamer, session)
  await board.shows('both are seated', (frame) =>
    frame.seats.every(({ online }) => online === true),
  )
  say({ type: 'seated' })
  for (const [ply, action] of DRAWN_GAME.entries()) {
    await board.shows(`${ply} moves`, (frame) => frame.ply >= ply)
    say({ type: 'shown', ply })
    if (ply % seats.length !== seat) continue
    await pause()
    await gamer.client.sessions.act({ session, action })
  }
  await board.shows('the result', ({ resultId }) => resultId !== null)
  board.close()
  say({ type: 'over' })
}
gamer.close()
await repository.close()
