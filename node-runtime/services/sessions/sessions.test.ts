// @ts-nocheck -- follows the switch of the database
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SessionDescriptor, SessionFrame, SignedAction } from '../../contract/sessions.ts'
import { verifyRecord } from '../../core/db/record.ts'
import { actionBytes, actionHash, sessionId } from '../../core/sessions/session-chain.ts'
import { until } from '../../testing/cloud-nodes.ts'
import { SessionCloud, game, gamesManifest, openSeatLog } from '../../testing/session-machines.ts'
import type { SessionMachine } from '../../testing/session-machines.ts'

/** Seat 0 wins with its fourth disc in column 3. */
const WINNING = [3, 0, 3, 0, 3, 0, 3]

let cloud: SessionCloud
const stops: (() => void)[] = []

beforeEach(async () => {
  cloud = await SessionCloud.create()
})

afterEach(async () => {
  for (const stop of stops.splice(0)) stop()
  await cloud.close()
}, 20_000)

/** Watches a session; `last()` is what the page would show now. */
async function watch(
  machine: SessionMachine,
  session: string,
): Promise<{ last: () => SessionFrame; stop: () => void }> {
  const abort = new AbortController()
  let newest: SessionFrame | undefined
  const frames = await machine.sessions.watch(session, abort.signal)
  void (async () => {
    for await (const frame of frames) newest = frame
  })()
  await until(() => newest !== undefined)
  const stop = (): void => abort.abort()
  stops.push(stop)
  return {
    last: () => {
      if (newest === undefined) throw new Error('no frame yet')
      return newest
    },
    stop,
  }
}

async function knows(machine: SessionMachine, session: string, seats = 2): Promise<void> {
  await until(async () => {
    const list = await machine.sessions.list(gamesManifest.id, undefined, 100)
    const found = list.find((summary) => summary.session === session)
    return (found?.seats.filter(({ online }) => online !== null).length ?? 0) >= seats
  })
}

async function openBoth(
  descriptor: SessionDescriptor,
  a: SessionMachine,
  b: SessionMachine,
): Promise<string> {
  const session = await a.sessions.open(descriptor)
  expect(await b.sessions.open(descriptor)).toBe(session)
  return session
}

/** Makes a move as soon as it is this machine's turn. */
async function move(machine: SessionMachine, session: string, column: number): Promise<void> {
  await until(async () => {
    try {
      await machine.sessions.act(session, column)
      return true
    } catch (error) {
      if ((error as { code?: string }).code === 'SESSION_NOT_YOUR_TURN') return false
      throw error
    }
  })
}

async function play(
  players: readonly SessionMachine[],
  session: string,
  columns: readonly number[],
  from = 0,
): Promise<void> {
  for (const [i, column] of columns.entries()) {
    const player = players[(from + i) % players.length]
    if (player !== undefined) await move(player, session, column)
  }
}

describe('sessions between machines', () => {
  it('are played by two, watched by a third, and end in a result that all can check', async () => {
    const [a, b, c] = [await cloud.start(), await cloud.start(), await cloud.start()]
    const session = await openBoth(game('1', a, b), a, b)
    await knows(c, session)
    const spectator = await watch(c, session)
    expect(spectator.last()).toMatchObject({ state: 'live', ownSeat: null, legal: [], toAct: [0] })
    await play([a, b], session, WINNING.slice(0, 2))
    await until(() => spectator.last().ply === 2)
    const first = await watch(a, session)
    await until(() => first.last().ply === 2)
    expect(first.last()).toMatchObject({ ownSeat: 0, legal: [0, 1, 2, 3, 4, 5, 6] })
    await play([a, b], session, WINNING.slice(2))
    for (const { last } of [spectator, first]) {
      await until(() => last().resultId === session)
      expect(last()).toMatchObject({
        state: 'over',
        outcome: { scores: [1, 0], reason: 'four in a row' },
        fault: null,
      })
    }
    const record = await c.database.get({
      system: gamesManifest.id,
      collection: 'results',
      id: session,
    })
    if (record === null) throw new Error('the result is not in the database')
    verifyRecord(record)
    expect(record.cosignatures?.map(({ person }) => person)).toEqual(
      [a.identity.person, b.identity.person].sort(),
    )
    await expect(a.sessions.act(session, 1)).rejects.toMatchObject({ code: 'SESSION_OVER' })
    const listed = await c.sessions.list(gamesManifest.id, 'over', 10)
    expect(listed).toMatchObject([{ session, state: 'over', ply: 7 }])
  }, 60_000)

  it('are told apart, refused and left unchanged by wrong calls', async () => {
    const [a, b] = [await cloud.start(), await cloud.start()]
    const descriptor = game('1', a, b)
    for (const [wrong, code] of [
      [{ ...descriptor, kind: 'chess' }, 'SESSION_KIND_UNKNOWN'],
      [{ ...descriptor, system: 'org.example.other' }, 'SYSTEM_NOT_INSTALLED'],
      [{ ...descriptor, seats: descriptor.seats.slice(0, 1) }, 'SESSION_SEATS_INVALID'],
      [game('1', a, a), 'SESSION_SEATS_INVALID'],
      [game('1', b, { ...b, identity: (await cloud.start()).identity }), 'SESSION_NOT_SEATED'],
    ] as const) {
      await expect(a.sessions.open(wrong)).rejects.toMatchObject({ code })
    }
    await expect(a.sessions.act('f'.repeat(64), 0)).rejects.toMatchObject({
      code: 'SESSION_UNKNOWN',
    })
    const session = await openBoth(descriptor, a, b)
    await expect(b.sessions.act(session, 0)).rejects.toMatchObject({
      code: 'SESSION_NOT_YOUR_TURN',
    })
    for (const action of [7, -1, '3', null, 3.5, [3]]) {
      await expect(a.sessions.act(session, action)).rejects.toMatchObject({
        code: 'SESSION_ACTION_ILLEGAL',
      })
    }
    const frame = (await watch(a, session)).last()
    expect(frame).toMatchObject({ ply: 0, actions: [], fault: null })
  }, 60_000)

  it('take one action per turn, however many calls come at once', async () => {
    const [a, b] = [await cloud.start(), await cloud.start()]
    const session = await openBoth(game('1', a, b), a, b)
    const results = await Promise.allSettled([3, 3, 4, 5].map((c) => a.sessions.act(session, c)))
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
      'rejected',
    ])
    const opponent = await watch(b, session)
    await until(() => opponent.last().ply === 1)
    expect(opponent.last().fault).toBeNull()
  }, 60_000)

  it('go on after a machine was closed in the middle and came back', async () => {
    const a = await cloud.start()
    let b = await cloud.start()
    const session = await openBoth(game('1', a, b), a, b)
    await play([a, b], session, WINNING.slice(0, 4))
    const board = await watch(a, session)
    await until(() => board.last().ply === 4)
    const { dataDir } = b
    await b.close()
    await until(() => board.last().seats[1]?.online === false)
    await move(a, session, WINNING[4] ?? 0)
    b = await cloud.start({ dataDir })
    await play([b, a], session, WINNING.slice(5))
    await until(() => board.last().resultId === session)
    expect(board.last()).toMatchObject({ state: 'over', ply: 7, fault: null })
  }, 60_000)

  it('are found with their result by a machine that comes when the players have left', async () => {
    const [a, b, keeper] = [await cloud.start(), await cloud.start(), await cloud.start()]
    const session = await openBoth(game('1', a, b), a, b)
    await play([a, b], session, WINNING)
    const address = { system: gamesManifest.id, collection: 'results', id: session }
    await until(async () => (await keeper.database.get(address)) !== null)
    await knows(keeper, session)
    await a.close()
    await b.close()
    const board = await watch(keeper, session)
    expect(board.last()).toMatchObject({ state: 'over', ply: 7, resultId: session })
  }, 60_000)
})

/** Signs an action as a machine's person, with whatever content a test wants. */
function sign(machine: SessionMachine, action: Omit<SignedAction, 'signature'>): SignedAction {
  return { ...action, signature: machine.identity.signAsPerson(actionBytes(action)) }
}

describe('a seat that breaks the rules', () => {
  const hostile: [string, (b: SessionMachine, next: Omit<SignedAction, 'signature'>) => unknown][] =
    [
      [
        'an illegal action',
        (b, next) => ({ type: 'action', action: sign(b, { ...next, action: 9 }) }),
      ],
      [
        'a signature of nobody',
        (_b, action) => ({ type: 'action', action: { ...action, signature: '0'.repeat(128) } }),
      ],
      [
        'an action of another session',
        (b, next) => ({ type: 'action', action: sign(b, { ...next, session: 'e'.repeat(64) }) }),
      ],
      [
        'a link to another move',
        (b, next) => ({ type: 'action', action: sign(b, { ...next, previous: 'e'.repeat(64) }) }),
      ],
      [
        'an action out of turn',
        (b, next) => ({ type: 'action', action: sign(b, { ...next, ply: 0 }) }),
      ],
      ['a result before the end', () => ({ type: 'result', signature: '0'.repeat(128) })],
      ['no move at all', () => 'hello'],
    ]

  it.each(hostile)(
    'with %s stops the session for all, and changes nothing',
    async (_what, forge) => {
      const a = await cloud.start()
      const b = await cloud.start()
      const descriptor = game('1', a, b)
      const session = await openBoth(descriptor, a, b)
      await move(a, session, 3)
      const board = await watch(b, session)
      await until(() => board.last().ply === 1)
      board.stop()
      await b.close()
      await a.close()
      const seat0 = await openSeatLog(a, session, 0)
      const { action } = JSON.parse(await seat0.log.read(0)) as { action: SignedAction }
      await seat0.close()
      const previous = actionHash(action)
      const { log, close } = await openSeatLog(b, session, 1)
      const next = { session, ply: 1, seat: 1, action: 0, previous, atMs: Date.now() }
      await log.append(JSON.stringify(forge(b, next)))
      await close()
      await cloud.start({ dataDir: b.dataDir })
      const again = await cloud.start({ dataDir: a.dataDir })
      const seen = await watch(again, session)
      await until(() => seen.last().fault !== null)
      expect(seen.last()).toMatchObject({
        ply: 1,
        fault: { seat: 1, ply: 1 },
        toAct: [],
        legal: [],
        outcome: null,
      })
      await expect(again.sessions.act(session, 3)).rejects.toMatchObject({
        code: 'SESSION_TRANSCRIPT_FORGED',
      })
    },
    60_000,
  )
})

describe('the audience', () => {
  it('serves itself: a player gives as much to six as to one', async () => {
    const [a, b] = [await cloud.start(), await cloud.start()]
    const watchers: SessionMachine[] = []
    for (let i = 0; i < 6; i++) watchers.push(await cloud.start())
    /** Blocks that the busier player gave away, and the most it should: its own, and all once. */
    const uploaded = async (
      seed: string,
      audience: SessionMachine[],
    ): Promise<[number, number]> => {
      const session = await openBoth(game(seed, a, b), a, b)
      const boards = []
      for (const machine of audience) {
        await knows(machine, session)
        boards.push(await watch(machine, session))
        await until(() => machine.sessions.placeOf(session)?.source !== null)
      }
      await play([a, b], session, WINNING)
      for (const { last } of boards) await until(() => last().resultId === session)
      for (const player of [a, b]) {
        expect(player.sessions.placeOf(session)?.children.length).toBeLessThanOrEqual(1)
      }
      const counts = [a, b].map(({ sessions }) =>
        sessions.uploads(session).reduce((sum, count) => sum + (count?.blocks ?? 0), 0),
      )
      const ownBlocks = Math.ceil(WINNING.length / 2) + 1
      return [Math.max(...counts), ownBlocks + WINNING.length + 2]
    }
    for (const audience of [watchers.slice(0, 1), watchers]) {
      const [blocks, most] = await uploaded(`for ${audience.length}`, audience)
      expect(blocks).toBeGreaterThan(0)
      expect(blocks).toBeLessThanOrEqual(most)
    }
  }, 90_000)

  it('finds another source when the one it had goes away', async () => {
    const [a, b] = [await cloud.start(), await cloud.start()]
    const watchers = [await cloud.start(), await cloud.start(), await cloud.start()]
    const session = await openBoth(game('1', a, b), a, b)
    const boards = new Map<SessionMachine, Awaited<ReturnType<typeof watch>>>()
    for (const machine of watchers) {
      await knows(machine, session)
      boards.set(machine, await watch(machine, session))
      await until(() => machine.sessions.placeOf(session)?.source !== null)
    }
    await play([a, b], session, [3, 0])
    for (const { last } of boards.values()) await until(() => last().ply === 2)
    const relay = watchers.find(
      ({ sessions }) => (sessions.placeOf(session)?.children.length ?? 0) > 0,
    )
    if (relay === undefined) throw new Error('no spectator serves another')
    boards.get(relay)?.stop()
    boards.delete(relay)
    await relay.close()
    await play([a, b], session, [3, 0])
    for (const { last } of boards.values()) await until(() => last().ply === 4)
    expect(boards.size).toBe(2)
  }, 60_000)

  it('needs the system installed', async () => {
    const [a, b] = [await cloud.start(), await cloud.start()]
    const stranger = await cloud.start({ installed: false })
    const session = await openBoth(game('1', a, b), a, b)
    await knows(stranger, session)
    await expect(stranger.sessions.watch(session)).rejects.toMatchObject({
      code: 'SYSTEM_NOT_INSTALLED',
    })
    expect(sessionId(game('1', a, b))).toBe(session)
  }, 60_000)
})
