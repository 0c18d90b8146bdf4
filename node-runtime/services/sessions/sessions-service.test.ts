import { call } from '@orpc/server'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ResultValue } from '../../contract/sessions.ts'
import { contract } from '../../contract/index.ts'
import { createCallerCheck } from '../../rpc/caller.ts'
import type { CallContext } from '../../rpc/caller.ts'
import { connect } from '../../rpc/client.ts'
import type { Client } from '../../rpc/client.ts'
import { createServer } from '../../rpc/server.ts'
import { until } from '../../testing/cloud-nodes.ts'
import { eachSessionCloud } from '../../testing/each-session-cloud.ts'
import { resultValueSchema } from '../../contract/sessions.ts'
import { FORMER_GAMES, game, gamesManifest } from '../../testing/session-machines.ts'
import type { SessionMachine } from '../../testing/session-machines.ts'
import { createSessionsService } from './sessions-service.ts'

const owner: { context: CallContext } = { context: { caller: { kind: 'owner' } } }

/** The calls as the page of a system makes them, past the check of who may make them. */
function asSystem(id: string): Client['sessions'] {
  const serve = createServer<CallContext>(
    { sessions: createSessionsService({ sessions: () => a.sessions }) },
    {
      access: createCallerCheck({
        systemOfSession: (session) => a.sessions.systemOf(session),
        ownerOf: (key) => (key === FORMER_GAMES ? gamesManifest.id : key),
      }),
      onInternalError: (error) => expect.unreachable(String(error)),
    },
  )
  const { port1, port2 } = new MessageChannel()
  serve(port1, { caller: { kind: 'system', system: id, hasPermission: () => true } })
  port1.start()
  port2.start()
  ports.push(port1)
  return connect(contract, port2).sessions
}

const ports: MessagePort[] = []
const cloud = eachSessionCloud()
let a: SessionMachine
let b: SessionMachine

beforeEach(async () => {
  a = await cloud.start()
  b = await cloud.start()
})

afterEach(() => {
  for (const port of ports.splice(0)) port.close()
})

/** Plays a game to its end and gives its result as the database has it. */
async function playedResult(): Promise<ResultValue> {
  const descriptor = game('1', a, b)
  const session = await a.sessions.open(descriptor)
  await b.sessions.open(descriptor)
  const frames = await Promise.all([a, b].map(({ sessions }) => sessions.watch(session)))
  for (const [ply, column] of [3, 0, 3, 0, 3, 0, 3].entries()) {
    for await (const { toAct, legal } of frames[ply % 2] ?? []) {
      if (toAct.includes(ply % 2) && legal.length > 0) break
    }
    await (ply % 2 === 0 ? a : b).sessions.act(session, { type: 'move', body: column })
    frames[ply % 2] = await (ply % 2 === 0 ? a : b).sessions.watch(session)
  }
  const place = { system: gamesManifest.id, collection: 'results', id: session }
  const author = a.identity.person
  await until(() => cloud.records.get({ ...place, author }) !== null)
  return resultValueSchema.parse(cloud.records.get({ ...place, author })?.value)
}

describe('the sessions service', () => {
  it('replays a result and names who signed it', async () => {
    const service = createSessionsService({ sessions: () => a.sessions })
    const result = await playedResult()
    const { frames, outcome, signers } = await call(service.replay, { result }, owner)
    expect(frames.map(({ ply, seat, action }) => [ply, seat, action])).toEqual([
      [0, null, null],
      ...[3, 0, 3, 0, 3, 0, 3].map((column, i) => [i + 1, i % 2, column]),
    ])
    expect(frames.at(-1)?.view).toMatchObject({ toMove: null, lastMove: { row: 2, column: 3 } })
    expect(outcome).toEqual({ scores: [1, 0], reason: 'four in a row' })
    expect(signers.sort()).toEqual([a.identity.person, b.identity.person].sort())
    const forged = { ...result, outcome: { ...outcome, scores: [0, 1] } }
    await expect(call(service.replay, { result: forged }, owner)).rejects.toMatchObject({
      code: 'SESSION_TRANSCRIPT_FORGED',
    })
    await expect(asSystem('org.example.other').replay({ result })).rejects.toMatchObject({
      code: 'FORBIDDEN',
    })
    const own = asSystem(gamesManifest.id)
    expect(await own.replay({ result })).toMatchObject({ outcome, nextPly: null })
    const { frames: last } = await own.replay({ result, fromPly: 6 })
    expect(last.map(({ ply }) => ply)).toEqual([6, 7])
    expect(await own.verify({ result })).toMatchObject({ outcome, by: 'rules', plies: 7 })
    expect(await own.rules({ system: gamesManifest.id, kind: 'connect-four' })).toEqual({
      rules: result.descriptor.rules,
    })
  }, 60_000)

  it('lets a system reach its own sessions only', async () => {
    const descriptor = game('1', a, b)
    const [own, other] = [asSystem(gamesManifest.id), asSystem('org.example.other')]
    await expect(other.open(descriptor)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    const { session } = await own.open(descriptor)
    for (const attempt of [
      () => other.act({ session, action: 3 }),
      () => other.watch({ session }),
      () => other.list({ system: gamesManifest.id }),
      () => other.resign({ session }),
      () => other.claim({ session }),
      () => other.rules({ system: gamesManifest.id, kind: 'connect-four' }),
    ]) {
      await expect(attempt()).rejects.toMatchObject({ code: 'FORBIDDEN' })
    }
    expect(await own.list({ system: gamesManifest.id })).toMatchObject({
      sessions: [{ session, state: 'waiting', ply: 0, ownSeat: 0 }],
    })
    expect(await own.act({ session, action: 3 })).toEqual({ ply: 0 })
    const early = { code: 'SESSION_CLAIM_EARLY', details: { leftMs: expect.any(Number) as number } }
    await expect(own.claim({ session })).rejects.toMatchObject(early)
    for await (const { state, claimAfterMs, claimInMs } of await own.watch({ session })) {
      expect([state, claimAfterMs]).toEqual(['waiting', 300_000])
      expect(claimInMs).toBeGreaterThan(0)
      expect(claimInMs).toBeLessThanOrEqual(300_000)
      break
    }
    expect(await own.resign({ session })).toEqual({ ply: 1 })
  }, 60_000)

  it('has the sessions from before a system had its present key', async () => {
    const session = await a.sessions.open({ ...game('1', a, b), system: FORMER_GAMES })
    const own = asSystem(gamesManifest.id)
    expect(await own.list({ system: gamesManifest.id })).toMatchObject({
      sessions: [{ session, state: 'waiting' }],
    })
    expect(await own.resign({ session })).toEqual({ ply: 0 })
    await expect(asSystem('org.example.other').resign({ session })).rejects.toMatchObject({
      code: 'FORBIDDEN',
    })
  }, 60_000)

  it('does not know sessions that nobody announced', async () => {
    const service = createSessionsService({ sessions: () => a.sessions })
    const session = '0'.repeat(64)
    for (const attempt of [
      call(service.watch, { session }, owner),
      call(service.act, { session, action: 3 }, owner),
    ]) {
      await expect(attempt).rejects.toMatchObject({ code: 'SESSION_UNKNOWN' })
    }
  })
})
