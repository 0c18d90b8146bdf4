// How long a move takes from the call on one machine to the frame at the opponent's, against a bare
// message over the same kind of connection, and against what a move asks of the rules' sandbox.
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { RulesRunner } from '../../node-runtime/ports/rules.ts'
import { bundleRules } from '../../node-runtime/sandbox/rules-bundle.ts'
import { RulesPool } from '../../node-runtime/sandbox/rules-pool.ts'
import { LocalCloud } from '../support/machines.ts'
import { newTopic, startBarePeer } from './bare-peer.ts'
import type { BarePeer } from './bare-peer.ts'
import {
  DRAWN_GAME,
  EXTENSION,
  KIND,
  describeGame,
  installGames,
  serveGames,
  sitDown,
} from './games.ts'
import type { GameDescription, Gamer } from './games.ts'
import { compare, timeMs } from './report.ts'
import type { Measure } from './report.ts'

const ROUNDS = 5
/** About as much as a signed move takes in a log. */
const MESSAGE_BYTES = 400

interface MoveTimes {
  /** From the call to the opponent's frame. */
  seenMs: number[]
  /** From the call to its answer: the move is checked, and on the mover's disk. */
  answeredMs: number[]
}

/** Plays one game. */
async function playGame(players: readonly Gamer[], seed: string): Promise<MoveTimes> {
  const { session, boards } = await sitDown(players, describeGame(players, seed))
  const times: MoveTimes = { seenMs: [], answeredMs: [] }
  for (const [ply, action] of DRAWN_GAME.entries()) {
    const what = `move ${ply + 1} is seen`
    // The mover's own board comes first, as it would before a person's eyes.
    await boards[ply % 2]!.shows(what, (frame) => frame.ply === ply)
    const seen = boards[(ply + 1) % 2]!.shows(what, (frame) => frame.ply === ply + 1)
    const startMs = performance.now()
    const answered = players[ply % 2]!.client.sessions.act({ session, action })
    await Promise.all([
      seen.then(() => times.seenMs.push(performance.now() - startMs)),
      answered.then(() => times.answeredMs.push(performance.now() - startMs)),
    ])
  }
  // The signing of the result must not slow the next game down.
  for (const board of boards) {
    await board.shows('the result is stored', ({ resultId }) => resultId !== null)
    board.close()
  }
  return times
}

/** As many one-way times of a bare message as a game has moves: half of each round trip, in ms. */
async function sendBare(peer: BarePeer): Promise<number[]> {
  const roundTripsMs = await peer.ping(DRAWN_GAME.length, MESSAGE_BYTES)
  return roundTripsMs.map((roundTripMs) => roundTripMs / 2)
}

/** As many calls that only ask that machine for what it has at hand, in ms. */
async function askMachine({ client }: Gamer): Promise<number[]> {
  const samples: number[] = []
  while (samples.length < DRAWN_GAME.length) {
    samples.push(await timeMs(() => client.identity.whoami({})))
  }
  return samples
}

/**
 * What a move asks of the rules, in ms, for each move of a game: the opponent's machine has them judge
 * and apply it and show the position, in one call. (The mover's machine knows that it is legal, and has
 * it played while it is on its way.)
 */
async function askRules(rules: RulesRunner, descriptor: GameDescription): Promise<number[]> {
  const samples: number[] = []
  const { seed, options, seats } = descriptor
  const begin = { seed, options, seats: seats.length, viewer: 1 }
  let position = await rules.start(begin)
  for (const [ply, action] of DRAWN_GAME.entries()) {
    if (position.kind !== 'ok') throw new Error('the rules did not answer')
    const { state } = position
    const work = async (): Promise<void> => {
      const next = await rules.play({ ...begin, state, seat: ply % 2, action })
      if (next.kind === 'illegal') throw new Error('the drawn game has an illegal move')
      position = next
    }
    samples.push(await timeMs(work))
  }
  return samples
}

export const moveLatency: Measure = {
  name: 'move',
  title: 'A move in a game, between two machines',
  async run(say) {
    const repository = await serveGames()
    const cloud = await LocalCloud.create()
    const topic = newTopic()
    const echo = startBarePeer(cloud.bootstrap, topic)
    const closing: (() => unknown)[] = [() => cloud.close(), () => repository.close(), echo.close]
    try {
      await echo.announced
      const bare = startBarePeer(cloud.bootstrap, topic)
      closing.push(bare.close)
      await Promise.all([bare.connected, echo.connected])
      const first = await cloud.startDaemon()
      const second = await cloud.startDaemon({ cloud: first.cloud })
      const players = [
        await installGames(first.dataDir, repository.url),
        await installGames(second.dataDir, repository.url),
      ]
      const pool = new RulesPool()
      closing.push(() => pool.close(), ...players.map(({ close }) => close))
      const entry = `rules/${KIND}.ts`
      const readRules = (file: string) => readFile(path.join(EXTENSION, file), 'utf8')
      const rules = pool.runner(await bundleRules({ entry, readFile: readRules }, pool))

      const move: MoveTimes = { seenMs: [], answeredMs: [] }
      const bareMs: number[] = []
      const callMs: number[] = []
      const rulesMs: number[] = []
      // The first of each starts sandboxes and warms the code; it does not count.
      for (let round = 0; round <= ROUNDS; round++) {
        say(round === 0 ? 'moves, to warm up' : `moves, game ${round} of ${ROUNDS}`)
        const { seenMs, answeredMs } = await playGame(players, `game ${round}`)
        const onceBareMs = await sendBare(bare)
        const onceCallMs = await askMachine(players[0]!)
        const onceRulesMs = await askRules(rules, describeGame(players, 'rules alone'))
        if (round === 0) continue
        move.seenMs.push(...seenMs)
        move.answeredMs.push(...answeredMs)
        bareMs.push(...onceBareMs)
        callMs.push(...onceCallMs)
        rulesMs.push(...onceRulesMs)
      }
      const seen = 'call to the opponent’s frame'
      return [
        compare(seen, 'ms', move.seenMs, `bare secret stream, ${MESSAGE_BYTES} B one way`, bareMs),
        compare(seen, 'ms', move.seenMs, 'the call of the rules in it, alone', rulesMs),
        compare(
          'call to its answer',
          'ms',
          move.answeredMs,
          'a call that only reads (whoami)',
          callMs,
        ),
      ]
    } finally {
      for (const close of closing.toReversed()) await close()
    }
  },
}
