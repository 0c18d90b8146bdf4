// What it costs to run a stranger's rules, schemas and types where they can be killed: beside the same
// rules called in this process, and beside reading the same records without judging them.
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { bundleRules } from '../../node-runtime/sandbox/rules-bundle.ts'
import { RulesPool } from '../../node-runtime/sandbox/rules-pool.ts'
import { SchemaJudge } from '../../node-runtime/sandbox/schema-judge.ts'
import * as bare from '../../extensions/event-games/rules/connect-four.ts'
import { DRAWN_GAME, EXTENSION, KIND } from './games.ts'
import { compare, timeMs } from './report.ts'
import type { Measure } from './report.ts'

const GAMES = 8
const ROUNDS = 10
const RECORDS = 20_000
const SCHEMA = {
  type: 'object',
  properties: {
    title: { type: 'string', minLength: 1, maxLength: 200 },
    done: { type: 'boolean' },
    tags: { type: 'array', items: { type: 'string', pattern: '^[a-z]+$' }, maxItems: 5 },
  },
  required: ['title', 'done'],
  additionalProperties: false,
}

/** Each move of a game: the rules asked through the pool, and called directly; in ms. */
async function playGame(pool: RulesPool): Promise<{ pooledMs: number[]; bareMs: number[] }> {
  const readRules = (file: string): Promise<string> => readFile(path.join(EXTENSION, file), 'utf8')
  const runner = pool.runner(
    await bundleRules({ entry: `rules/${KIND}.ts`, readFile: readRules }, pool),
  )
  const begin = { seed: '', options: {}, seats: 2, viewer: 0 } as const
  let answer = await runner.start(begin)
  const pooledMs: number[] = []
  const bareMs: number[] = []
  for (const [ply, action] of DRAWN_GAME.entries()) {
    if (answer.kind !== 'ok') throw new Error(JSON.stringify(answer))
    const { state } = answer
    const seat = ply % 2
    const play = async (): Promise<void> => {
      const next = await runner.play({ state, seat, action, seats: 2, viewer: 0 })
      if (next.kind === 'illegal') throw new Error('the move is not legal')
      answer = next
    }
    pooledMs.push(await timeMs(play))
    bareMs.push(await timeMs(() => Promise.resolve(playBare(state as never, seat, action))))
  }
  return { pooledMs, bareMs }
}

function playBare(state: Parameters<typeof bare.apply>[0], seat: number, action: number): unknown {
  if (!bare.legal(state, seat).includes(action)) throw new Error('the move is not legal')
  const next = bare.apply(state, seat, action)
  return [bare.outcome(next), bare.legal(next, 0), bare.legal(next, 1), bare.view(next, 0)]
}

export const sandbox: Measure = {
  name: 'sandbox',
  title: 'What strangers send, where it can be killed',
  async run(say) {
    const pool = new RulesPool()
    const judge = new SchemaJudge()
    try {
      say('rules')
      const pooledMs: number[] = []
      const bareMs: number[] = []
      // The first game starts workers and warms the code; it does not count.
      for (let game = 0; game <= GAMES; game++) {
        const times = await playGame(pool)
        if (game === 0) continue
        pooledMs.push(...times.pooledMs)
        bareMs.push(...times.bareMs)
      }
      say('schemas')
      const values = Array.from({ length: RECORDS }, (_, n) =>
        JSON.stringify({ title: `note number ${n} of many`, done: n % 2 === 0, tags: ['a', 'b'] }),
      )
      const judgedMs: number[] = []
      const readMs: number[] = []
      for (let round = 0; round <= ROUNDS; round++) {
        const judged = await timeMs(() => judge.judge('bench', SCHEMA, values))
        const read = await timeMs(() => Promise.resolve(values.map((value) => JSON.parse(value))))
        if (round === 0) continue
        judgedMs.push(judged)
        readMs.push(read)
      }
      return [
        compare('a move: legal, apply, outcome, view', 'ms', pooledMs, 'called directly', bareMs),
        compare(`${RECORDS} records judged`, 'ms', judgedMs, 'JSON.parse of them', readMs),
      ]
    } finally {
      await Promise.all([pool.close(), judge.close()])
    }
  },
}
