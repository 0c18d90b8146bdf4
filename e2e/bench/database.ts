// What the database of a machine gives over its WebSocket: notes of 100 bytes, each on the disk before
// it is answered, beside a bare Hypercore that waits for the same disk; and how soon another machine
// shows what was put.
import path from 'node:path'
import { LocalCloud } from '../support/machines.ts'
import type { Daemon } from '../support/machines.ts'
import { connectToFolder } from '../../node-runtime/host/running-machine.ts'
import { startBareLog } from './bare-log.ts'
import type { BareLog } from './bare-log.ts'
import { newTopic, startBarePeer } from './bare-peer.ts'
import {
  folderBytes,
  NOTE_BYTES,
  noteId,
  noteOf,
  placeOf,
  putMany,
  putNote,
  queryNothing,
  signedBytes,
  watchNotes,
} from './notes.ts'
import type { Notes } from './notes.ts'
import { until, within } from './patience.ts'
import { cpuMs } from './process-use.ts'
import { compare, percentile, timeMs } from './report.ts'
import type { Measure, Row } from './report.ts'
import { installSystem } from './system-page.ts'

const ROUNDS = 4
const PUTS_A_ROUND = 500
const MANY_A_ROUND = 2_000
const IN_FLIGHT = 100
const QUERIED_NOTES = 10_500
const QUERIES = 15
const SEEN_A_ROUND = 300
const SEEN_EVERY_MS = 10
const FIRST_SEEN = 1_000_000
const WARM_UP = 500
/** About what a signed note travels with. */
const FRAME_BYTES = 700

interface Setting {
  cloud: LocalCloud
  daemon: Daemon
  log: BareLog
  near: Notes
  say: (line: string) => void
}

async function openNotes(daemon: Daemon, system: string): Promise<Notes> {
  return { ...(await connectToFolder(daemon.dataDir)), system }
}

/** Puts as many notes, one every 10 ms, and times each from the call to the other machine's event. */
async function timeSeen(near: Notes, far: Notes, first: number, count: number): Promise<number[]> {
  const calledMs = new Map<string, number>()
  const tookMs: number[] = []
  let all = (): void => undefined
  const seen = new Promise<void>((resolve) => (all = resolve))
  const stop = await watchNotes(far, (id) => {
    const startMs = calledMs.get(id)
    if (startMs === undefined) return
    tookMs.push(performance.now() - startMs)
    if (tookMs.length === count) all()
  })
  const startMs = performance.now()
  for (let n = 0; n < count; n++) {
    const waitMs = startMs + n * SEEN_EVERY_MS - performance.now()
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
    calledMs.set(noteId(first + n), performance.now())
    void putNote(near, first + n)
  }
  await within(seen, 'the other machine has shown all notes')
  stop()
  return tookMs
}

/** Puts one by one against appends, once the engine has compiled what they run. */
async function measureLatePuts({ near, log, say }: Setting, first: number): Promise<Row[]> {
  const [late, lateBare]: number[][] = [[], []]
  let next = first
  for (let round = 1; round <= ROUNDS; round++) {
    say(`puts one by one, later, round ${round} of ${ROUNDS}`)
    lateBare!.push(...(await log.append(PUTS_A_ROUND, 1, NOTE_BYTES)))
    for (let n = 0; n < PUTS_A_ROUND; n++) late!.push(await timeMs(() => putNote(near, next++)))
  }
  const name = `a put, one by one, after ${first.toLocaleString('en')}`
  return [compare(name, 'ms', late!, 'Hypercore append, its journal synced', lateBare!)]
}

/** Puts against appends, turn by turn; writes notes until there are as many as the query looks at. */
async function measurePuts(setting: Setting): Promise<Row[]> {
  const { near, daemon, log, say } = setting
  const [single, singleBare, many, manyBare]: number[][] = [[], [], [], []]
  const [singleCpu, manyCpu]: number[][] = [[], []]
  const folder = path.join(daemon.dataDir, 'clouds', daemon.cloud, 'records')
  await putMany(near, 0, WARM_UP, IN_FLIGHT)
  await log.append(WARM_UP, 1, NOTE_BYTES)
  const emptyBytes = await folderBytes(folder)
  let next = WARM_UP
  for (let round = 1; round <= ROUNDS; round++) {
    say(`puts, round ${round} of ${ROUNDS}`)
    singleBare!.push(...(await log.append(PUTS_A_ROUND, 1, NOTE_BYTES)))
    const beforeMs = await cpuMs(daemon.pid)
    for (let n = 0; n < PUTS_A_ROUND; n++) single!.push(await timeMs(() => putNote(near, next++)))
    const betweenMs = await cpuMs(daemon.pid)
    singleCpu!.push((betweenMs - beforeMs) / PUTS_A_ROUND)
    const bareMs = await log.append(MANY_A_ROUND / IN_FLIGHT, IN_FLIGHT, NOTE_BYTES)
    manyBare!.push((1_000 * MANY_A_ROUND) / bareMs.reduce((sum, ms) => sum + ms, 0))
    const manyMs = await timeMs(() => putMany(near, next, MANY_A_ROUND, IN_FLIGHT))
    next += MANY_A_ROUND
    many!.push((1_000 * MANY_A_ROUND) / manyMs)
    manyCpu!.push(((await cpuMs(daemon.pid)) - betweenMs) / MANY_A_ROUND)
  }
  const diskBytes = ((await folderBytes(folder)) - emptyBytes) / (next - WARM_UP)
  const bare = 'Hypercore append, its journal synced'
  const bareMany = `the same, ${IN_FLIGHT} blocks at a time`
  const inFlight = `${IN_FLIGHT} in flight`
  return [
    compare('a put, one by one', 'ms', single!, bare, singleBare!),
    compare(`puts, ${inFlight}`, 'a second', many!, bareMany, manyBare!),
    compare('CPU for a put, one by one', 'ms', singleCpu!, `for a put, ${inFlight}`, manyCpu!),
    compare('disk for a record', 'bytes', [diskBytes], 'the signed record', [
      await signedBytes(near, 0),
    ]),
  ]
}

/** Queries against reading the same values as one text. */
async function measureQuery({ near, say }: Setting): Promise<Row[]> {
  say('queries')
  const text = JSON.stringify(Array.from({ length: QUERIED_NOTES }, (_, n) => noteOf(n)))
  const tookMs: number[] = []
  const readMs: number[] = []
  for (let n = 0; n <= QUERIES; n++) {
    const queryMs = await timeMs(() => queryNothing(near))
    const parseMs = await timeMs(() => Promise.resolve(JSON.parse(text)))
    // The first one does not count.
    if (n === 0) continue
    tookMs.push(queryMs)
    readMs.push(parseMs)
  }
  const name = `a query that finds nothing among ${QUERIED_NOTES.toLocaleString('en')}`
  return [compare(name, 'ms', tookMs, 'JSON.parse of their values', readMs)]
}

/** How soon another machine shows it, against two syncs and one message in between, as often. */
async function measureSeen({ cloud, near, daemon, log, say }: Setting): Promise<Row[]> {
  const dataDir = await cloud.makeFolder()
  const other = await cloud.startDaemon({ cloud: daemon.cloud, dataDir })
  await installSystem(other, 'notes', await cloud.makeFolder())
  const far = await openNotes(other, near.system)
  await until(async () => {
    const { completeness } = await far.client.db.query({ ...placeOf(far), limit: 1 })
    return completeness.machinesInStep > 0
  }, 'the other machine is in step')
  const topic = newTopic()
  const first = startBarePeer(cloud.bootstrap, topic)
  await first.announced
  const second = startBarePeer(cloud.bootstrap, topic)
  const [middle, late, bare]: number[][] = [[], [], []]
  try {
    await Promise.all([first.connected, second.connected])
    await timeSeen(near, far, FIRST_SEEN, WARM_UP)
    for (let round = 1; round <= ROUNDS; round++) {
      say(`seen by another machine, round ${round} of ${ROUNDS}`)
      const ways = await first.ping(SEEN_A_ROUND, FRAME_BYTES, SEEN_EVERY_MS)
      const [here, there] = [
        await log.sync(SEEN_A_ROUND, FRAME_BYTES, SEEN_EVERY_MS),
        await log.sync(SEEN_A_ROUND, FRAME_BYTES, SEEN_EVERY_MS),
      ]
      bare!.push(...ways.map((ms, n) => ms / 2 + (here[n] ?? 0) + (there[n] ?? 0)))
      const from = FIRST_SEEN + round * SEEN_A_ROUND
      const tookMs = await timeSeen(near, far, from, SEEN_A_ROUND)
      middle!.push(percentile(tookMs, 0.5))
      late!.push(percentile(tookMs, 0.99))
    }
  } finally {
    far.close()
    await Promise.all([first.close(), second.close()])
  }
  const against = 'a sync, a message, a sync, as often'
  return [
    compare('from the call to the event at another, p50', 'ms', middle!, against, bare!),
    compare('the same, p99', 'ms', late!, against, [percentile(bare!, 0.99)]),
  ]
}

export const database: Measure = {
  name: 'db',
  title: `Notes of ${NOTE_BYTES} bytes over the machine’s WebSocket, synced before each answer`,
  async run(say) {
    const cloud = await LocalCloud.create()
    const log = await startBareLog(await cloud.makeFolder())
    try {
      const daemon = await cloud.startDaemon()
      const system = await installSystem(daemon, 'notes', await cloud.makeFolder())
      const near = await openNotes(daemon, system)
      const setting = { cloud, daemon, log, near, say }
      const rows = [...(await measurePuts(setting))]
      // What is there is counted up to what is queried.
      const put = WARM_UP + ROUNDS * (PUTS_A_ROUND + MANY_A_ROUND)
      await putMany(near, put, Math.max(0, QUERIED_NOTES - put), IN_FLIGHT)
      rows.push(...(await measureQuery(setting)))
      rows.push(...(await measureLatePuts(setting, Math.max(put, QUERIED_NOTES))))
      rows.push(...(await measureSeen(setting)))
      near.close()
      return rows
    } finally {
      await log.close()
      await cloud.close()
    }
  },
}
