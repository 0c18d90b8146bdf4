import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CloudError } from '../../contract/errors.ts'
import { versionTimeMs } from '../../core/db/hybrid-clock.ts'
import { until } from '../../testing/cloud-nodes.ts'
import { eachSessionCloud } from '../../testing/each-session-cloud.ts'
import { game, gamesManifest } from '../../testing/session-machines.ts'
import {
  ended,
  judge,
  move,
  once,
  openBoth,
  play,
  resultOf,
  SEATS,
  storedBy,
  watch,
  WINNING,
} from '../../testing/session-play.ts'

const cloud = eachSessionCloud()

describe('sessions between machines', () => {
  it('are played by two, watched by a third, and end in a result that all can check', async () => {
    const [a, b, c] = [await cloud.start(), await cloud.start(), await cloud.start()]
    const session = await openBoth(game('1', a, b), a, b)
    const spectator = await watch(c, session)
    await until(() => spectator.last().state === 'live')
    expect(spectator.last()).toMatchObject({ ownSeat: null, legal: [], toAct: [0] })
    await play([a, b], session, WINNING.slice(0, 2))
    await until(() => spectator.last().ply === 2)
    const first = await watch(a, session)
    await until(() => first.last().ply === 2)
    expect(first.last()).toMatchObject({ ownSeat: 0, legal: [0, 1, 2, 3, 4, 5, 6] })
    await play([a, b], session, WINNING.slice(2))
    for (const { last } of [spectator, first]) {
      await until(() => last().resultId === session && last().agreed.length === 2)
      expect(last()).toMatchObject({
        state: 'over',
        outcome: { scores: [1, 0], reason: 'four in a row' },
        by: 'rules',
        disputed: false,
        fault: null,
        trouble: null,
      })
    }
    await until(() => [a, b].every((one) => resultOf(one, session)?.signatures.length === 2))
    const [ofA, ofB] = [resultOf(a, session), resultOf(b, session)]
    expect(ofA?.transcript).toEqual(ofB?.transcript)
    if (ofA === null) throw new Error('no result')
    const judged = await judge(c, ofA)
    expect(judged).toMatchObject({ by: 'rules', plies: 7, outcome: { scores: [1, 0] } })
    expect(judged.agreed).toEqual([a.identity.person, b.identity.person])
    await expect(a.sessions.act(session, { type: 'move', body: 1 })).rejects.toMatchObject({
      code: 'SESSION_OVER',
    })
    const listed = await c.sessions.list(gamesManifest.id, 'over', 10)
    expect(listed).toMatchObject([{ session, state: 'over', ply: 7, outcome: { scores: [1, 0] } }])
  }, 60_000)

  it('are announced to nobody when their rules refuse the options', async () => {
    const rules = `
      export const init = () => { throw new Error('no such board') }
      export const legal = () => []
      export const apply = (state) => state
      export const outcome = () => null
      export const view = (state) => state
    `
    const [a, b] = [await cloud.start({ rules }), await cloud.start({ rules })]
    await expect(a.sessions.open(game('1', a, b))).rejects.toMatchObject({
      code: 'RULES_FAILED',
      message: expect.stringContaining('no such board'),
    })
    expect(await a.sessions.list(gamesManifest.id, undefined, 10)).toEqual([])
  })

  it('are told apart, refused and left unchanged by wrong calls', async () => {
    const [a, b] = [await cloud.start(), await cloud.start()]
    const descriptor = game('1', a, b)
    for (const [wrong, code] of [
      [{ ...descriptor, kind: 'chess' }, 'SESSION_KIND_UNKNOWN'],
      [{ ...descriptor, system: 'org.example.other' }, 'SYSTEM_NOT_INSTALLED'],
      [{ ...descriptor, seats: descriptor.seats.slice(0, 1) }, 'SESSION_SEATS_INVALID'],
      [game('1', a, a), 'SESSION_SEATS_INVALID'],
      [game('1', b, { ...b, identity: (await cloud.start()).identity }), 'SESSION_NOT_SEATED'],
      [{ ...descriptor, options: { text: 'x'.repeat(20_000) } }, 'SESSION_TOO_LARGE'],
      [{ ...descriptor, rules: 'f'.repeat(64) }, 'RULES_MISSING'],
    ] as const) {
      await expect(a.sessions.open(wrong)).rejects.toMatchObject({ code })
    }
    await expect(a.sessions.act('f'.repeat(64), { type: 'resign' })).rejects.toMatchObject({
      code: 'SESSION_UNKNOWN',
    })
    const session = await a.sessions.open(descriptor)
    await until(async () => (await b.sessions.list(descriptor.system, undefined, 10)).length > 0)
    await expect(b.sessions.act(session, { type: 'move', body: 0 })).rejects.toMatchObject({
      code: 'SESSION_NOT_SEATED',
      message: expect.stringContaining('open the session here'),
    })
    await openBoth(descriptor, a, b)
    await expect(b.sessions.act(session, { type: 'move', body: 0 })).rejects.toMatchObject({
      code: 'SESSION_NOT_YOUR_TURN',
    })
    for (const body of [7, -1, '3', null, 3.5, [3]]) {
      await expect(a.sessions.act(session, { type: 'move', body })).rejects.toMatchObject({
        code: 'SESSION_ACTION_ILLEGAL',
      })
    }
    const frame = (await watch(a, session)).last()
    expect(frame).toMatchObject({ ply: 0, actions: [], fault: null })
  }, 60_000)

  it('are closed by and by when a page opens more than anybody plays, and go on when they are used', async () => {
    const [a, b] = [await cloud.start(), await cloud.start()]
    const opened: string[] = []
    for (let i = 0; i < 80; i++) opened.push(await a.sessions.open(game(`${i}`, a, b)))
    const isOpen = (session: string): boolean => a.sessions.uploads(session).length > 0
    await until(() => opened.filter(isOpen).length === 64)
    const first = opened[0] ?? ''
    expect(isOpen(first)).toBe(false)
    expect(await a.sessions.act(first, { type: 'move', body: 3 })).toBe(0)
    expect(isOpen(first)).toBe(true)
    await b.sessions.open(game('0', a, b))
    const board = await watch(b, first)
    await until(() => board.last().ply === 1)
    expect(board.last().fault).toBeNull()
  }, 60_000)

  it('take one action per turn, however many calls come at once', async () => {
    const [a, b] = [await cloud.start(), await cloud.start()]
    const session = await openBoth(game('1', a, b), a, b)
    const results = await Promise.allSettled(
      [3, 3, 4, 5].map((body) => a.sessions.act(session, { type: 'move', body })),
    )
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
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
    expect(await ended(board)).toMatchObject({ state: 'over', ply: 7, fault: null })
  }, 60_000)

  it('are signed no more by a machine that may have signed what it does not know', async () => {
    const a = await cloud.start()
    let b = await cloud.start()
    const session = await openBoth(game('1', a, b), a, b)
    await play([a, b], session, WINNING.slice(0, 2))
    const { dataDir } = b
    await b.close()
    await writeFile(join(dataDir, 'sessions/list/CURRENT'), 'no such thing')
    b = await cloud.start({ dataDir })
    await move(a, session, WINNING[2] ?? 0)
    const board = await watch(b, session)
    await until(() => board.last().ply === 3)
    const refused = b.sessions.act(session, { type: 'move', body: 0 })
    await expect(refused).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await expect(refused).rejects.toThrow('it signs nothing more in this session')
  }, 60_000)

  it('leave their result with machines that have nothing to do with it', async () => {
    const [a, b] = [await cloud.start(), await cloud.start()]
    const witness = await cloud.start({ installed: false })
    const session = await openBoth(game('1', a, b), a, b)
    await play([a, b], session, WINNING)
    await until(() => [a, b].every((one) => resultOf(one, session)?.signatures.length === 2))
    const result = resultOf(a, session)
    if (result === null) throw new Error('no result')
    await until(() => witness.sessions.keptResults >= 1 && witness.sessions.wantedResults === 0)
    await a.close()
    await b.close()
    expect(await judge(await cloud.start(), result)).toMatchObject({ plies: 7 })
  }, 60_000)

  it('are found with their result when the players have left, and by who has its moves', async () => {
    const [a, b, keeper] = [await cloud.start(), await cloud.start(), await cloud.start()]
    const session = await openBoth(game('1', a, b), a, b)
    await play([a, b], session, WINNING)
    await until(() => [a, b].every((one) => resultOf(one, session)?.signatures.length === 2))
    const result = resultOf(a, session)
    if (result === null) throw new Error('no result')
    await judge(keeper, result)
    await a.close()
    await b.close()
    expect(await judge(await cloud.start(), result)).toMatchObject({ plies: 7 })
    const board = await watch(keeper, session)
    expect(await ended(board)).toMatchObject({ state: 'over', ply: 7, resultId: session })
  }, 60_000)

  it('are not lost by a question for rules that are their moves', async () => {
    const [a, b] = [await cloud.start(), await cloud.start()]
    const session = await openBoth(game('1', a, b), a, b)
    await play([a, b], session, WINNING)
    const result = await storedBy(a, session)
    await judge(b, result)
    await a.close()
    const { descriptor, transcript } = result
    const question = { ...result, descriptor: { ...descriptor, rules: transcript.hash } }
    await expect(b.sessions.judge(question)).rejects.toMatchObject({ code: 'RULES_MISSING' })
    expect((await b.sessions.judge(result)).judged).toMatchObject({ plies: 7 })
  }, 60_000)
})

describe('a database that cannot be read now', () => {
  it('makes no session unknown: no seat is announced anew', async () => {
    const [a, b] = [await cloud.start(), await cloud.start()]
    const descriptor = game('1', a, b)
    const session = await openBoth(descriptor, a, b)
    const announcements = async () =>
      (await b.records.query({ ...SEATS, prefix: session, limit: 10 })).records
    const before = await announcements()
    const { dataDir } = a
    await a.close()
    cloud.records.failReading = new CloudError('DISK_FAILED', 'The disk does not answer.')
    const again = await cloud.start({ dataDir })
    await expect(again.sessions.open(descriptor)).rejects.toMatchObject({ code: 'DISK_FAILED' })
    cloud.records.failReading = null
    expect(await announcements()).toEqual(before)
    expect(await again.sessions.open(descriptor)).toBe(session)
    expect(await announcements()).toEqual(before)
  }, 60_000)
})

describe('one person on two machines', () => {
  it('plays one game from both, and nobody is blamed', async () => {
    const b = await cloud.start()
    const desk = await cloud.start()
    const phone = await cloud.start({ phrase: desk.identity.recoveryPhrase })
    expect(phone.identity.person).toBe(desk.identity.person)
    const session = await openBoth(game('1', desk, b), desk, phone, b)
    const boards = await Promise.all([desk, phone, b].map((machine) => watch(machine, session)))
    const turns = [desk, b, phone, b, desk, b, phone]
    for (const [ply, machine] of turns.entries()) {
      await move(machine, session, WINNING[ply] ?? 0)
      for (const { last } of boards) await until(() => last().ply === ply + 1)
    }
    for (const board of boards) {
      expect(await ended(board)).toMatchObject({ state: 'over', ply: 7, fault: null })
    }
  }, 60_000)

  it('plays on with the machine that is left, once the other is revoked', async () => {
    const asked: string[] = []
    const lost = { machine: '' }
    const desk = await cloud.start()
    const phone = await cloud.start({ phrase: desk.identity.recoveryPhrase })
    lost.machine = phone.identity.machine
    const b = await cloud.start({
      revokes: ({ machine }, version) => {
        asked.push(version)
        return machine === lost.machine
      },
    })
    const session = await openBoth(game('1', desk, b), phone, b)
    const atPhone = await watch(phone, session)
    const atB = await watch(b, session)
    const beforeMs = Date.now()
    await move(phone, session, 4)
    await until(() => atPhone.last().ply === 1 && asked.length > 0)
    expect(versionTimeMs(asked[0] ?? '')).toBeGreaterThanOrEqual(beforeMs)
    expect(atB.last()).toMatchObject({ ply: 0, fault: null })
    // The other machine of the person goes on from it: then it counts with everybody.
    const there = await once(() => desk.sessions.open(game('1', desk, b)))
    expect(there).toBe(session)
    const atDesk = await watch(desk, session)
    await until(() => atDesk.last().ply === 1)
    await desk.sessions.act(session, { type: 'resign' })
    await until(() => atB.last().outcome !== null)
    expect(atB.last()).toMatchObject({ ply: 2, fault: null })
  }, 60_000)

  it('who moves on both at once goes on with one of the moves', async () => {
    const b = await cloud.start()
    const desk = await cloud.start()
    const phone = await cloud.start({ phrase: desk.identity.recoveryPhrase })
    const session = await openBoth(game('1', desk, b), desk, phone, b)
    await Promise.all([
      desk.sessions.act(session, { type: 'move', body: 3 }),
      phone.sessions.act(session, { type: 'move', body: 4 }),
    ])
    const boards = await Promise.all([desk, phone, b].map((machine) => watch(machine, session)))
    await move(b, session, 0)
    for (const { last } of boards) await until(() => last().ply === 2)
    const chosen = boards.map(({ last }) => last().actions[0]?.action)
    expect(new Set(chosen).size).toBe(1)
    for (const { last } of boards) expect(last()).toMatchObject({ fault: null, toAct: [0] })
  }, 60_000)
})

describe('versions of a system', () => {
  it('that are the same need nobody else for their rules', async () => {
    const [a, b] = [await cloud.start(), await cloud.start()]
    const rules = await once(() =>
      a.sessions.library.installedRules(gamesManifest.id, 'connect-four'),
    )
    await a.close()
    await b.sessions.open({ ...game('1', a, b), rules })
  })

  it('that differ play one game by the rules that its descriptor names', async () => {
    const a = await cloud.start()
    // Its installed version lets nobody drop a disc into the middle.
    const source = await once(() =>
      a.sessions.library.installedRules(gamesManifest.id, 'connect-four'),
    )
    const b = await cloud.start({ rules: OTHER_RULES })
    expect(
      await once(() => b.sessions.library.installedRules(gamesManifest.id, 'connect-four')),
    ).not.toBe(source)
    const descriptor = { ...game('1', a, b), rules: source }
    await once(() => b.sessions.open(descriptor), 'RULES_MISSING')
    const session = await openBoth(descriptor, a, b)
    await play([a, b], session, WINNING)
    const board = await watch(b, session)
    expect(await ended(board)).toMatchObject({
      state: 'over',
      fault: null,
      outcome: { scores: [1, 0] },
    })
    const result = await storedBy(a, session)
    expect((await judge(b, result)).plies).toBe(7)
  }, 60_000)
})

const OTHER_RULES = `
  export const init = () => ({ moves: 0 })
  export const legal = (state, seat) => state.moves % 2 === seat ? [0] : []
  export const apply = (state) => ({ moves: state.moves + 1 })
  export const outcome = (state) => state.moves > 2 ? { scores: [0, 1], reason: 'other' } : null
  export const view = (state) => state
`
