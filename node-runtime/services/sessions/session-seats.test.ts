// What a seat can say and do against the others in a session between machines.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { signAction } from '../../core/sessions/action.ts'
import type { ActionStatement } from '../../core/sessions/action.ts'
import { writeBlock } from '../../core/sessions/block.ts'
import { announcementId, SEATS_COLLECTION } from '../../core/sessions/seats.ts'
import { until } from '../../testing/cloud-nodes.ts'
import { eachSessionCloud } from '../../testing/each-session-cloud.ts'
import { game, gamesManifest, openSeatLog } from '../../testing/session-machines.ts'
import type { SessionMachine } from '../../testing/session-machines.ts'
import {
  move,
  openBoth,
  play,
  resultOf,
  storeWord,
  watch,
  WINNING,
} from '../../testing/session-play.ts'
import { Parts } from './parts.ts'

const cloud = eachSessionCloud()

afterEach(() => {
  vi.restoreAllMocks()
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
