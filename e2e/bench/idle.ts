// What machines cost that do nothing: eight and twenty of one cloud, beside what is wanted and as many bare Hyperswarm
// processes. Bytes are counted outside of them.
import { LocalCloud } from '../support/machines.ts'
import { newTopic, startBarePeer } from './bare-peer.ts'
import { cpuMs, residentBytes } from './process-use.ts'
import { compare } from './report.ts'
import type { Measure, Row } from './report.ts'
import { UdpCount } from './udp-count.ts'

const SIZES = [8, 20]
/** Finding each other is over by then, and so is what follows from it. */
const SETTLE_MS = 60_000
const WATCHED_MS = 60_000
const PERCENT = 100
/** Wanted, in the units of the rows. */
const WANTED = { bytes: 1_500, percent: 0.3 }

interface Use {
  /** A second, both ways, headers included. */
  bytes: number[]
  packets: number[]
  /** Of a core. */
  percent: number[]
  residentBytes: number[]
}

const wait = (delayMs: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, delayMs))

/** What each process uses while it does nothing. */
async function watchIdle(count: UdpCount, pids: readonly number[]): Promise<Use> {
  await wait(SETTLE_MS)
  const look = async () => ({
    sent: await count.totals(pids),
    ms: await Promise.all(pids.map(cpuMs)),
  })
  const before = await look()
  const startMs = performance.now()
  await wait(WATCHED_MS)
  const after = await look()
  const seconds = (performance.now() - startMs) / 1_000
  return {
    bytes: after.sent.map(({ bytes }, n) => (bytes - before.sent[n]!.bytes) / seconds),
    packets: after.sent.map(({ packets }, n) => (packets - before.sent[n]!.packets) / seconds),
    percent: after.ms.map((ms, n) => ((ms - before.ms[n]!) / seconds / 1_000) * PERCENT),
    residentBytes: await Promise.all(pids.map(residentBytes)),
  }
}

async function watchMachines(cloud: LocalCloud, count: UdpCount, machines: number): Promise<Use> {
  const first = await cloud.startDaemon()
  const pids = [first.pid]
  while (pids.length < machines) {
    pids.push((await cloud.startDaemon({ cloud: first.cloud })).pid)
  }
  const use = await watchIdle(count, pids)
  await cloud.closeMachines()
  return use
}

async function watchBare(cloud: LocalCloud, count: UdpCount, processes: number): Promise<Use> {
  const topic = newTopic()
  const bare = Array.from({ length: processes }, () => startBarePeer(cloud.bootstrap, topic))
  await Promise.all(bare.map(({ announced }) => announced))
  const use = await watchIdle(
    count,
    bare.map(({ pid }) => pid),
  )
  await Promise.all(bare.map((peer) => peer.close()))
  return use
}

export const idle: Measure = {
  name: 'idle',
  title: 'machines of one cloud that do nothing, each',
  async run(say) {
    const count = await UdpCount.open()
    const cloud = await LocalCloud.create()
    const rows: Row[] = []
    try {
      for (const machines of SIZES) {
        const of = `${machines} machines`
        say(of)
        const ours = await watchMachines(cloud, count, machines)
        say('the same of bare processes')
        const theirs = await watchBare(cloud, count, machines)
        const against = 'a bare Hyperswarm process'
        rows.push(
          compare(`${of}, a second`, 'bytes', ours.bytes, 'wanted', [WANTED.bytes]),
          compare(`${of}, the same`, 'bytes', ours.bytes, against, theirs.bytes),
          compare(`${of}, packets a second`, 'times', ours.packets, against, theirs.packets),
          compare(`${of}, of a core`, 'percent', ours.percent, 'wanted', [WANTED.percent]),
          compare(`${of}, the same`, 'percent', ours.percent, against, theirs.percent),
          compare(`${of}, memory`, 'bytes', ours.residentBytes, against, theirs.residentBytes),
        )
      }
      return rows
    } finally {
      await cloud.close()
      await count.close()
    }
  },
}
