// Games of Connect Four over the machines' own calls: what the owner's page of each machine does.
import path from 'node:path'
import { newKeyPair } from '../../node-runtime/store/new-keys.ts'
import type { SessionDescriptor, SessionFrame } from '../../node-runtime/contract/sessions.ts'
import { connectToFolder } from '../../node-runtime/host/running-machine.ts'
import type { Connection } from '../../node-runtime/host/running-machine.ts'
import { serveRepository } from '../support/git-server.ts'
import type { GitServer } from '../support/git-server.ts'
import { within } from './patience.ts'

export const SYSTEM = 'event-games'
export const KIND = 'connect-four'
export const EXTENSION = path.resolve(import.meta.dirname, '../../extensions', SYSTEM)

/** A game in which nobody wins: the columns of 42 moves, the most there can be. */
export const DRAWN_GAME: readonly number[] = [
  6, 3, 3, 0, 3, 6, 4, 5, 2, 4, 0, 0, 6, 4, 2, 6, 0, 0, 3, 5, 1, 2, 0, 4, 5, 1, 1, 6, 2, 3, 2, 1, 6,
  1, 3, 2, 1, 5, 5, 5, 4, 4,
]

type Client = Connection['client']

/** A running machine with the games installed, over its WebSocket. */
export interface Gamer {
  client: Client
  person: string
  close(): void
}

/** Serves the games' repository; the address to install them from. */
export function serveGames(): Promise<GitServer> {
  return serveRepository(EXTENSION, newKeyPair())
}

/** Connects to the machine of that folder and installs the games. */
export async function installGames(dataDir: string, url: string): Promise<Gamer> {
  const { client, close } = await connectToFolder(dataDir)
  const { commit, permissions } = await client.systems.preview({ url })
  await client.systems.install({ url, commit, grant: permissions })
  const { person } = await client.identity.whoami({})
  return { client, person, close }
}

/** Played by the rules of the installed version. */
export type GameDescription = Omit<SessionDescriptor, 'rules'>

/** A game between these; the seed tells it from others. */
export function describeGame(
  players: readonly Pick<Gamer, 'person'>[],
  seed: string,
): GameDescription {
  return {
    system: SYSTEM,
    kind: KIND,
    seats: players.map(({ person }) => person),
    seed,
    options: {},
    context: { event: 'bench', start: '0'.repeat(64), round: 1, table: 1 },
  }
}

/** A session as one machine's client sees it. */
export interface Board {
  /** Resolves with the first frame, now or later, for which the condition holds. One at a time. */
  shows(what: string, condition: (frame: SessionFrame) => boolean): Promise<SessionFrame>
  close(): void
}

/** Watches a session that the machine knows. */
export async function watchGame({ client }: Gamer, session: string): Promise<Board> {
  const closing = new AbortController()
  const frames = await client.sessions.watch({ session }, { signal: closing.signal })
  let newest: SessionFrame | null = null
  let ended: unknown = null
  let wake: () => void = () => undefined
  const read = async (): Promise<void> => {
    for await (const frame of frames) {
      newest = frame
      wake()
    }
    throw new Error('the stream of the session has ended')
  }
  read().catch((error: unknown) => {
    ended = error
    wake()
  })
  const find = async (condition: (frame: SessionFrame) => boolean): Promise<SessionFrame> => {
    while (newest === null || !condition(newest)) {
      if (ended !== null) throw ended
      await new Promise<void>((resolve) => (wake = resolve))
    }
    return newest
  }
  return {
    shows: (what, condition) => within(find(condition), what),
    close: () => closing.abort(),
  }
}

/** Both take their seats; resolves when both see both. */
export async function sitDown(
  players: readonly Gamer[],
  descriptor: GameDescription,
): Promise<{ session: string; boards: Board[] }> {
  const boards: Board[] = []
  let session = ''
  for (const player of players) {
    session = (await player.client.sessions.open(descriptor)).session
    boards.push(await watchGame(player, session))
  }
  for (const board of boards) {
    await board.shows('both players are seated', ({ seats }) =>
      seats.every(({ online }) => online === true),
    )
  }
  return { session, boards }
}
