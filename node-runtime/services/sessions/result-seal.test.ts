import { describe, expect, test } from 'vitest'
import { resultValueSchema } from '../../contract/sessions.ts'
import { canonicalJson } from '../../core/canonical.ts'
import type { SeatAction } from '../../core/sessions/action.ts'
import type { Position } from '../../core/sessions/position.ts'
import { readTranscript, transcriptHash } from '../../core/sessions/transcript.ts'
import type { RulesRunner } from '../../ports/rules.ts'
import { CLOUD, descriptorOf, exchange, holder, race, Table } from '../../testing/session-tables.ts'
import type { RulesOf } from '../../testing/session-tables.ts'
import { forgedLog, Way } from '../../testing/signed-actions.ts'
import { sealResult } from './result-seal.ts'
import { judge } from './verdicts.ts'

const ANN = holder('ann')

test('a result names its transcript, and has the agreements of all seats', () => {
  const others = Array.from({ length: 15 }, (_, number) => holder(`other ${number}`))
  const of = descriptorOf([ANN, ...others])
  const tables = [ANN, ...others].map((by) => new Table(of, race, by))
  expect(tables[0]?.act({ type: 'resign' })).toBe(0)
  exchange(...tables)
  for (const { referee } of tables) {
    const { value, transcript } = sealResult(referee)
    expect(resultValueSchema.parse(value)).toEqual(value)
    expect(value.transcript).toEqual({
      core: null,
      hash: transcriptHash(transcript),
      length: transcript.length,
    })
    expect(value.signatures).toHaveLength(16)
  }
})

test('an agreement that is fat keeps nobody’s result from being stored', () => {
  const eve = holder('eve')
  const of = descriptorOf([ANN, eve])
  const ann = new Table(of, race, ANN)
  expect(ann.act(3)).toBe(0)
  const moved = ann.referee.transcript.actions[0]?.hash ?? ''
  const resigning = forgedLog(of, eve, [{ heads: [moved, null], type: 'resign' }])
  ann.read(resigning)
  const body = ann.referee.ending?.outcome ?? null
  const heads = [moved, resigning.actions[0]?.hash ?? '']
  const agreeing = forgedLog(of, eve, [
    { heads, type: 'agree', seq: 1, body, ...{ more: 'x'.repeat(10_000) } },
  ])
  ann.read({ ...agreeing, name: 'the rest' })
  expect(ann.referee.agreements.map((one) => one !== null)).toEqual([true, true])
  const { value } = sealResult(ann.referee)
  expect(value.signatures).toHaveLength(1)
  expect(canonicalJson(value).length).toBeLessThan(8_192)
})

describe('a result of a seat that cheated', () => {
  const BOB = holder('bob')
  const two = descriptorOf([ANN, BOB])
  const start = new Way(two)
  const play = start.with(ANN, { body: 3 }).with(BOB, { body: 1 })
  const many = Array.from({ length: 25 }, (_, number) => holder('bob', `machine ${number}`))
  /** What a cheat does, and actions that may come to count or not. */
  const cheats: [string, readonly SeatAction[]][] = [
    ['two actions for one position', [1, 2].map((body) => play.with(ANN).with(BOB, { body }).last)],
    [
      'two actions that stand on what does not count',
      [1, 2, 3].flatMap((body) => {
        const lost = start.with(holder('ann', 'phone'), { body: 2 })
        return lost.with(BOB, { body }).actions
      }),
    ],
    ['more than a seat may sign', many.map((by) => play.with(by, { type: 'chat' }).last)],
  ]

  test.each(cheats)('by %s holds, whatever came first', async (_what, cheat) => {
    const all = new Map(
      [...play.with(ANN).actions, ...cheat].map((action) => [action.hash, action]),
    )
    for (const actions of [[...all.values()], [...all.values()].toReversed()]) {
      const { referee } = tableOf(two, actions)
      expect(referee.fault?.seat).toBe(1)
      const { value, transcript } = sealResult(referee)
      const read = readTranscript(transcript)
      if (read === null) throw new Error('it cannot be read')
      expect(await judge(value, read, runnerOf(race), CLOUD)).toMatchObject({
        by: 'fault',
        outcome: { scores: [1, 0] },
        plies: referee.actions.length,
      })
    }
  })

  /** A table that got these, each as often as it had to come. */
  function tableOf(of: typeof two, actions: readonly SeatAction[]): Table {
    const table = new Table(of, race, null)
    for (let length = -1; length !== table.referee.length; ) {
      length = table.referee.length
      for (const { form, attested } of actions) {
        table.step({ type: 'action', form, attestation: attested.form })
      }
    }
    return table
  }
})

describe('a session that is over before anybody acts', () => {
  const BOB = holder('bob')
  const two = descriptorOf([ANN, BOB])
  const outcome = { scores: [1, 1], reason: 'nothing is left to play' }
  const over: RulesOf = {
    start: () => ({ state: null, outcome, legal: [[], []], view: null }),
    play: () => null,
  }

  test('has a result that holds, with an empty transcript, on which both agree', async () => {
    const tables = [ANN, BOB].map((by) => new Table(two, over, by)) as [Table, Table]
    exchange(...tables)
    for (const table of tables) {
      expect(table.act(1)).toBe('SESSION_OVER')
      const { value, transcript } = sealResult(table.referee)
      const read = readTranscript(transcript)
      if (read === null) throw new Error('it cannot be read')
      expect(read.blocks).toEqual([])
      expect(resultValueSchema.parse(value)).toEqual(value)
      expect(await judge(value, read, runnerOf(over), CLOUD)).toMatchObject({
        outcome,
        by: 'rules',
        plies: 0,
        agreed: [ANN.person, BOB.person],
      })
    }
  })

  test('is not any session whose transcript is empty', async () => {
    const { value, transcript } = sealResult(new Table(two, over, null).referee)
    const read = readTranscript(transcript)
    if (read === null) throw new Error('it cannot be read')
    await expect(judge(value, read, runnerOf(race), CLOUD)).rejects.toMatchObject({
      code: 'SESSION_TRANSCRIPT_FORGED',
      details: { reason: 'the session was not over' },
    })
  })
})

/** Rules that run in the test itself. */
function runnerOf(rules: RulesOf): RulesRunner {
  const answer = (position: Position) =>
    ({ kind: 'ok', ...position, view: { kind: 'ok', view: position.view } }) as const
  const unasked = () => Promise.reject(new Error('it is not asked for'))
  return {
    hash: '',
    start: () => Promise.resolve(answer(rules.start())),
    play: ({ state, seat, action }) => {
      const played = rules.play(state, seat, action)
      return Promise.resolve(played === null ? { kind: 'illegal' } : answer(played))
    },
    view: unasked,
    replay: unasked,
  }
}
