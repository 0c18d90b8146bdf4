import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { CloudRecord } from '../../contract/db.ts'
import type { ResultValue } from '../../contract/sessions.ts'
import { sessionId } from '../../core/sessions/position.ts'
import { transcriptHash, writeTranscript } from '../../core/sessions/transcript.ts'
import { PartFiles } from '../../store/part-files.ts'
import { FakeNetwork } from '../../testing/fake-network.ts'
import { descriptorOf, holder, keysOf } from '../../testing/session-tables.ts'
import type { Holder } from '../../testing/session-tables.ts'
import { PLAIN_RULES, PLAIN_RULES_HASH } from '../../testing/plain-rules.ts'
import { silentLog } from '../../testing/silent-log.ts'
import { Parts } from './parts.ts'
import { ResultKeeper } from './result-keeper.ts'

const PROTOCOL = 'dharma/session-parts/1'
/** What a short transcript counts. */
const TRANSCRIPT_BYTES = 4096
const [ANN, BOB, EVE] = [holder('ann'), holder('bob'), holder('eve')]

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dharma-keeper-'))
})
afterEach(async () => {
  vi.useRealTimers()
  await rm(folder, { recursive: true, force: true })
})

/** A machine that keeps results, and one that has parts. What nobody gave it, it does not answer. */
async function twoMachines(quotaBytes: number) {
  const here = new FakeNetwork(keysOf('here').key)
  const there = new FakeNetwork(keysOf('there').key)
  const held = new Map<string, Uint8Array>([[PLAIN_RULES_HASH, PLAIN_RULES]])
  let asking = 0
  let mostAsking = 0
  const protocol = there.openProtocol<{ hash: string; from: number }>({
    name: PROTOCOL,
    codec: {
      maxBytes: 1_000_000,
      encode: (message) => Buffer.from(JSON.stringify(message)),
      decode: (bytes) =>
        JSON.parse(Buffer.from(bytes).toString()) as { hash: string; from: number },
    },
    received: ({ machine }, { hash, from }) => {
      asking++
      mostAsking = Math.max(mostAsking, asking)
      const bytes = held.get(hash)
      if (bytes === undefined) return
      asking--
      const data = Buffer.from(bytes).toString('base64')
      protocol.send(machine, { type: 'piece', hash, from, total: bytes.length, data } as never)
    },
  })
  const files = await PartFiles.open(join(folder, 'parts'), quotaBytes)
  const parts = new Parts(files, here)
  here.link(there)
  const keeper = new ResultKeeper(parts, silentLog)
  /** Lets messages arrive until something is so. */
  const until = async (check: () => boolean): Promise<void> => {
    while (!check()) {
      here.deliver()
      there.deliver()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return { files, held, keeper, until, mostAsking: () => mostAsking }
}

/** A result that one of two players has stored of their game with this number, and its moves. */
function result(by: Holder, number: number): { record: CloudRecord; moves: Uint8Array } {
  const seats = [by, holder('other')]
  const descriptor = { ...descriptorOf(seats), seed: `${number}`, rules: PLAIN_RULES_HASH }
  const session = sessionId(descriptor)
  const moves = writeTranscript(descriptor, { actions: [], attestations: [] })
  const value: ResultValue = {
    session,
    descriptor,
    outcome: { scores: [1, 0], reason: '' },
    by: 'rules',
    plies: 1,
    endedMs: 1,
    transcript: { core: null, hash: transcriptHash(moves), length: moves.length },
    signatures: [],
    kind: descriptor.kind,
    context: descriptor.context,
  }
  const record = {
    system: descriptor.system,
    collection: 'results',
    id: session,
    author: by.person,
    value,
    version: '0',
    rule: 'author',
  } as unknown as CloudRecord
  return { record, moves }
}

test('a flood of one person’s results never pushes out what others’ need', async () => {
  const { files, held, keeper, until } = await twoMachines(14 * TRANSCRIPT_BYTES)
  const consider = (by: Holder, number: number): string => {
    const { record, moves } = result(by, number)
    held.set(transcriptHash(moves), moves)
    keeper.consider(record)
    return transcriptHash(moves)
  }
  const anns = [1, 2, 3].map((number) => consider(ANN, number))
  const eves: string[] = []
  for (let number = 0; number < 40; number++) eves.push(consider(EVE, number))
  await until(() => keeper.waiting === 0)
  const bobs = [1, 2].map((number) => consider(BOB, number))
  await until(() => keeper.waiting === 0)
  expect(keeper.kept).toBe(45)
  for (const hash of [...anns, ...bobs, PLAIN_RULES_HASH])
    expect(await files.get(hash)).not.toBeNull()
  expect(await files.get(eves.at(-1) ?? '')).not.toBeNull()
  expect(await files.get(eves[0] ?? '')).toBeNull()
})

test('what nobody has to give holds up only who names it, and few are fetched at once', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const { files, held, keeper, until, mostAsking } = await twoMachines(1_000_000)
  for (let number = 0; number < 40; number++) keeper.consider(result(EVE, number).record)
  const { record, moves } = result(ANN, 1)
  held.set(transcriptHash(moves), moves)
  keeper.consider(record)
  await until(() => keeper.kept === 1)
  expect(await files.get(transcriptHash(moves))).toEqual(moves)
  expect(keeper.waiting).toBe(40)
  // Others do the same. Together they are still few.
  for (let number = 0; number < 10; number++) keeper.consider(result(holder(`${number}`), 1).record)
  await until(() => mostAsking() === 4)
  let turns = 0
  await until(() => turns++ > 50)
  expect(mostAsking()).toBe(4)
  keeper.close()
})

test.each(['at once', 'before'])('moves that another names %s are kept for both', async (when) => {
  const { files, held, keeper, until } = await twoMachines(4 * TRANSCRIPT_BYTES)
  const anns = result(ANN, 1)
  held.set(transcriptHash(anns.moves), anns.moves)
  // Eve names Ann's moves as those of a game of her own.
  const eves = result(EVE, 1).record
  const { transcript } = anns.record.value as unknown as ResultValue
  keeper.consider({ ...eves, value: { ...(eves.value as object), transcript } } as CloudRecord)
  if (when === 'before') await until(() => keeper.waiting === 0)
  keeper.consider(anns.record)
  await until(() => keeper.waiting === 0)
  for (let number = 2; number < 20; number++) {
    const { record, moves } = result(EVE, number)
    held.set(transcriptHash(moves), moves)
    keeper.consider(record)
  }
  await until(() => keeper.waiting === 0)
  expect(await files.get(transcript.hash)).toEqual(anns.moves)
})

test('a result that names others’ moves as its rules takes them from nobody', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const { files, held, keeper, until } = await twoMachines(1_000_000)
  const { record, moves } = result(ANN, 1)
  held.set(transcriptHash(moves), moves)
  keeper.consider(record)
  await until(() => keeper.kept === 1)
  const eves = result(EVE, 1)
  held.set(transcriptHash(eves.moves), eves.moves)
  const value = eves.record.value as unknown as ResultValue
  const descriptor = { ...value.descriptor, rules: transcriptHash(moves) }
  // What is gone is to be had nowhere again.
  held.delete(transcriptHash(moves))
  keeper.consider({ ...eves.record, value: { ...value, descriptor } } as unknown as CloudRecord)
  await until(() => keeper.waiting === 0)
  expect(await files.get(transcriptHash(moves))).toEqual(moves)
  keeper.close()
})
