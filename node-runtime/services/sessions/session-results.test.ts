// How sessions between machines end, and what is stored and believed of that.
import { describe, expect, it } from 'vitest'
import { CloudError } from '../../contract/errors.ts'
import { until } from '../../testing/cloud-nodes.ts'
import { eachSessionCloud } from '../../testing/each-session-cloud.ts'
import { game, gamesManifest } from '../../testing/session-machines.ts'
import {
  act,
  ended,
  judge,
  move,
  openBoth,
  play,
  resultOf,
  storedBy,
  watch,
  WINNING,
} from '../../testing/session-play.ts'

const cloud = eachSessionCloud()

describe('a result that cannot be stored', () => {
  it('is not tried again and again where the system refuses it', async () => {
    const [a, b] = [await cloud.start(), await cloud.start()]
    const session = await openBoth(game('1', a, b), a, b)
    cloud.records.fail = new CloudError('DB_SCHEMA', 'It does not fit.')
    const board = await watch(b, session)
    await play([a, b], session, WINNING)
    await until(() => board.last().agreed.length === 2)
    await until(() => cloud.records.tries >= 2)
    // Once for the end, and once for each agreement, on each machine.
    expect(cloud.records.tries).toBeLessThanOrEqual(6)
    expect(board.last()).toMatchObject({ state: 'over', resultId: null })
  }, 60_000)

  it('is stored as soon as the disk has room', async () => {
    const [a, b] = [await cloud.start(), await cloud.start()]
    const session = await openBoth(game('1', a, b), a, b)
    cloud.records.fail = new CloudError('UNAVAILABLE', 'No space.')
    const board = await watch(b, session)
    await play([a, b], session, WINNING)
    await until(() => board.last().agreed.length === 2)
    cloud.records.fail = null
    await until(() => resultOf(a, session)?.signatures.length === 2)
  }, 60_000)
})

describe('a seat that does not want an end', () => {
  it('need not sign: the result counts when the rules say so', async () => {
    const a = await cloud.start()
    let b = await cloud.start()
    const session = await openBoth(game('1', a, b), a, b)
    await play([a, b], session, WINNING.slice(0, 6))
    const board = await watch(a, session)
    await until(() => board.last().ply === 6)
    const { dataDir } = b
    await b.close()
    await move(a, session, 3)
    const result = await storedBy(a, session)
    const judged = await judge(await cloud.start(), result)
    expect(judged).toMatchObject({ outcome: { scores: [1, 0] }, agreed: [a.identity.person] })
    b = await cloud.start({ dataDir })
    await until(() => resultOf(b, session) !== null)
    expect(board.last().disputed).toBe(false)
  }, 60_000)

  it('can resign, and has lost', async () => {
    const [a, b] = [await cloud.start(), await cloud.start()]
    const session = await openBoth(game('1', a, b), a, b)
    const board = await watch(b, session)
    await act(a, session, { type: 'resign' })
    expect(await ended(board)).toMatchObject({
      state: 'over',
      by: 'resignation',
      outcome: { scores: [0, 1] },
    })
    const result = await storedBy(b, session)
    expect((await judge(b, result)).by).toBe('resignation')
  }, 60_000)

  it('is not sat down again at each start once the session is old', async () => {
    const [a, b] = [await cloud.start(), await cloud.start()]
    const session = await openBoth(game('1', a, b), a, b)
    const { dataDir } = a
    await a.close()
    const again = await cloud.start({ dataDir })
    await until(() => again.sessions.placeOf(session) !== null)
    await again.close()
    const weekMs = 7 * 24 * 3_600_000
    const later = await cloud.start({ dataDir, now: () => Date.now() + weekMs + 60_000 })
    await later.sessions.list(gamesManifest.id, undefined, 10)
    await later.sessions.resumed
    expect(later.sessions.placeOf(session)).toBeNull()
  }, 60_000)
})

describe('a result that does not hold', () => {
  it('is refused, whatever is wrong with it', async () => {
    const [a, b] = [await cloud.start(), await cloud.start()]
    const session = await openBoth(game('1', a, b), a, b)
    await play([a, b], session, WINNING)
    const result = await storedBy(a, session)
    for (const forged of [
      { ...result, outcome: { scores: [0, 1], reason: 'four in a row' } },
      { ...result, by: 'resignation' as const },
      { ...result, plies: 6 },
      { ...result, descriptor: { ...result.descriptor, seed: 'another' } },
      { ...result, session: 'f'.repeat(64) },
    ]) {
      await expect(b.sessions.judge(forged)).rejects.toMatchObject({
        code: 'SESSION_TRANSCRIPT_FORGED',
      })
    }
    const missing = { ...result.transcript, hash: 'f'.repeat(64) }
    await expect(b.sessions.judge({ ...result, transcript: missing })).rejects.toMatchObject({
      code: 'SESSION_TRANSCRIPT_MISSING',
    })
  }, 60_000)
})
