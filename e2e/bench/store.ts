// What it costs to keep a record: put one by one and many at once, each on the disk before it is
// acknowledged, beside a bare Hypercore whose journal is synced after each append. In one process and on
// one disk, in turns, so that what else the disk does strikes both.
import { mkdtemp, open, readdir, rm, stat } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import Corestore from 'corestore'
import { encodeRecord } from '../../node-runtime/core/db/signed-record.ts'
import type { HeldRecord } from '../../node-runtime/core/db/signed-record.ts'
import { IndexedRecords } from '../../node-runtime/store/indexed-records.ts'
import {
  recordWriter,
  TEST_CLOUD,
  TEST_NOW_MS,
  testVersion,
} from '../../node-runtime/testing/record-writer.ts'
import { silentLog } from '../../node-runtime/testing/silent-log.ts'
import { compare, timeMs } from './report.ts'
import type { Measure } from './report.ts'

const ROUNDS = 10
const ONE_BY_ONE = 100
const AT_ONCE = 2_000
const IN_FLIGHT = 200
const SECOND_MS = 1_000

const anna = recordWriter(1)
let written = 0

function newRecords(count: number): HeldRecord[] {
  return Array.from({ length: count }, () => {
    const number = written++
    return anna.record({
      id: `note-${number}`,
      version: testVersion(number % 65_536),
      value: { text: `note number ${number} of many, about as long as notes are` },
    })
  })
}

/** Runs `work` for each of many, so many at a time. */
async function eachOf<T>(
  all: readonly T[],
  atOnce: number,
  work: (one: T) => Promise<unknown>,
): Promise<void> {
  const rest = all.values()
  const worker = async (): Promise<void> => {
    for (const one of rest) await work(one)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

async function perSecond(count: number, work: () => Promise<unknown>): Promise<number> {
  return (count / (await timeMs(work))) * SECOND_MS
}

/** Syncs the journal of a Corestore. */
async function openJournal(folder: string): Promise<() => Promise<void>> {
  const name = (await readdir(folder)).find((each) => each.endsWith('.log')) ?? ''
  const file = await open(path.join(folder, name), 'r+')
  return () => file.datasync()
}

async function sizeOf(folder: string): Promise<number> {
  const names = await readdir(folder)
  const sizes = names.map(async (name) => (await stat(path.join(folder, name))).size)
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

export const store: Measure = {
  name: 'store',
  title: 'A record on the disk',
  async run(say) {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'dharma-bench-store-'))
    const index = path.join(folder, 'index')
    const options = { folder: index, cloud: TEST_CLOUD, log: silentLog, nowMs: () => TEST_NOW_MS }
    const { store: records } = await IndexedRecords.open(options)
    const corestore = new Corestore(path.join(folder, 'bare'))
    const log = corestore.get({ name: 'log' })
    await log.ready()
    const sync = await openJournal(path.join(folder, 'bare', 'db'))
    const put = (record: HeldRecord): Promise<unknown> =>
      records.write([record.header], () => ({
        records: [{ record, verdict: '' }],
        attestations: [anna.attestation],
      }))
    const append = async (record: HeldRecord): Promise<void> => {
      await log.append(encodeRecord(record))
      await sync()
    }
    const rates = { single: [], flight: [], bareSingle: [], bareFlight: [] } as Record<
      'single' | 'flight' | 'bareSingle' | 'bareFlight',
      number[]
    >
    let signedBytes = 0
    try {
      // The first round warms the code and does not count.
      for (let round = 0; round <= ROUNDS; round++) {
        if (round === 1) say('puts')
        const one = newRecords(ONE_BY_ONE)
        const many = newRecords(AT_ONCE)
        for (const record of [...one, ...many]) signedBytes += encodeRecord(record).length
        const results = {
          single: await perSecond(ONE_BY_ONE, () => eachOf(one, 1, put)),
          bareSingle: await perSecond(ONE_BY_ONE, () => eachOf(one, 1, append)),
          flight: await perSecond(AT_ONCE, () => eachOf(many, IN_FLIGHT, put)),
          bareFlight: await perSecond(AT_ONCE, () => eachOf(many, IN_FLIGHT, append)),
        }
        if (round === 0) continue
        for (const name of ['single', 'flight', 'bareSingle', 'bareFlight'] as const) {
          rates[name].push(results[name])
        }
      }
      const count = records.count
      await records.close()
      await corestore.close()
      const diskBytes = await sizeOf(options.folder)
      const bare = 'Hypercore, synced'
      return [
        compare('puts one by one', 'a second', rates.single, bare, rates.bareSingle),
        compare('puts, 200 in flight', 'a second', rates.flight, bare, rates.bareFlight),
        compare('disk per record', 'bytes', [diskBytes / count], 'as signed', [
          signedBytes / count,
        ]),
      ]
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
}
