import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { CloudError } from '../../contract/errors.ts'
import type {
  ResultValue,
  ResultVerdict,
  SessionDescriptor,
  SessionFrame,
} from '../../contract/sessions.ts'
import { signAction } from '../../core/sessions/action.ts'
import type { ActionStatement } from '../../core/sessions/action.ts'
import { writeBlock } from '../../core/sessions/block.ts'
import type { OwnAction } from '../../core/sessions/referee-events.ts'
import { announcementId, SEATS_COLLECTION } from '../../core/sessions/seats.ts'
import type { Announcement } from '../../core/sessions/seats.ts'
import { until } from '../../testing/cloud-nodes.ts'
import { SessionCloud, game, gamesManifest, openSeatLog } from '../../testing/session-machines.ts'
import type { SessionMachine } from '../../testing/session-machines.ts'
import { Parts } from './parts.ts'
import { readResult } from './results.ts'

/** Seat 0 wins with its fourth disc in column 3. */
const WINNING = [3, 0, 3, 0, 3, 0, 3]

const SEATS = { system: 'dharma', collection: SEATS_COLLECTION }

let cloud: SessionCloud
const stops: (() => void)[] = []

beforeEach(async () => {
  cloud = await SessionCloud.create()
})

afterEach(async () => {
  for (const stop of stops.splice(0)) stop()
  await cloud.close()
}, 20_000)

/**
 * What a call gives once it can. A machine that is so busy that rules take too long says `UNAVAILABLE`, and
 * to try again.
 */
async function once<T>(call: () => Promise<T>, ...more: string[]): Promise<T> {
  let given: { value: T } | undefined
  await until(async () => {
    try {
      given = { value: await call() }
      return true
    } catch (error) {
      if (['UNAVAILABLE', ...more].includes((error as { code?: string }).code ?? '')) return false
      throw error
    }
  })
  if (given === undefined) throw new Error('no answer')
  return given.value
}

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

async function openBoth(
  descriptor: ReturnType<typeof game>,
  ...machines: SessionMachine[]
): Promise<string> {
  const [first] = machines
  if (first === undefined) throw new Error('nobody plays')
  const session = await once(() => first.sessions.open(descriptor))
  for (const machine of machines) {
    expect(await once(() => machine.sessions.open(descriptor))).toBe(session)
  }
  return session
}

/** Makes a move as soon as it is this machine's turn. */
function move(machine: SessionMachine, session: string, column: number): Promise<void> {
  return act(machine, session, { type: 'move', body: column })
}

/** Acts as soon as the machine has worked out the position, and may. */
async function act(machine: SessionMachine, session: string, action: OwnAction): Promise<void> {
  await once(() => machine.sessions.act(session, action), 'SESSION_NOT_YOUR_TURN')
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

/** The result as this machine's person has stored it. */
function resultOf({ identity }: SessionMachine, session: string) {
  const place = { system: gamesManifest.id, collection: 'results', id: session }
  const record = cloud.records.get({ ...place, author: identity.person })
  return record === null ? null : (readResult(record)?.value ?? null)
}

/** That result, once it is stored. */
async function storedBy(machine: SessionMachine, session: string): Promise<ResultValue> {
  await until(() => resultOf(machine, session) !== null)
  const result = resultOf(machine, session)
  if (result === null) throw new Error('no result')
  return result
}

/** The frame that has the end. A result can be here before the moves that it is about. */
async function ended({ last }: { last: () => SessionFrame }): Promise<SessionFrame> {
  await until(() => last().outcome !== null && last().resultId !== null)
  return last()
}

/** Stores what no moves give: that seat 1 has won. @returns the descriptor */
async function storeWord(by: SessionMachine, session: string): Promise<SessionDescriptor> {
  const [announced] = (await by.records.query({ ...SEATS, prefix: session, limit: 1 })).records
  if (announced === undefined) throw new Error('nobody announced a seat')
  const { descriptor } = announced.value as unknown as Announcement
  const result: ResultValue = {
    session,
    descriptor,
    outcome: { scores: [0, 1], reason: 'so I say' },
    by: 'rules',
    plies: 2,
    endedMs: 1,
    transcript: { core: null, hash: 'a'.repeat(64), length: 1 },
    signatures: [],
    kind: descriptor.kind,
    context: descriptor.context,
  }
  const place = { system: gamesManifest.id, collection: 'results', id: session }
  await by.records.put(place, JSON.parse(JSON.stringify(result)))
  return descriptor
}

/** What a machine finds out about a result, once it has a link to one that has the moves. */
async function judge(machine: SessionMachine, result: ResultValue): Promise<ResultVerdict> {
  const missing = ['SESSION_TRANSCRIPT_MISSING', 'RULES_MISSING']
  return (await once(() => machine.sessions.judge(result), ...missing)).judged
}

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
    const session = await openBoth(descriptor, a, b)
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

describe('what a seat says', () => {
  it('of moves that never come keeps nobody from playing on', async () => {
    const [a, b] = [await cloud.start(), await cloud.start()]
    const session = await openBoth(game('1', a, b), a, b)
    await play([a, b], session, [3, 0])
    const { dataDir } = a
    await a.close()
    await storeWord(b, session)
    const honest = Parts.prototype.get
    const get = vi.spyOn(Parts.prototype, 'get')
    stops.push(() => get.mockRestore())
    get.mockImplementation(function (this: Parts, kind, ...rest) {
      return kind === 'transcript' ? new Promise(() => {}) : honest.call(this, kind, ...rest)
    })
    const again = await cloud.start({ dataDir })
    await move(again, session, 3)
  }, 60_000)

  it('of its end is in no list as what the rules say', async () => {
    const [a, b, c] = [await cloud.start(), await cloud.start(), await cloud.start()]
    const session = await openBoth(game('1', a, b), a, b)
    await play([a, b], session, [3, 0])
    const descriptor = await storeWord(b, session)
    const { identity, records } = b
    const announcement = {
      session,
      seat: 1,
      log: identity.machine,
      machine: identity.machine,
      descriptor,
      state: 'over',
      startedMs: 1,
    }
    await records.putBuiltIn(
      SEATS_COLLECTION,
      announcementId(session, 1, identity.machine),
      announcement,
    )
    const listed = async (machine: SessionMachine) =>
      (await machine.sessions.list(gamesManifest.id, undefined, 10))[0]
    await until(async () => (await listed(c))?.state === 'over')
    // Said to be over, and not judged here.
    expect(await listed(c)).toMatchObject({ session, ply: 0, outcome: null })
    // Nor is there anything to judge where it is played.
    await until(async () => (await listed(a))?.ply === 2)
    expect(await listed(a)).toMatchObject({ session, outcome: null })
    await play([a, b], session, WINNING.slice(2))
    await until(async () => (await listed(a))?.outcome !== null)
    expect((await listed(a))?.outcome).toEqual({ scores: [1, 0], reason: 'four in a row' })
  }, 60_000)

  it('of when it began does not keep another from sitting down again after a start', async () => {
    const a = await cloud.start()
    const b = await cloud.start({ now: () => 1 })
    const session = await openBoth(game('1', b, a), b, a)
    const { dataDir } = a
    await a.close()
    const again = await cloud.start({ dataDir })
    await again.sessions.resumed
    expect(again.sessions.placeOf(session)).not.toBeNull()
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

describe('a seat that breaks the rules', () => {
  it('is blamed with the proof by all, and has lost', async () => {
    const a = await cloud.start()
    const b = await cloud.start()
    const descriptor = game('1', a, b)
    const session = await openBoth(descriptor, a, b)
    await b.close()
    const { log, close } = await openSeatLog(b, session, 1)
    const attestation = b.identity.attestationFor(cloud.cloud)
    const statement: ActionStatement = {
      session,
      seat: 1,
      seq: 0,
      heads: [null, null],
      type: 'move',
      body: 3,
      machine: b.identity.machine,
      attestation: attestation.hash,
      atMs: 1,
    }
    const { form } = signAction(statement, b.identity.machineKeys.secretKey)
    await log.append(
      writeBlock({ type: 'attestation', form: attestation.form }),
      writeBlock({ type: 'action', form }),
    )
    await close()
    await cloud.start({ dataDir: b.dataDir })
    const seen = await watch(a, session)
    await until(() => seen.last().fault !== null)
    expect(seen.last()).toMatchObject({
      fault: { seat: 1, ply: 0, proof: [form] },
      by: 'fault',
      outcome: { scores: [1, 0] },
      toAct: [],
      legal: [],
    })
    await expect(a.sessions.act(session, { type: 'move', body: 3 })).rejects.toMatchObject({
      code: 'SESSION_TRANSCRIPT_FORGED',
    })
    await until(() => resultOf(a, session)?.by === 'fault')
  }, 60_000)
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
        boards.push(await watch(machine, session))
        await until(() => machine.sessions.placeOf(session)?.source !== null)
      }
      await play([a, b], session, WINNING)
      for (const { last } of boards) await until(() => last().ply === WINNING.length)
      for (const player of [a, b]) {
        expect(player.sessions.placeOf(session)?.children.length).toBeLessThanOrEqual(1)
      }
      const counts = [a, b].map(({ sessions }) =>
        sessions.uploads(session).reduce((sum, count) => sum + count.blocks, 0),
      )
      // Attestation, moves, agreement; and both logs once.
      const ownBlocks = Math.ceil(WINNING.length / 2) + 2
      return [Math.max(...counts), ownBlocks + WINNING.length + 4]
    }
    for (const audience of [watchers.slice(0, 1), watchers]) {
      const [blocks, most] = await uploaded(`for ${audience.length}`, audience)
      expect(blocks).toBeGreaterThan(0)
      expect(blocks).toBeLessThanOrEqual(most)
    }
  }, 90_000)

  it('needs the system installed', async () => {
    const [a, b] = [await cloud.start(), await cloud.start()]
    const stranger = await cloud.start({ installed: false })
    const session = await openBoth(game('1', a, b), a, b)
    await expect(stranger.sessions.watch(session)).rejects.toMatchObject({
      code: 'SYSTEM_NOT_INSTALLED',
    })
  }, 60_000)
})
